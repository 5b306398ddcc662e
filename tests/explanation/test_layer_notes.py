"""What is said of layers where nothing can be seen: an empty mask, maps of 0, values of NaN."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import napari_sparseexplain as se
from napari_sparseexplain.errors import ModelError
from napari_sparseexplain.explanation.layer_maps.seen_layers import seen_layers
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.modules.left_ventricle_fcn import LeftVentricleFcn
from napari_sparseexplain.networks.running.exported_parts import exported_parts
from napari_sparseexplain.networks.running.preparation import prepare


class Twice(nn.Module):
    """A layer that runs twice; what it gives the second time is thrown away."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(1, 4, 1), nn.Conv2d(4, 4, 1), nn.Conv2d(4, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first = self.b(self.a(x))
        self.b(first)
        return self.c(first)


class Dead(nn.Module):
    """A ReLU of what was multiplied, by 1 or by NaN."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor
        self.a, self.relu, self.c = nn.Conv2d(1, 3, 1), nn.ReLU(), nn.Conv2d(3, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.c(self.relu(self.a(x).abs() * self.factor))


@pytest.fixture
def study() -> se.Study:
    random = np.random.default_rng(0)
    mask = np.zeros((4, 32, 32), dtype=np.uint8)
    mask[1, 8:16, 8:16] = 1
    return se.study_of_arrays({"flair": random.random((4, 32, 32))}, {"seg": mask})


def explained(study: se.Study, method: str, module: nn.Module, **given: Any) -> Any:
    torch.manual_seed(0)
    return se.explain(study, module, method, roles="flair", **given)


def test_the_output_is_the_probability_of_one_class_not_the_rms_of_all() -> None:
    torch.manual_seed(0)
    card = se.models()["left-ventricle-fcn"]
    card = replace(card, inputs=replace(card.inputs, roles=("flair",), spacing_mm=1.0, size=32))
    model = Model.of_network(card, LeftVentricleFcn(widths=[4, 4, 4, 4]).eval())
    study = se.study_of_arrays({"flair": np.random.default_rng(0).random((2, 32, 32))})
    found = se.explain(study, model, "layer-maps", slices=0, maps=2)
    output = next(each for each in found.maps if each.name == "15-head")
    assert "probability of" in output.title
    assert tuple(output.value_range) == (0.0, 1.0)
    single = next(each for each in found.maps if each.name == "15-head-map-1")
    np.testing.assert_array_equal(output.data, single.data)
    seen = seen_layers(model, prepare(study, card, slice(0, 1)))
    assert "pad" in seen.sizes
    assert not [name for name in seen.blocks if name.startswith("pad")]
    assert "head" in seen.blocks


def test_an_order_by_agreement_with_an_empty_mask_is_told(study: se.Study) -> None:
    full, empty = (
        explained(study, "layer-maps", Dead(1.0), slices=index, order="agreement", maps=2)
        for index in (1, 3)
    )
    assert not [note for note in full.notes if "is empty" in note]
    assert [note for note in empty.notes if "the mask 'seg' is empty" in note]
    assert set(empty.scores.values()) == {None}


@pytest.mark.parametrize("order", ["energy", "agreement", "effect"])
def test_values_that_are_no_numbers_are_told_and_not_shown(study: se.Study, order: str) -> None:
    target = {"target": "voxel:1,10,10"} if order == "effect" else {}
    found = explained(
        study, "layer-maps", Dead(float("nan")), slices=1, maps=2, layers="relu", order=order,
        **target,
    )  # fmt: skip
    assert [note for note in found.notes if note.startswith("relu holds 3072 values that are NaN")]
    for each in found.maps:
        assert np.isfinite(np.asarray(each.data)).all()
    assert all(value is None or np.isfinite(value) for value in found.scores.values())


def test_the_field_of_a_layer_of_zeros_is_told_without_a_radius(study: se.Study) -> None:
    module = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.Conv2d(3, 2, 1))
    nn.init.constant_(module[0].bias, -1e3)
    found = explained(study, "receptive-field", module, target="voxel:1,10,10", layer="1")
    assert [note for note in found.notes if "Nothing in this image moves 1 here" in note]
    radii = [value for name, value in found.scores.items() if name.startswith("radius")]
    assert radii == [None, None]


def test_a_call_that_the_score_does_not_depend_on_is_named(study: se.Study) -> None:
    given: dict[str, Any] = {"slices": 1, "target": 1}
    with pytest.raises(ModelError, match=r"does not depend on what the layer 'b \(2\)' gives"):
        explained(study, "grad-cam", Twice(), layer="b (2)", **given)
    assert explained(study, "grad-cam", Twice(), layer="b (1)", **given).maps


def test_a_traced_module_without_layers_is_not_taken_for_an_exported_program() -> None:
    class Plain(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return functional.avg_pool2d(x, 32).flatten(1)

    assert exported_parts(torch.fx.symbolic_trace(Plain())) == {}
    program = torch.export.export(Plain(), (torch.zeros(1, 1, 32, 32),)).module()
    assert "" in exported_parts(program)
