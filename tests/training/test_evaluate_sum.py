"""The evaluation: perfect and empty networks score as they must, and the tables say everything."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

from napari_sparseexplain.errors import ModelError, ReadError, StudyError
from napari_sparseexplain.evidence.tables import mean_and_deviation, text_table
from napari_sparseexplain.networks.bundle.model_card import ModelCard
from napari_sparseexplain.networks.bundle.saving import save_bundle
from napari_sparseexplain.networks.modules.sum_network import SumNetwork
from napari_sparseexplain.networks.modules.unet import UNet
from napari_sparseexplain.progress import drain
from napari_sparseexplain.training.evaluate import sum_evaluation
from napari_sparseexplain.training.evaluate.evaluate_sum import evaluate_sum_work
from napari_sparseexplain.training.evaluate.evaluation_cases import INPUTS, case_paths, open_cases
from napari_sparseexplain.training.evaluate.intensity_rule import intensity_rule, rule_threshold
from napari_sparseexplain.training.evaluate.paper_numbers import RESPONSE_COLUMNS, TABLE_2
from napari_sparseexplain.training.fit.phantom_slices import PhantomSlices


def threshold_network(level: float) -> UNet:
    """A network whose mask is, in effect, ``x > level``."""
    network = UNet(maps=2, levels=1, batch_norm=False)
    for parameter in network.parameters():
        parameter.data.zero_()
    first, second = network.encoder[0][0], network.encoder[0][2]
    first.weight.data[0, 0, 1, 1] = 1
    second.weight.data[0, 0, 1, 1] = 1
    merge, after = network.decoder[0][0], network.decoder[0][2]
    merge.weight.data[0, 0, 1, 1] = 1
    after.weight.data[0, 0, 1, 1] = 1
    network.last.weight.data[0, 0, 1, 1] = 1000
    network.last.bias.data[:] = -1000 * level + 0.5
    network.head.scale.weight.data.fill_(1)
    return network


def save(folder: Path, name: str, network: torch.nn.Module, arguments: dict) -> None:
    kind = "sum" if isinstance(network, SumNetwork) else "unet"
    task = "denoising" if name == "sum-denoise" else "segmentation"
    card = ModelCard(name, name, kind, arguments, task, INPUTS, {"1": "lesion"})
    save_bundle(folder, card, network)


def write_study(folder: Path, seed: int = 0, lesion: bool = True) -> Path:
    """A stripped brain of 1.875 mm pixels with one bright ball in it, and its mask."""
    folder.mkdir(parents=True)
    shape = (64, 64, 12)
    i, j, k = np.ogrid[: shape[0], : shape[1], : shape[2]]
    brain = ((i - 32) / 26) ** 2 + ((j - 32) / 28) ** 2 + ((k - 6) / 20) ** 2 < 1
    ball = (i - 24) ** 2 + (j - 36) ** 2 + (4 * (k - 6)) ** 2 < 81
    rng = np.random.default_rng(seed)
    scan = rng.normal(300, 10, shape) * brain
    scan[brain & (rng.random(shape) < 0.01)] = 20  # dark vessels: the low end of the range
    scan[ball] = 600
    affine = np.diag([-1.875, -1.875, 2.0, 1.0])
    nib.save(nib.Nifti1Image(scan.astype(np.int16), affine), folder / "x_flair.nii.gz")
    mask = (2 * ball if lesion else 0 * ball).astype(np.uint8)
    nib.save(nib.Nifti1Image(mask, affine), folder / "x_seg.nii.gz")
    return folder


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A network that is right, one that finds nothing, and filters with an impulse response."""
    folder = tmp_path / "runs"
    arguments = {"maps": 2, "levels": 1, "batch_norm": False}
    save(folder / "unet-0", "unet", threshold_network(0.6), arguments)
    save(folder / "unet-1", "unet", threshold_network(2.0), arguments)
    for name in ("sum-rec", "sum-denoise"):
        torch.manual_seed(0)
        save(folder / f"{name}-3", name, SumNetwork(maps=2, levels=1), {"maps": 2, "levels": 1})
    return folder


def test_a_right_network_scores_1_and_an_empty_one_0(tmp_path: Path, runs: Path) -> None:
    found = drain(evaluate_sum_work(write_study(tmp_path / "one"), runs=runs, device="cpu"))
    assert found.names == ["unet", "sum-rec", "rule-3d", "rule-2d"]
    right, empty = found.score("unet", "clean", "Dice")
    assert right == 1.0
    assert empty == 0.0
    assert found.score("unet", "blur", "Dice")[0] < 1.0
    native = found.runs_of("unet")[0].cases[0].native
    assert native["dice"] == 1.0
    assert native["false-positive ml"] == 0.0
    assert found.score("rule-3d", "clean", "Dice") == [1.0]
    assert [run.name for run in found.responses] == ["sum-rec", "sum-denoise"]
    assert found.responses[1].psnr is not None
    assert found.responses[1].psnr[0] == pytest.approx(20.0, abs=0.1)  # σ = 0.1 of the range


