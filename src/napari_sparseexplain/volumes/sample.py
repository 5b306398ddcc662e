"""Where the sample study lies: a synthetic subject that ships with the package."""

from __future__ import annotations

from pathlib import Path

from ..errors import ReadError

_NAME = "phantom_0000"


def sample_path() -> Path:
    """Folder of the sample study, in the installed package or in the source tree."""
    package = Path(__file__).resolve().parents[1]
    for root in (package, package.parents[1]):
        folder = root / "sample_data" / _NAME
        if folder.is_dir():
            return folder
    raise ReadError(
        "the sample study is not installed",
        where=str(package / "sample_data" / _NAME),
        remedy="Install the package again, or make one with: sparseexplain phantom --out DIR",
    )
