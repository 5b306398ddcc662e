"""Classifiers of DICOM: what a study of a file is fed is what was trained on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

import napari_sparseexplain as se
from napari_sparseexplain.errors import StudyError
from napari_sparseexplain.networks.bundle.loading import load_model
from napari_sparseexplain.networks.running.in_plane_resampling import resample_in_plane
from napari_sparseexplain.networks.running.preparation import prepare
from napari_sparseexplain.progress import drain
from napari_sparseexplain.training.classifiers import classifier_bundle
from napari_sparseexplain.training.classifiers.class_recipe import ClassRecipe
from napari_sparseexplain.training.classifiers.class_slices import ClassSlices, read_class_slices
from napari_sparseexplain.training.classifiers.fed_pictures import FedPictures
from napari_sparseexplain.training.classifiers.picture_stack import read_stack_work
from napari_sparseexplain.training.classifiers.picture_study import stack_study
from napari_sparseexplain.volumes.edge_letters import PLANES as VIEWER
from napari_sparseexplain.volumes.intensity.normalisation import Normalisation
from napari_sparseexplain.volumes.labelled.class_folder import find_class_images
from napari_sparseexplain.volumes.labelled.class_picture import read_class_picture
from napari_sparseexplain.volumes.labelled.mask_picture import finding_of_picture

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


@pytest.fixture(scope="module")
def bundle(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundles") / "bundle"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(classifier_bundle.CLASS_RECIPES, "tumour-classes", RECIPE)
        drain(classifier_bundle.train_classifier_bundle("tumour-classes", folder, out))
    return out


def test_a_study_of_a_file_is_fed_as_the_training_was(slices: ClassSlices, bundle: Path) -> None:
    model = load_model(bundle, device="cpu")
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


#: Directions of rows and columns as files may have them: of each plane the shown one, one of which
#: both run the other way, and one with rows and columns exchanged.
PLANES = {
    "axial": ([1, 0, 0, 0, 1, 0], [-1, 0, 0, 0, -1, 0], [0, 1, 0, 1, 0, 0]),
    "coronal": ([1, 0, 0, 0, 0, -1], [-1, 0, 0, 0, 0, 1], [0, 0, -1, 1, 0, 0]),
    "sagittal": ([0, 1, 0, 0, 0, -1], [0, -1, 0, 0, 0, 1], [0, 0, -1, 0, 1, 0]),
}
#: The same images as their files hold them.
STORED = (lambda shown: shown, lambda shown: shown[::-1, ::-1], lambda shown: shown.T)


def test_images_of_every_plane_are_turned_as_the_viewer_shows_it(tmp_path: Path) -> None:
    """One picture in three files is one picture, whatever it is trained on or looked at.

    DICOM PS3.3 C.7.6.2.1.1: the first three cosines are the direction in which columns grow, in
    coordinates that grow to the patient's left, back and head. The order that is shown is that of
    radiology: superior up, left to the right, and of a sagittal image the back.
    """
    shown: dict[str, np.ndarray] = {}
    for k, (view, directions) in enumerate(PLANES.items()):
        label = CLASSES[k % 2]
        (tmp_path / label).mkdir(exist_ok=True)
        shown[view] = picture(label, k)[0][:40].astype(np.uint16)
        for number, (direction, stored) in enumerate(zip(directions, STORED, strict=True)):
            said = {
                "ImageOrientationPatient": [float(v) for v in direction],
                "ImagePositionPatient": [0.0, 0.0, 0.0],
            }
            pixels = np.ascontiguousarray(stored(shown[view]))
            name = f"{view}_{number}"
            save(image(pixels, **said), tmp_path / label / f"{name}.dcm")
            # Drawn on the file as it lies: the upper left quarter of what is shown.
            drawn = np.zeros_like(shown[view], dtype=np.uint8)
            drawn[:20, :24] = 255
            iio.imwrite(tmp_path / label / f"{name}_mask.png", np.ascontiguousarray(stored(drawn)))
    folder = drain(find_class_images(tmp_path))
    found = drain(read_class_slices(folder, 48))
    duplicates = [f for f in found.findings if f.code == "duplicate-image"]
    assert len(duplicates) == 3, "the three files of a plane are pixel for pixel the same"
    assert [image.view for image in found.images] == ["axial", "sagittal", "coronal"]
    for one in folder.images:
        read = read_class_picture(one)
        view = one.name.split("_")[0]
        assert read.view == view
        np.testing.assert_array_equal(read.shown, shown[view])
        turned = replace(one, turn=read.turn)
        drawn = finding_of_picture(turned, (40, 48))
        assert drawn[:20, :24].all()
        assert drawn.sum() == 20 * 24
        # What the viewer shows of a study: superior kept up, columns as they lie.
        study = se.open_study(one.path)
        (scan,) = study.images.values()
        axis, rows, columns = VIEWER[read.view]
        plane = np.asarray(scan.data).transpose(axis, rows, columns)[0]
        plane = plane if rows else plane[::-1]
        np.testing.assert_array_equal(plane, shown[view])
    (said,) = [f.message for f in found.findings if f.code == "not-axial"]
    assert "(3 coronal, 3 sagittal)" in said


def test_no_classifier_is_fed_the_edge_of_an_image(tmp_path: Path, bundle: Path) -> None:
    """A study of one sagittal image has axial sections of one pixel's width."""
    said = {"ImageOrientationPatient": SAGITTAL, "ImagePositionPatient": [0.0, 0.0, 0.0]}
    save(image(picture("disc", 1)[0].astype(np.uint16), **said), tmp_path / "1.dcm")
    study = se.open_study(tmp_path / "1.dcm", roles={"t1ce": "1.dcm"})
    with pytest.raises(StudyError, match="the study is one sagittal image"):
        prepare(study, load_model(bundle, device="cpu").card)


