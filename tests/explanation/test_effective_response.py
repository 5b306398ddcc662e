"""The filter in effect at a voxel: a row of the Jacobian, held against its definition."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from napari_sparseexplain.errors import StudyError
from napari_sparseexplain.explanation.catalogue import explain
from napari_sparseexplain.explanation.proxy.effective_response import (
    effective_response,
    octave_shares,
)
from napari_sparseexplain.explanation.proxy.response_metrics import frequency_magnitude
from napari_sparseexplain.explanation.proxy.shift_variance import phase_responses_work
from napari_sparseexplain.explanation.target import Target
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.modules.sum_network import SumNetwork
from napari_sparseexplain.networks.modules.unet import UNet
from napari_sparseexplain.networks.running.preparation import Prepared, prepare
from napari_sparseexplain.progress import drain
from napari_sparseexplain.volumes import Grid, Source, Study, Volume

SHAPE = (3, 64, 56)
HERE = (1, 30, 25)


@pytest.fixture(scope="module")
def study() -> Study:
    data = np.random.default_rng(0).random(SHAPE).astype(np.float32)
    grid = Grid(SHAPE, np.diag([2.0, 2.0, 2.0, 1.0]))
    turned = np.array([[0, 1], [1, 1], [2, 1]])
    source = Source((), "memory", SHAPE, np.eye(4), data.dtype, turned)
    flair = Volume(data, grid, "flair", "image", source)
    return Study("made", None, {"flair": flair}, {}, grid, "flair")


def model_of(network: nn.Module, **classes: str) -> Model:
    card = ModelCard(
        name="tested",
        title="Tested",
        architecture="sum" if isinstance(network, SumNetwork) else "unet",
        arguments={},
        task="segmentation",
        inputs=Inputs(("flair",), "unit", spacing_mm=2.0, size=64),
        classes=classes or {"1": "lesion"},
    )
    return Model.of_network(card, network)


def random_sum(classes: int = 1) -> SumNetwork:
    torch.manual_seed(2)
    network = SumNetwork(classes=classes, maps=3, levels=2)
    for shrinkage in network.shrinkages().values():
        shrinkage.raw.data.normal_(0.0, 0.01)
    return network


def prepared_slice(study: Study, model: Model) -> Prepared:
    return prepare(study, model.card, slice(HERE[0], HERE[0] + 1))


@pytest.mark.parametrize("network", [random_sum(), UNet(maps=2, levels=2)], ids=["sum", "unet"])
def test_it_is_the_derivative_of_the_signal(study: Study, network: nn.Module) -> None:
    """Against a central difference at a pixel beside the voxel."""
    torch.manual_seed(0)
    model = model_of(network)
    prepared = prepared_slice(study, model)
    found = effective_response(model, prepared, 30, 25, crop=32)
    step = 1e-6  # the network is piecewise linear: the step must stay on one piece
    signals = []
    for sign in (1, -1):
        x = torch.from_numpy(prepared.array.copy()).double()
        x[0, 0, 31, 24] += sign * step
        signals.append(float(model.network.double()(x)[1][0, 0, 30, 25]))
    model.network.float()
    assert found.jacobian[0, 31, 24] == pytest.approx((signals[0] - signals[1]) / (2 * step), 1e-3)
    assert found.response[0, 16 + 1, 16 - 1] == found.jacobian[0, 31, 24]


def test_without_thresholds_it_is_the_phase_responses_seen_from_the_output(study: Study) -> None:
    """J[q, p] at α = 0 is the response of p's phase, at q - p."""
    model = model_of(random_sum())
    found = effective_response(model, prepared_slice(study, model), 30, 25, alpha=0.0, crop=16)
    phases = drain(phase_responses_work(model.network, crop=32))  # type: ignore[arg-type]
    for row, column in ((30, 25), (27, 29), (34, 22)):
        kernel = phases[row % 4, column % 4, 0]
        expected = kernel[16 + 30 - row, 16 + 25 - column]
        assert found.jacobian[0, row, column] == pytest.approx(expected, rel=1e-4, abs=1e-7)
    assert found.filtered == pytest.approx(found.signal, rel=1e-4)


def test_a_click_near_the_border_is_cut_out_with_zeros(study: Study) -> None:
    model = model_of(random_sum())
    found = effective_response(model, prepared_slice(study, model), 2, 55, crop=32)
    assert found.response.shape == (1, 32, 32)
    assert not found.response[0, : 16 - 2].any()
    assert not found.response[0, :, 17:].any()
    assert found.response[0, 16, 16] == found.jacobian[0, 2, 55]


@pytest.mark.parametrize("period", [3, 6, 12])
def test_a_grating_lies_in_its_octave(period: int) -> None:
    spacing = 1.5
    grating = np.cos(2 * np.pi * np.arange(64) / period)[None, :] * np.ones((64, 1))
    shares = octave_shares(frequency_magnitude(grating * np.hanning(64)), (spacing, spacing))
    low, high, share = max(shares, key=lambda item: item[2])
    assert low <= 1 / (period * spacing) <= high
    assert share > 0.5
    assert sum(item[2] for item in shares) == pytest.approx(1)


def test_octaves_halve_down_from_the_nyquist_frequency() -> None:
    shares = octave_shares(np.ones((128, 128)), (2.0, 2.0))
    assert shares[0][1] == 0.25
    assert [low for low, _, _ in shares[:3]] == [0.125, 0.0625, 0.03125]
    assert shares[-1][0] == 0


def test_the_explanation_lies_on_the_clicked_slice(study: Study) -> None:
    model = model_of(random_sum(2), **{"1": "core", "2": "oedema"})
    target = Target.voxel(HERE, "oedema")
    found = explain(study, model, "effective-response", target=target, crop=32)
    assert found.slices == slice(1, 2)
    assert found["influence"].data.shape == (1, 64, 56)
    assert found["effective-spectrum"].axes["unit"] == "cycles/mm"
    assert found["effective-spectrum"].axes["spacing"][0] == pytest.approx(1 / 64)
    assert "oedema" in found.target
    assert found.scores["peak frequency (cycles/mm)"] is not None


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (Target.voxel((9, 0, 0)), "outside the study"),
        (Target.region("WT"), "of one voxel"),
        (Target.voxel(HERE, "bone"), "no class 'bone'"),
    ],
)
def test_targets_that_have_no_response_are_refused(
    study: Study, target: Target, message: str
) -> None:
    with pytest.raises(StudyError, match=message):
        explain(study, model_of(random_sum()), "effective-response", target=target)


def test_a_voxel_that_nothing_moves_is_refused(study: Study) -> None:
    network = random_sum()
    for shrinkage in network.shrinkages().values():
        shrinkage.raw.data.fill_(100.0)
    with pytest.raises(StudyError, match="no response"):
        explain(study, model_of(network), "effective-response", target=Target.voxel(HERE))
