"""Every file under edge_cases opens, or is refused with one clear message. Nothing else happens."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import SHARED_DATA

from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.volumes import open_study

pytestmark = pytest.mark.realdata

EDGE_CASES = SHARED_DATA / "edge_cases"


def _cases() -> list[Path]:
    """All files, and the folders that hold a series."""
    if not EDGE_CASES.is_dir():
        return []
    found = sorted(EDGE_CASES.rglob("*"))
    files = [p for p in found if p.is_file()]
    return files + [p for p in found if p.is_dir() and any(c.is_file() for c in p.iterdir())]


@pytest.mark.parametrize("path", _cases(), ids=lambda p: str(p.relative_to(EDGE_CASES)))
def test_opens_or_is_refused_clearly(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """One exception type, which names the file and a remedy; no warnings, nothing printed."""
    study, refusal = None, None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            study = open_study(path)
        except SparseExplainError as error:
            refusal = error
    if refusal is not None:
        assert path.name in str(refusal)
        assert refusal.remedy
        assert "\n" not in str(refusal)
    if study is not None:
        assert study.images or study.labels
        for volume in (*study.images.values(), *study.labels.values()):
            first = np.asarray(volume.data[(0,) * len(volume.leading)])
            assert first.shape[:3] == study.grid.shape
            assert volume.grid.matches(study.grid)
        assert all(finding.message and finding.code for finding in study.findings)
    printed = capfd.readouterr()
    assert printed.out + printed.err == ""


def test_the_folder_is_where_it_should_be(shared_data: Path) -> None:
    """Skips, rather than passing with no case at all, where the scans are absent."""
    assert len(_cases()) > 100
    assert os.access(shared_data, os.R_OK)
