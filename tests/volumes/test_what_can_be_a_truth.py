"""Only a mask of lesions scores: no brain mask, and nothing that this program found itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

import napari_sparseexplain as se
from napari_sparseexplain.evidence.store import write_explanation
from napari_sparseexplain.explanation.segmentation import scores_against_study, true_mask
from napari_sparseexplain.explanation.target import Target
from napari_sparseexplain.explanation.trust.explained_slices import true_region
from napari_sparseexplain.explanation.trust.table import trust_of
from napari_sparseexplain.networks.running.preparation import prepare
from napari_sparseexplain.phantom.studies import make_phantom, write_subject
from napari_sparseexplain.training.evaluate.evaluation_cases import card_of_inputs, open_cases
from napari_sparseexplain.volumes.roles.label_roles import brain_mask_role, lesion_role

SPACING = 4.0
WHOLE = Target.parse("WT")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A phantom's four scans and its mask, as files."""
    made = make_phantom(5, spacing_mm=SPACING, tumours=1, name="case")
    return write_subject(made, tmp_path_factory.mktemp("phantom") / "case")


@pytest.fixture
def case(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "case"))


def put_mask(case: Path, name: str, array: np.ndarray) -> None:
    like = nib.load(next(case.glob("*_flair.nii.gz")))
    nib.save(nib.Nifti1Image(array.astype(np.uint8), like.affine), case / name)


def brain_of(case: Path) -> np.ndarray:
    return np.asarray(nib.load(next(case.glob("*_flair.nii.gz"))).dataobj) != 0


def codes(study: se.Study) -> list[str]:
    return [finding.code for finding in study.findings]


