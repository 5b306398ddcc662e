"""Training slices: repeatable, split by phantom, refused clearly when the file is not one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_sparseexplain.errors import ReadError
from napari_sparseexplain.progress import drain
from napari_sparseexplain.training.phantom_slices import PhantomSlices, render_training_slices

SMALL = {"geometries": 3, "slices": 20, "size": 48, "spacing_mm": 5.0}


@pytest.fixture(scope="module")
def slices() -> PhantomSlices:
    return drain(render_training_slices(seed=11, roles=("flair", "t1ce"), **SMALL))


def test_arrays_are_what_training_takes(slices: PhantomSlices) -> None:
    assert slices.x.shape == (20, 2, 48, 48)
    assert slices.y.shape == (20, 48, 48)
    assert slices.x.dtype == slices.y.dtype == np.uint8
    assert set(np.unique(slices.y)) <= {0, 1, 2, 4}
    assert np.all(slices.x.any(axis=(1, 2, 3)))
    np.testing.assert_array_equal(np.unique(slices.geometry), [0, 1, 2])


def test_same_seed_same_slices(slices: PhantomSlices) -> None:
    again = drain(render_training_slices(seed=11, roles=("flair", "t1ce"), **SMALL))
    np.testing.assert_array_equal(again.x, slices.x)
    np.testing.assert_array_equal(again.y, slices.y)
    other = drain(render_training_slices(seed=12, roles=("flair", "t1ce"), **SMALL))
    assert not np.array_equal(other.x, slices.x)


def test_split_keeps_a_phantom_on_one_side(slices: PhantomSlices) -> None:
    train, held = slices.split(0.34)
    assert len(train) + len(held) == len(slices)
    assert not set(train.geometry) & set(held.geometry)
    assert len(held) > 0


def test_saved_slices_come_back(slices: PhantomSlices, tmp_path: Path) -> None:
    path = tmp_path / "sets" / "slices.npz"
    slices.save(path)
    loaded = PhantomSlices.load(path)
    np.testing.assert_array_equal(loaded.x, slices.x)
    np.testing.assert_array_equal(loaded.y, slices.y)
    assert (loaded.roles, loaded.spacing_mm, loaded.seed) == (("flair", "t1ce"), 5.0, 11)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="cannot be read"):
        PhantomSlices.load(tmp_path / "absent.npz")
    (tmp_path / "text.npz").write_text("not an archive")
    with pytest.raises(ReadError, match="cannot be read"):
        PhantomSlices.load(tmp_path / "text.npz")
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    with pytest.raises(ReadError, match="lacks geometry"):
        PhantomSlices.load(tmp_path / "other.npz")
