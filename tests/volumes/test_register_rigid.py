"""A prior is laid over the current scan to a fraction of a voxel, or nothing is moved."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from small_heads import head_study, lying_elsewhere

from napari_sparseexplain.errors import StudyError
from napari_sparseexplain.progress import drain
from napari_sparseexplain.volumes import Grid
from napari_sparseexplain.volumes.registration import register_rigid, working_scan
from napari_sparseexplain.volumes.registration.placement import placed_by_registration
from napari_sparseexplain.volumes.registration.register_rigid import register_rigid_work
from napari_sparseexplain.volumes.registration.registration_error import (
    target_registration_error,
)
from napari_sparseexplain.volumes.registration.rigid_motion import rigid_motion

CURRENT = head_study()
SCAN = CURRENT["flair"]


def test_a_known_motion_is_found_to_half_a_millimetre_in_another_contrast(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("SimpleITK")
    monkeypatch.setattr(working_scan, "_FINEST", 2.5)  # the scan itself has voxels of 4 mm
    monkeypatch.setattr(working_scan, "_VOXELS_ACROSS", 50)
    true = rigid_motion((3, -4, 9), (8, -6, 10))
    earlier = lying_elsewhere(CURRENT, true)["flair"]
    # Another contrast, and a header that knows nothing of the motion.
    earlier = replace(earlier, data=900 - 0.7 * np.asarray(earlier.data))
    steps: list[str] = []
    found = drain(register_rigid_work(SCAN, earlier), lambda step: steps.append(step.message))
    head = SCAN.grid.world(np.argwhere(SCAN.spatial() > 0)[::97])
    error = target_registration_error(found.matrix, true, head)
    assert error.mean() < 0.5  # an eighth of a voxel
    assert found.both_ways_mm < 1.5
    assert found.notes == ()
    assert found.information_after > found.information_before + 0.05
    assert steps[-1].startswith("finer fit")
    assert "both ways agree to" in found.words()
    assert placed_by_registration(found).registered


def test_scans_of_different_things_are_refused_and_nothing_is_moved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("SimpleITK")
    monkeypatch.setattr(register_rigid, "_ITERATIONS", (8, 4, 2))  # more would cost seconds
    monkeypatch.setattr(working_scan, "_FINEST", 4.0)
    monkeypatch.setattr(working_scan, "_VOXELS_ACROSS", 32)
    rng = np.random.default_rng(1)
    noise = replace(SCAN, data=rng.standard_normal(SCAN.grid.shape).astype(np.float32))
    with pytest.raises(StudyError, match="nothing was moved"):
        drain(register_rigid_work(SCAN, noise))


@pytest.mark.parametrize(
    ("prior", "says"),
    [
        (replace(SCAN, data=np.full(SCAN.grid.shape, 7.0, np.float32)), "one value everywhere"),
        (replace(SCAN, data=np.full(SCAN.grid.shape, np.nan, np.float32)), "one value everywhere"),
        (replace(CURRENT["seg"]), "no scan of grey values"),
        (
            replace(
                SCAN, data=SCAN.data[:1], grid=Grid((1, *SCAN.grid.shape[1:]), SCAN.grid.affine)
            ),
            "fewer than 4 slices",
        ),
        (
            replace(SCAN, grid=Grid(SCAN.grid.shape, SCAN.grid.affine, calibrated=False)),
            "no voxel size",
        ),
        (
            replace(SCAN, grid=Grid(SCAN.grid.shape, SCAN.grid.affine, oriented=False)),
            "orientation",
        ),
    ],
    ids=["constant", "no number", "mask", "one slice", "pixels", "no orientation"],
)
def test_what_cannot_be_registered_is_refused_with_its_reason(prior, says) -> None:
    pytest.importorskip("SimpleITK")
    with pytest.raises(StudyError, match=says):
        drain(register_rigid_work(SCAN, prior))


def test_without_simpleitk_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    with pytest.raises(StudyError, match=r"napari-sparseexplain\[registration\]"):
        drain(register_rigid_work(SCAN, SCAN))


def test_cancelling_between_two_steps_ends_it() -> None:
    pytest.importorskip("SimpleITK")
    work = register_rigid_work(SCAN, SCAN)
    assert next(work).message == "preparing both scans"
    work.close()
    with pytest.raises(StopIteration):
        next(work)
