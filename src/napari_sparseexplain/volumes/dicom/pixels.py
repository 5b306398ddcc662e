"""Pixels of frames: decoded one by one, scaled, and put into one array made beforehand.

Decoding is pydicom's, with pylibjpeg, pyjpegls and pillow; lossless and 12-bit JPEG need a decoder
that comes as an extra. Values leave as the modality
defines them: rescale or modality table applied (PS3.3 C.11.1), palettes looked up, luminance-
chrominance turned into RGB. MONOCHROME1 is left as stored: it only says how to display.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.encaps import parse_fragments
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.decoders.gdcm import DECODER_DEPENDENCIES as GDCM_SYNTAXES
from pydicom.pixels.processing import apply_modality_lut
from pydicom.pixels.utils import iter_pixels
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
)

from ...errors import ReadError, reason_of
from ..finding import Finding
from .files import read_header, read_whole, transfer_syntax
from .frames import Frame
from .palette import palette_colours
from .values import first_item, integer, text, value

#: Uncompressed transfer syntaxes whose frames can be read one at a time from the file.
_STREAMED = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)

#: Extras of this package that decode what it cannot by itself; any one of them suffices.
_EXTRAS = {
    JPEGLossless: ("jpeg", "jpeg-gpl"),
    JPEGLosslessSV1: ("jpeg", "jpeg-gpl"),
    JPEGExtended12Bit: ("jpeg-gpl",),
}

#: Decoders in the order in which they are taken. GDCM is the last, since it writes of a damaged
#: stream to the terminal, past Python.
_DECODERS = ("pylibjpeg", "pyjpegls", "pillow", "gdcm")

#: A larger whole number is no offset of grey values; it is added as a float.
_LARGEST_OFFSET = 2**31

#: What decoders say when there are fewer bytes than the header announces.
_SIGNS_OF_TRUNCATION = ("less than", "fewer", "cannot reshape array", "ended prematurely")


def read_pixels(
    frames: npt.NDArray[Any], where: str
) -> tuple[npt.NDArray[Any], bool, np.dtype[Any], tuple[Finding, ...]]:
    """All pixels of a stack.

    Parameters
    ----------
    frames : ndarray of Frame, shape (\\*leading, slices)
    where : str
        The series, for messages.

    Returns
    -------
    array : ndarray, shape (\\*leading, slices, rows, columns) or (…, 3) in colour
        The stored type when nothing is to be scaled, the smallest sufficient integer type when
        only a whole number is added (CT), else float32.
    colour : bool
    stored : dtype
        The type on file.
    findings : tuple of Finding
        What the decoder remarked, each remark once.

    Raises
    ------
    ReadError
        There are no pixels, fewer than there should be, or they cannot be decoded.
    """
    by_file: dict[Path, dict[int, list[tuple[tuple[int, ...], Frame]]]] = {}
    for index, frame in np.ndenumerate(frames):
        by_number = by_file.setdefault(frame.path, {})
        by_number.setdefault(frame.number, []).append((index, frame))
    target: npt.NDArray[Any] | None = None
    colour, stored = False, np.dtype(np.uint8)
    remarks: dict[str, Path] = {}
    with warnings.catch_warnings(record=True) as heard:
        for path, wanted in by_file.items():
            numbers = sorted(wanted)
            header, source = _source(path, len(numbers))
            warnings.simplefilter("always")
            planes = _decoded(path, header, source, numbers)
            for number, decoded in zip(numbers, planes, strict=True):
                plane, is_colour = _displayable(decoded, header, path)
                if target is None:
                    colour, stored = is_colour, plane.dtype
                    target = _empty(frames, plane, header, colour)
                for index, frame in wanted[number]:
                    target = _fill(target, index, _cut(plane, frame, path), header, frame)
            for warning in heard:
                remarks.setdefault(str(warning.message).split("\n")[0], path)
            heard.clear()
    if target is None:
        raise ReadError("the series holds no image", where=where, remedy="Choose another series")
    said = tuple(
        Finding("info", "pixel-remark", f"the pixel decoder remarked: {what}", str(path))
        for what, path in remarks.items()
    )
    return target, colour, stored, said


def _source(path: Path, count: int) -> tuple[Dataset, Path | Dataset]:
    """The file's header, and what to decode ``count`` frames from.

    Of a large uncompressed file the frames are read one at a time from the path; else the parsed
    data set is the surer way, since pydicom's way to single frames of a path knows no deflated
    files and no header that is encoded otherwise than it says.
    """
    if count > 1:
        header = read_header(path)
        if transfer_syntax(header) in _STREAMED:
            return header, path
    whole = read_whole(path)
    return whole, whole


def _decoded(
    path: Path, header: Dataset, source: Path | Dataset, numbers: Sequence[int]
) -> Iterator[npt.NDArray[Any]]:
    """Planes of the asked frames, one at a time."""
    produced = 0
    plugins = _decoders(transfer_syntax(header), source)
    for place, plugin in enumerate(plugins):
        try:
            if _bits_run_on(header):
                planes = _all_planes(read_whole(path))[list(numbers)]
            else:
                left = list(numbers[produced:])
                planes = iter_pixels(source, indices=left, decoding_plugin=plugin)
            for plane in planes:
                produced += 1
                yield plane
            break
        except BaseException as error:  # decoders raise whatever the damaged stream provokes
            # A decoder written in Rust panics with an exception that is no Exception.
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            if place + 1 < len(plugins):
                continue
            raise _pixel_error(path, header, error) from error
    if produced < len(numbers):
        raise ReadError(
            f"the file announces {max(numbers) + 1} frames but holds only {produced}",
            where=path,
            remedy="Fetch the file again from its archive",
        )


def _bits_run_on(header: Dataset) -> bool:
    """Whether frames of single bits begin within a byte (PS3.5 8.1.1): masks of odd sizes.

    pydicom decodes such an object as a whole but not frame by frame.
    """
    if integer(header, "BitsAllocated") != 1:
        return False
    return (integer(header, "Rows") or 0) * (integer(header, "Columns") or 0) % 8 != 0


def _all_planes(whole: Dataset) -> npt.NDArray[Any]:
    """Every frame of an object, shape (frames, rows, columns)."""
    pixels = whole.pixel_array
    return pixels[np.newaxis] if pixels.ndim == 2 else pixels


def _decoders(syntax: str, source: Path | Dataset) -> tuple[str, ...]:
    """pydicom's names of the decoders to try where GDCM is among them, else empty: its own order.

    A second one is asked only where frames lie in several fragments, which decoders put together
    in different ways: a stream that is damaged is damaged for all of them.
    """
    if syntax not in GDCM_SYNTAXES:
        return ("",)
    there = get_decoder(UID(syntax)).available_plugins
    if "gdcm" not in there:
        return ("",)
    able = tuple(name for name in _DECODERS if name in there)
    return able if _in_fragments(source) else able[:1]


def _in_fragments(source: Path | Dataset) -> bool:
    """Whether an object has more fragments of packed pixels than frames."""
    if isinstance(source, Path):
        return False
    pixels = value(source, "PixelData")
    if not isinstance(pixels, bytes):
        return False
    try:
        count, _ = parse_fragments(pixels)
    except Exception:  # pydicom raises whatever the damaged items provoke; the decoder says more
        return False
    # The first item is the table of offsets, which pydicom counts with the fragments.
    return count - 1 > (integer(source, "NumberOfFrames") or 1)


def _pixel_error(path: Path, header: Dataset, error: BaseException) -> ReadError:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # Where several plugins failed, the first line says only that; the second is the reason.
    message = lines[1] if len(lines) > 1 else (lines[0] if lines else type(error).__name__)
    if (isinstance(error, AttributeError) and "Pixel Data" in message) or "one of" in message:
        return ReadError(
            "the file describes an image but holds no pixel data",
            where=path,
            remedy="Fetch the file again from its archive",
        )
    if any(sign in message for sign in _SIGNS_OF_TRUNCATION) or isinstance(error, EOFError):
        return ReadError(
            f"the pixel data is truncated ({message.split(' - ')[0]})",
            where=path,
            remedy="Fetch the file again from its archive",
        )
    if missing := _missing_decoder(path, header):
        return missing
    if isinstance(error, Exception) and type(error) is not RuntimeError:
        message = reason_of(error)
    syntax = text(header.file_meta, "TransferSyntaxUID")
    name = getattr(header.file_meta.get("TransferSyntaxUID"), "name", syntax) or "not named"
    return ReadError(
        f"the pixels could not be decoded (transfer syntax {name}: {message})",
        where=path,
        remedy="Export the image again uncompressed (Explicit VR Little Endian)",
    )


def _missing_decoder(path: Path, header: Dataset) -> ReadError | None:
    """What to install, where no decoder is there for the file's transfer syntax."""
    syntax = header.file_meta.get("TransferSyntaxUID")
    extras = _EXTRAS.get(syntax, ())
    if not extras:
        return None
    there = get_decoder(syntax).available_plugins
    if syntax == JPEGExtended12Bit:
        # Other decoders announce this syntax too, but know only its 8-bit images.
        able = "pylibjpeg" in there or (integer(header, "BitsStored") or 8) <= 8
    else:
        able = bool(there)
    if able:
        return None
    ways = " or ".join(f"pip install 'napari-sparseexplain[{extra}]'" for extra in extras)
    return ReadError(
        f"the pixels are compressed as {syntax.name}, for which no decoder is installed",
        where=path,
        remedy=f"Install one ({ways}), or export the image again uncompressed",
    )


