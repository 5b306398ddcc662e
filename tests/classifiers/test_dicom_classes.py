"""Classifiers of DICOM: what a study of a file is fed is what was trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import napari_sparseexplain as se
from napari_sparseexplain.networks.bundle.loading import load_model
from napari_sparseexplain.networks.running.preparation import prepare
from napari_sparseexplain.progress import drain
from napari_sparseexplain.training.classifiers import classifier_bundle
from napari_sparseexplain.training.classifiers.class_recipe import ClassRecipe
from napari_sparseexplain.training.classifiers.class_slices import ClassSlices, read_class_slices
from napari_sparseexplain.volumes.labelled.class_folder import find_class_images

from ..volumes.dicom_writing import AXIAL, SAGITTAL, image, save
from .class_pictures import CLASSES, picture

RECIPE = ClassRecipe(
    "small-resnet", {"widths": [4, 6, 8, 8], "size": 32}, size=32, epochs=1, batch=8, half=False
)

#: Turned about: columns run to the patient's right, rows to the front.
TURNED = [-1.0, 0.0, 0.0, 0.0, -1.0, 0.0]

#: What the first files of a class say, besides the plain ones.
KINDS: tuple[dict[str, object], ...] = (
    {"ImageOrientationPatient": AXIAL},
    {"ImageOrientationPatient": TURNED},
    {"ImageOrientationPatient": AXIAL, "PixelSpacing": [0.5, 1.25]},
    {"ImageOrientationPatient": AXIAL, "PhotometricInterpretation": "MONOCHROME1"},
    {"PixelSpacing": None},
    {"PixelSpacing": None, "PhotometricInterpretation": "MONOCHROME1"},
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("dicom") / "set"
    for k, label in enumerate(CLASSES):
        (root / label).mkdir(parents=True)
        for i in range(16):
            said = KINDS[i % len(KINDS)]
            if "ImageOrientationPatient" in said:
                said = {**said, "ImagePositionPatient": [-10.0, -20.0, float(i)]}
            values = picture(label, 100 * k + i)[0][: 48 - 8 * (i % 2)].astype(np.uint16) + i
            if said.get("PhotometricInterpretation") == "MONOCHROME1":
                values = values.max() - values
            save(image(values, **said), root / label / f"{i + 1}.dcm")
    return root


@pytest.fixture(scope="module")
def slices(folder: Path) -> ClassSlices:
    return drain(read_class_slices(drain(find_class_images(folder)), 32))


def test_a_study_of_a_file_is_fed_as_the_training_was(
    folder: Path, slices: ClassSlices, tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(classifier_bundle.CLASS_RECIPES, "tumour-classes", RECIPE)
        drain(
            classifier_bundle.train_classifier_bundle("tumour-classes", folder, tmp_path / "bundle")
        )
    model = load_model(tmp_path / "bundle", device="cpu")
    assert model.card.inputs.scaled
    for kind in range(len(KINDS)):
        row = [i.number for i in slices.images].index(kind + 1)
        path = slices.images[row].path
        study = se.open_study(path)
        (role,) = study.images
        study = se.open_study(path, roles={"t1ce": path.name}) if role != "t1ce" else study
        prepared = prepare(study, model.card)
        top, left, bottom, right = slices.inside[row]
        trained = slices.values[row].astype(float)[top:bottom, left:right]
        np.testing.assert_allclose(prepared.array[0, 0], trained, atol=4e-3, err_msg=str(kind))
        said = " ".join(prepared.notes)
        assert ("MONOCHROME1" in said) == ("PhotometricInterpretation" in KINDS[kind])
        assert "larger side has the 32 pixels" in said


def test_polarity_is_no_sign_of_a_class(slices: ClassSlices) -> None:
    """A negative among positives would be told from them by its background."""
    assert len(slices) == 32
    for values in slices.values:
        assert values.max() > -values.min(), "what is found is bright"
    (told,) = [f.message for f in slices.findings if f.code == "shown-inverted"]
    assert told.startswith("10 DICOM images")


def test_one_picture_in_both_polarities_is_read_alike(tmp_path: Path) -> None:
    values = picture("disc", 3)[0].astype(np.uint16)
    turned = (values.max() - values + values.min()).astype(np.uint16)
    for label in CLASSES:
        (tmp_path / label).mkdir()
        other = picture("square", 4 + len(label))[0].astype(np.uint16)
        save(image(other), tmp_path / label / "9.dcm")
    save(image(values), tmp_path / "disc" / "1.dcm")
    inverted = image(turned, PhotometricInterpretation="MONOCHROME1")
    save(inverted, tmp_path / "disc" / "2.dcm")
    found = drain(read_class_slices(drain(find_class_images(tmp_path)), 32))
    assert "duplicate-image" in {finding.code for finding in found.findings}


def test_a_slice_of_another_plane_is_read_and_told(tmp_path: Path) -> None:
    for label in CLASSES:
        (tmp_path / label).mkdir()
        for number in (1, 2):
            values = picture(label, number)[0].astype(np.uint16)[:40]
            said = {"ImageOrientationPatient": SAGITTAL, "ImagePositionPatient": [0.0, 0.0, 0.0]}
            if said.get("PhotometricInterpretation") == "MONOCHROME1":
                values = values.max() - values
            save(image(values, **said), tmp_path / label / f"{number}.dcm")
    found = drain(read_class_slices(drain(find_class_images(tmp_path)), 32))
    assert found.values.shape == (4, 32, 32)
    (said,) = [f.message for f in found.findings if f.code == "not-axial"]
    assert said.startswith("4 DICOM images are not axial")
