"""What the numbers of a tumour mask stand for is told by names or a person, never by the values."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

import napari_sparseexplain as se
from napari_sparseexplain.errors import StudyError
from napari_sparseexplain.explanation.segmentation import scores_against_study
from napari_sparseexplain.explanation.target import Target
from napari_sparseexplain.explanation.trust.explained_slices import true_region
from napari_sparseexplain.networks.bundle.catalogue import bundle_folder
from napari_sparseexplain.networks.bundle.loading import load_model
from napari_sparseexplain.phantom.studies import make_phantom, write_subject
from napari_sparseexplain.progress import drain
from napari_sparseexplain.training.evaluate.evaluate_class_networks import evaluate_class_networks
from napari_sparseexplain.volumes.labels.names import label_names, label_numbering
from napari_sparseexplain.volumes.labels.reference_mask import ReferenceMask, reference_mask
from napari_sparseexplain.volumes.labels.tumour_numbering import numbering_of_classes

SHAPE = (10, 12, 4)
ALL = slice(0, 4)


def written(folder: Path, name: str, values: tuple[int, ...], scan: str = "") -> se.Study:
    """A FLAIR scan and a mask of a given name with given values, ten voxels of each."""
    rng = np.random.default_rng(0)
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    mask = np.zeros(SHAPE, np.uint8)
    for place, value in enumerate(values):
        mask[1 + place, 1:11, 1] = value
    flair = rng.integers(1, 900, SHAPE).astype(np.int16)
    nib.save(nib.Nifti1Image(flair, np.eye(4)), path.parent / (scan or "flair.nii.gz"))
    nib.save(nib.Nifti1Image(mask, np.eye(4)), path)
    return se.open_study(path.parent)


def mask_of(study: se.Study) -> ReferenceMask:
    found = reference_mask(study, ALL)
    assert found is not None
    return found


def voxels(found: ReferenceMask) -> dict[str, int | None]:
    regions = {name: found.region(name) for name in ("WT", "TC", "ET")}
    return {name: None if r is None else int(r.sum()) for name, r in regions.items()}


@pytest.mark.parametrize(
    ("name", "values", "regions"),
    [
        ("VSD.Brain_3more.XX.O.OT.54515_seg.nii.gz", (1, 2, 3, 4), (40, 30, 10)),
        ("brats_2013_pat0001_1_seg.nii.gz", (1, 2, 3, 4), (40, 30, 10)),
        ("Brats17_2013_2_1_seg.nii.gz", (1, 2, 4), (30, 20, 10)),
        ("Brats18_TCIA01_1_seg.nii.gz", (1, 2, 4), (30, 20, 10)),
        ("BraTS19_CBICA_AAB_1_seg.nii.gz", (1, 2, 4), (30, 20, 10)),
        ("BraTS20_Training_001_seg.nii.gz", (1, 2, 4), (30, 20, 10)),
        ("BraTS2021_00000_seg.nii.gz", (1, 2), (20, 10, 0)),
        ("UPENN-GBM-00001_11_segm.nii.gz", (1, 2, 4), (30, 20, 10)),
        ("BraTS-GLI-00000-000-seg.nii.gz", (1, 2, 3), (30, 20, 10)),
        ("BraTS-GLI-00000-000/seg.nii.gz", (1, 2, 3), (30, 20, 10)),
        ("BraTS-MET-00002-000-seg.nii.gz", (1, 2, 3), (30, 20, 10)),
        # After treatment 4 is the cavity, which is no tumour.
        ("BraTS-GLI-02062-100-seg.nii.gz", (1, 2, 3, 4), (30, 20, 10)),
        ("BraTS-GLI-02062-101-seg.nii.gz", (1, 2, 4), (20, 10, 0)),
        ("BraTS-GLI-00005-000-seg.nii.gz", (1, 2, 3, 4), (30, 20, 10)),
        # Nothing tells: the whole tumour where all numberings agree on it, and no classes.
        ("seg.nii.gz", (1, 2, 4), (30, None, None)),
        ("seg.nii.gz", (1, 2, 3), (30, None, None)),
        ("seg.nii.gz", (1, 2, 3, 4), (None, None, None)),
        ("seg.nii.gz", (1,), (10, None, None)),
        ("BraTS-PED-00001-000-seg.nii.gz", (1, 2, 3), (30, None, None)),
        ("lesions_seg.nii.gz", (1, 2, 5, 9), (None, None, None)),
    ],
)
def test_names_of_files_decide(
    name: str, values: tuple[int, ...], regions: tuple[int | None, ...], tmp_path: Path
) -> None:
    found = mask_of(written(tmp_path / "case", name, values))
    assert tuple(voxels(found).values()) == regions


def test_the_names_of_the_scans_beside_it_tell_too(tmp_path: Path) -> None:
    study = written(tmp_path / "case", "seg.nii.gz", (1, 2, 4), scan="BraTS2021_00000_flair.nii.gz")
    assert voxels(mask_of(study)) == {"WT": 30, "TC": 20, "ET": 10}


def test_a_person_is_asked_and_decides(tmp_path: Path) -> None:
    study = written(tmp_path / "case", "seg.nii.gz", (1, 2, 3, 4))
    assert "nothing tells what the labels" in mask_of(study).note
    after = study.with_label_numbering("brats-2024")
    assert voxels(mask_of(after)) == {"WT": 30, "TC": 20, "ET": 10}
    assert not mask_of(after).note
    early = se.open_study(tmp_path / "case", label_numbering="brats-2015")
    assert voxels(mask_of(early)) == {"WT": 40, "TC": 30, "ET": 10}
    assert label_names(early, "seg")[3] == "non-enhancing tumour"
    assert label_numbering(early.with_label_numbering(""), "seg") is None
    with pytest.raises(StudyError, match=r"no numbering of labels 'brats'.*brats-2021"):
        se.open_study(tmp_path / "case", label_numbering="brats")


@pytest.mark.parametrize("first", ["unenhanced tumor", "un-enhancing", "Not enhancing tumour"])
def test_what_does_not_enhance_is_no_enhancing_tumour(first: str) -> None:
    found = numbering_of_classes({1: first, 2: "edema", 3: "enhanced tumor"})
    assert found is not None
    assert found.parts == {1: "NET", 2: "ED", 3: "ET"}


@pytest.mark.parametrize("turned", [False, True])
def test_a_data_set_names_its_labels_itself(turned: bool, tmp_path: Path) -> None:
    """Decathlon's brain tumours: 1 oedema, 2 non-enhancing, 3 enhancing; both forms of the file."""
    labels = {"background": 0, "edema": 1, "non-enhancing tumor": 2, "enhancing tumour": 3}
    given = labels if turned else {str(value): name for name, value in labels.items()}
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": given}))
    study = written(tmp_path / "case", "labelsTr_seg.nii.gz", (1, 2, 3))
    assert voxels(mask_of(study)) == {"WT": 30, "TC": 20, "ET": 10}
    names = label_names(study, "seg")
    assert names[1] == "edema"
    target = true_region(study, Target.parse("ET"), ALL)
    assert target is not None
    assert (study.labels["seg"].data[target] == 3).all()
    own = mask_of(study).own_labels()
    assert [int((own == v).sum()) for v in (1, 2, 4)] == [10, 10, 10]


