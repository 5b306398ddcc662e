"""Outside the brain there is no class, of any bundle, in no product of one.

The brain is an independent one: the anatomy that a phantom was made from, and the voxels of a
skull-stripped scan that are not 0. Networks trained on stripped scans call air enhancing tumour.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import nn

import napari_sparseexplain as se
from napari_sparseexplain.errors import StudyError
from napari_sparseexplain.explanation.class_maps import network_classes
from napari_sparseexplain.explanation.components.slice_components import decompose_slice
from napari_sparseexplain.explanation.score_function import score_function
from napari_sparseexplain.explanation.target import Target
from napari_sparseexplain.networks.bundle.card_file import card_from_values, check_card
from napari_sparseexplain.networks.bundle.catalogue import models
from napari_sparseexplain.networks.bundle.external_model import wrap_callable
from napari_sparseexplain.networks.bundle.loading import load_model
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.running.preparation import prepare
from napari_sparseexplain.phantom.studies import make_geometry, make_phantom, phantom_shape
from napari_sparseexplain.progress import drain

SEED, SPACING = 5, 4.0
#: Those of the brain: a network of the heart is fed everything.
SEGMENTERS = [
    n for n, card in models().items() if card.task == "segmentation" and card.inputs.mask == "brain"
]


@pytest.fixture(scope="module")
def study() -> se.Study:
    return make_phantom(SEED, spacing_mm=SPACING, tumours=1)


@pytest.fixture(scope="module")
def anatomy() -> np.ndarray:
    """The phantom's own brain, before anything was rendered."""
    rng = np.random.default_rng(SEED)
    shape = phantom_shape(SPACING)
    geometry = make_geometry(rng, spacing_mm=SPACING, shape=shape, tumours=1)
    brain = np.zeros(shape, dtype=bool)
    brain[geometry.box] = geometry.brain
    return brain


@pytest.fixture(scope="module")
def span(study: se.Study) -> slice:
    """Four slices about the tumour, and one above the head."""
    place = int(np.argmax((study.labels["seg"].data > 0).sum(axis=(1, 2))))
    return slice(place - 2, place + 2)


def ml(mask: np.ndarray, study: se.Study) -> float:
    return float(np.count_nonzero(mask)) * float(np.prod(study.grid.spacing)) / 1000


@pytest.mark.parametrize("name", SEGMENTERS)
def test_no_bundle_names_a_class_outside_the_anatomy(
    name: str, study: se.Study, anatomy: np.ndarray, span: slice
) -> None:
    found = se.explain(study, name, "segmentation", slices=span)
    assert ml((found["mask"].data != 0) & ~anatomy[span], study) == 0
    assert found.scores["ml outside the brain"] == 0
    inside = [v for k, v in found.scores.items() if k.startswith("ml ") and "outside" not in k]
    assert sum(v or 0 for v in inside) == pytest.approx(ml(found["mask"].data != 0, study))
    assert any("non-zero voxels of the skull-stripped scan" in note for note in found.notes)
    # A volume of some slices is not the lesion's.
    assert any(note.startswith("Found: in 4 slices ") for note in found.notes)
    for item in found.maps:
        if item.name.startswith("probability") and not item.name.endswith("-0"):
            assert not item.data[~anatomy[span]].any()


@pytest.mark.parametrize(
    ("name", "method", "more"),
    [
        ("unet-classes", "vanilla-gradient", {}),
        # What is blurred reaches into the air.
        ("unet-classes", "integrated-gradients", {"n_steps": 4, "baseline": "blurred"}),
        ("unet", "blur-integrated-gradients", {"steps": 4}),
        ("unet-classes", "grad-cam", {}),
        ("sum-seg", "occlusion", {}),
        ("unet", "xrai", {"n_steps": 4, "min_size": 5}),
    ],
)
def test_no_map_lies_outside_the_anatomy(
    name: str,
    method: str,
    more: dict[str, object],
    study: se.Study,
    anatomy: np.ndarray,
    span: slice,
) -> None:
    one = slice(span.start + 2, span.start + 3)
    found = se.explain(study, name, method, target="WT@seg", slices=one, **more)
    assert found["heatmap"].data.any()
    for item in found.maps:
        assert not item.data[~anatomy[one]].any(), item.name


def test_a_decomposition_has_no_class_outside(
    study: se.Study, anatomy: np.ndarray, span: slice
) -> None:
    found = se.explain(study, "jf-ml-ista", "components", slices=slice(span.start, span.start + 2))
    outside = ~anatomy[span.start : span.start + 2]
    for name in ("mask", "mask-largest-component"):
        assert not found[name].data[outside].any()
    whole = decompose_slice(study, load_model("jf-ml-ista"), span.start)
    assert not whole.explanation(without=[1])["mask"].data[~anatomy[span.start][None]].any()
    corner = whole.reading(0, 0)
    assert not corner.inside
    assert corner.probabilities.tolist() == [1, 0, 0, 0]


def test_a_class_over_the_whole_image_is_summed_over_the_brain(
    study: se.Study, span: slice
) -> None:
    """A network that answers 1 everywhere scores as many as there are pixels in the brain."""
    prepared = prepare(study, constant_model().card, slice(span.start, span.start + 1))
    score = drain(score_function(constant_model(), prepared, Target.parse("class:lesion")))
    assert score.scores(prepared.array)[0] == np.count_nonzero(prepared.inside_network)
    assert 0 < prepared.inside_network.mean() < 0.9
    with pytest.raises(StudyError, match="outside the brain"):
        drain(score_function(constant_model(), prepared, Target("voxel", "", (span.start, 0, 0))))


