"""What families declare of their methods: complete, resolved, said once, and used."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import napari_sparseexplain as se
from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.evidence import ExplanationMap
from napari_sparseexplain.explanation.catalogue import method_info
from napari_sparseexplain.explanation.method import SHORT, MethodInfo, Parameter
from napari_sparseexplain.explanation.method_result import MethodResult
from napari_sparseexplain.explanation.run_record import recorded
from napari_sparseexplain.explanation.target import Target
from napari_sparseexplain.explanation.trust.explained_slices import explained_slices
from napari_sparseexplain.explanation.trust.map_figures import Effort, map_figures
from napari_sparseexplain.networks.bundle.external_model import wrap_callable
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.progress import drain

WHOLE: dict[str, Any] = {
    "name": "tried",
    "title": "Tried",
    "summary": "Nothing",
    "work": "no.such.module:work",
    "heat": None,
}


@pytest.mark.parametrize("name", list(se.methods()))
def test_the_function_of_a_method_takes_its_parameters_and_has_no_default_of_its_own(
    name: str,
) -> None:
    info = method_info(name)
    taken = inspect.signature(info.function()).parameters
    own = {p.name for p in info.parameters}
    given = {"target", "slices", *(["device"] if info.takes_device else [])}
    keywords = {n for n, p in taken.items() if p.kind is p.KEYWORD_ONLY} - given
    more = any(p.kind is p.VAR_KEYWORD for p in taken.values())
    assert keywords <= own
    assert more or keywords == own
    assert all(p.default is p.empty for p in taken.values()), "defaults stand in the Parameter"


def test_titles_fit_the_head_of_a_column() -> None:
    assert method_info("guided-ig").short_title == "Guided IG"
    assert method_info("occlusion").short_title == "Occlusion"
    assert max(len(info.short_title) for info in se.methods().values()) <= SHORT


def test_a_method_that_lacks_what_it_needs_cannot_be_declared() -> None:
    assert MethodInfo(**WHOLE).name == "tried"
    with pytest.raises(TypeError, match="heat"):
        MethodInfo(**{key: value for key, value in WHOLE.items() if key != "heat"})
    seed = Parameter("seed", 0, "Of the noise")
    for wrong, said in (
        ({"summary": ""}, "'tried' lacks summary"),
        ({"work": ""}, "'tried' lacks work"),
        ({"title": "A title that fits no column"}, "needs a short title"),
        ({"heat": "hot"}, "cannot be 'hot'"),
        ({"target": "maybe"}, "cannot be 'maybe'"),
        ({"parameters": (seed, seed)}, "'seed' of the method 'tried' is there twice"),
        ({"parameters": (Parameter("slices", 1, "Some"),)}, "a word of explain itself"),
    ):
        with pytest.raises(ValueError, match=said):
            MethodInfo(**{**WHOLE, **wrong})


def test_a_heat_map_of_a_method_that_names_no_meaning_is_refused() -> None:
    """Or its infidelity would be taken for that of a contribution, and be silently wrong."""
    heat = ExplanationMap("heatmap", np.zeros((1, 2, 2)), "heatmap")
    result = MethodResult((heat,))
    with pytest.raises(ValueError, match="must say what its values are"):
        recorded(
            MethodInfo(**WHOLE),
            None,
            model_of(Weighted()),
            {},
            result,
            slices=None,
            target=None,
            package="",
        )


def test_a_method_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(SparseExplainError, match=r"no method 'magic'.*signals.*xrai"):
        method_info("magic")


class Weighted(nn.Module):
    """A lesion where 3·FLAIR - T1 is high: linear in the image."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(2, 1, 1)
        self.layer.weight.data = torch.tensor([-1.0, 3.0]).view(1, 2, 1, 1)
        self.layer.bias.data.fill_(-1.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x)


def model_of(network: nn.Module) -> se.Model:
    inputs = Inputs(("t1", "flair"), "unit", spacing_mm=1.0, size=20, mask="none")
    card = ModelCard("made", "Made", "callable", {}, "segmentation", inputs, {"1": "lesion"})
    return wrap_callable(network, card)


@pytest.mark.parametrize("method", ["vanilla-gradient", "smoothgrad", "integrated-gradients"])
def test_slopes_and_contributions_both_foretell_a_linear_score(method: str) -> None:
    """Both do so exactly, each by what its `MethodInfo` says that its values are."""
    rng = np.random.default_rng(0)
    images = {role: rng.random((1, 20, 16)).astype(np.float32) for role in ("t1", "flair")}
    slices = drain(
        explained_slices(
            se.study_of_arrays(images), model_of(Weighted()), Target.region("WT"), slice(0, 1)
        )
    )
    found = drain(map_figures(slices, method, {}, Effort(kinds=("infidelity",))))
    assert found.figures["infidelity"] == pytest.approx(0, abs=1e-4)
