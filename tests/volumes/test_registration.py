"""Scans that do not lie over each other are named, and transforms beside them place them."""

from __future__ import annotations

import struct
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from napari_sparseexplain.errors import ReadError
from napari_sparseexplain.export.pictures.burned_in import panel_facts
from napari_sparseexplain.export.pictures.panel_lettering import unregistered_text
from napari_sparseexplain.export.pictures.plane_view import PlaneView
from napari_sparseexplain.review.default_review import default_reading
from napari_sparseexplain.volumes import Study, open_study
from napari_sparseexplain.volumes.registration.check import misplacement
from napari_sparseexplain.volumes.registration.transform_files import read_transform
from napari_sparseexplain.volumes.time_points import time_word

SHAPE = (40, 48, 32)
SIZE = np.array([4.0, 4.0, 5.0])


def head() -> np.ndarray:
    """Smooth random anatomy in a head of 150 mm, file order, values 0 to 1000."""
    rng = np.random.default_rng(4)
    texture = ndimage.gaussian_filter(rng.standard_normal(SHAPE), 2.5)
    texture = (texture - texture.min()) / np.ptp(texture)
    middle = (np.indices(SHAPE).T - (np.array(SHAPE) - 1) / 2) * SIZE
    inside = (np.square(middle / (65, 80, 60)).sum(axis=-1) < 1).T
    return inside * (200 + 800 * texture)


def rigid(degrees: float, shift: tuple[float, float, float]) -> np.ndarray:
    """A turn about the body's axis and a shift, RAS."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrix = np.eye(4)
    matrix[:2, :2] = [[c, -s], [s, c]]
    matrix[:3, 3] = shift
    return matrix


BASE = np.diag([*SIZE, 1.0])
BASE[:3, 3] = -(np.array(SHAPE) - 1) / 2 * SIZE
#: Where the patient lay at the second visit, from where at the first.
MOVED = rigid(4.0, (6.0, -5.0, 3.0))
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def itk(path: Path, fixed_to_moving: np.ndarray) -> None:
    """Write a RAS matrix as ITK does: LPS, about a centre."""
    matrix, centre = LPS @ fixed_to_moving @ LPS, np.array([3.0, -7.0, 11.0])
    shift = matrix[:3, 3] - centre + matrix[:3, :3] @ centre
    numbers = " ".join(repr(float(v)) for v in (*matrix[:3, :3].ravel(), *shift))
    path.write_text(
        "#Insight Transform File V1.0\n#Transform 0\n"
        f"Transform: MatrixOffsetTransformBase_double_3_3\nParameters: {numbers}\n"
        f"FixedParameters: {' '.join(map(str, centre))}\n"
    )


def save(folder: Path, name: str, array: np.ndarray, affine: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(array.astype("i2"), affine), folder / name)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def visits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two visits of one head; the second scan's header knows nothing of the move.

    The voxels of both are the same, so at the second visit the anatomy lies where ``MOVED`` puts
    it, by an affine of another size so that the grids differ.
    """
    folder = tmp_path_factory.mktemp("visits")
    save(folder, "ses-01_FLAIR.nii.gz", head(), BASE)
    save(folder, "ses-02_FLAIR.nii.gz", 1200 - head(), MOVED @ BASE)
    lesion = np.zeros(SHAPE)
    lesion[20:24, 30:34, 14:18] = 1
    save(folder, "ses-02_lesion_mask.nii.gz", lesion, MOVED @ BASE)
    itk(folder / "ses-02_FLAIR_to_ses-01_FLAIR.txt", MOVED)
    return folder


def roles(study: Study) -> tuple[str, str]:
    first, second = sorted(study.images)
    return first, second


def test_visits_that_are_not_registered_are_said_everywhere(visits: Path) -> None:
    study = open_study(visits)
    first, second = roles(study)
    assert (first, second) == ("ses-01 flair", "ses-02 flair")
    (offered,) = [f for f in study.findings if f.code == "transforms-found"]
    assert "--apply-transforms" in offered.message
    assert "'ses-02 flair' to 'ses-01 flair'" in offered.message
    off = second if study.reference == first else first
    assert off in study.unregistered
    reading = default_reading(study)
    (panel,) = [p for p in reading.review.panels if p.scan and p.scan.role == off][:1]
    view = PlaneView(study.grid, panel.plane, panel.index, (300, 300))
    said = panel_facts(reading, panel, view)["unregistered"]
    assert unregistered_text(said).startswith("NOT REGISTERED: ")


def test_transforms_are_applied_when_asked_for_and_masks_go_along(visits: Path) -> None:
    study = open_study(visits, apply_transforms=True, reference="ses-01 flair")
    assert study.unregistered == ()
    one, other = (np.asarray(study[r].data, np.float32) for r in roles(study))
    inside = one > 0
    assert np.corrcoef(one[inside], other[inside])[0, 1] < -0.98  # contrast was reversed
    (mask,) = study.labels.values()
    lesion = np.zeros(SHAPE)
    lesion[20:24, 30:34, 14:18] = 1
    wanted = nib.Nifti1Image(lesion, BASE)  # type: ignore[attr-defined]
    where = np.argwhere(np.asarray(wanted.dataobj)).mean(axis=0)
    found = study.grid.world(np.argwhere(np.asarray(mask.data) > 0)).mean(axis=0)
    np.testing.assert_allclose(found, (BASE @ [*where, 1])[:3], atol=0.1)
    before = open_study(visits, reference="ses-01 flair")
    b = np.asarray(before["ses-02 flair"].data, np.float32)
    assert abs(np.corrcoef(one[inside], b[inside])[0, 1]) < 0.8


