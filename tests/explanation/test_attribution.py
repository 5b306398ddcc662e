"""Attribution on a study: a map a modality and their sum, on the study's own voxels."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from torch import nn

import napari_sparseexplain as se
from napari_sparseexplain.errors import SparseExplainError, StudyError
from napari_sparseexplain.networks.bundle.external_model import wrap_callable
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.volumes import Grid, Source, Study, Volume

SHAPE = (4, 20, 16)
ROLES = ("t1", "flair")
NAMES = [name for name, info in se.methods().items() if "classification" in info.tasks]
QUICK = {
    "samples": 2,
    "n_steps": 3,
    "window": 8,
    "stride": 8,
    "evaluations": 20,
    "max_sigma": 3.0,
}


class Sum(nn.Module):
    """A lesion wherever 3·FLAIR - T1 is above 1.5."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(2, 1, 1)
        self.layer.weight.data = torch.tensor([-1.0, 3.0]).view(1, 2, 1, 1)
        self.layer.bias.data.fill_(-1.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x)


def model() -> se.Model:
    inputs = Inputs(ROLES, "unit", spacing_mm=2.0, size=20)
    card = ModelCard("made", "Made", "callable", {}, "segmentation", inputs, {"1": "lesion"})
    return wrap_callable(Sum(), card)


@pytest.fixture
def study() -> Study:
    grid = Grid(SHAPE, np.diag([2.0, 2.0, 2.0, 1.0]))
    turned = np.array([[0, 1], [1, 1], [2, 1]])
    generator = np.random.default_rng(0)
    images = {}
    for role in ROLES:
        data = generator.random(SHAPE).astype(np.float32)
        data[3] *= 0.3  # no lesion on the last slice
        source = Source((), "memory", SHAPE, np.eye(4), data.dtype, turned)
        images[role] = Volume(data, grid, role, "image", source)
    return Study("made", None, images, {}, grid, "flair")


def parameters(name: str) -> dict:
    known = {p.name for p in se.methods()[name].parameters}
    return {key: value for key, value in QUICK.items() if key in known}


@pytest.mark.parametrize("name", NAMES)
def test_every_method_gives_the_modalities_and_their_sum(name: str, study: Study) -> None:
    found = se.explain(study, model(), name, target="WT", slices=slice(1, 4), **parameters(name))
    heat = found["heatmap"].data
    assert heat.shape == (3, *SHAPE[1:])
    assert heat[:2].any()
    if name == "xrai-3d":  # its regions are supervoxels and may reach a slice without the target
        assert set(np.unique(heat[2])) <= set(np.unique(heat))
    else:
        assert not heat[2].any()
    assert any("1 of 3 slices hold none of the target" in note for note in found.notes)
    if name in ("grad-cam", "grad-cam-plus-plus", "partition-shap"):
        assert [m.name for m in found.maps] == ["heatmap"]
    elif name in ("xrai", "xrai-3d"):  # one segmentation of all modalities: regions, not parts
        assert [m.name for m in found.maps] == ["heatmap", "top", "regions"]
    else:
        parts = sum(found[f"heatmap-{role}"].data for role in ROLES)
        np.testing.assert_allclose(heat, parts, atol=1e-4 * np.abs(heat).max())
    paths = ("integrated-gradients", "guided-integrated-gradients", "blur-integrated-gradients")
    if name == "gradient-shap":  # linear, so that each sample adds up
        assert found.scores["standard error of the sum"] == pytest.approx(0, abs=1e-5)
    if name in (*paths, "gradient-shap", "partition-shap"):
        assert found.scores["completeness error"] == pytest.approx(0, abs=1e-5)  # linear
    else:
        assert found.scores["completeness error"] is None
        assert any(note.startswith("No completeness error: ") for note in found.notes)
    lowest, highest = found["heatmap"].value_range
    assert lowest == (-highest if found["heatmap"].signed else 0.0)
    assert found.provenance.parameters["target"]["name"] == "WT"


