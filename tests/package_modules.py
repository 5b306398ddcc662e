"""Every module of the package as its syntax tree, and what it imports from the package itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import napari_sparseexplain

NAME = "napari_sparseexplain"
PACKAGE = Path(napari_sparseexplain.__file__).parent


@cache
def modules() -> dict[str, ast.Module]:
    """Syntax trees by dotted name below the package; a folder by its ``__init__.py``."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def is_folder(name: str) -> bool:
    """Whether a dotted name is that of a folder of modules."""
    return PACKAGE.joinpath(*name.split(".")).is_dir() if name else True


def imports(name: str) -> Iterator[tuple[str, str]]:
    """Module and name of every import from the package, also in functions and for types alone.

    The module is the one that holds the name: of ``from . import device``, ``device`` itself.
    """
    folder = name.split(".") if is_folder(name) else name.split(".")[:-1]
    for node in ast.walk(modules()[name]):
        if not isinstance(node, ast.ImportFrom):
            continue
        if node.level:
            above = [part for part in folder if part][: len(folder) - node.level + 1]
            source = ".".join([*above, *(node.module or "").split(".")]).strip(".")
        elif (node.module or "").split(".")[0] == NAME:
            source = str(node.module)[len(NAME) + 1 :]
        else:
            continue
        for alias in node.names:
            inside = f"{source}.{alias.name}".strip(".")
            yield (inside if inside in modules() else source), alias.name


@cache
def needed(name: str) -> frozenset[str]:
    """Modules of the package that a module imports itself."""
    return frozenset(module for module, _ in imports(name)) - {name}
