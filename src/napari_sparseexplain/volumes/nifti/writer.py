"""Writing NIfTI back the way the input was: its orientation, affine, units and byte order."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
from nibabel.nifti1 import Nifti1Extension

from ...errors import SparseExplainError
from ..labels.values import smallest_integer
from ..opening.own_output import NIFTI_MARK
from ..volume import Volume

#: Voxels in colour, as NIfTI stores them (nifti1.h, NIFTI_TYPE_RGB24).
RGB_VOXELS = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])

#: NIfTI extension code for a text comment (nifti1.h, NIFTI_ECODE_COMMENT).
_COMMENT = 6

#: Fields of a header that lay voxels out; all others are left empty, or written by this program.
_KEPT_FIELDS = frozenset(
    {
        *("sizeof_hdr", "magic", "eol_check", "dim_info", "dim", "datatype", "bitpix", "pixdim"),
        *("vox_offset", "scl_slope", "scl_inter", "xyzt_units", "qform_code", "sform_code"),
        *("quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z"),
        *("srow_x", "srow_y", "srow_z", "slice_code", "slice_start", "slice_end"),
        *("slice_duration", "toffset", "regular"),
    }
)

#: Bytes of the header's free text, one of which ends it.
_DESCRIPTION_BYTES = 80


def write_nifti(
    path: str | Path,
    array: npt.ArrayLike,
    like: Volume,
    *,
    dtype: npt.DTypeLike | None = None,
    slices: slice | range | None = None,
    description: str = "",
    result: bool = False,
    overwrite: bool = False,
) -> Path:
    """Save an array that lies on ``like``'s grid in the way ``like``'s own file was laid out.

    For a NIfTI source the sform, qform, their codes, voxel sizes, units, header version and byte
    order are those of the input, bit for bit; header extensions are left out, since they tell
    about other voxels and may hold the patient's name. For a DICOM series the true affine is
    written as scanner coordinates; for a picture, which has no orientation, none is claimed. For
    a volume that was resampled to a study's reference, all of this is the reference's.

    The file is written beside its place and then renamed, so a file of that name is whole or
    absent.

    Parameters
    ----------
    path : str or Path
        Ends in ``.nii`` or ``.nii.gz``; its folder must exist.
    array : array-like, shape (*leading, S, P, L)
        In display order. With ``slices``: those slices only. Of `RGB_VOXELS` for colours.
    like : Volume
        Whose grid ``array`` lies on.
    dtype : numpy dtype, optional
        Stored type. Default: whole numbers keep the input's type where ``like`` is a label map
        and they fit, else take the smallest type that holds them; an array that already has the
        input's type keeps it; all else is float32.
    slices : slice or range, optional
        Display slices that ``array`` covers. The others are written as 0, since viewers do not
        take NaN well, and the header says which are meant: as ``{"covered_slices": [first,
        last + 1], "covered_axis": axis on file, "covered_on_file": [first, last + 1]}`` in a
        comment extension, and in the description.
    description : str
        Free text for the header, at most 79 bytes of it.
    result : bool
        Whether a method made the voxels: the header then says so (`own_output`), so that no copy
        of the file is ever taken for a truth.
    overwrite : bool
        Whether a file of that name may be replaced.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    SparseExplainError
        The file is there already, its folder is not, its name has another ending, the array does
        not fit the grid, or its values do not fit ``dtype``.
    """
    path = Path(path)
    _check_place(path, overwrite)
    values, covered = _on_whole_grid(np.asarray(array), like, slices, path)
    stored = _stored_type(values, like, dtype, path)
    values = _cast(values, stored, path)
    on_file = _file_order(values, like)
    image = _image(on_file, stored, like)
    _describe(image, like, description, covered)
    if result:
        image.header["intent_name"] = NIFTI_MARK
    ending = ".nii.gz" if path.name.lower().endswith(".gz") else ".nii"
    beside = path.with_name(f".{path.name}.{os.getpid()}.part{ending}")
    try:
        nib.save(image, beside)
        os.replace(beside, path)
    except OSError as error:
        raise SparseExplainError(
            f"the file could not be written ({error.strerror or error})",
            where=path,
            remedy="Check that the disk has room and that you may write there",
        ) from error
    finally:
        beside.unlink(missing_ok=True)
    return path


def _check_place(path: Path, overwrite: bool) -> None:
    if not path.name.lower().endswith((".nii", ".nii.gz")):
        raise SparseExplainError(
            "only .nii and .nii.gz files are written", where=path, remedy="Give such a name"
        )
    if not path.parent.is_dir():
        raise SparseExplainError(
            "there is no such folder", where=path.parent, remedy="Make it, or choose another"
        )
    if path.exists() and not overwrite:
        raise SparseExplainError(
            "the file is there already and was left as it is",
            where=path,
            remedy="Choose another name, or allow overwriting (--overwrite)",
        )


def _on_whole_grid(
    array: npt.NDArray[Any], like: Volume, slices: slice | range | None, path: Path
) -> tuple[npt.NDArray[Any], tuple[int, int] | None]:
    """The array over all slices, zeros where none were given, and the slices covered."""
    depth, *plane = like.grid.shape
    covered = None
    if slices is not None:
        start, stop, step = (
            slices.indices(depth)
            if isinstance(slices, slice)
            else (slices.start, slices.stop, slices.step)
        )
        if step != 1 or not 0 <= start < stop <= depth:
            raise SparseExplainError(
                f"the slices {start}:{stop}:{step} are no run of slices among the {depth}",
                where=path,
                remedy="Give neighbouring slices within the study",
            )
        covered = (start, stop)
    wanted = (depth if covered is None else covered[1] - covered[0], *plane)
    if array.ndim < 3 or array.shape[-3:] != wanted:
        raise SparseExplainError(
            f"an array of shape {array.shape} does not lie on the grid {wanted} of {like.role!r}",
            where=path,
            remedy="Save it like the volume that it was computed from",
        )
    if covered is None:
        return array, None
    whole = np.zeros((*array.shape[:-3], *like.grid.shape), dtype=array.dtype)
    whole[..., covered[0] : covered[1], :, :] = array
    return whole, covered


def _stored_type(
    array: npt.NDArray[Any], like: Volume, dtype: npt.DTypeLike | None, path: Path
) -> np.dtype[Any]:
    """Type on file, in native byte order."""
    if array.dtype == RGB_VOXELS:
        return RGB_VOXELS
    if array.dtype.kind not in "biuf":
        raise SparseExplainError(
            f"values of type {array.dtype} cannot be saved",
            where=path,
            remedy="Save real numbers (the magnitude of complex ones)",
        )
    if dtype is not None:
        return np.dtype(dtype).newbyteorder("=")
    source = like.source.dtype
    own = source.newbyteorder("=") if source.fields is None else None
    if own is not None and array.dtype.newbyteorder("=") == own:
        return own
    if array.dtype.kind == "f":
        return np.dtype(np.float32)
    low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
    if like.kind == "label" and own is not None and own.kind in "iu":
        limits = np.iinfo(own)
        if limits.min <= low and high <= limits.max:
            return own
    return smallest_integer(low, high)


def _cast(array: npt.NDArray[Any], stored: np.dtype[Any], path: Path) -> npt.NDArray[Any]:
    """The values in the stored type, or an error where they do not fit."""
    if array.dtype == stored:
        return array
    if stored.kind in "iu" and array.size:
        limits = np.iinfo(stored)
        fits = array.dtype.kind != "f" or bool(np.isfinite(array).all())
        if not fits or array.min() < limits.min or array.max() > limits.max:
            raise SparseExplainError(
                f"the values do not fit into {stored}",
                where=path,
                remedy="Save them as float32",
            )
        if array.dtype.kind == "f":
            array = np.rint(array)
    return array.astype(stored)


def _file_order(array: npt.NDArray[Any], like: Volume) -> npt.NDArray[Any]:
    """A view with the source's three axes first, then the leading axes, fastest first."""
    leading = array.ndim - 3
    spatial_first = array.transpose([*range(leading, array.ndim), *range(leading - 1, -1, -1)])
    return like.source.restore(spatial_first)


