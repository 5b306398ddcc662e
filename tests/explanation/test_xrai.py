"""XRAI from a study to its maps: regions of slices and of volumes, nothing computed twice."""

from __future__ import annotations

import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import nn

import napari_sparseexplain as se
from napari_sparseexplain.errors import ModelError, SparseExplainError, StudyError
from napari_sparseexplain.evidence.heat_threshold import top_share
from napari_sparseexplain.evidence.region_table import region_at
from napari_sparseexplain.evidence.store import load_explanation, write_explanation
from napari_sparseexplain.explanation.catalogue import explain_work
from napari_sparseexplain.explanation.trust.map_figures import Heat
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.progress import Progress, drain

SHAPE = (6, 48, 40)
CARD = ModelCard(
    "tested",
    "Tested",
    "unet",
    {},
    "segmentation",
    Inputs(("flair",), "unit", spacing_mm=1.0, size=48),
    {"1": "lesion"},
)


class Bright(nn.Module):
    """A logit that is curved in the local mean; counts the images it sees with a gradient."""

    def __init__(self, level: float = 0.6) -> None:
        super().__init__()
        self.level = nn.Parameter(torch.tensor(level))
        self.differentiated = 0

    def forward(self, x: torch.Tensor, alpha: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
        if torch.is_grad_enabled():
            self.differentiated += len(x)
        mean = nn.functional.avg_pool2d(x.mean(dim=1, keepdim=True), 3, 1, 1)
        signal = torch.tanh(4 * (mean - self.level))
        return torch.sigmoid(8 * signal), signal


def written(folder: Path, scan: np.ndarray, spacing: tuple[float, ...]) -> se.Study:
    """A study of a scan (S, P, L), with slices on the last axis of the file."""
    folder.mkdir()
    affine = np.diag([-spacing[2], -spacing[1], spacing[0], 1.0])
    image = nib.Nifti1Image(scan.transpose(2, 1, 0).astype(np.float32), affine)
    nib.save(image, folder / "case_flair.nii.gz")
    return se.open_study(folder)


@pytest.fixture
def study(tmp_path: Path) -> se.Study:
    """A textured block with a bright ball on slices 1 to 4; slice 5 is blank."""
    s, p, l = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]  # noqa: E741
    scan = 0.3 + gaussian_filter(np.random.default_rng(0).normal(0, 1, SHAPE), (0, 3, 3))
    scan[(s * 3.0 - 7) ** 2 + (p - 20) ** 2 + (l - 22) ** 2 < 9**2] += 0.5
    scan = np.clip(scan, 0, 1)
    scan[5] = 0
    return written(tmp_path / "case", scan, (3.0, 1.0, 1.0))


@pytest.fixture
def model() -> Model:
    return Model.of_network(CARD, Bright())


def explained(study, model, method="xrai", **more):
    return se.explain(study, model, method, target="WT", n_steps=4, **more)


@pytest.mark.parametrize("mode", ["full", "fast"])
def test_the_best_region_lies_on_what_the_score_is_made_of(study, model, mode: str) -> None:
    found = explained(study, model, slices=slice(1, 4), mode=mode)
    assert found["heatmap"].data.shape == (3, *SHAPE[1:])
    inside = study["flair"].data[1:4] > 0.7
    heat = found["heatmap"].data
    assert heat[inside].mean() > 3 * heat[~inside].mean()
    assert found.scores["completeness error"] is None
    assert found.scores["completeness error of the integrated gradients"] is not None
    assert any("No completeness error" in note for note in found.notes)


def test_a_click_reads_the_gain_that_the_map_shows(study, model, tmp_path: Path) -> None:
    found = explained(study, model)
    write_explanation(found, study, tmp_path / "out")
    for source in (found, load_explanation(tmp_path / "out")):
        for index in [(1, 20, 22), (2, 5, 6), (3, 47, 39)]:
            reading = region_at(source, index)
            assert reading is not None
            assert reading.gain == pytest.approx(found["heatmap"].data[index], rel=1e-6)
    ranks = found["regions"].data
    for row in range(1, 4):
        table = found["regions"].axes["regions"][str(row)]
        assert set(np.unique(ranks[row])) == set(range(1, len(table) + 1))
        sizes = [int((ranks[row] == rank + 1).sum()) for rank in range(len(table))]
        assert sizes == [pixels for _, pixels in table]


def test_top_is_read_from_the_finished_map(study, model) -> None:
    found = explained(study, model, top_fraction=0.2)
    assert np.array_equal(found["top"].data != 0, top_share(found["heatmap"].data, 0.2))


