"""What a run found, as a table in Markdown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from .guarded_run import FAILURES, OPENED, REFUSED, Outcome


@dataclass(frozen=True)
class Row:
    """One case and how it ended."""

    seed: int
    kind: str
    number: int
    said: str
    outcome: Outcome

    @property
    def failed(self) -> bool:
        """Whether it is one of those of which there should be none."""
        return self.outcome.end in FAILURES

    def line(self) -> str:
        """For a person: how to repeat it, what was done, what came of it."""
        out = self.outcome
        return (
            f"{out.end}: --only {self.kind}:{self.seed}:{self.number} ({self.said[:100]}) "
            f"{out.seconds:.1f} s {out.memory >> 20} MiB {out.message[:200]!r}"
        )


def table(rows: Iterable[Row]) -> str:
    """Cases by seed and kind, and how they ended."""
    groups: dict[tuple[int, str], list[Outcome]] = defaultdict(list)
    for row in rows:
        groups[row.seed, row.kind].append(row.outcome)
    heads = ("seed", "kind", "cases", OPENED, REFUSED, *FAILURES, "longest, s", "largest, MiB")
    lines = ["| " + " | ".join(heads) + " |", "| --- | --- |" + " ---: |" * (len(heads) - 2)]
    for (seed, kind), outcomes in groups.items():
        ends = [sum(o.end == end for o in outcomes) for end in (OPENED, REFUSED, *FAILURES)]
        longest = max(o.seconds for o in outcomes)
        largest = max(o.memory for o in outcomes) >> 20
        cells = (seed, kind, len(outcomes), *ends, f"{longest:.1f}", largest)
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)