def test_the_tables_hold_ours_the_papers_and_the_rule(
    tmp_path: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    for number in range(3):
        write_study(data / f"case{number}", number)
    write_study(data / "healthy", lesion=False)
    found = drain(evaluate_sum_work(data, runs=runs, device="cpu"))
    text = found.text()
    for words in (
        "Table 1.",
        "Table 2.",
        "Gaussian blur, σ = 1",
        "0.884 ± 0.004",
        "0.553 ± 0.100",
        "0.500 ± 0.707",  # one run right, one empty
        "FLAIR > 1.3 × brain median, largest component",
        "SDS",
        "26.8 ± 2.3",
        "false-positive ml",
        "mean of each patient",  # of three: no interval
        "case2: whole volume, largest connected component",
        "Own voxels: whole volume Dice, largest connected component",
        "case2",
        "healthy shows no lesion",
        "U-Net 2",
    ):
        assert words in text, words
    assert "interval" not in text
    assert np.unique(found.groups).size == 3
    assert [len(found.slice_means(name)) for name in found.names] == [3, 3, 3, 3]
    monkeypatch.setattr(sum_evaluation, "FEWEST_PATIENTS", 3)
    assert "95 % interval over patients" in found.text()
    paths = found.save(tmp_path / "out")
    assert [p.name for p in paths] == ["evaluation.md", "evaluation.json"]
    values = json.loads(paths[1].read_text())
    assert values["weights_sha256"].keys() == {"unet-0", "unet-1", "sum-rec-3", "sum-denoise-3"}


def test_the_same_noise_for_every_run_and_the_same_tables_twice(tmp_path: Path, runs: Path) -> None:
    study = write_study(tmp_path / "one")
    first, second = (drain(evaluate_sum_work(study, runs=runs, device="cpu")) for _ in range(2))
    assert first.text() == second.text()
    other = drain(evaluate_sum_work(study, runs=runs, seed=1, device="cpu"))
    assert other.responses[1].psnr != first.responses[1].psnr


def test_slices_of_phantoms_are_grouped_by_phantom(tmp_path: Path, runs: Path) -> None:
    y = np.zeros((6, 64, 64), np.uint8)
    y[:4, 20:30, 20:30] = 2
    x = np.where(y > 0, 200, 85)[:, None].astype(np.uint8)
    slices = PhantomSlices(x, y, np.array([0, 0, 1, 1, 2, 2], np.int32), ("flair",), 1.875, 0)
    slices.save(tmp_path / "slices.npz")
    found = drain(evaluate_sum_work(tmp_path / "slices.npz", runs=runs, device="cpu"))
    assert found.names == ["unet", "sum-rec", "rule-2d"]
    assert found.groups.tolist() == [0, 0, 1, 1]
    assert found.score("unet", "clean", "Dice")[0] == 1.0
    assert "Own voxels" not in found.text()


def test_cancelling_stops_between_two_slices(tmp_path: Path, runs: Path) -> None:
    work = evaluate_sum_work(write_study(tmp_path / "one"), runs=runs, device="cpu")
    steps = [next(work) for _ in range(5)]
    work.close()
    assert all(step.total == steps[0].total for step in steps)
    assert steps[0].message == "one: U-Net, run 0"


def test_the_rule_is_in_the_scans_own_intensities() -> None:
    """1.3 times the median, wherever 0 lies; with a negative median, above the low end."""
    low, median = 40.0, 200.0
    high = low + 3 * (median - low)
    assert low + rule_threshold((low, high)) * (high - low) == pytest.approx(1.3 * median)
    assert rule_threshold((-900.0, -900.0 + 3 * 100)) == pytest.approx(1.3 / 3)
    images = np.zeros((2, 8, 8))
    images[0, 1:3, 1:3] = images[0, 5:8, 5:8] = images[1, 5:8, 5:8] = images[1, 0, 0] = 1
    assert intensity_rule(images, 0.5, volume=True).sum() == 18
    images[1, 5:8, 5:8] = 0
    assert intensity_rule(images, 0.5, volume=False).sum() == 10


def test_what_cannot_be_evaluated_is_said(tmp_path: Path, runs: Path) -> None:
    with pytest.raises(ReadError, match="no such file"):
        case_paths(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ReadError, match="no study lies in this folder"):
        case_paths(tmp_path / "empty")
    unmarked = write_study(tmp_path / "unmarked")
    (unmarked / "x_seg.nii.gz").unlink()
    with pytest.raises(StudyError, match="no mask of the role seg"):
        next(open_cases([unmarked], []))
    with pytest.raises(ModelError, match="no bundles NAME-SEED"):
        next(evaluate_sum_work(write_study(tmp_path / "one"), runs=tmp_path / "empty"))
    healthy = write_study(tmp_path / "healthy", lesion=False)
    with pytest.raises(ReadError, match=r"nothing could be evaluated.*shows no lesion"):
        drain(evaluate_sum_work(healthy, runs=runs, device="cpu"))


def test_the_papers_dice_and_iou_agree_with_each_other() -> None:
    """D = 2 J / (1 + J) holds for micro averages; it guards against misprints and mistypes."""
    for rows in TABLE_2.values():
        for name, (dice, _) in rows["Dice"].items():
            iou = rows["IoU"][name][0]
            assert dice == pytest.approx(2 * iou / (1 + iou), abs=0.008), name
    assert len(RESPONSE_COLUMNS) == 10


def test_tables_are_aligned_and_means_say_how_many() -> None:
    table = text_table(["", "A", "long title"], [["row", "1", "2"], ["another", "10", "-"]])
    assert len({len(line) for line in table.splitlines()}) == 1
    assert table.splitlines()[1].startswith("| ---")
    assert mean_and_deviation([0.5, 0.7]) == "0.600 ± 0.141"
    assert mean_and_deviation([0.5, None]) == "0.500"
    assert mean_and_deviation([None]) == "-"
