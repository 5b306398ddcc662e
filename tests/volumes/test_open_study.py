"""From a path to a study: what is found, what it is called, where it lies, what is said."""

from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from nifti_writing import tilted, write

from napari_sparseexplain.errors import ReadError, SparseExplainError, StudyError
from napari_sparseexplain.volumes import open_study

RNG = np.random.default_rng(11)
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def scan(path: Path, shape=(6, 7, 8), affine=None, dtype="i2") -> Path:
    """A stripped head that fills its volume but for a rim of background."""
    return _written(path, RNG.integers(100, 500, shape).astype(dtype), affine)


def label(path: Path, shape=(6, 7, 8), affine=None) -> Path:
    """Labels somewhere in that head."""
    return _written(path, RNG.integers(0, 3, shape).astype("u1"), affine)


def _written(path: Path, array: np.ndarray, affine: np.ndarray | None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    inside = np.zeros(array.shape, dtype=bool)
    inside[1:-1, 1:-1, 1:-1] = True
    return write(path, np.where(inside, array, 0).astype(array.dtype), affine)


def codes(study) -> list[str]:
    return [f.code for f in study.findings]


@pytest.mark.parametrize("names", [("t1", "t1ce", "t2", "flair"), ("t1n", "t1c", "t2w", "t2f")])
def test_brats_folders_of_both_generations(tmp_path: Path, names: tuple[str, ...]) -> None:
    folder = tmp_path / "BraTS-GLI-00001-000"
    for name in names:
        scan(folder / f"{folder.name}-{name}.nii.gz")
    label(folder / f"{folder.name}-seg.nii.gz")
    study = open_study(folder)
    assert set(study.images) == {"t1", "t1ce", "t2", "flair"}
    assert set(study.labels) == {"seg"}
    assert study.name == folder.name
    assert codes(study) == []


def test_a_bids_subject_with_derivatives(tmp_path: Path) -> None:
    root = tmp_path / "sub-07"
    scan(root / "anat" / "sub-07_T1w.nii.gz")
    scan(root / "anat" / "sub-07_ce-gadolinium_T1w.nii.gz")
    scan(root / "anat" / "sub-07_FLAIR.nii.gz")
    label(root / "derivatives" / "manual" / "sub-07_space-T1w_label-lesion_mask.nii.gz")
    (root / "anat" / "sub-07_T1w.json").write_text("{}")
    study = open_study(root)
    assert set(study.images) == {"t1", "t1ce", "flair"}
    assert set(study.labels) == {"seg"}


def test_bids_sessions_are_time_points(tmp_path: Path) -> None:
    root = tmp_path / "sub-07"
    for session in ("ses-1", "ses-2"):
        for suffix in ("T1w", "FLAIR"):
            scan(root / session / "anat" / f"sub-07_{session}_{suffix}.nii.gz")
    study = open_study(root)
    assert set(study.images) == {"ses-1 t1", "ses-1 flair", "ses-2 t1", "ses-2 flair"}
    assert "several-time-points" in codes(study)


@pytest.mark.parametrize(
    "names",
    [("sub-01_T1w.nii", "sub-02_T1w.nii"), ("a/t1.nii", "a/t2.nii", "b/t1.nii", "b/t2.nii")],
)
def test_several_patients_are_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        scan(tmp_path / name)
    with pytest.raises(ReadError, match="2 studies or patients"):
        open_study(tmp_path)


def test_a_file_alone(tmp_path: Path) -> None:
    scan(tmp_path / "t1.nii.gz")
    study = open_study(scan(tmp_path / "x_FLAIR.nii.gz"), name="mine")
    assert set(study.images) == {"flair"}
    assert study.name == "mine"


def test_an_unknown_name_is_its_own_role_and_said(tmp_path: Path) -> None:
    study = open_study(scan(tmp_path / "image07.nii.gz"))
    assert set(study.images) == {"image07"}
    assert codes(study) == ["unknown-role"]


def test_two_of_one_role_are_kept_apart_and_said(tmp_path: Path) -> None:
    scan(tmp_path / "a_t1.nii.gz")
    scan(tmp_path / "b_t1.nii.gz")
    study = open_study(tmp_path)
    assert set(study.images) == {"t1", "t1 (2)"}
    (finding,) = study.warnings
    assert finding.code == "duplicate-role"
    assert "a_t1.nii.gz" in finding.message
    assert "b_t1.nii.gz" in finding.message


def test_given_roles_decide(tmp_path: Path) -> None:
    scan(tmp_path / "a_t1.nii.gz")
    scan(tmp_path / "b_t1.nii.gz")
    label(tmp_path / "c.nii.gz")
    study = open_study(tmp_path, roles={"t1": "b_t1.nii.gz", "t2": "a_t1", "seg": "c.nii.gz"})
    assert study["t1"].source.paths[0].name == "b_t1.nii.gz"
    assert study["t2"].source.paths[0].name == "a_t1.nii.gz"
    assert set(study.labels) == {"seg"}
    assert codes(study) == []


@pytest.mark.parametrize(
    ("roles", "says"),
    [
        ({"t1": "nothing.nii"}, "no volume 'nothing.nii'"),
        ({"t1": "a.nii.gz", "t2": "a.nii.gz"}, "two roles"),
        ({"seg": "a.nii.gz"}, "not those of a label map"),
    ],
)
def test_given_roles_that_cannot_be(tmp_path: Path, roles: dict[str, str], says: str) -> None:
    write(tmp_path / "a.nii.gz", RNG.normal(size=(6, 7, 8)).astype("f4"))
    with pytest.raises(StudyError, match=says) as caught:
        open_study(tmp_path, roles=roles)
    assert caught.value.remedy


# One grid


def test_the_grid_is_that_of_the_most_scans(tmp_path: Path) -> None:
    fine = np.diag([-0.5, -0.5, 1.0, 1.0])
    scan(tmp_path / "t1.nii.gz", (14, 14, 8), fine)
    scan(tmp_path / "t2.nii.gz")
    scan(tmp_path / "flair.nii.gz")
    study = open_study(tmp_path)
    assert study.grid.shape == (8, 7, 6)
    assert set(study.resamplings) == {"t1"}
    assert study.resamplings["t1"].from_spacing == (1.0, 0.5, 0.5)
    (finding,) = [f for f in study.findings if f.code == "resampled"]
    assert "'t1'" in finding.message
    assert "linear" in finding.message


def test_among_equals_the_smallest_voxels_win(tmp_path: Path) -> None:
    scan(tmp_path / "t1.nii.gz", (3, 3, 4), np.diag([-2.0, -2.0, 2.0, 1.0]))
    scan(tmp_path / "t2.nii.gz")
    assert open_study(tmp_path).reference == "t2"


def test_a_wanted_reference_is_taken(tmp_path: Path) -> None:
    scan(tmp_path / "t1.nii.gz", (3, 3, 4), np.diag([-2.0, -2.0, 2.0, 1.0]))
    scan(tmp_path / "t2.nii.gz")
    label(tmp_path / "seg.nii.gz")
    study = open_study(tmp_path, reference="t1")
    assert study.grid.shape == (4, 3, 3)
    assert study.resamplings["seg"].interpolation == "nearest"
    assert study["seg"].data.dtype == np.uint8
    with pytest.raises(StudyError, match="no volume has the role 'flair'"):
        open_study(tmp_path, reference="flair")


def test_originals_are_read_from_disk_and_not_held(tmp_path: Path) -> None:
    """What was resampled can still be had as it was, and costs no memory until then."""
    shape = (60, 60, 60)
    scan(tmp_path / "t1.nii.gz", shape, dtype="f4")
    moved = LPS.copy()
    moved[0, 3] = 1.0
    scan(tmp_path / "t2.nii.gz", shape, moved, dtype="f4")
    open_study(tmp_path)  # what libraries load on first use is not what is measured here
    gc.collect()
    tracemalloc.start()
    study = open_study(tmp_path)
    gc.collect()
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held < 2 * np.prod(shape) * 4 + (1 << 19)
    original = study.originals["t2"]
    assert original.data.shape == shape
    np.testing.assert_array_equal(np.asarray(original.data)[:, :, 1:], study["t2"].data[:, :, :-1])


def test_an_oblique_scan_is_said_and_can_be_straightened(tmp_path: Path) -> None:
    scan(tmp_path / "t1.nii.gz", (20, 20, 10), tilted(12.0))
    label(tmp_path / "seg.nii.gz", (20, 20, 10), tilted(12.0))
    study = open_study(tmp_path)
    assert codes(study) == ["oblique"]
    assert "12.0°" in study.findings[0].message
    straight = open_study(tmp_path, patient_axes=True)
    assert not straight.grid.is_oblique
    assert set(straight.resamplings) == {"t1", "seg"}
    assert straight["t1"].data.shape == straight["seg"].data.shape == straight.grid.shape
    assert "patient-axes" in codes(straight)


def test_a_straight_scan_is_left_alone_by_patient_axes(tmp_path: Path) -> None:
    scan(tmp_path / "t1.nii.gz")
    study = open_study(tmp_path, patient_axes=True)
    assert study.resamplings == {}
    assert codes(study) == []


def test_what_lies_elsewhere_is_left_out_and_said(tmp_path: Path) -> None:
    far = LPS.copy()
    far[:3, 3] = 500.0
    scan(tmp_path / "t1.nii.gz")
    scan(tmp_path / "t2.nii.gz", affine=far)
    study = open_study(tmp_path)
    assert set(study.images) == {"t1"}
    assert [f.code for f in study.warnings] == ["left-out"]
    assert "does not overlap" in study.warnings[0].message


def test_a_scan_without_orientation_is_not_laid_over_one_that_has_it(tmp_path: Path) -> None:
    scan(tmp_path / "t1.nii.gz")
    write(tmp_path / "t2.nii.gz", RNG.integers(0, 9, (6, 7, 8)).astype("i2"), sform=0)
    study = open_study(tmp_path)
    assert set(study.images) == {"t1"}
    assert {f.code for f in study.warnings} == {"no-orientation", "left-out"}


# Bad input


def test_a_damaged_file_does_not_take_the_others_with_it(tmp_path: Path) -> None:
    scan(tmp_path / "t1.nii.gz")
    (tmp_path / "t2.nii.gz").write_bytes(scan(tmp_path / "t2.nii.gz").read_bytes()[:200])
    (tmp_path / "x.nrrd").write_bytes(b"NRRD0004\n")
    study = open_study(tmp_path)
    assert set(study.images) == {"t1"}
    assert [f.code for f in study.warnings] == ["unreadable", "unreadable"]
    assert "t2.nii.gz" in study.warnings[0].message
    assert "NRRD" in study.warnings[1].message


@pytest.mark.parametrize("content", [{}, {"notes.txt": b"x"}, {"a.nii": b"x"}, {"a.nrrd": b"NRRD"}])
def test_a_folder_without_an_image_is_refused(tmp_path: Path, content: dict[str, bytes]) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    for name, data in content.items():
        (folder / name).write_bytes(data)
    with pytest.raises(SparseExplainError, match="study") as caught:
        open_study(folder)
    assert caught.value.remedy


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="nowhere"):
        open_study(tmp_path / "nowhere")


