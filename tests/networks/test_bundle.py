"""Bundles: what is saved comes back, and what was tampered with does not come in."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_sparseexplain.errors import ModelError
from napari_sparseexplain.networks.bundle.card_file import read_card
from napari_sparseexplain.networks.bundle.catalogue import models
from napari_sparseexplain.networks.bundle.loading import load_model
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.bundle.saving import save_bundle
from napari_sparseexplain.networks.modules.sum_network import SumNetwork

CARD = ModelCard(
    name="small",
    title="Small",
    architecture="sum",
    arguments={"maps": 2, "levels": 2},
    task="segmentation",
    inputs=Inputs(("flair",), "brain-range", 1.875, 128),
    classes={"1": "lesion"},
    training={"data": "none"},
    notes=("A test.",),
)


@pytest.fixture
def network() -> SumNetwork:
    torch.manual_seed(1)
    return SumNetwork(maps=2, levels=2)


@pytest.fixture
def bundle(tmp_path: Path, network: SumNetwork) -> Path:
    save_bundle(tmp_path / "small", CARD, network)
    return tmp_path / "small"


def edit_card(bundle: Path, **changes: object) -> None:
    path = bundle / "card.json"
    values = json.loads(path.read_text())
    values.update(changes)
    path.write_text(json.dumps({k: v for k, v in values.items() if v is not None}))


def test_weights_and_card_come_back(bundle: Path, network: SumNetwork) -> None:
    model = load_model(bundle)
    assert replace(model.card, weights_sha256="") == CARD
    assert not model.network.training
    assert not any(p.requires_grad for p in model.network.parameters())
    for name, tensor in network.state_dict().items():
        assert torch.equal(model.network.state_dict()[name], tensor)
    image = torch.rand(1, 1, 20, 24)
    with torch.inference_mode():
        assert torch.allclose(model.network(image)[1], network.eval()(image)[1], atol=1e-6)


def test_only_two_files_are_left_and_others_may_read_them(bundle: Path) -> None:
    assert sorted(p.name for p in bundle.iterdir()) == ["card.json", "weights.safetensors"]
    assert all(p.stat().st_mode & 0o044 == 0o044 for p in bundle.iterdir())


def test_a_bundle_can_lie_beside_a_monai_one(bundle: Path) -> None:
    (bundle / "metadata.json").write_text("{}")
    (bundle / "model.pt").write_bytes(b"never read")
    assert load_model(bundle).name == "small"


def test_changed_weights_are_refused_before_they_are_read(bundle: Path, monkeypatch) -> None:
    path = bundle / "weights.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    monkeypatch.setattr(
        "napari_sparseexplain.networks.bundle.loading.load_file", lambda *_: pytest.fail("was read")
    )
    with pytest.raises(ModelError, match=r"weights\.safetensors: the checksum is"):
        load_model(bundle)


@pytest.mark.parametrize("name", ["model.pt", "model.pth", "net.pkl", "last.ckpt"])
def test_pickles_are_never_opened(tmp_path: Path, name: str) -> None:
    class Trap:
        def __reduce__(self) -> tuple:
            return os.mkdir, (str(tmp_path / "was-run"),)

    torch.save(Trap(), tmp_path / name)
    with pytest.raises(ModelError, match="can run any code"):
        load_model(tmp_path / name)
    assert not (tmp_path / "was-run").exists()


def test_a_bundle_with_a_pickle_in_place_of_its_weights_says_so(bundle: Path) -> None:
    (bundle / "weights.safetensors").rename(bundle / "weights.pt")
    with pytest.raises(ModelError, match=r"no weights\.safetensors \(there is weights\.pt"):
        load_model(bundle)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architecture": "resnet"}, "'resnet' is not known.*sum, unet"),
        ({"arguments": {"maps": 4, "levels": 2}}, "has the shape"),
        ({"arguments": {"maps": 2, "levels": 3}}, "is missing"),
        ({"arguments": {"width": 2}}, "does not take the card's arguments"),
        ({"arguments": [1]}, "'arguments' must be an object"),
        ({"task": "classification of nothing"}, "'task' must be one of"),
        ({"inputs": {"roles": ["flair"]}}, "lacks inputs.normalisation, inputs.size"),
        ({"inputs": "flair"}, "'inputs' is not an object"),
        ({"classes": {"lesion": "1"}}, "'classes' must be"),
        ({"weights_sha256": "abc"}, "'weights_sha256' must be"),
        ({"title": None}, "lacks title"),
        ({"colour": "red"}, "unknown fields: colour"),
    ],
)
def test_damaged_cards_are_refused_by_field(bundle: Path, changes: dict, message: str) -> None:
    edit_card(bundle, **changes)
    with pytest.raises(ModelError, match=message) as caught:
        load_model(bundle)
    assert caught.value.remedy
    assert str(bundle) in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{", "\xff\xfe"])
def test_a_card_that_is_no_json_object_is_refused(bundle: Path, text: str) -> None:
    (bundle / "card.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ModelError, match=r"card\.json: the card"):
        load_model(bundle)


def test_weights_that_are_not_finite_are_neither_saved_nor_loaded(
    bundle: Path, network: SumNetwork
) -> None:
    network.decoder[0].convolution_above.weight.data[0, 0, 0, 0] = np.nan
    before = (bundle / "weights.safetensors").read_bytes()
    with pytest.raises(ModelError, match="NaN or infinite"):
        save_bundle(bundle, CARD, network)
    assert (bundle / "weights.safetensors").read_bytes() == before


def test_a_card_that_does_not_build_these_weights_is_not_saved(
    tmp_path: Path, network: SumNetwork
) -> None:
    with pytest.raises(ModelError, match="has the shape"):
        save_bundle(tmp_path / "new", replace(CARD, arguments={"maps": 4, "levels": 2}), network)
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_made_is_one_clear_error(
    tmp_path: Path, network: SumNetwork
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelError, match="cannot be written"):
        save_bundle(tmp_path / "file" / "bundle", CARD, network)


def test_unknown_names_and_folders_say_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no model 'sum-wreck'.*bundled models are"):
        load_model("sum-wreck")
    with pytest.raises(ModelError, match="no such model bundle"):
        load_model(tmp_path / "nowhere")
    with pytest.raises(ModelError, match=r"no card\.json"):
        load_model(tmp_path)


def test_moving_a_model_to_its_own_device_is_free(bundle: Path) -> None:
    model = load_model(bundle)
    assert model.on("cpu") is model


def test_a_model_of_a_network_in_memory(network: SumNetwork) -> None:
    model = Model.of_network(CARD, network)
    assert model.path is None
    assert not model.network.training


def test_every_shipped_card_is_whole_and_its_weights_are_its_own() -> None:
    for name, card in models().items():
        model = load_model(name)
        assert card == model.card == read_card(model.path)
        assert name == card.name
        assert card.training, f"{name} does not say what it was trained on"


def test_a_card_of_a_million_fields_or_of_one_role_twice_is_one_line(bundle: Path) -> None:
    edit_card(bundle, **{f"field {number}": number for number in range(5000)})
    with pytest.raises(ModelError, match="and 4,995 more") as caught:
        load_model(bundle)
    assert len(str(caught.value)) < 700
    path = bundle / "card.json"
    values = {k: v for k, v in json.loads(path.read_text()).items() if not k.startswith("field ")}
    values["inputs"]["roles"] *= 2
    path.write_text(json.dumps(values))
    with pytest.raises(ModelError, match="each of them once"):
        load_model(bundle)


def test_shipped_cards_name_no_patient() -> None:
    """Reports print them, and a report of the very case they were measured on must be possible."""
    numbered = re.compile(r"[A-Za-z]+[-_][A-Za-z]*[-_]?[0-9]{3,}")
    for card in models().values():
        assert not numbered.findall(json.dumps(card.metrics)), card.name
