"""A card names its normalisation with parameters; cards of before read as they did."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import napari_sparseexplain as se
from napari_sparseexplain.errors import ModelError
from napari_sparseexplain.networks.bundle.card_file import card_from_values, check_card
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard, in_unit_range
from napari_sparseexplain.networks.running.preparation import prepare
from napari_sparseexplain.volumes.intensity.normalisation import Normalisation

WINDOW = {"name": "window", "centre": 100.0, "width": 200.0}
WAYS: tuple[Any, ...] = (
    *("brain-range", "z-score", "percentile", WINDOW, "none"),
    *({"name": "z-score", "region": region} for region in ("whole", "non-zero", "mask")),
)

CARD = ModelCard(
    name="n",
    title="N",
    architecture="sum",
    arguments={},
    task="segmentation",
    inputs=Inputs(("flair",), "z-score", 1.0, 32),
    classes={"1": "lesion"},
    weights_sha256="0" * 64,
)


def study() -> se.Study:
    """A stripped brain in air of 0, and its mask without the outermost of it."""
    rng = np.random.default_rng(1)
    p, c = np.ogrid[:40, :36]
    far = ((p - 20) / 15) ** 2 + ((c - 18) / 13) ** 2
    scan = np.where(far < 1, rng.uniform(60, 160, (4, 40, 36)), 0).astype(np.float32)
    scan[1, 20, 18] = np.nan
    mask = np.broadcast_to(far < 0.7, scan.shape).astype(np.uint8)
    return se.study_of_arrays({"flair": scan}, labels={"brain_mask": mask})


@pytest.mark.parametrize("way", WAYS)
def test_a_card_is_written_and_read_with_its_normalisation(way: Any) -> None:
    card = replace(CARD, inputs=Inputs(("flair",), Normalisation.of(way), 1.0, 32))
    values = json.loads(json.dumps(card.to_json()))
    assert ModelCard.from_json(values) == card
    assert card_from_values(values, Path("card.json")) == card
    check_card(card, "card.json")


@pytest.mark.parametrize(
    ("way", "mask"),
    [("brain-range", "brain"), ("z-score", "brain"), ("unit", "none"), ("none", "none")],
)
def test_a_card_of_before_reads_as_it_did(way: str, mask: str) -> None:
    values = json.loads(json.dumps(CARD.to_json()))
    values["inputs"] = {"roles": ["flair"], "normalisation": way, "spacing_mm": 1.0, "size": 32}
    card = card_from_values(values, Path("card.json"))
    assert (card.inputs.way.plain, card.inputs.mask) == (way, mask)
    assert in_unit_range(card) == (way in ("brain-range", "unit"))


@pytest.mark.parametrize("wrong", ["liver", {"name": "window"}, {"name": "z-score", "low": 1}, 3])
def test_a_card_with_another_one_is_refused(wrong: Any) -> None:
    values = json.loads(json.dumps(CARD.to_json()))
    values["inputs"]["normalisation"] = wrong
    with pytest.raises(ModelError, match=r"card\.json.*normalisation|card\.json.*inputs"):
        card_from_values(values, Path("card.json"))


def test_a_z_score_is_measured_over_the_region_it_names() -> None:
    scans = study()
    scan, mask = scans["flair"].data, scans["brain_mask"].data != 0
    finite = np.isfinite(scan)
    regions = {
        "whole": np.ones(scan.shape, dtype=bool),
        "non-zero": scan != 0,
        "mask": mask,
        "fed": np.ones(scan.shape, dtype=bool),
    }
    for region, voxels in regions.items():
        way = Normalisation("z-score", region=region)
        card = replace(CARD, inputs=Inputs(("flair",), way, 1.0, 40, mask="none"))
        given = prepare(scans, card, resolution="native").array[:, 0]
        values = scan[voxels & finite].astype(np.float64)
        wanted = np.where(finite, (scan - values.mean()) / values.std(), 0)
        np.testing.assert_allclose(given, wanted, atol=1e-4)
    brain = replace(CARD, inputs=Inputs(("flair",), "z-score", 1.0, 40, mask="brain"))
    given = prepare(scans, brain, resolution="native").array[:, 0]
    assert given[mask & finite].mean() == pytest.approx(0, abs=1e-4)
    assert not given[~mask].any()


@pytest.mark.parametrize("way", WAYS)
def test_explain_takes_every_normalisation_for_a_torch_module(way: Any) -> None:
    torch.manual_seed(0)
    module = torch.nn.Conv2d(1, 2, 3, padding=1)
    given = Normalisation.of(way)
    seen: list[torch.Tensor] = []
    module.register_forward_pre_hook(lambda _, images: seen.append(images[0].detach().clone()))
    found = se.explain(
        study(), module, "vanilla-gradient", roles="flair", normalisation=way, target=1, slices=1
    )
    assert found.provenance.parameters["normalisation"] == given.plain
    assert found.provenance.input_mask["normalisation"] == given.plain
    assert any(given.words in note for note in found.notes)
    images = torch.cat(seen)
    assert torch.isfinite(images).all()
    if given.bounded:
        assert 0 <= images.min() <= images.max() <= 1
    again = se.explain(
        study(),
        module,
        "vanilla-gradient",
        roles="flair",
        normalisation=found.provenance.parameters["normalisation"],
        target=1,
        slices=1,
    )
    np.testing.assert_array_equal(again["heatmap"].data, found["heatmap"].data)


def test_a_module_with_a_window_without_its_width_is_told_what_lacks() -> None:
    with pytest.raises(ModelError, match="'window' needs centre and width"):
        se.explain(
            study(),
            torch.nn.Conv2d(1, 2, 3),
            "vanilla-gradient",
            roles="flair",
            normalisation="window",
            target=1,
        )