@pytest.mark.parametrize("name", ["smoothgrad", "smooth-blur-gig", "gradient-shap"])
def test_a_slice_looks_the_same_alone_and_among_others(name: str, study: Study) -> None:
    run = {"target": "WT", **parameters(name)}
    among = se.explain(study, model(), name, slices=slice(0, 3), **run)["heatmap"].data[1]
    alone = se.explain(study, model(), name, slices=1, **run)["heatmap"].data[0]
    np.testing.assert_allclose(among, alone, rtol=1e-5, atol=1e-6)


def test_a_voxel_is_explained_on_its_own_slice(study: Study) -> None:
    found = se.explain(study, model(), "integrated-gradients", target="voxel:2,5,7")
    assert found.slices == slice(2, 3)
    assert np.argwhere(found["heatmap"].data).tolist() == [[0, 5, 7]]
    with pytest.raises(StudyError, match="slice 3, row 6, column 8 does not lie on slices 1–2"):
        se.explain(study, model(), "occlusion", target="voxel:2,5,7", slices=slice(0, 2))


def test_a_whole_range_without_the_target_is_refused(study: Study) -> None:
    with pytest.raises(StudyError, match="'WT' is empty on these slices"):
        se.explain(study, model(), "vanilla-gradient", target="WT", slices=3)


def test_short_names_and_a_missing_target(study: Study) -> None:
    found = se.explain(study, model(), "blur-ig", target="WT", n_steps=2)
    assert found.method == "blur-integrated-gradients"
    with pytest.raises(SparseExplainError, match="'occlusion' needs a target"):
        se.explain(study, model(), "occlusion")


