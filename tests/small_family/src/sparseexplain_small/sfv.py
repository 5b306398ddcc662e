"""Volumes in text: a line with the shape and the pixel sizes in mm, then the values.

The order is that of the program: slices to superior, rows to posterior, columns to the left.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_sparseexplain.errors import ReadError
from napari_sparseexplain.volumes.finding import Finding
from napari_sparseexplain.volumes.grid import Grid, orientation_to_display
from napari_sparseexplain.volumes.readers import Reader
from napari_sparseexplain.volumes.roles.roles import read_name, stem_of
from napari_sparseexplain.volumes.volume import Source, Volume

READER = Reader(
    name="sfv",
    title="small family volumes",
    endings=(".sfv",),
    reads="slices, rows and columns as text",
    file="sparseexplain_small.sfv:read_sfv",
)


def read_sfv(path: Path) -> tuple[Volume, list[Finding]]:
    """One volume, and what was noticed."""
    words = path.read_text(encoding="utf-8").split()
    try:
        slices, rows, columns = (int(word) for word in words[:3])
        s, p, q = (float(word) for word in words[3:6])
        values = np.array(words[6:], dtype=np.float32).reshape(slices, rows, columns)
    except ValueError as error:
        raise ReadError(
            "the values are not those of the shape in the first line",
            where=path,
            remedy="Write the file again",
        ) from error
    affine = np.array([[0, 0, -q, 0], [0, -p, 0, 0], [s, 0, 0, 0], [0, 0, 0, 1]], dtype=float)
    grid = Grid((slices, rows, columns), affine)
    source = Source(
        paths=(path,),
        format="sfv",
        shape=grid.shape,
        affine=affine,
        dtype=values.dtype,
        to_display=orientation_to_display(affine),
        description=path.name,
    )
    role = read_name(path.name).role or stem_of(path.name)
    return Volume(data=values, grid=grid, role=role, kind="image", source=source), []