@pytest.mark.parametrize("name", ["brain_mask.nii.gz", "mask.nii.gz", "sub_T1_mask.nii.gz"])
def test_a_brain_mask_scores_nothing_and_is_the_brain(case: Path, name: str) -> None:
    next(case.glob("*_seg.nii.gz")).unlink()
    brain = brain_of(case)
    brain[: brain.shape[0] // 2] = False  # the mask that a person cut, not what the scan shows
    if name == "brain_mask.nii.gz":
        put_mask(case, name, brain)
    else:
        put_mask(case, name, brain_of(case))
    study = se.open_study(case)
    assert list(study.labels) == ["brain_mask"]
    assert lesion_role(study) == ""
    assert brain_mask_role(study) == "brain_mask"
    assert true_mask(study, slice(0, 5)) == (None, "")
    assert true_region(study, WHOLE, slice(0, 5)) is None
    place = study.grid.shape[0] // 2
    found = se.explain(study, "unet-classes", "segmentation", slices=slice(place, place + 1))
    assert not any("dice" in key.lower() for key in found.scores)
    assert any("brain mask says nothing about lesions" in note for note in found.notes)
    prepared = prepare(study, card_of_inputs())
    outside = study.labels["brain_mask"].data == 0
    assert prepared.inside is not None
    assert not prepared.inside[outside].any()
    with pytest.raises(se.SparseExplainError, match="no mask of the role seg"):
        list(open_cases([case], []))


def test_of_a_single_slice_a_mask_of_the_whole_brain_is_no_lesion(tmp_path: Path) -> None:
    axes = np.indices((40, 48)) - np.array([20, 24])[:, None, None]
    brain = (axes**2).sum(axis=0) < 15**2
    scan = np.where(brain, 100 + np.random.default_rng(0).random(brain.shape), 0)[..., None]
    nib.save(nib.Nifti1Image(scan.astype(np.float32), np.eye(4)), tmp_path / "a_flair.nii.gz")
    for name, mask in (("mask", brain), ("lesion_mask", brain & (axes[0] > 8))):
        array = mask.astype(np.uint8)[..., None]
        nib.save(nib.Nifti1Image(array, np.eye(4)), tmp_path / f"{name}.nii.gz")
        study = se.open_study(tmp_path)
        assert ("covers-brain" in codes(study)) == (name == "mask")
        (tmp_path / f"{name}.nii.gz").unlink()


def test_a_lesion_mask_beside_a_brain_mask_is_the_truth(case: Path) -> None:
    put_mask(case, "a_mask.nii.gz", brain_of(case))  # by its name as good a truth as the other
    study = se.open_study(case)
    assert brain_mask_role(study) == "brain_mask"
    true, _ = true_mask(study, slice(0, study.grid.shape[0]))
    assert true is not None
    assert true.sum() == (np.asarray(nib.load(next(case.glob("*_seg.nii.gz"))).dataobj) != 0).sum()
    assert "covers-brain" in codes(study)


def test_a_brain_mask_of_a_head_with_its_skull_is_known_by_its_size(case: Path) -> None:
    """Of a liver, as large as a brain in a much larger body, that is not said."""
    next(case.glob("*_seg.nii.gz")).unlink()
    brain = brain_of(case)
    flair = next(case.glob("*_flair.nii.gz"))
    image = nib.load(flair)
    rng = np.random.default_rng(0)
    for path in case.glob("*_t*.nii.gz"):
        path.unlink()
    for grown, expected in ((3, "brain_mask"), (None, "seg")):
        body = np.zeros_like(brain)
        body[1:-1, 1:-1, 1:-1] = True
        if grown is not None:
            body = ndimage.binary_dilation(brain, iterations=grown)
        scan = np.where(body, rng.integers(300, 500, brain.shape), rng.integers(1, 9, brain.shape))
        nib.save(nib.Nifti1Image(scan.astype(np.int16), image.affine), flair)
        put_mask(case, "mask.nii.gz", brain)
        assert list(se.open_study(case).labels) == [expected]


def test_a_segmentation_of_tissues_is_no_lesion(case: Path) -> None:
    next(case.glob("*_seg.nii.gz")).unlink()
    tissues = brain_of(case) * (1 + np.arange(brain_of(case).shape[2]) % 3)
    put_mask(case, "t1_pveseg_labels.nii.gz", tissues)
    study = se.open_study(case)
    assert lesion_role(study) == ""
    assert brain_mask_role(study) == ""
    given = se.open_study(case, roles={"seg": "t1_pveseg_labels.nii.gz"})
    assert lesion_role(given) == "seg"  # a person's word goes first


@pytest.mark.parametrize("depth", ["out", "results/of/today", "."])
def test_our_own_results_in_the_studys_folder_are_passed_over(case: Path, depth: str) -> None:
    study = se.open_study(case)
    true, _ = true_mask(study, slice(0, study.grid.shape[0]))
    next(case.glob("*_seg.nii.gz")).unlink()
    place = int(np.argmax(np.asarray(true).sum(axis=(1, 2))))
    found = se.explain(study, "unet-classes", "segmentation", slices=slice(place, place + 1))
    files = write_explanation(found, study, case / depth)
    again = se.open_study(case)
    assert not again.labels
    assert set(again.images) == {"t1", "t1ce", "t2", "flair"}
    assert "own-results" in codes(again)
    scored = se.explain(again, "unet-classes", "segmentation", slices=slice(place, place + 1))
    assert not any("dice" in key.lower() for key in scored.scores)
    # Alone, a result opens; copied out of its folder, it is shown and scores nothing.
    mask = next(path for path in files if "mask" in path.name)
    assert "own-output" in codes(se.open_study(mask))
    shutil.copy(mask, case / "case_seg.nii.gz")
    copied = se.open_study(case)
    assert "own-output" in codes(copied)
    assert lesion_role(copied) == ""
    scores, notes = scores_against_study(copied, found["mask"].data, found.slices)
    assert not scores
    assert any("own results" in note for note in notes)
    located = trust_of(copied, heat(copied, place))
    assert located["AUPRC"].value is None
    told = se.open_study(case, roles={"seg": "case_seg.nii.gz"})
    assert lesion_role(told) == "seg"


def heat(study: se.Study, place: int):
    return se.explain(study, "sum-seg", "grad-cam", target="class:1", slices=place)


def test_a_folder_of_results_alone_opens_as_what_it_is(case: Path, tmp_path: Path) -> None:
    study = se.open_study(case)
    found = se.explain(study, "sum-seg", "segmentation", slices=slice(20, 21))
    write_explanation(found, study, tmp_path / "out")
    alone = se.open_study(tmp_path / "out")
    assert {"own-output"} <= set(codes(alone))


def test_a_map_that_was_written_before_there_was_a_mark_is_known_by_its_description(
    case: Path,
) -> None:
    old = next(case.glob("*_seg.nii.gz"))
    image = nib.load(old)
    image.header["descrip"] = b"slices 20-24 of 39; segmentation mask unet-classes"
    array = np.asarray(image.dataobj).astype(np.uint8)
    old.unlink()
    nib.save(nib.Nifti1Image(array, image.affine, image.header), case / "case_seg.nii.gz")
    assert lesion_role(se.open_study(case)) == ""
