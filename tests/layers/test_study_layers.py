"""Layers, letters, colours and files, without a window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from napari.layers import Layer

from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.layers.cells.cell_layout import grid_shape, row_shape
from napari_sparseexplain.layers.cells.grid_view import round_length
from napari_sparseexplain.layers.colormaps import signed_colormap
from napari_sparseexplain.layers.io.napari_reader import get_reader
from napari_sparseexplain.layers.io.napari_writer import write_layer
from napari_sparseexplain.layers.study_layers import (
    METADATA_KEY,
    ordered_roles,
    role_title,
    study_layers,
)
from napari_sparseexplain.volumes import Grid, Study
from napari_sparseexplain.volumes.edge_letters import direction_letters, edge_letters
from napari_sparseexplain.volumes.opening.open_study import open_study

LAS = np.array([[-1.5, 0, 0, 10], [0, 1.5, 0, -20], [0, 0, 3.0, -30], [0, 0, 0, 1]])


def write(path: Path, array: np.ndarray, affine: np.ndarray = LAS) -> Path:
    nib.save(nib.Nifti1Image(array, affine), path)
    return path


@pytest.fixture
def study(tmp_path: Path) -> Study:
    rng = np.random.default_rng(0)
    scan = np.zeros((20, 24, 10), dtype=np.int16)
    scan[4:-4, 4:-4, 2:-2] = rng.integers(80, 120, (12, 16, 6))
    mask = np.zeros(scan.shape, dtype=np.uint8)
    mask[6:9, 6:9, 4] = 4
    write(tmp_path / "s_flair.nii.gz", scan)
    write(tmp_path / "s_t1.nii.gz", scan)
    write(tmp_path / "s_seg.nii.gz", mask)
    return open_study(tmp_path)


def made(study: Study) -> dict[str, Layer]:
    layers = [Layer.create(*item) for item in study_layers(study)]
    return {layer.metadata[METADATA_KEY].role: layer for layer in layers}


def test_layers_share_the_array_and_carry_the_spacing(study: Study) -> None:
    layers = made(study)
    assert list(layers) == ["t1", "flair", "seg"] == ordered_roles(study)
    for role, layer in layers.items():
        assert np.shares_memory(np.asarray(layer.data), np.asarray(study[role].data))
        assert tuple(layer.scale) == (3.0, 1.5, 1.5)
        assert {str(unit) for unit in layer.units} == {"millimeter"}
    assert layers["flair"].visible
    assert not layers["t1"].visible


def test_limits_leave_the_air_out(study: Study) -> None:
    """Grey values open on the brain (80 to 120 here), not on the air around it."""
    low, high = made(study)["flair"].contrast_limits
    assert 50 < low < 90
    assert 110 < high <= 120


def test_label_colours_are_those_documented(study: Study) -> None:
    layer: Any = made(study)["seg"]
    yellow = layer.colormap.map(np.array([4]))[0]
    assert yellow[:2].min() > 0.8
    assert yellow[2] < 0.5
    assert layer.colormap.map(np.array([0]))[0][3] == 0


@pytest.mark.parametrize(
    ("direction", "letters"),
    [
        ((1, 0, 0), "R"),
        ((-1, 0, 0), "L"),
        ((0, 1, 0), "A"),
        ((0, 0, -1), "I"),
        ((0, 1, 0.2), "A"),
        ((-1, 1.1, 0), "AL"),
    ],
)
def test_direction_letters(direction: tuple[float, ...], letters: str) -> None:
    """RAS+ millimetres: x grows to the right of the patient, y to the front, z upwards."""
    assert direction_letters(direction) == letters


def test_letters_come_from_the_affine_not_from_habit() -> None:
    """The same axes with a left-right mirrored affine give mirrored letters."""
    radiological = np.diag([1.0, 1.0, 1.0, 1.0])
    radiological[:3, :3] = [[0, 0, -1], [0, -1, 0], [1, 0, 0]]  # S, P, L
    grid = Grid((4, 4, 4), radiological)
    assert edge_letters(grid, (1, 2)) == {"left": "R", "right": "L", "top": "A", "bottom": "P"}
    mirrored = radiological.copy()
    mirrored[0, 2] = 1
    letters = edge_letters(Grid((4, 4, 4), mirrored), (1, 2))
    assert (letters["left"], letters["right"]) == ("L", "R")
    assert edge_letters(Grid((4, 4, 4), radiological, oriented=False), (1, 2)) == {}


def test_rows_that_mean_something_are_only_broken_into_equal_parts() -> None:
    assert row_shape(12, 6, (730, 550), (180, 150)) == (4, 3)  # a high canvas: larger in two rows
    assert row_shape(12, 6, (400, 1500), (180, 150)) == (2, 6)
    assert row_shape(10, 5, (730, 550), (180, 150)) in {(2, 5), (10, 1)}
    assert row_shape(5, 5, (730, 550), (180, 150)) == grid_shape(5, (730, 550), (180, 150))
    rows, columns = row_shape(24, 6, (730, 550), (180, 150))
    assert 6 % columns == 0
    assert rows * columns == 24


def test_grid_shape_shows_pictures_largest() -> None:
    assert grid_shape(5, (200, 1500), (240, 240)) == (1, 5)
    assert grid_shape(5, (500, 560), (240, 240)) == (2, 3)
    assert grid_shape(1, (500, 560), (240, 240)) == (1, 1)
    # Nearly as large in one row: one row is easier to compare.
    assert grid_shape(2, (300, 310), (100, 100)) in {(1, 2), (2, 1)}


def test_scale_bars_are_round() -> None:
    assert [round_length(v) for v in (60, 50, 49, 10.5, 0.9)] == [50, 50, 20, 10, 0.5]


def test_signed_colours_are_dark_at_zero() -> None:
    low, middle, high = signed_colormap().map(np.array([0.0, 0.5, 1.0]))
    np.testing.assert_allclose(middle[:3], 0, atol=1e-6)
    assert low[2] > low[0]
    assert high[0] > high[2]


def test_role_titles_keep_their_number() -> None:
    assert role_title("t1ce") == "T1ce"
    assert role_title("seg (2)") == "Mask (2)"
    assert role_title("my scan") == "my scan"


def test_a_saved_mask_lies_where_the_file_lay(study: Study, tmp_path: Path) -> None:
    """A mask painted in the viewer (no metadata) or a study's own: LAS again, same affine."""
    layer = made(study)["seg"]
    data, attributes, _ = layer.as_layer_data_tuple()
    (path,) = write_layer(str(tmp_path / "out.nii.gz"), data, attributes)
    saved = nib.load(path)
    original = nib.load(tmp_path / "s_seg.nii.gz")
    np.testing.assert_allclose(saved.affine, original.affine)
    np.testing.assert_array_equal(np.asarray(saved.dataobj), np.asarray(original.dataobj))


def test_a_layer_from_nowhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SparseExplainError, match="drawn"):
        write_layer(str(tmp_path / "x.nii.gz"), np.zeros((3, 4, 5)), {"name": "drawn"})


def test_reader_takes_what_may_be_a_study(tmp_path: Path, study: Study) -> None:
    assert get_reader(str(tmp_path / "s_flair.nii.gz")) is not None
    assert get_reader(str(tmp_path)) is not None
    text = tmp_path / "notes.txt"
    text.write_text("nothing")
    assert get_reader(str(text)) is None
    bare = tmp_path / "IM0001"
    bare.write_bytes(b"\0" * 128 + b"DICM")
    assert get_reader(str(bare)) is not None
    reader = get_reader(str(tmp_path / "s_flair.nii.gz"))
    assert reader is not None
    (layer,) = reader(str(tmp_path / "s_flair.nii.gz"))
    assert layer[2] == "image"
