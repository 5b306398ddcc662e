"""What a NIfTI file says about itself, checked before any voxel is read."""

from __future__ import annotations

import gzip
import io
import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from ...errors import ReadError
from ...files.regular_file import is_regular, regular_size
from ..readers import file_beside, what_is_read

_AGAIN = "Copy or download the file again, or export it again from its source"

#: Bytes unpacked at a time: what a gzip stream holds beside the array that is filled.
CHUNK_BYTES = 1 << 20

#: CIFTI-2 files (NIfTI-2 header, intents 3000-3099) hold grayordinates, not voxels.
_CIFTI_INTENTS = range(3000, 3100)

#: Bytes at the start that tell a format that is often met in place of NIfTI, and what to do.
_OTHER_FORMATS: tuple[tuple[bytes, str, str], ...] = (
    (b"NRRD", "an NRRD file", "Convert it to NIfTI, for instance by saving it from 3D Slicer"),
    (b"MINC", "a MINC file", "Convert it to NIfTI with mnc2nii"),
    (b"\x89HDF", "an HDF5 file (MINC-2 perhaps)", "Convert it to NIfTI, MINC with mnc2nii"),
    (b"ObjectType", "a MetaImage header", "Convert it to NIfTI, for instance in 3D Slicer"),
    (b"\x00\x00\x00\x01", "a FreeSurfer MGH file", "Convert it to NIfTI with mri_convert"),
    (b"PK\x03\x04", "a ZIP archive", "Unpack it first"),
    (b"BZh", "a bzip2 archive", "Unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a zstandard archive", "Unpack it first"),
    (
        b"/annex/objects/",
        "a git-annex pointer, not the file itself",
        "Run git annex get, or datalad get",
    ),
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself", "Run git lfs pull"),
)

_LENGTHS = {0: ("unknown", 1.0), 1: ("metres", 1e3), 2: ("mm", 1.0), 3: ("micrometres", 1e-3)}


@dataclass(frozen=True)
class NiftiHeader:
    """A checked header.

    Attributes
    ----------
    path, voxels : Path
        The file that was named, and the one that holds the voxels (another one for a pair).
    header : nibabel Nifti1Header or Nifti2Header
        As on file, without extensions.
    shape : tuple of int
        At least three lengths; single ones beyond the third are dropped.
    dtype : numpy dtype
        As stored, byte order included; structured for RGB(A).
    slope, intercept : float or None
        None when the values need no scaling.
    offset : int
        Where the voxels start.
    compressed : bool
        Whether the voxels are in a gzip stream.
    """

    path: Path
    voxels: Path
    header: Any
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    slope: float | None
    intercept: float | None
    offset: int
    compressed: bool

    @property
    def paths(self) -> tuple[Path, ...]:
        """The file, or both files of a pair."""
        return (self.path,) if self.path == self.voxels else (self.path, self.voxels)

    @property
    def is_colour(self) -> bool:
        """Whether the voxels are RGB or RGBA."""
        return self.dtype.fields is not None

    @property
    def is_complex(self) -> bool:
        """Whether the voxels are complex numbers."""
        return self.dtype.kind == "c"

    @property
    def length_unit(self) -> str:
        """Unit of the affine on file."""
        return _LENGTHS.get(int(self.header["xyzt_units"]) & 7, ("unknown", 1.0))[0]

    @property
    def millimetres(self) -> float:
        """Factor from the file's unit of length to millimetres; 1 when the unit is not told."""
        return _LENGTHS.get(int(self.header["xyzt_units"]) & 7, ("unknown", 1.0))[1]