def test_the_chain_through_a_common_space(tmp_path: Path) -> None:
    """Each visit leads to a space of its own; a mask on no scan's grid lies there."""
    common = rigid(-3.0, (2.0, 4.0, -6.0))
    save(tmp_path, "study1_FLAIR.nii.gz", head(), BASE)
    save(tmp_path, "study2_FLAIR.nii.gz", head(), MOVED @ BASE)
    itk(tmp_path / "study1_FLAIR_to_common_space.txt", common)
    itk(tmp_path / "study2_FLAIR_to_common_space.txt", MOVED @ common)
    lesion = np.zeros((80, 96, 64))
    lesion[32:48, 40:56, 24:40] = 1
    fine = np.linalg.inv(common) @ BASE @ np.diag([0.5, 0.5, 0.5, 1])
    save(tmp_path, "gt.nii.gz", lesion, fine)
    study = open_study(tmp_path, apply_transforms=True, reference="study1 flair")
    one, other = (np.asarray(study[r].data, np.float32) for r in roles(study))
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.99
    said = [f.message for f in study.findings if f.code == "transforms-applied"]
    assert any("taken to lie in 'common_space'" in text for text in said)
    found = study.grid.world(np.argwhere(np.asarray(study["seg"].data) > 0)).mean(axis=0)
    wanted = (common @ fine @ [39.5, 47.5, 31.5, 1])[:3]
    np.testing.assert_allclose(found, wanted, atol=1.5)  # the study has voxels of 4 and 5 mm


@pytest.mark.parametrize("neurological", [False, True])
def test_flirt_matrices_place_the_scan(tmp_path: Path, neurological: bool) -> None:
    """As FSL documents it: scaled voxels, the first axis reversed where the determinant is > 0."""
    flip = np.diag([1.0 if neurological else -1.0, 1, 1, 1])
    if not neurological:
        flip[0, 3] = SHAPE[0] - 1
    array = head() if neurological else head()[::-1]
    save(tmp_path, "T1.nii.gz", array, MOVED @ BASE @ flip)
    save(tmp_path, "FLAIR.nii.gz", head(), BASE)

    def scaled(affine: np.ndarray) -> np.ndarray:
        sizes = np.diag([*SIZE, 1.0])
        if np.linalg.det(affine[:3, :3]) > 0:
            sizes = np.array(
                [[-SIZE[0], 0, 0, (SHAPE[0] - 1) * SIZE[0]], *sizes[1:].tolist()], dtype=float
            )
        return sizes

    moving = MOVED @ BASE @ flip
    to_fixed = np.linalg.inv(BASE) @ np.linalg.inv(MOVED) @ moving  # voxel to voxel
    matrix = scaled(BASE) @ to_fixed @ np.linalg.inv(scaled(moving))
    np.savetxt(tmp_path / "T1_to_FLAIR.mat", matrix)
    study = open_study(tmp_path, apply_transforms=True, reference="flair")
    one, other = (np.asarray(study[r].data, np.float32) for r in ("flair", "t1"))
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.99


def test_other_kinds_of_itk_files_say_the_same(tmp_path: Path) -> None:
    matrix = rigid(20.0, (1.0, 2.0, 3.0))
    lps = LPS @ matrix @ LPS
    angle = np.arctan2(lps[1, 0], lps[0, 0])
    head_ = "#Insight Transform File V1.0\n#Transform 0\nTransform: "
    shift = " ".join(map(str, lps[:3, 3]))
    texts = {
        "euler": f"Euler3DTransform_double_3_3\nParameters: 0 0 {angle} {shift}",
        "versor": f"VersorRigid3DTransform_double_3_3\nParameters: 0 0 {np.sin(angle / 2)} {shift}",
    }
    for name, text in texts.items():
        path = tmp_path / f"{name}.tfm"
        path.write_text(f"{head_}{text}\nFixedParameters: 0 0 0\n")
        np.testing.assert_allclose(read_transform(path).matrix, matrix, atol=1e-9)
    values = {"AffineTransform_double_3_3": [*lps[:3, :3].ravel(), *lps[:3, 3]], "fixed": [0.0] * 3}
    content = b""
    for name, numbers in values.items():
        text = name.encode() + b"\0"
        content += struct.pack("<5i", 0, len(numbers), 1, 0, len(text)) + text
        content += np.asarray(numbers, "<f8").tobytes()
    path = tmp_path / "t1_to_flair0GenericAffine.mat"
    path.write_bytes(content)
    np.testing.assert_allclose(read_transform(path).matrix, matrix, atol=1e-9)