def test_progress_counts_slices_from_one_as_the_window_does(study, model) -> None:
    steps: list[Progress] = []
    work = explain_work(study, model, "xrai", target="WT", slices=slice(2, 4), n_steps=4)
    drain(work, steps.append)
    named = {n for s in steps for n in re.findall(r", slices? (\d+(?:–\d+)?)$", s.message)}
    assert "Growing regions, slice 3" in {s.message for s in steps}
    assert named in ({"3", "4"}, {"3", "4", "3–4"})


def test_slices_without_the_target_hold_nothing_and_it_is_said(study, model) -> None:
    found = explained(study, model)
    assert not found["heatmap"].data[5].any()
    assert not found["regions"].data[5].any()
    assert any("hold none of the target" in note for note in found.notes)


def test_what_was_computed_is_not_computed_again(study, model) -> None:
    """The same map, other parameters of the growth, other slices and 3-D share the gradients."""
    network = model.network
    first = explained(study, model)
    seen = network.differentiated
    assert seen > 0
    again = explained(study, model)
    assert np.array_equal(again["heatmap"].data, first["heatmap"].data)
    explained(study, model, mode="fast", top_fraction=0.1)
    explained(study, model, slices=slice(2, 4))
    explained(study, model, "xrai-3d")
    assert network.differentiated == seen


def test_other_weights_are_another_model_whatever_its_card_says(study, model) -> None:
    first = explained(study, model)
    with torch.no_grad():
        model.network.level.add_(-0.1)
    assert not np.array_equal(explained(study, model)["heatmap"].data, first["heatmap"].data)


def test_full_and_incremental_agree_in_ranks(study, model) -> None:
    exact, kept = (explained(study, model, exact=e)["regions"].data for e in (True, False))
    assert np.array_equal(exact, kept)


def test_a_region_in_3d_has_one_gain_and_one_rank_through_its_slices(study, model) -> None:
    found = explained(study, model, "xrai-3d")
    table = found["regions"].axes["regions"]["volume"]
    heat, ranks = found["heatmap"].data, found["regions"].data
    assert [gain for gain, _ in table[:-1]] == sorted((g for g, _ in table[:-1]), reverse=True)
    through = 0
    for rank, (gain, voxels) in enumerate(table, start=1):
        here = ranks == rank
        assert here.sum() == voxels
        assert np.allclose(heat[here], gain)
        through += here.any(axis=(1, 2)).sum() > 1
    assert through > 0
    assert region_at(found, (2, 20, 22)) is not None


def test_one_slice_is_no_volume_for_3d(study, model) -> None:
    with pytest.raises(StudyError, match=r"volume, and one slice.*method xrai"):
        explained(study, model, "xrai-3d", slices=2)
    with pytest.raises(StudyError, match="one voxel's slice"):
        se.explain(study, model, "xrai-3d", target="voxel:2,20,22", n_steps=2)


def test_a_volume_of_one_slice_is_no_trouble_in_2d(tmp_path: Path, model) -> None:
    scan = np.clip(gaussian_filter(np.random.default_rng(1).random((1, 48, 40)), (0, 2, 2)), 0, 1)
    scan[0, 10:25, 10:25] = 0.95
    one = written(tmp_path / "one", scan, (3.0, 1.0, 1.0))
    assert explained(one, model)["heatmap"].data.any()


@pytest.mark.parametrize(
    ("rule", "said"), [("gauss-legendre", "node 1 of 4"), ("adaptive", "the path's place t = 0")]
)
def test_a_gradient_that_is_not_finite_names_its_node(study, rule: str, said: str) -> None:
    class Rooted(Bright):
        def forward(self, x: torch.Tensor, alpha: float = 1.0):
            mask, signal = super().forward(x, alpha)
            return mask, signal + torch.sqrt(x[:, :1] * 0)

    with pytest.raises(ModelError, match=said):
        explained(study, Model.of_network(CARD, Rooted()), rule=rule)


def test_its_maps_are_scored_by_gain_and_others_by_size(study, model) -> None:
    """A region that lowers the score is XRAI's last; of a gradient it matters as much."""
    ours = Heat.of(explained(study, model), ("flair",))
    assert not ours.signed
    gradient = Heat.of(se.explain(study, model, "vanilla", target="WT"), ("flair",))
    assert gradient.signed


@pytest.mark.parametrize("wrong", [{"mode": "slow"}, {"top_fraction": 0.0}, {"merge": "mean"}])
def test_parameters_are_checked(study, model, wrong) -> None:
    with pytest.raises(SparseExplainError, match=next(iter(wrong))):
        explained(study, model, **wrong)