@pytest.mark.parametrize("photometric", ["MONOCHROME2", "MONOCHROME1"])
@pytest.mark.parametrize("way", ["z-score by slice", "z-score", "percentile", "window"])
def test_padding_is_fed_alike_in_training_and_where_a_network_is_run(
    tmp_path: Path, bundle: Path, photometric: str, way: str
) -> None:
    """PixelPaddingValue to PixelPaddingRangeLimit (PS3.3 C.7.5.1.1.2): nothing was measured there.

    As training and evaluation feed a file, as a study of it is fed, and as the tab Embedding's.
    """
    values = picture("disc", 5)[0][:40].astype(np.int16)
    padded = np.zeros(values.shape, dtype=bool)
    padded[:6], padded[:, -5:] = True, True
    stored = np.where(padded, np.int16(-2000), values)
    stored[:2] = -1990
    said = {"PhotometricInterpretation": photometric, "PixelPaddingValue": -2000}
    for label, number in (("disc", 1), ("disc", 2), ("square", 3), ("square", 4)):
        (tmp_path / label).mkdir(exist_ok=True)
        one = image(stored + np.int16(number) * ~padded, **said)
        one.add_new("PixelPaddingRangeLimit", "SS", -1990)
        save(one, tmp_path / label / f"{number}.dcm")
    card = load_model(bundle, device="cpu").card
    ways = {
        "z-score by slice": card.inputs.normalisation,
        "z-score": Normalisation("z-score", region="whole"),
        "percentile": Normalisation("percentile", region="whole", low=0.5, high=99.0),
        "window": Normalisation("window", centre=60, width=150),
    }
    card = replace(card, inputs=replace(card.inputs, normalisation=ways[way]))
    stack = drain(read_stack_work(tmp_path))
    fed = drain(
        FedPictures(drain(read_class_slices(drain(find_class_images(tmp_path)), 32))).of(card)
    )
    top, left, bottom, right = fed.inside[0]
    trained = fed.values[0].astype(float)[top:bottom, left:right]
    path = fed.images[0].path
    study = se.open_study(path, roles={"t1ce": path.name})
    served = prepare(study, card).array[0, 0]
    np.testing.assert_allclose(served, trained, atol=4e-3)
    assert not served[:4].any(), "padding is fed as 0"
    small = resample_in_plane(np.where(padded, 0.0, 1.0), served.shape) == 1
    assert abs(served[small]).max() < 10, "and takes no part in what is measured"
    assert served[small].std() > 0.1
    if photometric == "MONOCHROME2" or "z-score" in way:
        # In a stack pictures are turned round themselves: a window or percentiles that do not lie
        # evenly are other ones there.
        opened = stack_study(replace(stack, card=card), [0])
        np.testing.assert_allclose(prepare(opened, card).array[0, 0], trained, atol=4e-3)
