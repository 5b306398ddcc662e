"""File › Open and drag-and-drop: a path becomes a study, the study becomes layers."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from ...errors import ReadError
from ...volumes.readers import first_file, reader_of_name
from ..study_layers import LayerTuple, study_layers

_DICOM_PREAMBLE = 128

ReaderFunction = Callable[[Any], list[LayerTuple]]


def get_reader(path: str | PathLike[str] | list[str]) -> ReaderFunction | None:
    """The reader for ``path``, or None when it is nothing that a study could be opened from."""
    paths = [path] if isinstance(path, str | PathLike) else list(path)
    if paths and all(_may_be_a_study(Path(fspath(p))) for p in paths):
        return read_study_layers
    return None


def read_study_layers(path: str | PathLike[str] | list[str]) -> list[LayerTuple]:
    """Open one study (a file, a folder, a DICOMDIR), or several, as layers.

    Raises
    ------
    ReadError
        A file that cannot be read; the message names it and what to do.
    """
    from ...volumes.opening.open_study import open_study

    paths = [path] if isinstance(path, str | PathLike) else list(path)
    layers: list[LayerTuple] = []
    for one in paths:
        layers += study_layers(open_study(Path(fspath(one))))
    if not layers:
        raise ReadError(
            "nothing that could be shown was found",
            where=", ".join(fspath(p) for p in paths),
            remedy="Open a scan, or a folder that holds one",
        )
    return layers


def may_be_a_scan(path: Path) -> bool:
    """Whether a path is a folder or a medical image, not a picture that any reader could take."""
    named = reader_of_name(path.name)
    return _may_be_a_study(path) and not (named is not None and named.pictures)


def _may_be_a_study(path: Path) -> bool:
    if path.is_dir():
        return path.suffix.lower() != ".zarr"
    if reader_of_name(path.name) is not None:
        # The image of a pair without its header could be anything, as one of a disk.
        return first_file(path) is not None
    # DICOM files often have no ending at all.
    try:
        with open(path, "rb") as stream:
            return stream.read(_DICOM_PREAMBLE + 4)[_DICOM_PREAMBLE:] == b"DICM"
    except OSError:
        return False