def test_the_users_own_baseline(tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    for folder in ("sick", "healthy", "elsewhere"):
        (tmp_path / folder).mkdir()
    for role in ROLES:
        data = generator.random((16, 20, 4), dtype=np.float32)
        place = np.diag([2.0, 2.0, 2.0, 1.0])
        nib.save(nib.Nifti1Image(data, place), tmp_path / "sick" / f"{role}.nii.gz")
        nib.save(nib.Nifti1Image(data / 2, place), tmp_path / "healthy" / f"{role}.nii.gz")
        place[2, 3] = 40.0
        nib.save(nib.Nifti1Image(data / 2, place), tmp_path / "elsewhere" / f"{role}.nii.gz")
    study = se.open_study(tmp_path / "sick")

    def heat(**given) -> np.ndarray:
        return se.explain(study, model(), "ig", target="WT", n_steps=1, **given)["heatmap"].data

    found = heat(baseline="user", baseline_image=str(tmp_path / "healthy"))
    np.testing.assert_allclose(found, heat() / 2, atol=1e-5)
    for given, message in (
        ({"baseline": "user"}, "'user' needs an image"),
        ({"baseline_image": str(tmp_path / "healthy")}, "the baseline is 'zero'"),
        ({"baseline": "user", "baseline_image": str(tmp_path / "elsewhere")}, "another place"),
    ):
        with pytest.raises(StudyError, match=message):
            heat(**given)


class Counting(Sum):
    """Counts the images that it sees."""

    seen = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen += len(x)
        return super().forward(x)


PLAIN = [name for name in NAMES if not name.startswith("xrai")]


@pytest.mark.parametrize("name", PLAIN)
def test_the_same_map_asked_for_twice_is_not_computed_twice(name: str, study: Study) -> None:
    network = Counting()
    counted = wrap_callable(network, model().card)

    def run(start: int, stop: int) -> np.ndarray:
        before = network.seen
        found = se.explain(
            study, counted, name, target="WT", slices=slice(start, stop), **parameters(name)
        )
        # Its shape is asked of one slice, and each predicts what is explained; the rest explains.
        spent.append(network.seen - before - 1 - (stop - start))
        return found["heatmap"].data

    spent: list[int] = []
    first = run(0, 2)
    np.testing.assert_array_equal(run(0, 2), first)
    np.testing.assert_array_equal(run(0, 3)[:2], first)  # of a longer range only what is new
    np.testing.assert_array_equal(run(1, 2)[0], first[1])
    assert spent[0] > 0
    assert spent[1] == spent[3] == 0
    assert 0 < spent[2] < spent[0]


@pytest.mark.parametrize(
    "change",
    [
        {"target": "voxel:1,5,7"},
        {"n_steps": 4},
        {"baseline": "mean"},
    ],
)
def test_what_a_map_depends_on_makes_another_map(change: dict, study: Study) -> None:
    run = {"target": "WT", "slices": slice(1, 2), "n_steps": 3}
    one = model()
    first = se.explain(study, one, "ig", **run)["heatmap"].data
    network = one.network.inner
    calls: list[int] = []
    network.register_forward_hook(lambda *_: calls.append(1))
    se.explain(study, one, "ig", **run)
    for_what_is_kept = len(calls)
    se.explain(study, one, "ig", **(run | change))
    assert len(calls) > 2 * for_what_is_kept
    with torch.no_grad():
        network.layer.weight.mul_(2.0)
    assert not np.array_equal(se.explain(study, one, "ig", **run)["heatmap"].data, first)


def test_the_users_baseline_is_known_by_its_values_not_by_its_path(tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    scans = {role: generator.random((16, 20, 4), dtype=np.float32) for role in ROLES}
    place = np.diag([2.0, 2.0, 2.0, 1.0])

    def write(folder: str, factor: float) -> Path:
        (tmp_path / folder).mkdir(exist_ok=True)
        for role, data in scans.items():
            ramp = data * np.linspace(factor, 1, 4, dtype=np.float32)
            nib.save(nib.Nifti1Image(ramp, place), tmp_path / folder / f"{role}.nii.gz")
        return tmp_path / folder

    study, one, maps = se.open_study(write("sick", 1.0)), model(), []
    for factor in (0.2, 0.6):
        given = {"baseline": "user", "baseline_image": str(write("base", factor))}
        found = se.explain(study, one, "ig", target="WT", n_steps=1, **given)
        maps.append(found["heatmap"].data)
    assert not np.allclose(maps[0], maps[1])


def test_arrays_are_explained_as_studies_are(study: Study) -> None:
    one = model()
    run = {"target": "WT", "slices": slice(0, 2), "n_steps": 3}
    arrays = {role: study[role].data for role in ROLES}
    placed = se.study_of_arrays(arrays, spacing=(2, 2, 2))
    wanted = se.explain(study, one, "ig", **run)["heatmap"].data
    np.testing.assert_allclose(se.explain(placed, one, "ig", **run)["heatmap"].data, wanted)
    stacked = np.stack(list(arrays.values()))
    native = {**run, "resolution": "native"}
    by_role = se.explain(arrays, one, "ig", **native)["heatmap"].data
    by_channel = se.explain(stacked, one, "ig", **native)["heatmap"].data
    np.testing.assert_array_equal(by_channel, by_role)
    np.testing.assert_allclose(by_role, wanted, rtol=1e-5, atol=1e-6)
    one_slice = se.explain(stacked[:, 1], one, "ig", target="WT", n_steps=3, resolution="native")
    np.testing.assert_allclose(one_slice["heatmap"].data[0], by_role[1], rtol=1e-5, atol=1e-6)


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["integrated-gradients", "guided-ig", "blur-ig"])
def test_on_a_real_scan_the_paths_add_up(name: str, shared_data: Path) -> None:
    study = se.open_study(shared_data / "brain_tumour" / "brats_gli_00000")
    steps = {} if name == "integrated-gradients" else {"n_steps": 30}
    found = se.explain(study, "sum-rec", name, target="WT", slices=66, **steps)
    gap = found.scores["completeness error"]
    assert gap is not None
    assert gap < 0.2
    assert found["heatmap"].data.shape == (1, *study.grid.shape[1:])
