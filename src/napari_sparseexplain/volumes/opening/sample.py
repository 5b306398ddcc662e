"""The sample study: a synthetic subject that ships with the package, and where it lies."""

from __future__ import annotations

from pathlib import Path

from ...errors import ReadError
from ..study import Study
from .open_study import open_study

_NAME = "phantom_0000"


def sample_path() -> Path:
    """Folder of the sample study, in the installed package or in the source tree."""
    package = Path(__file__).resolve().parents[2]
    for root in (package, package.parents[1]):
        folder = root / "sample_data" / _NAME
        if folder.is_dir():
            return folder
    raise ReadError(
        "the sample study is not installed",
        where=str(package / "sample_data" / _NAME),
        remedy="Install the package again, or make one with: sparseexplain phantom --out DIR",
    )


def sample_study() -> Study:
    """The sample study, opened: T1, T1ce, T2 and FLAIR of a synthetic tumour, with its mask.

    Raises
    ------
    ReadError
        It was not installed.

    Examples
    --------
    >>> import napari_sparseexplain as se
    >>> sorted(se.sample_study().images)
    ['flair', 't1', 't1ce', 't2']
    """
    return open_study(sample_path())
