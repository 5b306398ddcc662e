"""Code blocks of the README and of the pages in ``docs/``, and the shell lines in them."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
#: docs/modules.md is a table that `make docs` writes.
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *(page for page in sorted((ROOT / "docs").glob("*.md")) if page.name != "modules.md"),
]

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: A command line within a sentence: several words in backticks.
_INLINE = re.compile(r"`((?:sparseexplain|make|pip) [^`\n]+)`")


@dataclass(frozen=True)
class Block:
    """One fenced block: its page, its first line there, what it is fenced as, and its text."""

    page: str
    line: int
    kind: str
    text: str

    @property
    def place(self) -> str:
        """Where it stands, for messages."""
        return f"{self.page}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(page.name, text.count("\n", 0, found.start()) + 2, found[1], found[2])
        for found in _BLOCK.finditer(text)
    ]


def shell_lines(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Where each command line of a page stands, and its words.

    Those of ``sh`` blocks, the ones after ``$`` in pasted output, and those within sentences.
    """
    for block in blocks(page):
        if block.kind == "sh":
            yield from ((block.place, words) for words in commands(block.text))
        elif block.kind == "text":
            typed = "\n".join(re.findall(r"^\$ (.+)$", block.text, re.MULTILINE))
            yield from ((block.place, words) for words in commands(typed))
    prose = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    for line in _INLINE.findall(prose):
        if "…" not in line and "..." not in line:
            yield f"{page.name}: {line}", shlex.split(line)


def commands(text: str) -> list[list[str]]:
    """The words of each line, continued lines joined and what follows a ``#`` left out."""
    lines = text.replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def run_block(block: Block, names: dict[str, Any]) -> None:
    """Run a Python block in ``names``; what a comment below an expression says must be its value.

    ``a, b`` and below it ``# 1, 2`` says that these are the two values as they are printed.
    """
    tree, lines = ast.parse(block.text), block.text.splitlines()
    for node in tree.body:
        segment = ast.get_source_segment(block.text, node) or ""
        code = "\n" * (block.line + node.lineno - 2) + segment
        below = node.end_lineno or node.lineno
        said = lines[below][2:] if lines[below : below + 1] and lines[below][:2] == "# " else None
        if not isinstance(node, ast.Expr) or said is None:
            exec(compile(code, block.page, "exec"), names)
            continue
        value = eval(compile(code.lstrip("\n"), block.page, "eval"), names)
        values = value if isinstance(node.value, ast.Tuple) else (value,)
        assert ", ".join(str(one) for one in values) == said, f"{block.place}: {code.strip()}"
