"""What the Attribution tab asks of the models, without a window: caches, models from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.explanation.attribution.xrai import segment_scales
from napari_sparseexplain.explanation.catalogue import method_info
from napari_sparseexplain.explanation.target import Target
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.progress import drain
from napari_sparseexplain.volumes import Study, open_study
from napari_sparseexplain.widgets.attribution.session import (
    AttributionAsk,
    AttributionSession,
    ModelKey,
)

LESION = Target.region("lesion")


class Bright(nn.Module):
    """What is bright is lesion."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        lesion = 8.0 * torch.tanh(2.0 * (x[:, :1] - 0.6))
        return torch.cat([-lesion, lesion], dim=1)


class Hard(nn.Module):
    """A step, which has no slope."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        lesion = (x[:, :1] > 0.5).float().detach()
        return torch.cat([1 - lesion, lesion], dim=1)


class Broken(nn.Module):
    """The slope of a root at 0 is infinite, and 0 times that is no number."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        lesion = x[:, :1] - 0.5 + torch.sqrt(0.0 * x[:, :1])
        return torch.cat([-lesion, lesion], dim=1)


class Asking:
    """A session on the small study with one network from elsewhere."""

    def __init__(self, folder: Path, study: Study, network: nn.Module, **classes: str) -> None:
        self.session, self.study = AttributionSession(), study
        self.path = str(folder / "network.pt")
        torch.jit.save(torch.jit.trace(network, torch.rand(2, 1, 32, 32)), self.path)
        inputs = Inputs(("flair",), "brain-range", 1.0, 32)
        named = classes or {"0": "background", "2": "lesion"}
        card = ModelCard("bright", "Bright", "pt", {}, "segmentation", inputs, named)
        self.session.set_card(self.path, card)

    def __call__(
        self,
        method: str,
        target: Target = LESION,
        slices: slice = slice(4, 5),
        region: Any = None,
        **values: Any,
    ) -> Any:
        info = method_info(method)
        checked = info.checked(values)
        key = ModelKey(self.path, "cpu")
        ask = AttributionAsk(self.study, key, info.name, checked, target, slices, region)
        return drain(self.session.attribution_work(ask))


@pytest.fixture
def study(study_folder: Path) -> Study:
    return open_study(study_folder)


@pytest.fixture
def asking(tmp_path: Path, study: Study) -> Asking:
    return Asking(tmp_path, study, Bright())


def test_the_same_map_asked_for_again_is_the_one_that_was_made(asking: Asking) -> None:
    first = asking("integrated-gradients", n_steps=4)
    assert first.trust is not None
    assert asking("integrated-gradients", n_steps=4) is first
    assert asking("integrated-gradients", n_steps=5) is not first
    asking.session.forget(asking.study)
    assert asking("integrated-gradients", n_steps=4) is not first


def test_another_target_and_mode_do_not_segment_again(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    segmented: list[int] = []
    felzenszwalb = segment_scales._felzenszwalb
    segment_scales._SEGMENTED.clear()

    def counted(image: Any) -> Any:
        segmented.append(1)
        return felzenszwalb(image)

    monkeypatch.setattr(segment_scales, "_felzenszwalb", counted)
    asking("xrai", n_steps=2, min_size=4)
    asking("xrai", Target.voxel((4, 16, 16), "lesion"), n_steps=2, min_size=4, mode="fast")
    assert segmented == [1]


def test_a_drawn_region_is_explained_and_is_no_part_of_the_study(asking: Asking) -> None:
    region = np.zeros(asking.study.grid.shape, dtype=bool)
    region[4, 8:14, 8:14] = True
    answer = asking("vanilla-gradient", region=region)
    assert answer.explanation.target == "lesion in the drawn region"
    rows, columns = np.nonzero(answer.explanation["heatmap"].data[0])
    assert min(rows.min(), columns.min()) >= 7
    assert max(rows.max(), columns.max()) <= 14
    assert set(asking.study.labels) == {"seg"}


@pytest.mark.parametrize(
    ("method", "changes", "words"),
    [
        ("xrai-3d", {}, "grows through a volume, and one slice"),
        ("vanilla-gradient", {"target": Target.region("9")}, "no class '9'"),
        ("vanilla-gradient", {"slices": slice(0, 1)}, "is empty on these slices"),
    ],
)
def test_what_cannot_be_explained_is_said(
    asking: Asking, method: str, changes: Any, words: str
) -> None:
    with pytest.raises(SparseExplainError, match=words):
        asking(method, **changes)


def test_a_network_without_a_slope_names_what_still_works(tmp_path: Path, study: Study) -> None:
    hard = Asking(tmp_path, study, Hard())
    with pytest.raises(SparseExplainError, match="Methods that need none still work: occlusion"):
        hard("integrated-gradients", n_steps=2)
    assert np.abs(hard("occlusion").explanation["heatmap"].data).max() > 0


def test_a_slope_that_is_no_number_names_the_step(tmp_path: Path, study: Study) -> None:
    with pytest.raises(SparseExplainError, match="NaN or infinite at the path's place t = 0"):
        Asking(tmp_path, study, Broken())("guided-ig", n_steps=4)


def test_a_card_of_other_classes_and_a_pickle_are_refused(tmp_path: Path, study: Study) -> None:
    miscounted = Asking(tmp_path, study, Bright(), **{"0": "a", "1": "lesion", "2": "c"})
    with pytest.raises(SparseExplainError, match="its card names 3 classes"):
        miscounted("integrated-gradients", n_steps=2)
    pickled = Asking(tmp_path, study, Bright())
    torch.save({"weights": torch.zeros(2)}, pickled.path)
    with pytest.raises(SparseExplainError, match="a pickle"):
        pickled("integrated-gradients", n_steps=2)