def _looked_up(
    table: Callable[[npt.NDArray[Any], Dataset], npt.NDArray[Any]],
    plane: npt.NDArray[Any],
    header: Dataset,
    path: Path,
    name: str,
) -> npt.NDArray[Any]:
    """A plane through one of the header's tables."""
    try:
        return table(plane, header)
    except Exception as error:  # pydicom raises whatever a damaged table provokes
        raise ReadError(
            f"the {name} is damaged ({reason_of(error)})",
            where=path,
            remedy="Export the image again from its source",
        ) from error


def _displayable(
    plane: npt.NDArray[Any], header: Dataset, path: Path
) -> tuple[npt.NDArray[Any], bool]:
    """The plane with palettes looked up, colours as 8-bit RGB, and whether it is in colour."""
    photometric = text(header, "PhotometricInterpretation")
    if photometric == "PALETTE COLOR":
        plane = _looked_up(palette_colours, plane, header, path, "colour palette")
    colour = plane.ndim == 3 and plane.shape[-1] in (3, 4)
    if colour and plane.dtype.itemsize > 1:
        bits = integer(header, "BitsStored") or plane.dtype.itemsize * 8
        plane = (plane >> max(bits - 8, 0)).astype(np.uint8)
    if plane.ndim != (3 if colour else 2):
        raise ReadError(
            f"the image has {plane.shape[-1]} samples per pixel, which is neither grey nor colour",
            where=path,
            remedy="Export the image as grey or RGB",
        )
    return plane[..., :3] if colour else plane, colour


