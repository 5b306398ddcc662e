"""A record is run again with its own weights, known by their sha256, or not at all."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import napari_sparseexplain as se
from napari_sparseexplain.errors import ModelError
from napari_sparseexplain.explanation.repeat import repeat_work
from napari_sparseexplain.networks.bundle import known_models
from napari_sparseexplain.networks.bundle.catalogue import bundle_folder, models
from napari_sparseexplain.networks.bundle.external_model import wrap_callable
from napari_sparseexplain.networks.bundle.loading import load_model
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.bundle.saving import save_bundle
from napari_sparseexplain.networks.modules.unet import UNet
from napari_sparseexplain.phantom.studies import make_phantom
from napari_sparseexplain.progress import drain


@pytest.fixture(scope="module")
def study() -> se.Study:
    return make_phantom(5, spacing_mm=6.0, tumours=1)


def own_bundle(folder: Path, seed: int) -> Path:
    """A network that a person trained, called as the one that ships."""
    torch.manual_seed(seed)
    shipped = models()["unet"]
    save_bundle(folder, replace(shipped, arguments={}), UNet())
    return folder


def record_of(study: se.Study, model: Model | str) -> dict[str, object]:
    return se.explain(study, model, "segmentation", slices=slice(12, 14)).provenance.to_json()


def test_two_models_of_one_name_are_told_apart_by_their_weights(
    study: se.Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = load_model(own_bundle(tmp_path / "mine", 1))
    assert own.name == "unet"
    record = record_of(study, own)
    assert record["model_origin"] == "folder"
    assert str(tmp_path) not in str(record)
    again = drain(repeat_work(record, study))
    assert again.provenance.weights_sha256 == own.card.weights_sha256
    shipped = record_of(study, "unet")
    assert shipped["model_origin"] == "bundled"
    assert drain(repeat_work(shipped, study)).provenance.weights_sha256 != own.card.weights_sha256
    # Another day, when nobody has shown the folder yet: never the other one in its place.
    monkeypatch.setattr(known_models, "LOADERS", {})
    with pytest.raises(ModelError, match=r"no model with the weights .* ships as 'unet' has other"):
        drain(repeat_work(record, study))
    assert drain(repeat_work(record, study, model=own)).maps
    with pytest.raises(se.SparseExplainError, match="has other weights"):
        drain(repeat_work(record, study, model=load_model("unet")))


def test_a_bundle_that_was_replaced_is_not_the_one_of_the_record(
    study: se.Study, tmp_path: Path
) -> None:
    folder = own_bundle(tmp_path / "mine", 2)
    record = record_of(study, load_model(folder))
    shutil.rmtree(folder)
    own_bundle(folder, 3)
    with pytest.raises(ModelError, match="the model was replaced"):
        drain(repeat_work(record, study))


def test_a_network_in_memory_is_known_while_it_lives_and_weights_decide(study: se.Study) -> None:
    inputs = Inputs(("flair",), "brain-range", 6.0, 40)
    card = ModelCard("unet", "Mine", "callable", {}, "segmentation", inputs, {"1": "lesion"})
    torch.manual_seed(4)
    net = nn.Conv2d(1, 1, 3, padding=1)
    model = wrap_callable(net, card)
    found = se.explain(study, model, "segmentation", slices=slice(12, 14))
    record = found.provenance.to_json()
    assert len(record["weights_sha256"]) == 64
    assert record["model_origin"] == "memory"
    again = drain(repeat_work(record, study))
    np.testing.assert_array_equal(again["probability"].data, found["probability"].data)
    with torch.no_grad():
        net.weight.mul_(2)
    changed = record_of(study, wrap_callable(net, card))
    assert changed["weights_sha256"] != record["weights_sha256"]
    nothing = wrap_callable(lambda x: x, card)
    with pytest.raises(ModelError, match="a name alone"):
        drain(repeat_work(record_of(study, nothing), study))


def test_an_old_record_names_no_place_and_is_found_by_its_weights(study: se.Study) -> None:
    record = record_of(study, "sum-seg")
    del record["model_origin"], record["input_mask"]
    record["model"] = "called otherwise then"
    assert drain(repeat_work(record, study)).provenance.model == "sum-seg"
    assert bundle_folder("sum-seg").is_dir()


def test_a_record_of_before_is_repeated_by_the_rule_that_there_was(study: se.Study) -> None:
    """XRAI had one rule until it could place its gradients; its records do not name it."""
    asked = {"slices": slice(12, 13), "target": "WT@seg", "n_steps": 6}
    once = se.explain(study, "unet-nobn", "xrai", rule="gauss-legendre", **asked)
    record = once.provenance.to_json()
    for name in ("rule", "tolerance"):
        del record["parameters"][name]
    again = drain(repeat_work(record, study))
    assert again.provenance.parameters["rule"] == "gauss-legendre"
    np.testing.assert_array_equal(again["heatmap"].data, once["heatmap"].data)


def test_a_guided_path_of_before_is_walked_again_in_equal_steps(study: se.Study) -> None:
    asked = {"slices": slice(12, 13), "target": "WT@seg", "steps": 6}
    once = se.explain(study, "unet-nobn", "guided-ig", rule="equal", **asked)
    record = once.provenance.to_json()
    for name in ("rule", "tolerance"):
        del record["parameters"][name]
    again = drain(repeat_work(record, study))
    assert again.provenance.parameters["rule"] == "equal"
    np.testing.assert_array_equal(again["heatmap"].data, once["heatmap"].data)
