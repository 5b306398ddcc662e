"""What scans measure in a region: voxels whose centres lie inside, of the frame it was drawn on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

import napari_sparseexplain as se
from napari_sparseexplain.review.annotation import annotation_on_grid, ellipse_outline
from napari_sparseexplain.review.region_values import region_values, region_voxels
from napari_sparseexplain.volumes import Study

#: Oblique, left-handed, anisotropic: places must go through the affine and come back.
AFFINE = np.array(
    [[-0.7, 0.1, 0.2, 12.0], [0.08, -0.85, 0.3, -7.0], [-0.05, 0.2, 2.9, 40.0], [0, 0, 0, 1.0]]
)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("case")
    rng = np.random.default_rng(0)
    for role in ("flair", "t1"):
        data = rng.integers(-40, 90, (18, 16, 9)).astype(np.int16)
        nib.save(nib.Nifti1Image(data, AFFINE), folder / f"case_{role}.nii.gz")
    mask = np.zeros((18, 16, 9), np.uint8)
    nib.save(nib.Nifti1Image(mask, AFFINE), folder / "case_seg.nii.gz")
    return se.open_study(folder)


def region(study: Study, kind: Any, plane: Any, points: Any, index: int, **more: Any) -> Any:
    return annotation_on_grid(
        kind, points, study.grid, study="study", plane=plane, index=index, **more
    )


def box(plane: str, index: int, low: float, high: float) -> list[tuple[float, ...]]:
    """A square from low to high on a slice, as display indices."""
    corners = [(low, low), (low, high), (high, high), (high, low)]
    axis = {"axial": 0, "coronal": 1, "sagittal": 2}[plane]
    return [tuple(np.insert(np.array(c, float), axis, index)) for c in corners]


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_a_rectangle_measures_the_voxels_whose_centres_it_holds(study: Study, plane: Any) -> None:
    found = region_values(region(study, "polygon", plane, box(plane, 4, 1.5, 6.5), 4), study)
    assert {v.role for v in found} == {"t1", "flair"}
    axis = {"axial": 0, "coronal": 1, "sagittal": 2}[plane]
    for v in found:
        inside = np.take(study[v.role].spatial(), 4, axis=axis)[2:7, 2:7].astype(float)
        assert v.voxels == 25
        told = (v.mean, v.sd, v.minimum, v.maximum)
        assert told == pytest.approx((inside.mean(), inside.std(), inside.min(), inside.max()))


def test_an_ellipse_is_not_its_rectangle_and_agrees_with_its_outline(study: Study) -> None:
    corners = [(3, 2.2, 1.3), (3, 6.9, 10.8), (3, 10.4, 9.1), (3, 5.7, -0.4)]
    mark = region(study, "ellipse", "axial", corners, 3)
    inside = region_voxels(mark, study.grid)
    outline = ellipse_outline(corners, 720)[:, 1:]
    rows, columns = np.indices(inside.shape)
    from matplotlib.path import Path as Outline

    wanted = (
        Outline(outline)
        .contains_points(np.stack([rows.ravel(), columns.ravel()], axis=-1))
        .reshape(inside.shape)
    )
    assert (
        0
        < inside.sum()
        < region_voxels(region(study, "polygon", "axial", corners, 3), study.grid).sum()
    )
    np.testing.assert_array_equal(inside, wanted)


def test_a_region_beyond_the_picture_counts_what_lies_in_it(study: Study) -> None:
    mark = region(study, "polygon", "axial", box("axial", 0, -5.5, 2.5), 0)
    assert region_voxels(mark, study.grid).sum() == 9
    far = region(study, "ellipse", "axial", box("axial", 0, 40, 50), 0)
    assert [v.voxels for v in region_values(far, study)] == [0, 0]
    assert np.isnan(region_values(far, study)[0].mean)


def test_what_encloses_nothing_has_no_values(study: Study) -> None:
    mark = region(study, "distance", "axial", [(0, 1, 1), (0, 5, 5)], 0)
    assert region_values(mark, study) == ()
    with pytest.raises(ValueError, match="distance encloses no voxels"):
        region_voxels(mark, study.grid)


def test_values_that_are_none_are_left_out_and_a_unit_is_told(tmp_path: Path) -> None:
    data = np.full((12, 12, 3), 7.0, np.float32)
    data[5, 5, 1] = np.nan
    nib.save(nib.Nifti1Image(data, np.diag([-1.0, -1.0, 1.0, 1.0])), tmp_path / "case_ct.nii.gz")
    study = se.open_study(tmp_path / "case_ct.nii.gz")
    mark = region(study, "polygon", "axial", box("axial", 1, 2.5, 8.5), 1)
    (found,) = region_values(mark, study)
    assert (found.voxels, found.mean, found.sd) in ((35, 7.0, 0.0), (36, 7.0, 0.0))
    everywhere = np.isfinite(study["ct"].spatial()[1]).sum()
    whole = region(study, "polygon", "axial", box("axial", 1, -1, 13), 1)
    assert region_values(whole, study)[0].voxels == everywhere


def test_a_cine_is_measured_at_the_frame_of_the_region(tmp_path: Path) -> None:
    data = np.zeros((10, 10, 2, 4), np.int16)
    data += np.arange(4, dtype=np.int16) * 100
    path = tmp_path / "case_cine.nii.gz"
    nib.save(nib.Nifti1Image(data, np.diag([-1.0, -1.0, 8.0, 1.0])), path)
    study = se.open_study(path)
    told = {}
    for frame in ((), (0,), (2,), (9,)):
        mark = region(study, "polygon", "axial", box("axial", 1, 1, 5), 1, leading=frame)
        told[frame] = region_values(mark, study)[0].mean
    assert told == {(): 0.0, (0,): 0.0, (2,): 200.0, (9,): 300.0}