class Constant(nn.Module):
    """The same logits everywhere, the air included."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.ones_like(x[:, :1]) + 0 * x.sum(dim=1, keepdim=True)


def constant_model(mask: str = "") -> Model:
    inputs = Inputs(("flair",), "brain-range", SPACING, 64, mask=mask)
    card = ModelCard("one", "One", "callable", {}, "segmentation", inputs, {"1": "lesion"})
    return wrap_callable(Constant(), card)


@pytest.mark.parametrize(
    ("mask", "everywhere", "words"),
    [
        ("brain", False, "skull-stripped"),
        ("non-zero", False, "not background"),
        ("none", True, "everywhere"),
    ],
)
def test_the_card_says_where_a_model_looks(
    mask: str, everywhere: bool, words: str, study: se.Study, span: slice
) -> None:
    found = se.explain(study, constant_model(mask), "segmentation", slices=span)
    assert bool(np.all(found["mask"].data == 1)) is everywhere
    assert any(words in note for note in found.notes)
    assert found.provenance.input_mask["mask"] == mask
    if mask == "non-zero":
        shown = study.images["flair"].data[span] != 0
        np.testing.assert_array_equal(found["mask"].data != 0, shown)


def test_an_old_card_is_one_of_a_brain_network_and_a_wrong_mask_is_refused() -> None:
    values = json.loads(json.dumps(models()["sum-seg"].to_json()))
    del values["inputs"]["mask"]
    card = card_from_values(values, Path("card.json"))
    assert card.inputs.mask == "brain"
    assert ModelCard.from_json(values).inputs.mask == "brain"
    wrong = replace(card, inputs=replace(card.inputs, mask="lung"))
    with pytest.raises(se.SparseExplainError, match=r"inputs\.mask.*none, brain, non-zero"):
        check_card(wrong, "card.json")


def test_most_of_another_organ_set_to_zero_is_a_warning_and_none_is_set_without_a_mask() -> None:
    rng = np.random.default_rng(0)
    heart = rng.normal(100, 10, (6, 64, 64)).astype(np.float32)
    heart[:, 28:38, 28:38] += 900  # Otsu takes the bright pool for the head
    study = se.study_of_arrays({"flair": heart})
    found = se.explain(study, constant_model("brain"), "segmentation")
    assert any(n.startswith("Warning: 9") and "set to 0" in n for n in found.notes)
    assert any("only the head was found" in n for n in found.notes)
    whole = prepare(study, constant_model("none").card)
    assert (whole.array > 0).mean() > 0.9
    assert not any("set to 0" in n for n in whole.notes)


def test_the_studys_own_brain_mask_is_the_brain(study: se.Study, span: slice) -> None:
    """A head with its skull: without a mask all of it is fed, with one the brain alone."""
    rng = np.random.default_rng(1)
    brain = study.images["flair"].data != 0
    head = ndimage.binary_dilation(brain, iterations=3)
    scan = rng.normal(8, 2, brain.shape)
    scan[head] = 500
    scan[brain] = study.images["flair"].data[brain]
    own = se.study_of_arrays(
        {"flair": scan}, {"brain_mask": brain.astype(np.uint8)}, spacing=(SPACING,) * 3
    )
    found = se.explain(own, constant_model(), "segmentation", slices=span)
    np.testing.assert_array_equal(found["mask"].data != 0, brain[span])
    assert any("the study's brain mask" in note for note in found.notes)
    bare = se.study_of_arrays({"flair": scan}, spacing=(SPACING,) * 3)
    without = se.explain(bare, constant_model(), "segmentation", slices=span)
    assert any("only the head was found" in note for note in without.notes)
    assert np.count_nonzero(without["mask"].data) > np.count_nonzero(found["mask"].data)
    other = se.study_of_arrays({"flair": scan}, {"brain_mask": (~head).astype(np.uint8)})
    assert any("was not used" in n for n in prepare(other, constant_model().card).notes)


@pytest.mark.parametrize("skull", [False, True])
def test_a_lesion_named_brain_mask_cuts_no_brain_off(skull: bool, study: se.Study) -> None:
    scan = study.images["flair"].data.astype(np.float32)
    brain = scan != 0
    if skull:
        rng = np.random.default_rng(1)
        head = ndimage.binary_dilation(brain, iterations=3)
        scan = np.where(brain, scan, np.where(head, 500, rng.normal(8, 2, brain.shape)))
    lesion = study.labels["seg"].data != 0
    named = se.study_of_arrays(
        {"flair": scan}, {"brain_mask": lesion.astype(np.uint8)}, spacing=(SPACING,) * 3
    )
    prepared = prepare(named, constant_model().card)
    (note,) = (n for n in prepared.notes if "was not used" in n)
    assert "which is no whole brain" in note
    bare = prepare(
        se.study_of_arrays({"flair": scan}, spacing=(SPACING,) * 3), constant_model().card
    )
    np.testing.assert_array_equal(prepared.array, bare.array)


def test_classes_of_slices_without_a_study_stop_where_these_show_nothing() -> None:
    card = constant_model().card
    mask = np.ones((1, 1, 4, 4), np.float32)
    inside = np.zeros((1, 4, 4), bool)
    inside[0, 1:3, 1:3] = True
    np.testing.assert_array_equal(network_classes(card, mask, inside) != 0, inside)


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["unet-classes", "sum-seg"])
def test_of_a_real_stripped_scan_only_what_is_not_zero_has_a_class(
    name: str, shared_data: Path
) -> None:
    study = se.open_study(shared_data / "brain_tumour" / "brats_gli_00000")
    shown = np.any([v.data != 0 for v in study.images.values()], axis=0)
    span = slice(78, 82)
    found = se.explain(study, name, "segmentation", slices=span)
    assert found["mask"].data.any()
    assert not found["mask"].data[~shown[span]].any()
    assert found.scores["ml outside the brain"] == 0
