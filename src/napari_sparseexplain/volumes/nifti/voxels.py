"""The voxels of a NIfTI file: mapped, unpacked into one buffer, or scaled slab by slab."""

from __future__ import annotations

import gzip
import io
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ...errors import ReadError
from ..computed_array import computed_array
from ..opening.declared_size import check_unpacked
from .header import NiftiHeader, check_end, open_stream, read_bytes

#: Bytes converted at a time when voxels need scaling or a change of type.
SLAB_BYTES = 1 << 22

#: Voxels of a part of a file of many tiny volumes: a part each would be millions of parts.
_SMALL_PART = 1 << 14

#: gzip packs at most about 1032 to 1 (RFC 1951), so a header that asks for more is wrong.
_BEST_GZIP_RATIO = 1040

_AGAIN = "Copy or download the file again, or export it again from its source"


@dataclass(frozen=True)
class VoxelPlan:
    """How the stored voxels become values.

    Attributes
    ----------
    file : NiftiHeader
        Where they are.
    stored : numpy dtype
        One component as stored (``uint8`` for RGB), byte order included.
    values : numpy dtype
        What they become, in the machine's byte order.
    components : int
        1, or 3 and 4 for RGB and RGBA.
    """

    file: NiftiHeader
    stored: np.dtype[Any]
    values: np.dtype[Any]
    components: int

    @classmethod
    def of(cls, file: NiftiHeader) -> VoxelPlan:
        """Native type when nothing must be computed, else float32 (float64 stays float64)."""
        if file.is_colour:
            return cls(file, np.dtype("u1"), np.dtype("u1"), len(file.dtype.fields or ()))
        native = file.dtype.newbyteorder("=")
        if native.kind == "c" or file.slope is not None:
            return cls(file, file.dtype, np.dtype(np.float32), 1)
        if native.kind == "f" and native.itemsize > 8:
            return cls(file, file.dtype, np.dtype(np.float64), 1)
        return cls(file, file.dtype, native, 1)

    @property
    def count(self) -> int:
        """Stored components in all."""
        return math.prod(self.file.shape) * self.components

    @property
    def as_stored(self) -> bool:
        """Whether the stored bytes are the values, but for their byte order."""
        return self.stored.newbyteorder("=") == self.values and not self.computed

    @property
    def computed(self) -> bool:
        """Whether a magnitude or a scaling is needed."""
        return self.stored.kind == "c" or (self.file.slope is not None and self.components == 1)

    def convert(self, stored: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Stored voxels as values: ``|slope x + intercept|`` for complex, else without modulus."""
        block: npt.NDArray[Any] = stored
        # What float32 cannot hold becomes infinite, and the reader says so.
        with np.errstate(over="ignore", invalid="ignore"):
            if self.file.slope is not None and self.components == 1:
                wide = np.complex128 if block.dtype.kind == "c" else np.float64
                block = block.astype(wide) * self.file.slope + (self.file.intercept or 0.0)
            if block.dtype.kind == "c":
                block = np.abs(block)
            return block.astype(self.values)

    def shaped(self, flat: Any) -> Any:
        """A flat array as file axes (i, j, k, …), colour last: a view."""
        if self.components == 1:
            return flat.reshape(self.file.shape, order="F")
        block = flat.reshape((self.components, *self.file.shape), order="F")
        return block.transpose([*range(1, block.ndim), 0])


def read_voxels(plan: VoxelPlan) -> Any:
    """The voxels in file axis order, at most one copy in memory.

    Returns
    -------
    ndarray, memmap view or dask array, shape as on file (colour last)
        Not writable. A dask array only for four and more dimensions that must be computed.

    Raises
    ------
    ReadError
        The file ends before its voxels do, or its compression is damaged.
    """
    file, where = plan.file, str(plan.file.voxels)
    needed = plan.count * plan.stored.itemsize
    size = file.voxels.stat().st_size
    room = (size * _BEST_GZIP_RATIO if file.compressed else size) - file.offset
    if needed > room:
        raise _too_short(needed, None if file.compressed else max(room, 0), where)
    if file.compressed:
        check_unpacked(
            needed, size, where, remedy="If it is meant, unpack it with gunzip and open that file"
        )
    try:
        if len(file.shape) > 3 and not (plan.as_stored and plan.stored.isnative):
            return _lazily(plan)
        if plan.as_stored:
            return plan.shaped(_stored(plan))
        return plan.shaped(_computed(plan))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ReadError(
            f"the compressed voxels are damaged or cut short ({error})",
            where=where,
            remedy=_AGAIN,
        ) from error
    except MemoryError as error:
        raise ReadError(
            f"its voxels need {needed / 2**30:.1f} GiB, more than this machine can give",
            where=where,
            remedy="Close other programs, or unpack the file with gunzip so that it can be mapped",
        ) from error
    except ReadError:
        raise
    except OSError as error:
        raise ReadError(
            f"the voxels cannot be read ({error.strerror or error})",
            where=where,
            remedy="Check that the file's disk is there",
        ) from error


def _too_short(needed: int, found: int | None, where: str) -> ReadError:
    have = "far fewer" if found is None else f"{found:,}"
    return ReadError(
        f"the file is cut short: its header announces {needed:,} bytes of voxels, it holds {have}",
        where=where,
        remedy=_AGAIN,
    )


def _stored(plan: VoxelPlan) -> npt.NDArray[Any]:
    """Flat stored voxels: a memory map when they need nothing, else one buffer, native order."""
    file = plan.file
    if not file.compressed and plan.stored.isnative:
        return np.memmap(
            file.voxels, dtype=plan.stored, mode="r", offset=file.offset, shape=(plan.count,)
        )
    buffer = np.empty(plan.count, dtype=plan.stored)
    raw = buffer.view(np.uint8).data
    got = read_bytes(file.voxels, file.offset, raw)
    if got < len(raw):
        raise _too_short(len(raw), got, str(file.voxels))
    if not plan.stored.isnative:
        buffer = buffer.byteswap(inplace=True).view(plan.stored.newbyteorder("="))
    buffer.setflags(write=False)
    return buffer


def _computed(plan: VoxelPlan) -> npt.NDArray[Any]:
    """Flat values, converted while they are read: the stored voxels are never held as a whole."""
    values = np.empty(plan.count, dtype=plan.values)
    file, per_slab = plan.file, max(1, SLAB_BYTES // plan.stored.itemsize)
    slab = np.empty(min(per_slab, plan.count), dtype=plan.stored)
    raw = slab.view(np.uint8).data
    with open_stream(file.voxels) as stream:
        stream.seek(file.offset, io.SEEK_SET)
        for start in range(0, plan.count, per_slab):
            stop = min(start + per_slab, plan.count)
            wanted, done = (stop - start) * plan.stored.itemsize, 0
            while done < wanted:
                got = stream.readinto(raw[done:wanted])
                if not got:
                    have = start * plan.stored.itemsize + done
                    raise _too_short(plan.count * plan.stored.itemsize, have, str(file.voxels))
                done += got
            values[start:stop] = plan.convert(slab[: stop - start])
        check_end(stream)
    values.setflags(write=False)
    return values


def _lazily(plan: VoxelPlan) -> Any:
    """Four and more dimensions that must be computed: volume by volume, when looked at."""
    file = plan.file
    if file.compressed:
        flat = _stored(plan)
    else:
        flat = np.memmap(
            file.voxels, dtype=plan.stored, mode="r", offset=file.offset, shape=(plan.count,)
        )
    stored = plan.shaped(flat)
    chunks = (*file.shape[:3], *_leading_chunks(file.shape))
    if plan.components > 1:
        chunks = (*chunks, plan.components)
    return computed_array(
        stored.shape, plan.values, chunks, lambda index: plan.convert(stored[index])
    )


def _leading_chunks(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Points along the further axes in one part: one, of tiny volumes as many as a slab holds."""
    room = max(1, _SMALL_PART // math.prod(shape[:3]))
    chunks = []
    for length in shape[3:]:
        chunks.append(min(length, room))
        room = max(1, room // length)
    return tuple(chunks)


def _slabs(array: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    """Parts of an array along its slowest axis."""
    slowest = int(np.argmax(np.abs(array.strides)))
    turned = np.moveaxis(array, slowest, 0)
    step = max(1, SLAB_BYTES // max(1, turned[:1].nbytes))
    for start in range(0, turned.shape[0], step):
        yield turned[start : start + step]


def count_not_finite(voxels: Any, *, mapped: bool) -> tuple[int, Literal["all", "first"]]:
    """Number of NaN and infinite voxels, and whether all or only the first volume was looked at.

    A mapped or lazy file of four and more dimensions is not read through for this.
    """
    looked_at: Literal["all", "first"] = "all"
    if voxels.dtype.kind != "f":
        return 0, looked_at
    is_array = isinstance(voxels, np.ndarray)
    if voxels.ndim > 3 and (mapped or not is_array):
        voxels = np.asarray(voxels[(..., *(0 for _ in voxels.shape[3:]))])
        looked_at = "first"
    return sum(int(np.count_nonzero(~np.isfinite(slab))) for slab in _slabs(voxels)), looked_at
