"""Methods that compare a model with its teacher, or with less of itself, on a study."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import napari_sparseexplain as se
from napari_sparseexplain.errors import ModelError, StudyError
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.bundle.saving import save_bundle
from napari_sparseexplain.networks.modules.sum_network import SumNetwork
from napari_sparseexplain.volumes import Grid, Source, Study, Volume

SHAPE = (3, 32, 32)


@pytest.fixture
def study() -> Study:
    data = np.random.default_rng(0).random(SHAPE).astype(np.float32)
    grid = Grid(SHAPE, np.diag([1.0, 1.0, 1.0, 1.0]))
    turned = np.array([[0, 1], [1, 1], [2, 1]])
    source = Source((), "memory", SHAPE, np.eye(4), data.dtype, turned)
    flair = Volume(data, grid, "flair", "image", source)
    return Study("made", None, {"flair": flair}, {}, grid, "flair")


@pytest.fixture
def model() -> Model:
    """A random SUM whose output is scaled until it marks about half of an image."""
    torch.manual_seed(0)
    network = SumNetwork(maps=2, levels=1).eval().requires_grad_(False)
    signal = network(torch.rand(4, 1, 32, 32))[1]
    network.head.scale.weight.fill_(float(0.5 / signal.median()))
    card = ModelCard(
        name="student",
        title="Student",
        architecture="sum",
        arguments={"maps": 2, "levels": 1},
        task="segmentation",
        inputs=Inputs(("flair",), "unit", spacing_mm=1.0, size=32),
        classes={"1": "lesion"},
    )
    return Model.of_network(card, network)


def test_a_model_that_is_its_own_teacher_agrees_everywhere(
    study: Study, model: Model, tmp_path: Path
) -> None:
    save_bundle(tmp_path / "teacher", model.card, model.network)
    found = se.explain(study, model, "fidelity", teacher=str(tmp_path / "teacher"))
    assert found.scores["fidelity (Dice to the teacher)"] == 1
    assert found.scores["proxy's accuracy (Dice)"] is None
    assert not found["disagreement"].data.any()
    assert any("may be interpreted" in note for note in found.notes)


def test_where_two_models_differ_is_shown_and_said(
    study: Study, model: Model, tmp_path: Path
) -> None:
    save_bundle(tmp_path / "teacher", model.card, model.network)
    other = SumNetwork(maps=2, levels=1)
    other.load_state_dict(model.network.state_dict())
    other.head.scale.weight.data *= -1
    found = se.explain(
        study, Model.of_network(model.card, other), "fidelity", teacher=str(tmp_path / "teacher")
    )
    proxy, teacher = found["proxy-mask"].data != 0, found["teacher-mask"].data != 0
    expected = np.where(proxy & ~teacher, 1, 0) + np.where(teacher & ~proxy, 2, 0)
    np.testing.assert_array_equal(found["disagreement"].data, expected)
    assert any("may not be interpreted" in note for note in found.notes)


def test_a_model_without_a_teacher_is_told_so(study: Study, model: Model) -> None:
    with pytest.raises(ModelError, match="names no teacher"):
        se.explain(study, model, "fidelity")


def test_feature_bias_gives_its_curve_and_sizes_in_millimetres(study: Study, model: Model) -> None:
    found = se.explain(study, model, "feature-bias", slices=slice(0, 2))
    curve = found["masking-curve"].data
    assert curve[0, 0] == 2 + 2
    assert curve[0, 1] == 1
    assert found["grating-tuning"].data[0, 0] == 2.0
    assert found.scores["essential maps"] is not None
    assert found.scores["dominant period (mm)"] in found["grating-tuning"].data[:, 0]


def test_feature_bias_needs_a_lesion(study: Study, model: Model) -> None:
    with pytest.raises(StudyError, match="no reference segmentation"):
        se.explain(study, model, "feature-bias", reference="truth")
    blind = SumNetwork(maps=2, levels=1)
    for weight in blind.parameters():
        weight.data.zero_()
    with pytest.raises(StudyError, match="hold no lesion"):
        se.explain(study, Model.of_network(replace(model.card), blind), "feature-bias")
