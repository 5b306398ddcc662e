"""Exported networks and hidden layers: what runs in one piece is refused, or named as missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import napari_sparseexplain as se
from napari_sparseexplain.errors import ModelError
from napari_sparseexplain.explanation.layer_maps.first_kernels import first_kernels
from napari_sparseexplain.networks.running.exported_parts import exported_parts
from napari_sparseexplain.networks.running.layer_geometry import LayerGeometry

CARD = {
    "name": "elsewhere",
    "task": "segmentation",
    "inputs": {"roles": ["flair"], "normalisation": "unit", "spacing_mm": 1.0, "size": 24},
    "classes": {"0": "tissue", "1": "lesion"},
}


class Small(nn.Module):
    """Three layers, the first two at half the pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Conv2d(1, 3, 3, stride=2, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.up = nn.ConvTranspose2d(3, 2, 2, stride=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.up(self.relu(self.one(x)))


class Partly(nn.Module):
    """Of whose layers one is scripted, with one inside that works in place."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Conv2d(1, 3, 3, padding=1)
        inside = nn.Sequential(nn.ReLU(inplace=True), nn.Conv2d(3, 3, 3, padding=1))
        self.rest = torch.jit.script(inside)
        self.last = nn.Conv2d(3, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.rest(self.one(x)))


def small() -> nn.Module:
    torch.manual_seed(0)
    return Small().eval()


def program() -> Any:
    batch = {0: torch.export.Dim("batch", min=1, max=64)}
    return torch.export.export(small(), (torch.zeros(2, 1, 24, 24),), dynamic_shapes=(batch,))


@pytest.fixture(scope="module")
def study() -> se.Study:
    """Noise with a square, on four slices."""
    image = np.random.default_rng(0).random((4, 24, 24)).astype(np.float32)
    mask = np.zeros(image.shape, np.uint8)
    mask[:, 8:16, 8:16] = 1
    return se.study_of_arrays({"flair": image}, labels={"seg": mask})


def explained(study: se.Study, method: str, module: Any, **given: Any) -> Any:
    if method == "receptive-field":
        given |= {"target": "voxel:1,10,10"}
    if method == "grad-cam":
        given |= {"target": "class:1"}
    if isinstance(module, nn.Module):
        given |= {"roles": "flair"}
    if method != "layer-probes":
        given |= {"slices": 1}
    return se.explain(study, module, method, **given)


METHODS = ("layer-maps", "receptive-field", "layer-probes", "grad-cam")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (lambda: torch.jit.script(small()), "TorchScript"),
        (lambda: torch.jit.trace(small(), torch.zeros(1, 1, 24, 24)), "TorchScript"),
        (lambda: program().module(), r"torch.export \(.pt2\)"),
    ],
    ids=["scripted", "traced", "exported"],
)
def test_what_runs_in_one_piece_is_refused_in_a_sentence(
    study: se.Study, made: Any, kind: str, method: str
) -> None:
    """It names the layers and what it is, and what to give in its place."""
    words = (
        rf"layers \(one.*up\) cannot be seen: it is .*{kind}.*one piece.*the torch module itself"
    )
    with pytest.raises(ModelError, match=words):
        explained(study, method, made())


@pytest.mark.parametrize("kind", ["scripted.ts", "traced.ts", "exported.pt2"])
def test_a_file_is_refused_by_every_method_that_looks_at_layers(
    study: se.Study, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / kind
    if kind == "scripted.ts":
        torch.jit.save(torch.jit.script(small()), path)
    elif kind == "traced.ts":
        torch.jit.save(torch.jit.trace(small(), torch.zeros(1, 1, 24, 24)), path)
    else:
        torch.export.save(program(), path)
    (tmp_path / "card.json").write_text(json.dumps(CARD))
    model = se.load_model(path, card=tmp_path / "card.json")
    what = "torch.export" if kind.endswith("pt2") else "TorchScript"
    for method in METHODS:
        with pytest.raises(ModelError, match=rf"layers \(one, up\) cannot be seen: it is .*{what}"):
            explained(study, method, model)
    with pytest.raises(ModelError, match="so neither can 'one'"):
        explained(study, "grad-cam", model, layer="one")
    with pytest.raises(ModelError, match="one piece"):
        first_kernels(model)


def test_a_part_in_one_piece_is_named_as_missing(study: se.Study) -> None:
    torch.manual_seed(0)
    network = Partly().eval()
    assert exported_parts(network) == {"rest": "TorchScript"}
    found = explained(study, "layer-maps", network, maps=0)
    assert [item.name for item in found.maps] == ["01-one", "02-last"]
    said = "\n".join(found.notes)
    assert "Not among the layers, since it runs in one piece: rest (TorchScript)." in said
    assert "could not be measured" in said  # what `rest` adds up is not told
    probed = explained(study, "layer-probes", network)
    assert "rest (TorchScript)" in "\n".join(probed.notes)
    with pytest.raises(ModelError, match=r"no layer 'rest'.*It has one, last\. Not among.*rest"):
        explained(study, "layer-maps", network, layers="rest")
    with pytest.raises(
        ModelError, match="field of 'one' cannot be followed: 'rest' is TorchScript"
    ):
        explained(study, "receptive-field", network, layer="one")
    assert explained(study, "grad-cam", network, layer="last")["heatmap"].data.shape == (1, 24, 24)


def test_a_program_taken_apart_shows_its_layers(study: se.Study) -> None:
    """The way that the message about a ``.pt2`` file names."""
    apart = torch.export.unflatten(program())
    found = explained(study, "layer-maps", apart, maps=3, normalisation="none")
    assert [item.name for item in found.maps][::4] == ["01-one", "02-relu", "03-up"]
    x = torch.from_numpy(np.asarray(study["flair"].data[1:2])[None])
    with torch.no_grad():
        held = np.asarray(small().get_submodule("one")(x)[0])
    edge_to_edge = LayerGeometry((2.0, 2.0), (0.5, 0.5))
    for number in range(3):
        wanted = edge_to_edge.resampled(held[number], (24, 24))
        np.testing.assert_allclose(found[f"01-one-map-{number}"].data[0], wanted, atol=1e-5)
    assert any("could not be measured" in note for note in found.notes)
    with pytest.raises(ModelError, match="taken apart, of which nothing tells"):
        explained(study, "receptive-field", apart, layer="one")
    with pytest.raises(ModelError, match=r"Name one of its layers \(layer=one, relu, up\)"):
        explained(study, "grad-cam", apart)
    assert explained(study, "grad-cam", apart, layer="one")["heatmap"].data.any()


def test_a_function_and_a_network_without_maps_say_so(study: se.Study) -> None:
    network = small()
    with pytest.raises(ModelError, match="it is a function and no torch module"):
        se.explain(study, lambda x: network(x), "layer-maps", roles="flair", slices=1)
    flat = nn.Sequential(nn.Flatten(), nn.Linear(24 * 24, 2)).eval()
    with pytest.raises(ModelError, match=r"none of its layers \(Flatten, Linear\) has maps"):
        explained(study, "layer-maps", flat)