REGIONS = {"background": 0, "whole tumor": [1, 2, 3], "tumor core": [2, 3], "enhancing tumor": 3}


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        (REGIONS, {1: "ED", 2: "NCR", 3: "ET"}),
        ({**REGIONS, "tumor core": [1, 3], "enhancing tumor": [3]}, {1: "NCR", 2: "ED", 3: "ET"}),
        ({"whole tumor": [1, 2], "liver": [2]}, None),
        ({"whole tumor": [1, "2"]}, None),
    ],
)
def test_regions_of_nnunet_name_their_labels(
    given: Any, parts: dict[int, str] | None, tmp_path: Path
) -> None:
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": given}))
    study = written(tmp_path / "case", "labelsTr_seg.nii.gz", (1, 2, 3))
    numbering = label_numbering(study, "seg")
    assert (None if numbering is None else dict(numbering.parts)) == parts


def test_a_cavity_is_no_lesion_and_is_said(tmp_path: Path) -> None:
    study = written(tmp_path / "case", "BraTS-GLI-02062-100-seg.nii.gz", (1, 2, 3, 4))
    found = np.asarray(np.isin(study.labels["seg"].data, (1, 2, 3)), dtype=np.uint8)
    scores, notes = scores_against_study(study, found, ALL)
    assert scores["dice"] == 1
    assert any("resection cavity" in note for note in notes)


def test_a_target_of_a_class_has_a_truth_only_where_the_class_is_known(tmp_path: Path) -> None:
    study = written(tmp_path / "case", "seg.nii.gz", (1, 2, 3))
    for name in ("TC", "ET", "enhancing tumour", "oedema"):
        assert true_region(study, Target.parse(name), ALL) is None
    assert true_region(study, Target.parse("WT"), ALL) is not None
    told = study.with_label_numbering("brats-2023")
    oedema = true_region(told, Target.parse("oedema"), ALL)
    assert oedema is not None
    assert (told.labels["seg"].data[oedema] == 2).all()


def test_a_run_says_why_it_scores_no_classes_and_a_cavity_is_left_out_of_a_table(
    tmp_path: Path,
) -> None:
    made = make_phantom(5, spacing_mm=6.0, tumours=1, name="case")
    folder = write_subject(made, tmp_path / "case")
    study = se.open_study(folder)
    model = load_model("unet-classes")
    place = int(np.argmax((study.labels["seg"].data > 0).sum(axis=(1, 2))))
    found = se.explain(study, model, "segmentation", slices=slice(place, place + 1))
    assert "Dice WT" in found.scores
    assert "Dice ET" not in found.scores
    assert any(note.startswith("No scores of classes") for note in found.notes)
    told = study.with_label_numbering("brats-2021")
    scored = se.explain(told, model, "segmentation", slices=slice(place, place + 1))
    assert {"Dice ET", "Dice TC", "Dice WT"} <= set(scored.scores)
    # As the product, so the table: of exactly the mask that is given.
    whole = se.explain(told, model, "segmentation")
    shutil.copytree(bundle_folder("unet-classes"), tmp_path / "runs" / "unet-classes-0")
    work = evaluate_class_networks(folder, runs=tmp_path / "runs", label_numbering="brats-2021")
    case = drain(work).runs["unet-classes", "0"].cases["case"]
    for region in ("ET", "WT", "TC"):
        assert case[region]["volume"] == pytest.approx(whole.scores[f"Dice {region}"])
