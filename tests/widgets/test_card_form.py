"""The form of a card: a normalisation with parameters goes through it unchanged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.volumes.intensity.normalisation import Normalisation

CARD = ModelCard(
    name="n",
    title="N",
    architecture="ts",
    arguments={},
    task="segmentation",
    inputs=Inputs(("ct",), "none", 1.0, 64),
    classes={"1": "lesion"},
)

WAYS = (
    Normalisation("window", centre=-600, width=1500),
    Normalisation("z-score", region="whole"),
    Normalisation("percentile", low=5, high=95),
    Normalisation("unit"),
)


@pytest.mark.gui
def test_a_card_comes_out_of_the_form_as_it_went_in(qapp: Any) -> None:
    from napari_sparseexplain.widgets.parts.external_model_form import ExternalModelForm

    form = ExternalModelForm()
    for way in WAYS:
        form.fill(replace(CARD, inputs=Inputs(("ct",), way, 1.0, 64)))
        assert form.card().inputs.way == way
    form.normalisation.setCurrentText("window")
    assert form.window_centre.value() == -600
    form.normalisation.setCurrentText("z-score")
    assert form.card().inputs.way == Normalisation("z-score")
