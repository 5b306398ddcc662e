"""Preparation: a place in the study stays that place on the network's pixels and back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_sparseexplain.errors import StudyError
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.running.in_plane_resampling import (
    nearest_in_plane,
    resample_in_plane,
    resampling_weights,
)
from napari_sparseexplain.networks.running.preparation import prepare
from napari_sparseexplain.volumes import Grid, Source, Study, Volume

CARD = ModelCard(
    name="small",
    title="Small",
    architecture="sum",
    arguments={},
    task="segmentation",
    inputs=Inputs(("flair",), "brain-range", 1.875, 128),
    classes={"1": "lesion"},
)


def study_of(spacing=(1.0, 1.0, 1.0), calibrated: bool = True, **arrays: np.ndarray) -> Study:
    shape = next(iter(arrays.values())).shape
    grid = Grid(shape, np.diag([*spacing, 1.0]), calibrated=calibrated)
    order = np.array([[0, 1], [1, 1], [2, 1]])
    source = Source((), "memory", shape, grid.affine, np.dtype(float), order)
    images = {role: Volume(a, grid, role, "image", source) for role, a in arrays.items()}
    return Study("test", None, images, {}, grid, next(iter(images)))


def head(shape=(6, 48, 60), seed: int = 0) -> np.ndarray:
    """A stripped brain: an ellipse of varied intensities in a background of 0."""
    rng = np.random.default_rng(seed)
    _, p, c = np.ogrid[: shape[0], : shape[1], : shape[2]]
    inside = ((p / shape[1] - 0.5) / 0.4) ** 2 + ((c / shape[2] - 0.5) / 0.4) ** 2 < 1
    return np.where(inside, rng.uniform(80, 160, shape), 0).astype(np.float32)


@pytest.mark.parametrize(("source", "target"), [(7, 7), (240, 128), (17, 9), (9, 17), (5, 1)])
def test_resampling_weights_keep_constants_and_place(source: int, target: int) -> None:
    """Rows sum to 1, and places are kept to a fiftieth of a pixel (but at the ends)."""
    weights = resampling_weights(source, target)
    assert np.allclose(weights.sum(axis=1), 1, atol=1e-6)
    place = (np.arange(source) + 0.5) / source
    wanted = (np.arange(target) + 0.5) / target
    inner = slice(1, -1) if target > source else slice(None)
    assert np.abs((weights @ place - wanted)[inner]).max() < 0.02 / target


def test_shrinking_keeps_the_mean_and_does_not_alias() -> None:
    image = np.random.default_rng(0).random((3, 60, 90)).astype(np.float32)
    small = resample_in_plane(image, (20, 33))
    assert small.mean() == pytest.approx(image.mean(), abs=1e-5)
    stripes = np.tile([0.0, 1.0], 64)[None].repeat(128, 0)
    assert np.allclose(resample_in_plane(stripes, (64, 64)), 0.5, atol=1e-6)


def test_shrinking_by_two_agrees_with_block_means() -> None:
    image = np.random.default_rng(0).random((8, 12)).astype(np.float32)
    blocks = image.reshape(4, 2, 6, 2).mean(axis=(1, 3))
    assert np.allclose(resample_in_plane(image, (4, 6)), blocks, atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "spacing"),
    [
        ((3, 240, 240), (1.0, 1.0, 1.0)),
        ((3, 101, 77), (5.5, 0.9, 0.9)),
        ((2, 61, 133), (3.0, 1.7, 0.6)),
        ((3, 64, 51), (2.0, 2.5, 3.1)),
    ],
)
def test_a_marked_voxel_comes_back_to_its_place(shape, spacing) -> None:
    """Odd sizes, unequal spacing: centre of mass of a blob to a tenth of a network pixel."""
    study = study_of(spacing, flair=head(shape))
    prepared = prepare(study, CARD)
    blob = np.zeros(shape, np.float32)
    row, column = shape[1] // 3, shape[2] // 2
    blob[1, row - 3 : row + 4, column - 3 : column + 4] = 1
    there = prepared.to_network(blob)
    back = prepared.to_study(there)

    def centre(image: np.ndarray) -> np.ndarray:
        index = np.indices(image.shape)
        return np.array([(i * image).sum() / image.sum() for i in index])

    mm = (centre(back[1]) - (row, column)) * np.array(spacing[1:])
    assert np.abs(mm).max() < 0.1 * 1.875
    assert back[0].max() == 0
    on_network = (centre(there[1]) + 0.5) * np.array(prepared.spacing)
    assert np.allclose(on_network, (np.array([row, column]) + 0.5) * spacing[1:], atol=0.05)
    assert np.abs(prepared.to_network_index(row, column) - centre(there[1])).max() <= 1


def test_the_network_sees_its_own_pixel_size_over_the_same_extent() -> None:
    prepared = prepare(study_of(flair=head((2, 240, 240))), CARD)
    assert prepared.array.shape == (2, 1, 128, 128)
    assert prepared.spacing == (1.875, 1.875)
    odd = prepare(study_of((5.0, 0.9, 0.7), flair=head((2, 131, 97))), CARD)
    assert odd.spacing == pytest.approx((1.875, 1.875), rel=0.02)
    assert odd.array.shape[2] * odd.spacing[0] == pytest.approx(131 * 0.9)


def test_native_resolution_is_the_normalised_scan_itself() -> None:
    scan = head()
    prepared = prepare(study_of(flair=scan), CARD, resolution="native")
    low, high = prepared.ranges["flair"]
    wanted = np.clip((scan - low) / (high - low), 0, 1) * (scan > 0)
    assert np.abs(prepared.array[:, 0] - wanted).max() < 1e-6


def test_the_median_of_the_brain_is_at_one_third() -> None:
    scan = head()
    array = prepare(study_of(flair=scan), CARD, resolution="native").array[:, 0]
    assert np.median(array[scan > 0]) == pytest.approx(1 / 3, abs=1e-3)


def test_a_slice_is_prepared_alone_as_among_the_others() -> None:
    study = study_of(flair=head())
    whole = prepare(study, CARD)
    alone = prepare(study, CARD, slice(2, 4))
    assert (alone.array == whole.array[2:4]).all()
    assert alone.ranges == whole.ranges


def test_intensities_may_be_negative_and_scaled_at_will() -> None:
    scan = head()
    inside = scan > 0
    shifted = np.where(inside, 3 * scan - 400, -1000)
    first = prepare(study_of(flair=scan), CARD).array
    assert np.allclose(first, prepare(study_of(flair=shifted), CARD).array, atol=1e-5)


def test_nan_and_infinite_voxels_become_0_and_are_counted() -> None:
    scan = head()
    scan[2, 20, 30] = np.nan
    scan[3, 21, 30] = np.inf
    prepared = prepare(study_of(flair=scan), CARD, resolution="native")
    assert np.isfinite(prepared.array).all()
    assert prepared.array[2, 0, 20, 30] == 0
    assert any("2 NaN or infinite" in note for note in prepared.notes)


def test_channels_come_in_the_order_of_the_card() -> None:
    card = replace(CARD, inputs=replace(CARD.inputs, roles=("t2", "flair")))
    study = study_of(flair=head(seed=1), t2=head(seed=2))
    both = prepare(study, card).array
    assert (both[:, 1:] == prepare(study, CARD).array).all()


def test_a_missing_role_is_named_with_those_there_are() -> None:
    card = replace(CARD, inputs=replace(CARD.inputs, roles=("t1", "t1ce", "t2", "flair")))
    with pytest.raises(StudyError, match=r"lacks t1, t1ce, t2 \(it has flair\)"):
        prepare(study_of(flair=head()), card)


def test_a_picture_does_not_do_for_a_model_of_volumes() -> None:
    card = replace(CARD, inputs=replace(CARD.inputs, spatial_dims=3))
    with pytest.raises(StudyError, match="one picture"):
        prepare(study_of(flair=head((1, 48, 60))), card)


def test_an_uncalibrated_picture_is_scaled_to_the_trained_size_and_that_is_said() -> None:
    study = study_of(flair=head((1, 300, 451)), calibrated=False)
    prepared = prepare(study, CARD)
    assert prepared.array.shape == (1, 1, 85, 128)
    assert any("no pixel size" in note for note in prepared.notes)
    assert prepared.to_study(prepared.array).shape == (1, 1, 300, 451)


@pytest.mark.parametrize("value", [0, 7])
def test_a_constant_scan_is_refused(value: int) -> None:
    with pytest.raises(StudyError, match="no brain was found"):
        prepare(study_of(flair=np.full((4, 20, 20), value, np.int16)), CARD)


@pytest.mark.parametrize(
    ("spacing", "word"), [((1.0, 1.0, 5.0), "sagittally"), ((0.8, 6.0, 0.8), "coronally")]
)
def test_thick_slices_in_another_plane_are_said(spacing, word: str) -> None:
    notes = prepare(study_of(spacing, flair=head()), CARD).notes
    assert any(word in note for note in notes)
    notes = prepare(study_of((5.0, 1.0, 1.0), flair=head()), CARD).notes
    assert not any("acquired" in note for note in notes)


def test_a_model_of_unit_intensities_takes_those_only() -> None:
    card = replace(CARD, inputs=replace(CARD.inputs, normalisation="unit", mask="none"))
    image = np.random.default_rng(0).random((1, 128, 128)).astype(np.float32)
    study = study_of((1.0, 1.875, 1.875), flair=image)
    assert np.abs(prepare(study, card).array[:, 0] - image).max() < 1e-6
    with pytest.raises(StudyError, match="from 0 to 1"):
        prepare(study_of(flair=255 * image), card)
    with pytest.raises(StudyError, match="constant"):
        prepare(study_of(flair=np.zeros((1, 8, 8))), card)


@pytest.mark.parametrize("shape", [(20, 33), (7, 9), (3, 50)])
def test_nearest_pixels_hold_the_centre_and_are_no_new_values(shape: tuple[int, int]) -> None:
    image = np.arange(7 * 9).reshape(1, 7, 9)
    found = nearest_in_plane(image, shape)
    assert found.dtype == image.dtype
    for row in range(shape[0]):
        for column in range(shape[1]):
            place = int((row + 0.5) * 7 / shape[0]), int((column + 0.5) * 9 / shape[1])
            assert found[0, row, column] == image[0, *place]
