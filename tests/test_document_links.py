"""Links of the README and the documents lead somewhere, and so do their anchors."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md")])

_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
#: ``[text](target)``, ``![text](target "title")`` and ``[label]: target``.
_LINK = re.compile(r"\]\(\s*<?([^)>\s]+)>?[^)]*\)|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
_HEADING = re.compile(r"^#+\s+(.*?)\s*#*$", re.MULTILINE)
_ELSEWHERE = ("http://", "https://", "mailto:")


def links(text: str) -> list[str]:
    """Targets of a document's links, those in code left out."""
    prose = _CODE.sub("", _FENCE.sub("", text))
    return [one or other for one, other in _LINK.findall(prose)]


def anchors(text: str) -> set[str]:
    """Anchors of a document's headings, as GitHub makes them."""
    found: set[str] = set()
    for heading in _HEADING.findall(_FENCE.sub("", text)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        number, base = 0, anchor
        while anchor in found:
            number += 1
            anchor = f"{base}-{number}"
        found.add(anchor)
    return found


def broken(document: Path) -> list[str]:
    """Relative links of a document that lead nowhere."""
    missing = []
    for link in links(document.read_text(encoding="utf-8")):
        if link.startswith(_ELSEWHERE):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        there = target.exists()
        if there and anchor:
            there = target.suffix != ".md" or anchor in anchors(target.read_text("utf-8"))
        if not there:
            missing.append(link)
    return missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_relative_links_resolve(document: Path) -> None:
    assert broken(document) == []
    # A path that leaves the repository leads nowhere for anyone else.
    for link in links(document.read_text(encoding="utf-8")):
        if not link.startswith(_ELSEWHERE):
            target = (document.parent / link.partition("#")[0]).resolve()
            assert target.is_relative_to(ROOT), link


def test_every_document_was_looked_at() -> None:
    names = {path.relative_to(ROOT).as_posix() for path in DOCUMENTS}
    assert {"README.md", "docs/architecture.md", "docs/volumes.md"} <= names
    assert any(links(path.read_text("utf-8")) for path in DOCUMENTS)


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "b.md").write_text("# One two, three!\n\n# One two, three!\n")
    document = tmp_path / "a.md"
    document.write_text(
        "[a](b.md) [b](b.md#one-two-three) [c](b.md#one-two-three-1) [d](https://a.b/c)\n"
        "![e](no.png) [f](b.md#no) [g](#nor-this) `[h](code.md)`\n```\n[i](code.md)\n```\n"
        "[j]: absent.md\n"
    )
    assert broken(document) == ["no.png", "b.md#no", "#nor-this", "absent.md"]
