"""Models from elsewhere: loaded with the user's card, explained like any other, never unpickled."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from napari_sparseexplain.errors import ModelError
from napari_sparseexplain.explanation.catalogue import explain
from napari_sparseexplain.networks.bundle.external_model import load_external_model, wrap_callable
from napari_sparseexplain.networks.bundle.loading import load_model
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.volumes import Grid, Source, Study, Volume

SHAPE = (2, 16, 16)
CARD = {
    "name": "elsewhere",
    "task": "segmentation",
    "inputs": {"roles": ["flair"], "normalisation": "unit", "spacing_mm": 2.0, "size": 16},
    "classes": {"0": "tissue", "1": "lesion"},
}


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 2, 1)).eval()


def card(**changes) -> ModelCard:
    inputs = Inputs(("flair",), "unit", spacing_mm=2.0, size=16)
    values = {
        "name": "elsewhere",
        "title": "Elsewhere",
        "architecture": "callable",
        "arguments": {},
        "task": "segmentation",
        "inputs": inputs,
        "classes": CARD["classes"],
    }
    return ModelCard(**{**values, **changes})


def saved(folder: Path, kind: str) -> Path:
    example = torch.rand(2, 1, 16, 16)
    if kind == "pt2":
        batch = {0: torch.export.Dim("batch", min=1, max=256)}
        program = torch.export.export(network(), (example,), dynamic_shapes=(batch,))
        torch.export.save(program, folder / "net.pt2")
        return folder / "net.pt2"
    path = folder / "net.pt"
    if kind == "monai":
        (folder / "models").mkdir()
        path = folder / "models" / "model.ts"
    torch.jit.save(torch.jit.trace(network(), example), path)
    return folder if kind == "monai" else path


def study() -> Study:
    data = np.random.default_rng(0).random(SHAPE).astype(np.float32)
    grid = Grid(SHAPE, np.diag([2.0, 2.0, 2.0, 1.0]))
    source = Source((), "memory", SHAPE, np.eye(4), data.dtype, np.array([[0, 1], [1, 1], [2, 1]]))
    flair = Volume(data, grid, "flair", "image", source)
    return Study("made", None, {"flair": flair}, {}, grid, "flair")


def heat(model: Model, method: str = "integrated-gradients", **more) -> np.ndarray:
    found = explain(study(), model, method, target="class:lesion", **more)
    return found["heatmap"].data


@pytest.mark.parametrize("kind", ["torchscript", "pt2", "monai"])
def test_a_file_gives_the_map_of_the_network_that_it_was_made_from(
    tmp_path: Path, kind: str
) -> None:
    (tmp_path / "card.txt").write_text(json.dumps(CARD))
    model = load_model(saved(tmp_path, kind), card=tmp_path / "card.txt")
    wanted = heat(wrap_callable(network(), card()), n_steps=3)
    np.testing.assert_allclose(heat(model, n_steps=3), wanted, atol=1e-5)
    assert len(model.card.weights_sha256) == 64


def test_a_function_without_a_gradient_is_still_occluded() -> None:
    def function(x: torch.Tensor) -> torch.Tensor:
        score = torch.from_numpy(x.detach().numpy().copy())
        return torch.cat((-score, score), dim=1)

    model = wrap_callable(function, card())
    with pytest.raises(ModelError, match=r"not differentiable.*occlusion"):
        heat(model)
    assert heat(model, "occlusion", window=4, stride=4).any()


def test_one_of_several_outputs_is_chosen_by_the_card() -> None:
    def function(x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"logits": torch.cat((-x, x), dim=1), "features": x}

    with pytest.raises(ModelError, match="gives a dict of 2 where logits are wanted"):
        heat(wrap_callable(function, card()))
    model = wrap_callable(function, card(arguments={"output": "logits"}))
    np.testing.assert_allclose(heat(model, n_steps=1), study()["flair"].spatial(), rtol=1e-6)
    with pytest.raises(ModelError, match="no output 'scores'"):
        heat(wrap_callable(function, card(arguments={"output": "scores"})))


def test_padding_to_a_multiple_comes_off_again() -> None:
    inner = nn.Sequential(nn.MaxPool2d(8), nn.Conv2d(1, 2, 1), nn.Upsample(scale_factor=8))
    model = wrap_callable(inner, card(arguments={"multiple": 8}))
    mask, logits = model.network(torch.rand(1, 1, 13, 18))
    assert mask.shape == logits.shape == (1, 2, 13, 18)
    torch.testing.assert_close(mask.sum(dim=1), torch.ones(1, 13, 18))


def test_a_network_that_fails_on_its_input_says_with_what() -> None:
    model = wrap_callable(nn.Conv2d(3, 2, 1), card())
    with pytest.raises(ModelError, match=r"fails on an input of shape \(1, 1, 16, 16\)"):
        heat(model)


class Trap:
    """What a pickle could do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.folder / "was-run"),)