def is_gzip(path: Path) -> bool:
    """Whether a file starts as a gzip stream, whatever its name.

    Raises
    ------
    ReadError
        It is no regular file.
    """
    regular_size(path)
    with open(path, "rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def open_stream(path: Path) -> gzip.GzipFile | io.BufferedReader:
    """The file's content, unpacked when it is a gzip stream."""
    return gzip.open(path, "rb") if is_gzip(path) else open(path, "rb")


def looks_like_nifti(path: Path) -> bool:
    """Whether the first bytes are those of a NIfTI-1 or -2 header, packed or not."""
    try:
        with open_stream(path) as stream:
            head = stream.read(352)
    except (ReadError, OSError, EOFError, zlib.error):
        return False
    return _header_class(head) is not None


def looks_like_analyze(path: Path) -> bool:
    """Whether the first bytes are those of a header of ANALYZE 7.5, from which NIfTI came."""
    try:
        with open_stream(path) as stream:
            head = stream.read(352)
    except (ReadError, OSError, EOFError, zlib.error):
        return False
    return len(head) >= 348 and _header_class(head) is None and _is_analyze(head)


def _is_analyze(head: bytes) -> bool:
    """Whether it begins with its own length, as the headers of ANALYZE and NIfTI-1 do."""
    return 348 in (int.from_bytes(head[:4], "little"), int.from_bytes(head[:4], "big"))


def _header_class(head: bytes) -> type[nib.Nifti1Header] | type[nib.Nifti2Header] | None:
    """nibabel's class for the magic that the first bytes carry, None when they carry none."""
    if head[344:348] == b"n+1\0":
        return nib.Nifti1Header
    if head[344:348] == b"ni1\0":
        return nib.Nifti1Pair.header_class
    if head[4:8] == b"n+2\0":
        return nib.Nifti2Header
    if head[4:8] == b"ni2\0":
        return nib.Nifti2Pair.header_class
    return None


def read_nifti_header(path: Path) -> NiftiHeader:
    """Read and check the header of one file.

    Raises
    ------
    ReadError
        Not there, empty, not NIfTI, not a voxel image, or a header that makes no sense.
    """
    where = str(path)
    if regular_size(path) == 0:
        raise ReadError("the file is empty", where=where, remedy=_AGAIN)
    try:
        with open_stream(path) as stream:
            head = stream.read(544)
            kind = _header_class(head)
            if kind is None:
                raise _not_nifti(path, head)
        # Without the extensions: they tell nothing about the voxels, and are often damaged.
        header = kind(head[: kind.template_dtype.itemsize], check=False)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ReadError(
            f"the compressed file is damaged or cut short ({error})", where=where, remedy=_AGAIN
        ) from error
    except ReadError:
        raise
    except OSError as error:
        raise ReadError(
            f"the file cannot be read ({error.strerror or error})",
            where=where,
            remedy="Check that you may read it and that its disk is there",
        ) from error
    except (HeaderDataError, WrapStructError) as error:
        raise ReadError(f"the header is damaged ({error})", where=where, remedy=_AGAIN) from error
    if int(header["intent_code"]) in _CIFTI_INTENTS:
        raise ReadError(
            "this is a CIFTI file of surface and grayordinate data, not a voxel image",
            where=where,
            remedy="Give a voxel image; wb_command -cifti-separate writes the volume part of one",
        )
    voxels = _voxel_file(path, header)
    slope, intercept = _scaling(header, where)
    return NiftiHeader(
        path=path,
        voxels=voxels,
        header=header,
        shape=_shape(header, where),
        dtype=_dtype(header, where),
        slope=slope,
        intercept=intercept,
        offset=_offset(header, where),
        compressed=is_gzip(voxels),
    )


def _not_nifti(path: Path, head: bytes) -> ReadError:
    """The clearest error for a file without the NIfTI magic."""
    for start, name, remedy in _OTHER_FORMATS:
        if head.startswith(start):
            return ReadError(f"this is {name}, not NIfTI", where=str(path), remedy=remedy)
    if path.name.lower().endswith((".img", ".img.gz")):
        return ReadError(
            "this would be the voxels of a pair of files, and its header (.hdr) is not there",
            where=str(path),
            remedy=f"Put both files of the pair into one folder, or give {what_is_read()}",
        )
    if len(head) < 348:
        return ReadError(
            f"the file is too short to be NIfTI ({len(head)} bytes where a header has 348)",
            where=str(path),
            remedy=_AGAIN,
        )
    if _is_analyze(head):
        return ReadError(
            "this is an ANALYZE 7.5 header, which does not tell left from right",
            where=str(path),
            remedy="Convert it to NIfTI with a tool that knows how it was made",
        )
    return ReadError("this is not a NIfTI file", where=str(path), remedy=f"Give {what_is_read()}")


def _voxel_file(path: Path, header: Any) -> Path:
    """The file itself, or the .img that goes with a .hdr."""
    if header.is_single:
        return path
    name = path.name
    base = name[:-3] if name.lower().endswith(".gz") else name
    if not base.lower().endswith(".hdr"):
        raise ReadError(
            "the header says that the voxels are in a second file (.hdr and .img)",
            where=str(path),
            remedy="Name the .hdr file and put its .img beside it",
        )
    voxels = file_beside(path, base[:-4], (".img", ".img.gz"), is_regular)
    if voxels is not None:
        return voxels
    raise ReadError(
        f"the voxels should be in {base[:-4]}.img, which is not there",
        where=str(path),
        remedy="Put both files of the pair into one folder",
    )


def _shape(header: Any, where: str) -> tuple[int, ...]:
    shape = tuple(int(n) for n in header.get_data_shape())
    if not shape or any(n <= 0 for n in shape) or len(shape) > 7:
        raise ReadError(
            f"the header gives the size {shape}, which is no image", where=where, remedy=_AGAIN
        )
    if len(shape) == 1:
        raise ReadError(
            f"the file holds a list of {shape[0]} numbers, not an image",
            where=where,
            remedy=f"Give {what_is_read()}",
        )
    spatial = (*shape, 1)[:3]
    return spatial + tuple(n for n in shape[3:] if n > 1)


def _dtype(header: Any, where: str) -> np.dtype[Any]:
    try:
        dtype = header.get_data_dtype()
    except (HeaderDataError, KeyError) as error:
        raise ReadError(
            f"the header gives a voxel type that is not known (code {int(header['datatype'])})",
            where=where,
            remedy=_AGAIN,
        ) from error
    if dtype.itemsize == 0:
        raise ReadError(
            f"voxels of type code {int(header['datatype'])} cannot be read",
            where=where,
            remedy="Save the image with whole-number or float voxels",
        )
    return dtype


def _scaling(header: Any, where: str) -> tuple[float | None, float | None]:
    """Slope and intercept, or None twice when the stored values are the values."""
    try:
        slope, intercept = header.get_slope_inter()
    except HeaderDataError as error:
        raise ReadError(
            f"the header's scaling is not valid ({error})", where=where, remedy=_AGAIN
        ) from error
    if slope is None or (slope == 1.0 and not intercept):
        return None, None
    return float(slope), float(intercept or 0.0)


def _offset(header: Any, where: str) -> int:
    offset = float(header["vox_offset"])
    if not math.isfinite(offset) or offset < 0 or offset != int(offset):
        raise ReadError(
            f"the header puts the voxels at byte {offset}, which is no place in a file",
            where=where,
            remedy=_AGAIN,
        )
    smallest = int(header.single_vox_offset) if header.is_single else 0
    return max(int(offset), smallest)


def read_bytes(path: Path, offset: int, out: memoryview) -> int:
    """Fill ``out`` with the (unpacked) content from ``offset`` on; returns the bytes read.

    Reading to the end of a gzip stream also checks its checksum.
    """
    done = 0
    with open_stream(path) as stream:
        stream.seek(offset, io.SEEK_SET)
        while done < len(out):
            got = stream.readinto(out[done : done + CHUNK_BYTES])
            if not got:
                break
            done += got
        if done == len(out):
            check_end(stream)
    return done


def check_end(stream: gzip.GzipFile | io.BufferedReader) -> None:
    """Go on to the end of a gzip stream, where its checksum is compared.

    Damage can make it longer than it was, so a little more than nothing is read; not all of it,
    which could be anything.
    """
    left = CHUNK_BYTES
    while left > 0 and (got := stream.read(left)):
        left -= len(got)