def _image(array: npt.NDArray[Any], stored: np.dtype[Any], like: Volume) -> Any:
    """nibabel image with the input's header, or one made from the source's affine."""
    source = like.source.laid_out_as or like.source
    if source.format == "nifti" and source.header is not None:
        header = _single_file_header(source.header)
        if int(header["dim"][0]) == 2 and array.ndim == 3 and array.shape[2] == 1:
            array = array[:, :, 0]
        header.extensions.clear()
        header.set_data_dtype(stored)
        image = _class_for(header)(array, None, header)
    else:
        image = nib.Nifti1Image(array, None)
        header = image.header
        header.set_data_dtype(stored)
        header.set_zooms((*_spacing(source.affine), *(1.0 for _ in array.shape[3:])))
        if like.grid.calibrated:
            header.set_xyzt_units("mm")
        if like.grid.oriented:
            header.set_qform(source.affine, code="scanner")
            header.set_sform(source.affine, code="scanner")
    header = image.header
    header.set_slope_inter(1.0, 0.0)
    for field in header:
        # What tells of other voxels, and free text, which can hold a name, is not carried over.
        if field not in _KEPT_FIELDS:
            header[field] = np.zeros_like(header[field])
    return image


def _single_file_header(header: Any) -> Any:
    """The header of a .hdr/.img pair as that of a single file; any other one as a copy."""
    if header.is_single:
        return header.copy()
    kind = nib.Nifti2Header if int(header["sizeof_hdr"]) == 540 else nib.Nifti1Header
    single = kind.from_header(header)
    single["vox_offset"] = 0
    single["magic"] = kind.single_magic
    return single


def _class_for(header: Any) -> Any:
    return nib.Nifti2Image if isinstance(header, nib.Nifti2Header) else nib.Nifti1Image


def _spacing(affine: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    lengths = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    return (float(lengths[0]), float(lengths[1]), float(lengths[2]))


def _describe(image: Any, like: Volume, description: str, covered: tuple[int, int] | None) -> None:
    """Free text and, for part of the slices, which ones hold values."""
    text = description
    if covered is not None:
        start, stop = covered
        axis = int(np.flatnonzero(like.source.to_display[:, 0] == 0)[0])
        flipped = like.source.to_display[axis, 1] < 0
        depth = like.grid.shape[0]
        on_file = [depth - stop, depth - start] if flipped else [start, stop]
        facts = {"covered_slices": [start, stop], "covered_axis": axis, "covered_on_file": on_file}
        comment = json.dumps(facts).encode("ascii")
        image.header.extensions.append(Nifti1Extension(_COMMENT, comment))
        note = f"slices {start}-{stop - 1} of {depth}, counted from 0"
        text = f"{note}; {description}" if description else note
    raw = text.encode("ascii", "replace")[: _DESCRIPTION_BYTES - 1]
    image.header["descrip"] = raw
