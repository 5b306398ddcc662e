"""docs/volumes.md lists every finding there is, under the level that the code gives it."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import napari_sparseexplain

PACKAGE = Path(napari_sparseexplain.__file__).parent
DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "volumes.md"

LEVELS = {"info", "warning"}


def findings_in_code() -> dict[str, set[str]]:
    """Levels by code of every ``Finding(level, code, …)`` in the package."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding"):
                continue
            level, code = node.args[:2]
            assert isinstance(code, ast.Constant), f"{path.name}: a code must be a plain text"
            # The level may be chosen by a condition: every text in it that is a level counts.
            texts = {n.value for n in ast.walk(level) if isinstance(n, ast.Constant)}
            found[code.value] |= texts & LEVELS
    return found


def test_every_finding_has_a_sentence_that_may_leave() -> None:
    from napari_sparseexplain.export.privacy.finding_sentences import SENTENCES

    assert set(SENTENCES) == set(findings_in_code())


def findings_in_document() -> dict[str, set[str]]:
    """The same from the table."""
    section = DOCUMENT.read_text(encoding="utf-8").split("## Findings")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `([a-z-]+)` \| ([a-z, ]+) \|", section, flags=re.MULTILINE)
    return {code: set(levels.split(", ")) for code, levels in rows}


def test_every_finding_is_documented_with_its_level() -> None:
    assert findings_in_document() == dict(findings_in_code())
