"""A plot as a file: PNG or PDF, by the file's ending."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from matplotlib.figure import Figure

from ...errors import ParameterError
from ...files.atomic_write import write_atomically

#: Endings of files that a plot can be written as.
PICTURE_KINDS = ("png", "pdf")


def picture_kind(path: Path, what: str) -> str:
    """What a file is by its ending, ``"png"`` or ``"pdf"``.

    Parameters
    ----------
    what : str
        Whose picture it is, for the message: ``"a voxel's picture"``.

    Raises
    ------
    ParameterError
        It has another ending.
    """
    kind = path.suffix.lower().removeprefix(".")
    if kind not in PICTURE_KINDS:
        raise ParameterError(
            f"{what} is no {path.suffix or 'file without an ending'}",
            where=path,
            remedy="Name it .png or .pdf",
        )
    return kind


def save_figure(figure: Figure, path: Path, what: str, *, overwrite: bool = False) -> Path:
    """Write a figure whole or not at all.

    Raises
    ------
    SparseExplainError
        Another ending, the file is there already, or it cannot be written.
    """
    kind = picture_kind(path, what)
    content = BytesIO()
    figure.savefig(content, format=kind)
    return write_atomically(path, content.getvalue(), overwrite=overwrite)
