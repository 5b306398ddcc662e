"""Responses are kept by their weights: served once computed, and never of other weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from napari_sparseexplain.explanation.proxy import kept_responses as kept
from napari_sparseexplain.explanation.proxy import responses
from napari_sparseexplain.explanation.proxy.responses import impulse_response, model_responses_work
from napari_sparseexplain.networks.bundle.loading import load_model
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.bundle.saving import save_bundle
from napari_sparseexplain.networks.modules.sum_network import SumNetwork
from napari_sparseexplain.progress import drain

CROP = 32


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    """A person's own small bundle, with a cache folder of the test's own."""
    monkeypatch.setenv(kept.FOLDER_VARIABLE, str(tmp_path / "cache"))
    torch.manual_seed(5)
    arguments = {"in_channels": 2, "classes": 1, "maps": 2, "levels": 2}
    card = ModelCard(
        name="own",
        title="Own",
        architecture="sum",
        arguments=arguments,
        task="segmentation",
        inputs=Inputs(("t1", "flair"), "unit", spacing_mm=1.0, size=32),
        classes={"1": "lesion"},
    )
    save_bundle(tmp_path / "own", card, SumNetwork(**arguments))
    return load_model(tmp_path / "own", device="cpu")


def computed(model: Model) -> responses.ModelResponses:
    return drain(model_responses_work(model, crop=CROP))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one for every role whose phases are run."""
    calls: list[int] = []
    run = responses.shift_variance_work

    def counting(*args, channel: int, **more):
        calls.append(channel)
        return run(*args, channel=channel, **more)

    monkeypatch.setattr(responses, "shift_variance_work", counting)
    return calls


def test_what_was_computed_comes_back_the_same_without_a_pass(
    model: Model, counted: list[int]
) -> None:
    first = computed(model)
    again = computed(model)
    assert counted == [0, 1]
    np.testing.assert_array_equal(again.impulse, first.impulse)
    for one, other in zip(again.shift, first.shift, strict=True):
        assert one.period == other.period
        np.testing.assert_array_equal(one.averaged, other.averaged)
        np.testing.assert_array_equal(one.defect, other.defect)
        assert {n: v.tolist() for n, v in one.metrics.items()} == {
            n: v.tolist() for n, v in other.metrics.items()
        }
    assert (again.roles, again.outputs, again.title) == (first.roles, first.outputs, first.title)
    assert drain(model_responses_work(model, crop=CROP, phases=False)).shift == ()


def test_a_changed_weight_is_never_served_from_the_kept_file(
    model: Model, counted: list[int]
) -> None:
    first = computed(model)
    found = (first.impulse, first.shift)
    assert kept.keep_responses(model, CROP, found, beside=True) is not None
    with torch.no_grad():
        next(iter(model.network.parameters()))[0, 0, 0, 0] += 1e-3
    assert kept.kept_responses(model, CROP) is None
    changed = computed(model)
    assert counted == [0, 1, 0, 1]
    assert np.abs(changed.impulse - first.impulse).max() > 0


def test_another_crop_is_another_computation(model: Model) -> None:
    computed(model)
    assert kept.kept_responses(model, CROP) is not None
    assert kept.kept_responses(model, 2 * CROP) is None


def test_a_damaged_file_is_as_if_it_were_not_there(model: Model, counted: list[int]) -> None:
    computed(model)
    (file,) = kept.cache_folder().iterdir()
    content = file.read_bytes()
    for damaged in (b"", content[: len(content) // 2], b"PK" + content[2:100]):
        file.write_bytes(damaged)
        assert kept.kept_responses(model, CROP) is None
    assert np.isfinite(computed(model).impulse).all()
    assert counted == [0, 1, 0, 1]


def test_where_nothing_can_be_written_the_responses_are_there_all_the_same(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv(kept.FOLDER_VARIABLE, str(tmp_path / "file"))
    assert computed(model).shift


@pytest.mark.parametrize("name", ["sum-rec", "sum-seg", "sum-denoise"])
def test_what_ships_is_of_the_weights_that_ship(name: str) -> None:
    """The paper's Dirac stands at the first of all phases, so one pass checks both."""
    model = load_model(name, device="cpu")
    assert model.path is not None
    found = kept._read(model.path / kept.FILE, kept.responses_key(model, responses.CROP))
    assert found is not None, "run scripts/ship_responses.py"
    impulse = impulse_response(model.network)
    np.testing.assert_allclose(found[0], impulse, atol=1e-5 * np.abs(impulse).max())
    metrics = responses.response_metrics(impulse[0, 0]).as_dict()
    assert found[1][0].metrics["FDV"][0, 0, 0] == pytest.approx(metrics["FDV"], rel=1e-3)