def test_system_litter_is_passed_over(tmp_path: Path) -> None:
    scan(tmp_path / "t1.nii.gz")
    (tmp_path / "._t1.nii.gz").write_bytes(b"Mac OS X")
    (tmp_path / ".git").mkdir()
    scan(tmp_path / ".git" / "t2.nii.gz")
    assert codes(open_study(tmp_path)) == []


# Real scans


@pytest.mark.realdata
def test_a_real_case_of_brats(shared_data: Path) -> None:
    study = open_study(shared_data / "brain_tumour" / "brats_gli_00000")
    assert set(study.images) == {"t1", "t1ce", "t2", "flair"}
    assert study.grid.shape == (155, 240, 240)
    assert study["seg"].data.dtype == np.uint8
    assert set(np.unique(study["seg"].data)) == {0, 1, 2, 3}
    assert study.findings == ()


@pytest.mark.realdata
def test_a_patient_as_scanned(shared_data: Path) -> None:
    """Four grids: two are brought to the one that two share, and the tilt is said."""
    study = open_study(shared_data / "brain_tumour" / "tcga_fg_6692_native")
    assert study.reference == "t1"
    assert set(study.resamplings) == {"flair", "t2"}
    # The patient moved between T1 and the two others: they are resampled, and not registered.
    assert sorted(codes(study)) == ["not-registered"] * 2 + ["oblique"] + ["resampled"] * 2
    assert set(study.unregistered) == {"flair", "t2"}
    straight = open_study(study.path, patient_axes=True)  # type: ignore[arg-type]
    assert set(straight.resamplings) == {"t1", "t1ce", "t2", "flair"}


@pytest.mark.realdata
def test_two_time_points(shared_data: Path) -> None:
    study = open_study(shared_data / "brain_lesion_ms" / "patient01_native_grids")
    assert set(study.images) == {
        f"study{n} {role}" for n in (1, 2) for role in ("t1", "t2", "flair")
    }
    # The second visit, and the mask that was drawn in neither, are not where the first is.
    assert [f.code for f in study.warnings] == ["several-time-points"] + ["not-registered"] * 4
    assert set(study.unregistered) == {"study2 flair", "study2 t1", "study2 t2", "seg"}
    moved = open_study(study.path, apply_transforms=True)  # type: ignore[arg-type]
    assert moved.unregistered == ()


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("place", "shape", "leading"),
    [
        ("diffusion/uih_dti", (17, 20, 64, 64), "direction"),
        ("diffusion/spinal_cord", (7, 5, 42, 40), "direction"),
        ("cardiac/bivme_cine_dicom", (25, 5, 208, 256), "time"),
    ],
)
def test_scans_over_time_or_direction(
    shared_data: Path, place: str, shape: tuple[int, ...], leading: str
) -> None:
    study = open_study(shared_data / place)
    first = study[study.reference]
    assert first.data.shape == shape
    assert first.leading == (leading,)
