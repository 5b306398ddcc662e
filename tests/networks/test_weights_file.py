"""A card and its weights are compared by shape before memory is taken for either."""

from __future__ import annotations

import hashlib
import json
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from napari_sparseexplain.errors import ModelError
from napari_sparseexplain.networks.bundle.loading import load_model
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.bundle.saving import save_bundle
from napari_sparseexplain.networks.bundle.weights_file import weight_shapes
from napari_sparseexplain.networks.modules.architectures import weight_shapes_of
from napari_sparseexplain.networks.modules.sum_network import SumNetwork

CARD = ModelCard(
    name="small",
    title="Small",
    architecture="sum",
    arguments={"maps": 2, "levels": 2},
    task="segmentation",
    inputs=Inputs(("flair",), "brain-range", 1.875, 128),
    classes={"1": "lesion"},
)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    save_bundle(tmp_path / "small", CARD, SumNetwork(maps=2, levels=2))
    return tmp_path / "small"


def edit(bundle: Path, **changes: Any) -> None:
    path = bundle / "card.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def put_weights(bundle: Path, content: bytes) -> None:
    (bundle / "weights.safetensors").write_bytes(content)
    edit(bundle, weights_sha256=hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize("architecture", ["sum", "unet", "jf-ml-ista"])
@pytest.mark.parametrize(
    "arguments",
    [
        {"classes": 10**8},
        {"levels": 60},
        {"levels": 10**9},
        {"levels": 11, "maps": 900},
        {"maps": 10**12},
        {"in_channels": 10**6},
        {"features": 10**7},
        {"layers": 1000, "features": 999},
        {"kernel": 999, "features": 999, "modalities": 999},
        {"outer": 10**9},
        {"inner": 999, "outer": 999},
        {"classes": "1"},
        {"maps": 2.5},
        {"maps": True},
        {"maps": None},
        {"order": list(range(5000))},
        {"order": "ab"},
        {"salience": "x"},
        {"head": []},
        {"self": 1},
        {"x" * 10_000: 1},
    ],
)
def test_a_card_that_asks_for_more_than_its_weights_are_for_takes_no_memory(
    bundle: Path, architecture: str, arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(bundle, architecture=architecture, arguments=arguments)
    build = "napari_sparseexplain.networks.bundle.loading.build_network"
    monkeypatch.setattr(build, lambda *_, **__: pytest.fail("memory was taken"))
    tracemalloc.start()
    with pytest.raises(ModelError) as caught:
        load_model(bundle)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 << 20
    assert len(str(caught.value)) < 1000
    assert "__init__" not in str(caught.value)
    assert "alloc" not in str(caught.value)


def test_shapes_are_found_without_building(bundle: Path) -> None:
    network = SumNetwork(maps=2, levels=2)
    wanted = {name: tuple(weight.shape) for name, weight in network.state_dict().items()}
    assert weight_shapes_of("sum", {"maps": 2, "levels": 2}) == wanted
    assert dict(weight_shapes(bundle / "weights.safetensors").shapes) == wanted


def header(values: Any, numbers: bytes = b"") -> bytes:
    text = values if isinstance(values, bytes) else json.dumps(values).encode()
    return struct.pack("<Q", len(text)) + text + numbers


ONE = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x01",
        struct.pack("<Q", 1 << 63) + b"{}",
        struct.pack("<Q", 1 << 40) + b"{}",
        struct.pack("<Q", 0),
        header(b"[" * 200_000),
        header(b'{"a": ' + b"9" * 4500 + b"}"),
        header([]),
        header({"a": 1}),
        header({"a": {**ONE, "dtype": "F8_E4M3"}}, bytes(8)),
        header({"a": {**ONE, "dtype": 4}}, bytes(8)),
        header({"a": {**ONE, "shape": [1 << 40, 1 << 40]}}, bytes(8)),
        header({"a": {**ONE, "shape": [-2]}}, bytes(8)),
        header({"a": {**ONE, "shape": "2"}}, bytes(8)),
        header({"a": {**ONE, "shape": [1] * 2000}}, bytes(8)),
        header({"a": {**ONE, "data_offsets": [0, 1 << 62]}}, bytes(8)),
        header({"a": {**ONE, "data_offsets": [8, 0]}}, bytes(8)),
        header({"a": {**ONE, "data_offsets": [0]}}, bytes(8)),
        header({"a": ONE}, bytes(4)),
        header({"a": ONE}, bytes(12)),
        header({"a": ONE, "b": ONE}, bytes(8)),
        header({"a": {**ONE, "more": 1}}, bytes(8)),
    ],
)
def test_damaged_headers_are_one_clear_error(bundle: Path, content: bytes) -> None:
    put_weights(bundle, content)
    with pytest.raises(ModelError, match="file of weights is damaged") as caught:
        load_model(bundle)
    assert caught.value.remedy
    assert "deserializ" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"notes": -1e-320}, "notes"),
        ({"notes": "a"}, "notes"),
        ({"classes": {"0": []}}, "classes"),
        ({"inputs": {**CARD.to_json()["inputs"], "roles": "flair"}}, "inputs.roles"),
        ({"inputs": {**CARD.to_json()["inputs"], "roles": ["a"] * 1000}}, "inputs.roles"),
    ],
)
def test_fields_of_the_wrong_kind_are_named(bundle: Path, changes: dict, field: str) -> None:
    edit(bundle, **changes)
    with pytest.raises(ModelError, match=f"field '{field}"):
        load_model(bundle)


def test_other_numbers_of_the_right_shape_are_the_checksums_to_find(bundle: Path) -> None:
    weights = {n: torch.zeros_like(w) for n, w in SumNetwork(maps=2, levels=2).state_dict().items()}
    save_file(weights, bundle / "weights.safetensors")
    with pytest.raises(ModelError, match="the checksum is"):
        load_model(bundle)
