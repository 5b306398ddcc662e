"""Where a dialog for saving begins, and the ending of what it gave."""

from __future__ import annotations

from pathlib import Path

from .preferences import preference


def save_place(name: str) -> str:
    """A file's name in the folder that a person chose for exports, else at home."""
    folder = str(preference("export.folder"))
    start = Path(folder) if folder and Path(folder).is_dir() else Path.home()
    return str(start / name)


def with_ending(path: str | Path, ending: str, *, only: bool = False) -> Path:
    """A path with an ending, given as ``"png"``.

    Parameters
    ----------
    only : bool
        Whether no other ending is good: it is then appended to another.
    """
    path = Path(path)
    if (path.suffix and not only) or path.suffix == f".{ending}":
        return path
    return Path(f"{path}.{ending}")
