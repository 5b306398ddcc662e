"""Dask arrays whose blocks are computed when they are looked at, from an array that is not copied.

``dask.array.from_array`` copies a NumPy array that it is given (a memory map too), so the stored
array is handed to it behind an object that is none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt


class _Blocks:
    """The least that dask asks of an array: shape, type, and parts by slices."""

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        part: Callable[[tuple[slice, ...]], npt.NDArray[Any]],
    ) -> None:
        self.shape, self.dtype, self.ndim = shape, dtype, len(shape)
        self._part = part

    def __getitem__(self, index: Any) -> npt.NDArray[Any]:
        # dask hands on what the person asked for: whole numbers, and slices without ends.
        asked = index if isinstance(index, tuple) else (index,)
        asked = (*asked, *(slice(None) for _ in range(self.ndim - len(asked))))
        slices = tuple(
            slice(int(i), int(i) + 1) if not isinstance(i, slice) else slice(*i.indices(n))
            for i, n in zip(asked, self.shape, strict=True)
        )
        block = self._part(slices)
        return block[tuple(slice(None) if isinstance(i, slice) else 0 for i in asked)]


def computed_array(
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    chunks: tuple[int, ...],
    part: Callable[[tuple[slice, ...]], npt.NDArray[Any]],
) -> Any:
    """A dask array of ``shape`` whose block at ``index`` is ``part(index)``.

    Parameters
    ----------
    shape : tuple of int
    dtype : numpy dtype
        Of what ``part`` returns.
    chunks : tuple of int
        Lengths of a block.
    part : callable
        Gets one slice with start and stop for each axis, within a block.

    Returns
    -------
    dask.array.Array
    """
    import dask.array as da

    blocks = _Blocks(shape, dtype, part)
    meta = np.empty((0,) * len(shape), dtype=dtype)
    # name=False: a random name, so that dask does not hash (that is, read) what is behind it.
    return da.from_array(blocks, chunks, name=False, meta=meta)  # type: ignore[arg-type]
