"""A 4-D mask beside a 4-D scan with as many frames is a mask a frame, and goes along with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from nifti_writing import tilted, write

import napari_sparseexplain as se
from napari_sparseexplain.layers.study_layers import study_layers
from napari_sparseexplain.volumes.frames import study_at_frame
from napari_sparseexplain.volumes.labels.values import labels_of

FRAMES, SHAPE = 3, (8, 7, 6)
RNG = np.random.default_rng(3)
SCAN = RNG.integers(50, 200, (*SHAPE, FRAMES)).astype(np.int16)


def masks(kind: str) -> np.ndarray:
    """A mask a frame: its place moves by a voxel each time. In file order (x, y, z, t)."""
    found = np.zeros((*SHAPE, FRAMES), np.uint8)
    for frame in range(FRAMES):
        found[2 + frame, 3, 2:4, frame] = 1 if kind != "labels" else frame + 1
    if kind == "floats":
        return found.astype(np.float32)
    return found * 255 if kind == "255" else found


def opened(folder: Path, scan: np.ndarray = SCAN, mask: np.ndarray | None = None) -> se.Study:
    write(folder / "case_flair.nii.gz", scan)
    write(folder / "case_seg.nii.gz", masks("ones") if mask is None else mask)
    return se.open_study(folder)


def codes(study: se.Study) -> set[str]:
    return {f.code for f in study.findings}


@pytest.mark.parametrize("kind", ["ones", "labels", "floats", "255"])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_every_frame_has_its_mask(tmp_path: Path, kind: str, ending: str) -> None:
    given = masks(kind)
    write(tmp_path / f"case_flair{ending}", SCAN)
    write(tmp_path / f"case_seg{ending}", given)
    study = se.open_study(tmp_path)
    assert "mask-of-frames" in codes(study)
    assert not {"one-hot-mask", "not-a-label-map"} & codes(study)
    seg = study.labels["seg"]
    assert seg.leading == study["flair"].leading == ("time",)
    assert seg.data.dtype.kind in "iu"
    whole = np.asarray(seg.data)
    for frame in range(FRAMES):
        moved = study_at_frame(study, frame)
        there = np.asarray(moved["seg"].spatial())
        assert np.array_equal(there, whole[frame])
        assert sorted(there[there > 0]) == sorted(given[..., frame][given[..., frame] > 0])
        # In one voxel with the scan: both were turned alike.
        scan = np.asarray(moved["flair"].spatial())[there > 0]
        assert sorted(scan) == sorted(SCAN[..., frame][given[..., frame] > 0])
    assert labels_of(seg) == tuple(sorted(set(given[given > 0].tolist())))


def test_a_mask_of_another_number_is_one_channel_a_class(tmp_path: Path) -> None:
    study = opened(tmp_path, scan=np.concatenate([SCAN, SCAN], axis=3))
    assert "one-hot-mask" in codes(study)
    assert study.labels["seg"].leading == ()
    alone = se.open_study(tmp_path / "case_seg.nii.gz")
    assert "one-hot-mask" in codes(alone)


def test_a_scan_without_frames_leaves_the_mask_as_it_is(tmp_path: Path) -> None:
    assert "one-hot-mask" in codes(opened(tmp_path, scan=SCAN[..., 0]))


def test_a_mask_that_holds_no_labels_stays_an_image(tmp_path: Path) -> None:
    values = RNG.random((*SHAPE, FRAMES)).astype(np.float32)
    study = opened(tmp_path, mask=values)
    assert "not-a-label-map" in codes(study)
    assert not study.labels


def test_channels_are_no_frames(tmp_path: Path) -> None:
    """A data set of four modalities in one file, and a mask of as many classes."""
    for name, array in (("imagesTr", SCAN), ("labelsTr", masks("ones"))):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "case_001.nii.gz", array)
    study = se.open_study(tmp_path)
    assert "mask-of-frames" not in codes(study)


def test_directions_are_frames_too(tmp_path: Path) -> None:
    (tmp_path / "case_dwi.bval").write_text("0 1000 1000\n")
    (tmp_path / "case_dwi.bvec").write_text("0 1 0\n0 0 1\n0 0 0\n")
    write(tmp_path / "case_dwi.nii.gz", SCAN)
    write(tmp_path / "case_seg.nii.gz", masks("ones"))
    study = se.open_study(tmp_path)
    assert study.labels["seg"].leading == ("direction",)


def test_a_mask_on_a_grid_of_its_own_is_resampled_frame_by_frame(tmp_path: Path) -> None:
    affine = tilted(0.0)
    write(tmp_path / "case_flair.nii.gz", SCAN, affine)
    half = affine @ np.diag([0.5, 0.5, 0.5, 1.0])
    fine = np.repeat(np.repeat(np.repeat(masks("ones"), 2, 0), 2, 1), 2, 2)
    write(tmp_path / "case_seg.nii.gz", fine, half)
    study = se.open_study(tmp_path)
    whole = np.asarray(study.labels["seg"].data)
    assert whole.shape == study["flair"].data.shape
    assert all(whole[frame].any() for frame in range(FRAMES))
    assert not np.array_equal(whole[0], whole[1])


def test_what_is_explained_is_scored_against_the_mask_of_its_frame(tmp_path: Path) -> None:
    study = opened(tmp_path, mask=masks("ones"))
    torch.manual_seed(0)
    net = torch.nn.Conv2d(1, 2, 3, padding=1)
    for frame in range(FRAMES):
        found = se.explain(
            study, net, "vanilla-gradient", roles="flair", target="1@seg", frame=frame
        )
        where = np.argwhere(np.asarray(found["heatmap"].data) != 0)
        there = np.argwhere(np.asarray(study.labels["seg"].data)[frame])
        assert where.size
        assert np.all(np.abs(where.min(axis=0) - there.min(axis=0)) <= 1)
    reading = se.default_reading(study, {"first": found})
    assert reading.review.panels[0].overlays[0].leading == (FRAMES - 1,)
    assert se.compose(reading, se.PictureSize(400, 400)).image.size == (400, 400)


def test_the_mask_has_the_sliders_of_its_scan(tmp_path: Path) -> None:
    layers = {options["name"]: data for data, options, _ in study_layers(opened(tmp_path))}
    shapes = [np.shape(data) for data in layers.values()]
    assert len(set(shapes)) == 1
    assert len(shapes[0]) == 4
