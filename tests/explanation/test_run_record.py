"""The record of a run: every field of it, as saved records have them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import napari_sparseexplain as se
from napari_sparseexplain.explanation.run_record import input_record
from napari_sparseexplain.networks.bundle.known_models import weights_sha256
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.bundle.saving import save_bundle
from napari_sparseexplain.networks.modules.jf_ml_ista_network import JfMlIstaNetwork
from napari_sparseexplain.networks.modules.sum_network import SumNetwork

SHAPE = (3, 32, 32)

#: What the record says of the region that the network of these tests is fed.
EVERYWHERE: dict[str, Any] = {
    "mask": "none",
    "found": "everywhere",
    "set_to_0": 0.0,
    "normalisation": "unit",
}

WT = {"kind": "region", "name": "WT", "index": None}
VOXEL = {"kind": "voxel", "name": "", "index": [1, 12, 14]}

#: Method, what is asked for, and the parameters that its record holds.
RUNS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "segmentation",
        {"slices": slice(0, 2), "threshold": 0.4},
        {"threshold": 0.4, "alpha": 1.0, "resolution": "model", "slices": [0, 2]},
    ),
    (
        "signals",
        {"alpha": 0.5, "bands": True, "resolution": "native"},
        {
            "alpha": 0.5,
            "threshold": 0.5,
            "bands": True,
            "resolution": "native",
            "slices": [0, 3],
        },
    ),
    ("responses", {"phases": False, "crop": 32}, {"phases": False, "crop": 32}),
    (
        "effective-response",
        {"target": "voxel:1,12,14", "slices": slice(0, 2), "crop": 16},
        {"alpha": 1.0, "crop": 16, "resolution": "model", "target": VOXEL},
    ),
    (
        "feature-bias",
        {"share": 0.5},
        {
            "alpha": 1.0,
            "share": 0.5,
            "reference": "model",
            "resolution": "model",
            "slices": [0, 3],
        },
    ),
    (
        "vanilla",  # an alias
        {"target": "WT", "slices": 1},
        {"resolution": "model", "slices": [1, 2], "target": WT},
    ),
    (
        "integrated-gradients",
        {"target": "voxel:1,12,14", "n_steps": 2},  # explained on the voxel's own slice
        {
            "n_steps": 2,
            "rule": "adaptive",
            "baseline": "zero",
            "baseline_image": "",
            "resolution": "model",
            "slices": [1, 2],
            "target": VOXEL,
        },
    ),
    (
        "smoothgrad",
        {"target": "WT", "samples": 2, "seed": 7},
        {
            "samples": 2,
            "noise": 0.15,
            "squared": False,
            "seed": 7,
            "resolution": "model",
            "slices": [0, 3],
            "target": WT,
        },
    ),
    (
        "xrai",
        {"target": "WT", "n_steps": 2, "slices": slice(1, 3)},
        {
            "mode": "full",
            "top_fraction": 0.3,
            "exact": True,
            "merge": "sum",
            "n_steps": 2,
            "rule": "adaptive",
            "tolerance": 0.05,
            "min_size": 50,
            "resolution": "model",
            "slices": [1, 3],
            "target": WT,
        },
    ),
    (
        "xrai-3d",
        {"target": "WT", "n_steps": 2, "mode": "fast"},
        {
            "mode": "fast",
            "top_fraction": 0.3,
            "exact": True,
            "merge": "sum",
            "n_steps": 2,
            "rule": "adaptive",
            "tolerance": 0.05,
            "min_size": 50,
            "dilation": 2.0,
            "resolution": "model",
            "slices": [0, 3],
            "target": WT,
        },
    ),
]


@pytest.fixture(scope="module")
def study() -> se.Study:
    return se.study_of_arrays(
        {"flair": np.random.default_rng(0).random(SHAPE).astype(np.float32)}, name="made"
    )


@pytest.fixture(scope="module")
def model() -> Model:
    """A random SUM whose output is scaled until it marks about half of an image."""
    torch.manual_seed(0)
    network = SumNetwork(maps=2, levels=1).eval().requires_grad_(False)
    signal = network(torch.rand(4, 1, 32, 32))[1]
    network.head.scale.weight.fill_(float(0.5 / signal.median()))
    inputs = Inputs(("flair",), "unit", spacing_mm=1.0, size=32, mask="none")
    card = ModelCard(
        "tested", "Tested", "sum", {"maps": 2, "levels": 1}, "segmentation", inputs, {"1": "lesion"}
    )
    return Model.of_network(card, network)


def recorded(found: se.Explanation) -> dict[str, Any]:
    """The record without what another minute or machine changes."""
    record = found.provenance.to_json()
    assert record.pop("versions")["napari-sparseexplain"]
    assert record.pop("created")
    return record


def expected(
    study: se.Study, model: Model, method: str, parameters: dict[str, Any]
) -> dict[str, Any]:
    return {
        "method": method,
        "parameters": parameters,
        "model": model.card.name,
        "weights_sha256": weights_sha256(model),
        "inputs": {role: input_record(study, role) for role in model.card.inputs.roles},
        "seed": parameters.get("seed"),
        "device": "cpu",
        "model_origin": "memory",
        "input_mask": EVERYWHERE,
    }


@pytest.mark.parametrize(("method", "asked", "parameters"), RUNS, ids=[run[0] for run in RUNS])
def test_a_record_holds_what_was_run(
    study: se.Study, model: Model, method: str, asked: dict, parameters: dict
) -> None:
    found = se.explain(study, model, method, **asked)
    wanted = expected(study, model, found.method, parameters)
    if method == "responses":  # of the model alone
        wanted |= {"inputs": {}, "input_mask": {}}
        assert found.grid is None
    else:
        assert found.grid is study.grid
    assert recorded(found) == wanted


def test_what_a_method_takes_from_the_model_is_in_its_record(
    study: se.Study, model: Model, tmp_path: Path
) -> None:
    """The rounds that the network was trained with, and the teacher that the card names."""
    torch.manual_seed(0)
    network = JfMlIstaNetwork(1, 4, 4, 2)
    network.initialise(torch.rand(2, 1, 32, 32))
    names = {"0": "healthy tissue", "2": "oedema", "1": "core", "4": "enhancing tumour"}
    inputs = Inputs(("flair",), "unit", spacing_mm=1.0, size=32, mask="none")
    card = ModelCard("classes", "Classes", "jf-ml-ista", {}, "segmentation", inputs, names)
    classes = Model.of_network(card, network)
    found = se.explain(study, classes, "components", slices=slice(0, 2))
    parameters = {"alpha": 1.0, "outer": network.outer, "resolution": "model", "slices": [0, 2]}
    assert recorded(found) == expected(study, classes, "components", parameters)

    save_bundle(tmp_path / "teacher", model.card, model.network)
    told = Model.of_network(
        ModelCard(**{**vars(model.card), "training": {"teacher": str(tmp_path / "teacher")}}),
        model.network,
    )
    found = se.explain(study, told, "fidelity", floor=0.5)
    parameters = {
        "teacher": str(tmp_path / "teacher"),
        "floor": 0.5,
        "resolution": "model",
        "slices": [0, 3],
    }
    assert recorded(found) == expected(study, told, "fidelity", parameters)
