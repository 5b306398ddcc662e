"""A scan in a network's own axes and back: exact in every orientation, on the right voxels."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import nibabel.orientations as nio
import numpy as np
import pytest
import torch

import napari_sparseexplain as se
from napari_sparseexplain.errors import ModelError
from napari_sparseexplain.networks.bundle.card_file import card_from_values, check_card
from napari_sparseexplain.networks.bundle.external_model import wrap_callable
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.running.axis_order import ORIENTATIONS, AxisOrder
from napari_sparseexplain.networks.running.divisible_padding import DivisiblePadding
from napari_sparseexplain.networks.running.preparation import prepare
from napari_sparseexplain.networks.running.volume_input import prepare_volume

SHAPE = (4, 9, 7)
RNG = np.random.default_rng(2)
SCAN = RNG.uniform(0.1, 0.9, SHAPE).astype(np.float32)
SOME = ("SPL", "RAS", "LPS", "LAI", "PIR", "ASR", "IRP")


def card(orientation: str = "", **inputs: Any) -> ModelCard:
    return ModelCard(
        name="n",
        title="N",
        architecture="torch-module",
        arguments={},
        task="segmentation",
        inputs=Inputs(("flair",), "none", 1.0, 9, orientation=orientation, **inputs),
        classes={"1": "lesion"},
        weights_sha256="0" * 64,
    )


def study(scan: np.ndarray = SCAN, spacing: tuple[float, float, float] = (1, 1, 1)) -> se.Study:
    return se.study_of_arrays({"flair": scan}, spacing=spacing)


def test_there_are_forty_eight_orders_and_each_comes_back() -> None:
    assert len(set(ORIENTATIONS)) == 48
    maps = RNG.random((2, *SHAPE))
    for letters in ORIENTATIONS:
        order = AxisOrder(letters)
        np.testing.assert_array_equal(order.to_study(order.to_network(maps)), maps)
        rows, columns = order.plane.to_network(maps).shape[-2:]
        assert order.plane.shape(rows, columns) == SHAPE[1:]
        np.testing.assert_array_equal(order.plane.to_study(order.plane.to_network(maps)), maps)


@pytest.mark.parametrize("letters", ORIENTATIONS)
def test_the_axes_are_those_that_nibabel_gives(letters: str) -> None:
    grid = study().grid
    change = nio.ornt_transform(nio.axcodes2ornt("SPL"), nio.axcodes2ornt(letters))
    wanted = nio.apply_orientation(SCAN, change)
    np.testing.assert_array_equal(AxisOrder(letters).to_network(SCAN), wanted)
    affine = grid.affine @ nio.inv_ornt_aff(change, SHAPE)
    assert "".join(nib.aff2axcodes(affine)) == letters  # type: ignore[attr-defined]


@pytest.mark.parametrize("letters", SOME)
def test_slices_and_volumes_come_back_to_the_very_voxels(letters: str) -> None:
    flat = prepare(study(), card(letters))
    np.testing.assert_array_equal(flat.to_study(flat.array[:, 0]), SCAN)
    np.testing.assert_array_equal(flat.to_network(SCAN), flat.array[:, 0])
    whole = prepare_volume(study(), card(letters, spatial_dims=3))
    np.testing.assert_array_equal(whole.array[0], AxisOrder(letters).to_network(SCAN))
    np.testing.assert_array_equal(whole.to_study(whole.array)[0], SCAN)
    np.testing.assert_array_equal(whole.to_network(SCAN), whole.array[0])
    # A slice of the volume is the slice that a network for slices is fed.
    axis = next(i for i, letter in enumerate(letters) if letter in "SI")
    slices = np.moveaxis(whole.array[0], axis, 0)
    slices = slices[::-1] if letters[axis] == "I" else slices
    np.testing.assert_array_equal(slices, flat.array[:, 0])


@pytest.mark.parametrize("letters", SOME)
def test_a_pixel_is_found_where_its_value_is(letters: str) -> None:
    prepared = prepare(study(), card(letters))
    for row, column in ((0, 0), (8, 6), (2, 5)):
        place = prepared.to_network_index(row, column)
        assert prepared.array[1, 0][place] == SCAN[1, row, column]


@pytest.mark.parametrize("letters", SOME)
def test_a_voxel_keeps_its_three_sizes_in_every_orientation(letters: str) -> None:
    sizes = {"S": 2.0, "I": 2.0, "P": 3.0, "A": 3.0, "L": 0.5, "R": 0.5}
    wanted = tuple(sizes[letter] for letter in letters)
    scans = study(RNG.random((6, 12, 10)).astype(np.float32), (1.0, 1.0, 1.0))
    whole = prepare_volume(scans, card(letters, spatial_dims=3, axes_spacing_mm=wanted))
    assert whole.spacing == pytest.approx(wanted)
    counts = {"S": 3, "I": 3, "P": 4, "A": 4, "L": 20, "R": 20}
    assert whole.array.shape[1:] == tuple(counts[letter] for letter in letters)
    assert whole.to_study(whole.array).shape == (1, 6, 12, 10)
    assert whole.array.mean() == pytest.approx(scans["flair"].data.mean(), abs=0.02)
    flat = prepare(scans, card(letters, axes_spacing_mm=wanted))
    in_plane = tuple(sizes[letter] for letter in letters if letter not in "SI")
    assert flat.spacing == pytest.approx(in_plane)


@pytest.mark.parametrize("letters", SOME)
def test_a_map_of_a_module_is_that_of_the_same_module_in_display_order(letters: str) -> None:
    """A kernel turned with the axes gives the same map on the study, whatever the orientation."""
    kernel = torch.tensor(RNG.normal(size=(1, 1, 3, 3)), dtype=torch.float32)
    plane = AxisOrder(letters).plane
    turned = torch.from_numpy(np.ascontiguousarray(plane.to_network(kernel.numpy())))
    found = []
    for weights, orientation in ((kernel, ""), (turned, letters)):
        module = torch.nn.Conv2d(1, 1, 3, padding=1, bias=False)
        module.weight.data = weights.clone()
        model = wrap_callable(module, card(orientation, multiple=4, padding="symmetric"))
        result = se.explain(study(), model, "vanilla-gradient", target="voxel:1,4,3", slices=1)
        found.append(result["heatmap"].data)
    np.testing.assert_allclose(found[1], found[0], atol=1e-6)
    assert np.abs(found[0]).max() > 0


@pytest.mark.parametrize("where", ["end", "symmetric"])
@pytest.mark.parametrize("shape", [(5, 7), (8, 8), (3, 5, 7)])
def test_padding_comes_off_again(where: Any, shape: tuple[int, ...]) -> None:
    x = torch.rand(2, 3, *shape)
    padded, crop = DivisiblePadding(4, where).pad(x)
    assert all(n % 4 == 0 for n in padded.shape[2:])
    assert torch.equal(padded[(..., *crop)], x)
    before = [c.start for c in crop]
    missing = [-n % 4 for n in shape]
    assert before == [m // 2 if where == "symmetric" else 0 for m in missing]


@pytest.mark.parametrize("where", ["end", "symmetric"])
def test_a_network_that_wants_multiples_is_given_them_by_its_card(where: str) -> None:
    seen: list[tuple[int, ...]] = []

    def network(images: torch.Tensor) -> torch.Tensor:
        seen.append(tuple(images.shape[-2:]))
        return 2 * images

    model = wrap_callable(network, card(multiple=8, padding=where))
    x = torch.rand(1, 1, 9, 7)
    _, logits = model.network(x)
    assert seen == [(16, 8)]
    assert torch.equal(logits, 2 * x)


def test_a_card_says_it_and_one_of_before_does_not() -> None:
    said = card("LPS", axes_spacing_mm=(1.0, 1.0, 3.0), multiple=16, padding="symmetric")
    values = json.loads(json.dumps(said.to_json()))
    assert ModelCard.from_json(values) == card_from_values(values, Path("card.json")) == said
    check_card(said, "card.json")
    before = json.loads(json.dumps(card().to_json()))
    assert not {"orientation", "axes_spacing_mm", "multiple", "padding"} & set(before["inputs"])
    assert card_from_values(before, Path("card.json")) == card()


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"orientation": "RAA"}, "inputs.orientation"),
        ({"orientation": "ras"}, "inputs.orientation"),
        ({"axes_spacing_mm": (1.0, 0.0, 1.0)}, "inputs.axes_spacing_mm"),
        ({"multiple": 0}, "inputs.multiple"),
        ({"padding": "start"}, "inputs.padding"),
    ],
)
def test_what_a_card_cannot_say_is_named(inputs: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        check_card(card(**inputs), "card.json")


def test_a_picture_without_orientation_is_told_what_was_taken() -> None:
    scans = study()
    grid = replace(scans.grid, oriented=False)
    flat = replace(
        scans,
        grid=grid,
        images={role: replace(v, grid=grid) for role, v in scans.images.items()},
    )
    assert any("does not tell its own" in note for note in prepare(flat, card("RAS")).notes)
    assert not any("tell its own" in note for note in prepare(flat, card()).notes)


def test_a_network_for_slices_is_no_network_for_volumes() -> None:
    with pytest.raises(ModelError, match="takes slices"):
        prepare_volume(study(), card("RAS"))
