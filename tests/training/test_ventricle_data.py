"""What the left-ventricle networks are trained and judged on: pixel sizes, what was read, what is
left of an evaluation of little."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import torch
from tests.volumes.dicom_writing import AXIAL, save
from tests.volumes.dicom_writing import image as dicom_image
from typer.testing import CliRunner

import napari_sparseexplain as se
from napari_sparseexplain.cli import app
from napari_sparseexplain.errors import ParameterError
from napari_sparseexplain.networks.bundle.loading import load_model
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.modules.architectures import build_network
from napari_sparseexplain.networks.running.inference import predict
from napari_sparseexplain.networks.running.preparation import prepare
from napari_sparseexplain.progress import drain
from napari_sparseexplain.training.left_ventricle import ventricle_bundle
from napari_sparseexplain.training.left_ventricle.evaluate_ventricle import evaluate_ventricle
from napari_sparseexplain.training.left_ventricle.patient_split import patient_folds
from napari_sparseexplain.training.left_ventricle.recipe import VENTRICLE_RECIPES, VentricleRecipe
from napari_sparseexplain.training.left_ventricle.short_axis_slices import (
    ShortAxisSlices,
    read_short_axis,
)
from napari_sparseexplain.training.left_ventricle.slice_spacing import (
    as_trained,
    served_probabilities,
)
from napari_sparseexplain.training.left_ventricle.train_ventricle import VentricleTrained

SIDE = 80
SMALL = VentricleRecipe(
    "left-ventricle-fcn", {"widths": [4, 6, 8, 8]}, epochs=1, batch=4, windows=((1.0, 32),)
)


def hearts(patients: int, spacing: tuple[float, float] | None = None) -> ShortAxisSlices:
    """Two slices a patient: a bright disc on rough ground."""
    rng = np.random.default_rng(0)
    count = 2 * patients
    far = np.hypot(*(np.indices((SIDE, SIDE)) - SIDE / 2))
    masks = np.repeat((far < 15)[None], count, axis=0)
    images = (rng.normal(0, 0.3, (count, SIDE, SIDE)) + 2 * masks).astype(np.float32)
    images -= images.mean(axis=(1, 2), keepdims=True)
    images /= images.std(axis=(1, 2), keepdims=True)
    names = tuple(f"P-{i // 2:02d}-{i % 2}" for i in range(count))
    return ShortAxisSlices(
        images, masks, tuple(name[:4] for name in names), names,
        np.arange(count) % 2, (spacing,) * count,
    )  # fmt: skip


def model_of(slices: ShortAxisSlices) -> Model:
    """A network with weights drawn at random, and the card it would have got."""
    torch.manual_seed(0)
    network = build_network(SMALL.architecture, dict(SMALL.arguments)).eval()
    trained = VentricleTrained(network, SMALL, 0, 1, ())
    card = ventricle_bundle.ventricle_card("left-ventricle-fcn", trained, slices, "set")
    return Model.of_network(card, network)


def test_a_network_is_judged_as_it_is_served() -> None:
    """A study of the same pixels at 0.7 mm, opened and segmented, gives the same probabilities."""
    slices = hearts(1, (0.7, 0.7))
    model = model_of(slices)
    judged = served_probabilities(model, slices.images, slices.spacings)
    study = se.study_of_arrays({"cine": slices.images}, spacing=(8.0, 0.7, 0.7))
    prepared = prepare(study, model.card)
    assert prepared.array.shape[-1] == round(SIDE * 0.7 / 1.25)
    served = prepared.to_study(drain(predict(model, prepared)).mask[:, 1])
    np.testing.assert_allclose(judged, served, atol=1e-4)
    raw = served_probabilities(model, slices.images, [None, None])
    assert np.abs(raw - judged).max() > 0.01


def test_padding_is_fed_alike_in_training_and_where_the_network_is_run(tmp_path: Path) -> None:
    """PixelPaddingValue (DICOM PS3.3 C.7.5.1.1.2) is no grey value: it would shift all others."""
    for number in (1, 2):
        values = np.random.default_rng(number).integers(100, 400, (SIDE, SIDE)).astype(np.int16)
        values[:, :9] = -2000
        said = {
            "ImageOrientationPatient": AXIAL, "ImagePositionPatient": [0.0, 0.0, float(number)],
            "PixelPaddingValue": -2000,
        }  # fmt: skip
        folder = tmp_path / f"SC-N-0{number}"
        folder.mkdir()
        save(dicom_image(values, **said), folder / "IM-0001-0001.dcm")
        (folder / "IM-0001-0001-icontour-manual.txt").write_text("20 9\n25 9\n25 15\n20 15\n")
    slices = drain(read_short_axis(tmp_path))
    path = tmp_path / "SC-N-01" / "IM-0001-0001.dcm"
    study = se.open_study(path, roles={"cine": path.name})
    served = prepare(study, model_of(slices).card, resolution="native").array[0, 0]
    np.testing.assert_allclose(slices.images[0], served, atol=1e-5)
    assert not served[:, :9].any()
    assert served[:, 9:].std() == pytest.approx(1, abs=1e-3)


def test_slices_are_trained_on_at_one_pixel_size_that_the_card_tells() -> None:
    slices = hearts(2, (0.7, 0.7))
    sizes = ((0.7, 0.7), (0.7, 0.7), (1.25, 1.25), (1.25, 1.25))
    mixed = replace(slices, spacings=sizes)
    fed = as_trained(mixed)
    assert fed.images.shape == (4, SIDE, SIDE)
    own, seen = (s.masks.sum(axis=(1, 2)).astype(float) for s in (mixed, fed))
    assert seen[0] * 1.25**2 == pytest.approx(own[0] * 0.7**2, rel=0.05)
    assert seen[2] == own[2]
    card = model_of(mixed).card
    assert card.inputs.spacing_mm == 1.25
    assert card.training["pixel size"] == "1.25 mm, resampled from 0.7 to 1.25 mm"
    assert "assumption" not in " ".join(card.notes)
    partly = replace(slices, spacings=(None, *sizes[1:]))
    assert as_trained(partly) is partly
    assert "files (1 of 4) tell no pixel size" in " ".join(model_of(partly).card.notes)


def written(root: Path, patients: tuple[str, ...], folder: str = "") -> None:
    made = hearts(len(patients))
    for i, image in enumerate(made.images):
        name = f"{patients[i // 2]}_slice{i % 2}"
        for kind, values in (("images", 90 + 30 * image), ("labels", made.masks[i] * 255)):
            place = root / folder / kind
            place.mkdir(parents=True, exist_ok=True)
            iio.imwrite(place / f"{name}.png", np.clip(values, 0, 255).astype(np.uint8))


def test_a_training_says_what_it_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sides of a split, pixels without a number, who was left out and who could not be."""
    monkeypatch.setitem(VENTRICLE_RECIPES, "left-ventricle-fcn", SMALL)
    written(tmp_path / "set", ("P-01", "P-02"), "train")
    written(tmp_path / "set", ("P-03",), "test")
    (tmp_path / "set" / "train" / "images" / "P-01_slice0.png").unlink()
    nothing = np.full((SIDE, SIDE), np.nan, np.float32)
    iio.imwrite(tmp_path / "set" / "train" / "images" / "P-01_slice0.tif", nothing)
    given = ["train", "left-ventricle-fcn", "--data", str(tmp_path / "set"), "--device", "cpu"]
    run = CliRunner()
    told = run.invoke(app, [*given, "--out", str(tmp_path / "b"), "--exclude", "P-02"])
    assert told.exit_code == 0, told.output
    assert "test, train lie in it and are read as one set" in told.output
    assert "P-01_slice0: none of its pixels holds a number" in told.output
    assert "note: P-02: left out as asked" in told.output
    card = load_model(tmp_path / "b", device="cpu").card
    assert card.training["left out"] == ["P-02 (as asked)"]
    told = run.invoke(app, [*given, "--out", str(tmp_path / "c"), "--exclude", "P-20"])
    assert told.exit_code == 1
    assert isinstance(told.exception, SystemExit | ParameterError)
    with pytest.raises(ParameterError, match=r"no patient 'P-20' to leave out.*P-01, P-02, P-03"):
        drain(read_short_axis(tmp_path / "set", exclude=["P-20"]))


def test_masks_that_fill_their_image_are_named_and_not_painted_out() -> None:
    slices = hearts(2)
    slices.masks[0] = True
    found = drain(evaluate_ventricle(slices, [model_of(slices)], device="cpu"))
    assert found.false[0].painted == 1
    assert "1 slice was not painted out, since the mask leaves nothing around it: P-00-0" in (
        found.text()
    )


def test_one_patient_has_no_interval_no_constant_mask_and_no_fold(tmp_path: Path) -> None:
    slices = hearts(1)
    found = drain(evaluate_ventricle(slices, [model_of(slices)], device="cpu"))
    constant = next(line for line in found.text().splitlines() if "constant mask" in line)
    assert set(constant.split("|")[3].strip()) == {"-"}
    assert "nan" not in found.text()
    rows = json.loads(found.save(tmp_path)[1].read_text())["rows"]
    assert rows[2]["low"] is None
    assert rows[2]["patients"] is not None
    with pytest.raises(ParameterError, match="a fold needs at least 2 patients"):
        patient_folds(slices.patients, 5)