@pytest.mark.parametrize(
    "text",
    [
        "Transform: BSplineTransform_double_3_3\nParameters: 1 2 3\nFixedParameters: 1\n",
        "Transform: AffineTransform_double_3_3\nParameters: a b\nFixedParameters: 0 0 0\n",
        f"Transform: AffineTransform_double_3_3\nParameters: {'0 ' * 12}\nFixedParameters: 0 0 0\n",
        "",
    ],
)
def test_what_is_no_affine_transform_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a_to_b.tfm"
    path.write_text("#Insight Transform File V1.0\n" + text)
    with pytest.raises(ReadError):
        read_transform(path)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("ScaleVersor3DTransform", "are not read"),
        ("ScaleSkewVersor3DTransform", "are not read"),
        ("QuaternionRigidTransform", "are not read"),
        ("BSplineTransform", "is not affine"),
        ("AffineTransform", "not one of three dimensions"),
    ],
)
def test_a_refused_transform_is_called_what_it_is(tmp_path: Path, kind: str, said: str) -> None:
    path = tmp_path / "a_to_b.tfm"
    text = f"Transform: {kind}_double_3_3\nParameters: 0 0 0 1 2 3 1\nFixedParameters: 0 0 0\n"
    path.write_text("#Insight Transform File V1.0\n" + text)
    with pytest.raises(ReadError, match=said):
        read_transform(path)


def test_a_container_of_transforms_is_not_passed_over_in_silence(visits: Path) -> None:
    """ANTs' ``Composite.h5``: ITK keeps each transform in a group of this name."""
    container = visits / "t1_to_flair_Composite.h5"
    container.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(80) + b"TransformGroup" + bytes(1 << 17))
    (visits / "features.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(200))
    try:
        said = [f for f in open_study(visits).findings if f.code == "unreadable"]
    finally:
        container.unlink()
        (visits / "features.h5").unlink()
    (finding,) = said
    assert "transforms in an HDF5 file are not read" in finding.message
    assert finding.where.endswith(container.name)


@pytest.mark.parametrize("name", ["T1_2_FLAIR.txt", "t1_2_flair.tfm", "T1_to_FLAIR.txt"])
def test_a_transform_is_matched_by_its_name(tmp_path: Path, name: str) -> None:
    for scan in ("T1", "FLAIR"):
        save(tmp_path, f"{scan}.nii.gz", head(), BASE)
    itk(tmp_path / name, rigid(0.0, (3.0, 0.0, 0.0)))
    study = open_study(tmp_path)
    (found,) = [f for f in study.findings if f.code == "transforms-found"]
    assert "'t1' to 'flair'" in found.message


def test_two_visits_never_share_a_role(tmp_path: Path) -> None:
    for name in ("T1_baseline", "T1_followup"):
        save(tmp_path / "words", f"{name}.nii.gz", head(), BASE)
    save(tmp_path / "one", "T1.nii.gz", head(), BASE)
    save(tmp_path / "one", "T1_followup.nii.gz", head(), BASE)
    save(tmp_path / "dates", "20190304_T1.nii.gz", head(), BASE)
    save(tmp_path / "dates", "2020-05-06_T1.nii.gz", head(), BASE)
    save(tmp_path / "mixed", "ses-01_T1.nii.gz", head(), BASE)
    save(tmp_path / "mixed", "ses-02_FLAIR.nii.gz", head(), BASE)
    wanted = {
        "words": {"baseline t1", "followup t1"},
        "one": {"t1", "followup t1"},
        "dates": {"exam 1 t1", "exam 2 t1"},
        "mixed": {"ses-01 t1", "ses-02 flair"},
    }
    for folder, names in wanted.items():
        study = open_study(tmp_path / folder)
        assert set(study.images) == names
        assert "several-time-points" in {f.code for f in study.findings}
    assert time_word("scan1_T1.nii.gz") == "scan1"


@pytest.mark.realdata
def test_real_transforms_register_real_scans(shared_data: Path) -> None:
    """The T1 of this visit lies some 6 mm off its FLAIR; ITK's text says how to move it."""
    folder = shared_data / "brain_lesion_ms" / "patient03_study2"
    before, after = (open_study(folder, apply_transforms=a, reference="flair") for a in (0, 1))
    assert before.unregistered == ("t1",)
    assert after.unregistered == ()
    found = [misplacement(s["flair"], s["t1"]) for s in (before, after)]
    assert found[0] is not None and found[1] is not None  # noqa: PT018
    assert found[0].millimetres == pytest.approx(5.7, abs=0.7)  # by the transform itself
    assert found[1].millimetres < 2
    assert found[1].before > found[0].before + 0.05


def test_a_turn_counts_as_a_shift_does(tmp_path: Path) -> None:
    save(tmp_path, "FLAIR.nii.gz", head(), BASE)
    save(tmp_path, "T1.nii.gz", 1200 - head(), rigid(9.0, (0.0, 0.0, 0.0)) @ BASE)
    study = open_study(tmp_path, reference="flair")
    assert study.unregistered == ("t1",)
