"""``python -m tests.fuzz``: thousands of damaged files, and a table of what came of them.

    python -m tests.fuzz --seeds 7 11 23 2026 --cases 300
    python -m tests.fuzz --only review:7:12

Status 1 when a case ended in anything but being opened or refused by one clear line.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

# Before NumPy and torch: the cases run in forks of this process, which must have one thread.
for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"


def main() -> int:
    given = argparse.ArgumentParser(prog="python -m tests.fuzz")
    given.add_argument("--seeds", type=int, nargs="+", default=[7, 11, 23, 2026])
    given.add_argument("--cases", type=int, default=300, help="of each kind and seed")
    given.add_argument("--kinds", nargs="+", help="only these kinds")
    given.add_argument("--only", nargs="+", help="single cases, as KIND:SEED:NUMBER")
    given.add_argument("--out", type=Path, help="a file for the table")
    asked = given.parse_args()

    from .cases import KINDS
    from .run import run_cases
    from .table import table
    from .valid_files import make_valid_files

    if asked.only:
        parts = [one.split(":") for one in asked.only]
        wanted = [(kind, int(seed), int(number)) for kind, seed, number in parts]
    else:
        kinds = asked.kinds or list(KINDS)
        wanted = [(k, s, n) for s in asked.seeds for k in kinds for n in range(asked.cases)]
    rows = []
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        valid = make_valid_files(_folder(Path(name) / "valid"))
        for row in run_cases(wanted, valid, Path(name)):
            rows.append(row)
            if row.failed or asked.only:
                print(row.line(), flush=True)
            elif len(rows) % 100 == 0:
                print(f"{len(rows)} of {len(wanted)}", file=sys.stderr, flush=True)
    said = table(rows)
    print(said)
    if asked.out:
        asked.out.write_text(said + "\n", encoding="utf-8")
    return int(any(row.failed for row in rows))


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


if __name__ == "__main__":
    sys.exit(main())
