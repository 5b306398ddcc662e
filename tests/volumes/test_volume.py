"""Volume and Source: what a file said is enough to put a result back the way the file was."""

from __future__ import annotations

import hashlib
from dataclasses import FrozenInstanceError
from pathlib import Path

import nibabel.orientations as nio
import numpy as np
import pytest
from nifti_writing import all_orientations, write

from napari_sparseexplain.volumes import Grid, Source, Volume, read_nifti
from napari_sparseexplain.volumes.grid import orientation_to_display


def made(data: np.ndarray, **more: object) -> Volume:
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    source = Source((), "memory", (4, 3, 2), affine, data.dtype, orientation_to_display(affine))
    return Volume(data, Grid((2, 3, 4), np.eye(4)), "t1", "image", source, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("affine", list(all_orientations()))
def test_restore_undoes_display_order(affine: np.ndarray) -> None:
    array = np.arange(60).reshape(3, 4, 5)
    turn = orientation_to_display(affine)
    source = Source((), "memory", array.shape, affine, array.dtype, turn)
    displayed = nio.apply_orientation(array, turn)
    np.testing.assert_array_equal(source.restore(displayed), array)
    assert np.shares_memory(source.restore(displayed), displayed)


def test_spatial_is_the_first_of_every_leading_axis() -> None:
    data = np.arange(2 * 3 * 24).reshape(2, 3, 2, 3, 4)
    np.testing.assert_array_equal(made(data, leading=("echo", "time")).spatial(), data[0, 0])


def test_spatial_of_a_colour_volume_is_its_luminance() -> None:
    """ITU-R BT.601: 0.299 R + 0.587 G + 0.114 B."""
    data = np.zeros((2, 3, 4, 4), dtype=np.uint8)
    data[..., 0], data[..., 1], data[..., 2], data[..., 3] = 200, 100, 50, 7
    np.testing.assert_allclose(made(data, colour=True).spatial(), 124.2, atol=1e-4)


def test_another_role_shares_the_array() -> None:
    volume = made(np.zeros((2, 3, 4)))
    other = volume.with_role("flair")
    assert other.data is volume.data
    assert (other.role, other.kind, volume.role) == ("flair", "image", "t1")
    assert volume.with_role("seg", "label").kind == "label"


def test_a_volume_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        made(np.zeros((2, 3, 4))).role = "t2"  # type: ignore[misc]


def test_the_checksum_is_that_of_the_files(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii.gz", np.ones((4, 3, 2), dtype="i2"))
    assert read_nifti(path).source.checksum() == hashlib.sha256(path.read_bytes()).hexdigest()
    assert made(np.zeros((2, 3, 4))).source.checksum() == ""
