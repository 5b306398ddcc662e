"""What a person may give in place of a number, a slice, a window or a network: one clear error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import napari_sparseexplain as se
from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.explanation.catalogue import methods
from napari_sparseexplain.volumes.resampling import resample_to

VALUES = np.random.default_rng(0).uniform(-200, 200, (2, 12, 10)).astype(np.float32)


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Conv2d(1, 2, 3, padding=1)


def explained(study: se.Study, **said: Any) -> Any:
    given = {"roles": "ct", "target": 1, "slices": 1, **said}
    return se.explain(study, network(), "vanilla-gradient", **given)["heatmap"].data


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), 10**400, 2.5, True, "many"])
def test_a_whole_number_is_one(wrong: Any) -> None:
    with pytest.raises(SparseExplainError, match="must be a whole number"):
        methods()["fista"].checked({"iterations": wrong})


def test_whole_numbers_do_not_pass_through_floats() -> None:
    assert methods()["fista"].checked({"seed": 2**53 + 1})["seed"] == 2**53 + 1


@pytest.mark.parametrize(
    "wrong", ["0:2", (0, 2), range(2), float("nan"), 1.5, True, slice(0, 1.5), slice(True, 2)]
)
def test_slices_are_whole_numbers(wrong: Any) -> None:
    with pytest.raises(SparseExplainError, match="has no slices"):
        explained(se.study_of_arrays({"ct": VALUES}), slices=wrong)


@pytest.mark.parametrize(
    ("centre", "width"), [(0.5, 1e-300), (1e30, 1), (0.5, 1e308), (10**400, 1), (40, True)]
)
def test_a_window_has_a_width_in_single_precision(centre: Any, width: Any) -> None:
    with pytest.raises(SparseExplainError, match="the normalisation 'window' needs"):
        se.Normalisation("window", centre=centre, width=width)


def test_a_second_normalisation_of_one_study_is_its_own() -> None:
    """What is measured of a scan is kept: never for another window than it was measured for."""
    study = se.study_of_arrays({"ct": VALUES})
    ways: list[Any] = [
        {"name": "window", "centre": 40, "width": 80},
        {"name": "window", "centre": 50, "width": 2000},
        "none",
    ]
    first = [explained(study, normalisation=way) for way in ways]
    alone = [
        explained(se.study_of_arrays({"ct": VALUES}), normalisation=way) for way in reversed(ways)
    ]
    for one, other in zip(first, reversed(alone), strict=True):
        assert np.array_equal(one, other)


class Fails(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise KeyError("no such layer")


class Decides(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x > 0).long().repeat(1, 2, 1, 1)


@pytest.mark.parametrize(("module", "said"), [(Fails(), "no such layer"), (Decides(), "int64")])
def test_a_network_that_fails_or_decides_itself_is_one_sentence(
    module: torch.nn.Module, said: str
) -> None:
    study = se.study_of_arrays({"ct": VALUES})
    with pytest.raises(SparseExplainError, match=said):
        se.explain(study, module, "vanilla-gradient", roles="ct", target=1, slices=1)


def test_each_frame_is_filled_with_its_own_background() -> None:
    """A frame of a series that is resampled is what it would be alone."""
    from dataclasses import replace

    frames = np.stack([np.full((3, 6, 6), level, np.float32) for level in (1.0, 1000.0)])
    still = se.study_of_arrays({"ct": frames[1]})["ct"]
    moved = replace(still.grid, affine=still.grid.affine + np.diag([0.5, 0.5, 0.5, 0.0]))
    series = replace(still, data=frames, leading=("time",))
    alone = np.asarray(resample_to(still, moved).data)
    assert np.array_equal(np.asarray(resample_to(series, moved).data)[1], alone)