def test_a_pickle_is_not_opened_whatever_its_name(tmp_path: Path) -> None:
    for name, new in (("a.pt", True), ("b.pt", False), ("c.ts", True)):
        torch.save(Trap(tmp_path), tmp_path / name, _use_new_zipfile_serialization=new)
        with pytest.raises(ModelError, match="can run any code"):
            load_external_model(tmp_path / name, card())
    assert not (tmp_path / "was-run").exists()


def altered(path: Path, member: str, change) -> Path:
    """The archive with one member changed, or added."""
    copy = path.with_name("altered.pt2")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(copy, "w") as new:
        root = old.namelist()[0].partition("/")[0]
        there = [n.partition("/")[2] for n in old.namelist()]
        for name in there:
            content = old.read(f"{root}/{name}")
            new.writestr(f"{root}/{name}", change(content) if name == member else content)
        if member not in there:
            new.writestr(f"{root}/{member}", change(b""))
    return copy


def test_an_exported_program_runs_nothing_while_it_is_loaded(tmp_path: Path) -> None:
    path = saved(tmp_path, "pt2")
    bomb = io.BytesIO()
    torch.save(Trap(tmp_path), bomb)
    model = "models/model.json"
    weights = "data/weights/model_weights_config.json"
    call = f"__import__('os').mkdir('{tmp_path}/was-run')"
    refused = [
        (model, lambda c: c.replace(b"torch.ops.aten.tanh.default", b"torch.os.mkdir"), "os.mkdir"),
        (model, lambda c: c.replace(b"ops.aten.tanh.default", b"ops.aten.save.x"), "aten.save"),
        (model, lambda c: c.replace(b"Symbol('", b"exec('"), "shape expression"),
        (weights, lambda c: c.replace(b'"use_pickle": false', b'"use_pickle": true'), "pickled"),
        ("data/weights/weight.pt", lambda c: bomb.getvalue(), "may be a pickle"),
    ]
    for member, change, message in refused:
        with pytest.raises(ModelError, match=message):
            load_external_model(altered(path, member, change), card())

    def guarded(content: bytes) -> bytes:
        return json.dumps({**json.loads(content), "guards_code": [call]}).encode()

    harmless = [("data/sample_inputs/model.pt", lambda c: bomb.getvalue()), (model, guarded)]
    for member, change in harmless:  # left out, so the rest is loaded
        loaded = load_external_model(altered(path, member, change), card())
        loaded.network(torch.rand(1, 1, 16, 16))
    assert not (tmp_path / "was-run").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": None}, "the card lacks classes"),
        ({"colour": 1}, "unknown fields: colour"),
        ({"task": "guessing"}, "'task' must be one of"),
        ({"arguments": {"depth": 3}}, "arguments are not understood"),
        ({"arguments": {"head": "clip"}}, "head must be one of"),
    ],
)
def test_a_card_that_is_none_is_refused(tmp_path: Path, changes: dict, message: str) -> None:
    values = {k: v for k, v in {**CARD, **changes}.items() if v is not None}
    (tmp_path / "card.json").write_text(json.dumps(values))
    with pytest.raises(ModelError, match=message):
        load_external_model(saved(tmp_path, "torchscript"), tmp_path / "card.json")


def test_a_folder_or_file_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no TorchScript file"):
        load_external_model(tmp_path, card())
    with pytest.raises(ModelError, match="no such model file"):
        load_external_model(tmp_path / "net.ts", card())
    (tmp_path / "net.pt2").write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"no file of torch\.export"):
        load_external_model(tmp_path / "net.pt2", card())
