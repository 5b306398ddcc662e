"""A table says which of its networks were trained alike."""

from __future__ import annotations

from napari_sparseexplain.networks.bundle.catalogue import models
from napari_sparseexplain.training.evaluate.recipe_summary import recipe_summary


def word_list(*names: str) -> str:
    cards = models()
    return recipe_summary({cards[name].title: cards[name] for name in names})


def test_the_shipped_networks() -> None:
    words = word_list("unet", "unet-nobn", "sum-seg", "sum-rec")
    assert "U-Net_NoBN and SUM_Seg share data and recipe" in words
    assert "U-Net, SUM_Rec: a recipe of their own each" in words
    assert "share" not in word_list("sum-seg", "sum-rec")
    assert "share" not in word_list("jf-ml-ista", "jf-ml-ista-separate", "unet-classes")