def _empty(
    frames: npt.NDArray[Any], plane: npt.NDArray[Any], header: Dataset, colour: bool
) -> npt.NDArray[Any]:
    first = frames.flat[0]
    shape = (*frames.shape, first.rows, first.columns, *((3,) if colour else ()))
    return np.empty(shape, dtype=_output_type(frames, plane, header, colour))


def _output_type(
    frames: npt.NDArray[Any], plane: npt.NDArray[Any], header: Dataset, colour: bool
) -> np.dtype[Any]:
    """Type of the output: stored, whole-number, or float32."""
    native = plane.dtype.newbyteorder("=")
    if colour:
        return native
    if first_item(header, "ModalityLUTSequence") is not None:
        return np.dtype(np.float32)
    slopes = {f.slope for f in frames.flat}
    intercepts = {f.intercept for f in frames.flat}
    if slopes == {1.0} and intercepts == {0.0}:
        return native
    if (
        slopes == {1.0}
        and native.kind in "iu"
        and all(b == int(b) and abs(b) < _LARGEST_OFFSET for b in intercepts)
    ):
        # Signed and as wide as stored: CT numbers fit; `_fill` widens the array if some do not.
        return np.dtype(np.int16 if native.itemsize <= 2 else np.int32)
    return np.dtype(np.float32)


def _cut(plane: npt.NDArray[Any], frame: Frame, path: Path) -> npt.NDArray[Any]:
    """The frame's own part of a decoded plane (a tile of a mosaic, or all of it)."""
    top, left = frame.corner or (0, 0)
    piece = plane[top : top + frame.rows, left : left + frame.columns]
    if piece.shape[:2] != (frame.rows, frame.columns):
        raise ReadError(
            f"the decoded image has {plane.shape[0]} x {plane.shape[1]} pixels, not the "
            f"{frame.rows} x {frame.columns} of its header",
            where=path,
            remedy="Fetch the file again from its archive",
        )
    return piece


def _fill(
    target: npt.NDArray[Any],
    index: tuple[int, ...],
    piece: npt.NDArray[Any],
    header: Dataset,
    frame: Frame,
) -> npt.NDArray[Any]:
    """Scale one plane into its place; the array is widened when a later file needs it."""
    if piece.ndim == 3:
        target[index] = piece
        return target
    if first_item(header, "ModalityLUTSequence") is not None:
        target[index] = _looked_up(
            apply_modality_lut, piece, header, frame.path, "table of values (ModalityLUTSequence)"
        )
        return target
    if target.dtype.kind == "f":
        np.multiply(piece, frame.slope, out=target[index], casting="unsafe")
        if frame.intercept:
            target[index] += np.asarray(frame.intercept, dtype=target.dtype)
        return target
    offset = int(frame.intercept)
    low, high = int(piece.min()) + offset, int(piece.max()) + offset
    limits = np.iinfo(target.dtype)
    if low < limits.min or high > limits.max:
        # Stored values beyond what BitsStored or the first file announced.
        wider = np.int32 if low >= -(1 << 31) and high < 1 << 31 else np.float64
        target = target.astype(wider)
    np.add(piece, offset, out=target[index], casting="unsafe", dtype=np.int64)
    return target
