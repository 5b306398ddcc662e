"""Training slices: repeatable, split by phantom, refused clearly when the file is not one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_sparseexplain.errors import ReadError, SparseExplainError
from napari_sparseexplain.progress import drain
from napari_sparseexplain.training.fit.phantom_slices import (
    PhantomSlices,
    render_training_slices,
    write_training_slices,
)

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


def test_one_file_is_written_whole_and_not_over_another(tmp_path: Path) -> None:
    out = tmp_path / "sets" / "slices.npz"
    small = {"geometries": 1, "slices": 2, "size": 32, "spacing_mm": 6.0, "seed": 3}
    made = drain(write_training_slices(out, **small))
    np.testing.assert_array_equal(PhantomSlices.load(out).x, made.x)
    before = out.read_bytes()
    with pytest.raises(SparseExplainError, match="is there already"):
        drain(write_training_slices(out, **small))
    work = write_training_slices(out, overwrite=True, **{**small, "seed": 4})
    next(work)
    work.close()
    assert out.read_bytes() == before
    assert [p.name for p in out.parent.iterdir()] == ["slices.npz"]


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"slices": 2}, "2 slices of 3 phantoms"),
        ({"seed": -1}, "seed -1"),
        ({"roles": ("flair", "pd")}, "the channels flair, pd"),
        ({"roles": ()}, "the channels none"),
    ],
)
def test_impossible_sets_are_refused_before_anything_is_rendered(
    tmp_path: Path, wishes: dict[str, object], said: str
) -> None:
    arguments = {"geometries": 3, "slices": 20, "seed": 0, **wishes}
    with pytest.raises(SparseExplainError, match=said):
        drain(write_training_slices(tmp_path / "slices.npz", **arguments))  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_training_would_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SparseExplainError, match=r"\.npz"):
        drain(write_training_slices(tmp_path / "slices", geometries=1, slices=1, seed=0))
