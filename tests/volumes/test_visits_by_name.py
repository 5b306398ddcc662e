"""Which names tell that scans are of two visits: their roles are told apart, and it is said."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sparseexplain.volumes.grid import Grid
from napari_sparseexplain.volumes.roles.assignment import Opened, assign_roles
from napari_sparseexplain.volumes.roles.roles import read_name
from napari_sparseexplain.volumes.volume import Source, Volume


def opened(*names: str) -> list[Opened]:
    def scan(name: str) -> Volume:
        source = Source((), "nifti", (2, 2, 2), np.eye(4), np.dtype("i2"), np.eye(3)[:, :2])
        data, grid = np.zeros((2, 2, 2), np.int16), Grid((2, 2, 2), np.eye(4))
        return Volume(data, grid, read_name(name).role or name, "image", source)

    return [Opened(scan(name), name) for name in names]


@pytest.mark.parametrize(
    ("first", "second", "points"),
    [
        ("M00_FLAIR.nii", "M12_T1.nii", ("m00", "m12")),
        ("V1_FLAIR.nii", "V2_T1.nii", ("v1", "v2")),
        ("p07_V1_FLAIR.nii", "p07_V2_T1.nii", ("v1", "v2")),
        ("prior_FLAIR.nii", "current_T1.nii", ("prior", "current")),
        ("FLAIR_BL.nii", "T1_FU.nii", ("bl", "fu")),
        ("study1_FLAIR.nii", "study2_T1.nii", ("study1", "study2")),
        ("BraTS-GLI-02073-100-t2f.nii", "BraTS-GLI-02073-101-t1n.nii", ("visit 100", "visit 101")),
        ("UPENN-GBM-00001_11_FLAIR.nii", "UPENN-GBM-00001_21_T1.nii", ("visit 11", "visit 21")),
    ],
)
def test_two_visits_are_never_mixed_silently(
    first: str, second: str, points: tuple[str, str]
) -> None:
    volumes, findings = assign_roles(opened(first, second), None, where="folder")
    assert set(volumes) == {f"{points[0]} flair", f"{points[1]} t1"}
    assert [f.code for f in findings] == ["several-time-points"]
    same, silent = assign_roles(opened(first, first.replace("FLAIR", "T2")), None, where="folder")
    assert len(same) == 2
    assert first.startswith("BraTS") or not silent


@pytest.mark.parametrize(
    "names",
    [
        ("T1_v2.nii", "FLAIR_v1.nii"),
        ("scan1_T1.nii", "scan2_FLAIR.nii"),
        ("BraTS-GLI-02073-100-t1n.nii", "BraTS-GLI-02073-100-t2f.nii"),
    ],
)
def test_what_numbers_no_visit_says_nothing(names: tuple[str, str]) -> None:
    volumes, findings = assign_roles(opened(*names), None, where="folder")
    assert set(volumes) == {"t1", "flair"}
    assert not findings
