"""What a scan is: an array in display order, its place in the patient, and what its file said."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import nibabel.orientations as nio
import numpy as np
import numpy.typing as npt

from .grid import Grid

VolumeKind = Literal["image", "label"]

_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+:")


@dataclass(frozen=True, eq=False)
class Source:
    """What a volume's file said, enough to write a result back the way the file was.

    Attributes
    ----------
    paths : tuple of Path
        The file, or all files of a DICOM series in slice order.
    format : str
        ``"nifti"``, ``"dicom"``, ``"image"`` or ``"memory"``.
    shape : tuple of int
        Spatial shape on file, in file axis order (for DICOM: columns, rows, slices).
    affine : ndarray, shape (4, 4)
        From file index to RAS+ millimetres.
    dtype : numpy dtype
        Stored voxel type.
    to_display : ndarray, shape (3, 2)
        nibabel orientation transform from file axes to display order.
    header : Any
        The format's own header (a nibabel header; for DICOM a pydicom data set without pixels).
    description : str
        What the file calls itself (SeriesDescription, file name).
    laid_out_as : Source or None
        Of a volume that was resampled to another's grid: that other's source, whose layout
        (axis order, flips, affine, header) a written file takes. ``shape``, ``affine`` and
        ``to_display`` are then those of that file.
    locator : str
        Of what is no file: ``scheme:…``, by which its reader finds it again (a member of an
        archive, an instance of a DICOMweb server); `known_by` is this or the path.
    sha256 : str
        Checksum of the bytes, from a reader whose volumes are no files; files are read for theirs.
    """

    paths: tuple[Path, ...]
    format: str
    shape: tuple[int, int, int]
    affine: npt.NDArray[np.float64]
    dtype: np.dtype[Any]
    to_display: npt.NDArray[np.float64]
    header: Any = None
    description: str = ""
    laid_out_as: Source | None = None
    locator: str = ""
    sha256: str = ""

    def __post_init__(self) -> None:
        if self.locator and not is_locator(self.locator):
            raise ValueError(f"{self.locator!r} is no locator: it names no scheme, as in zip:…")
        if self.locator and not (self.paths or self.sha256):
            raise ValueError(f"{self.locator!r} is no file, so its reader must give a checksum")

    @property
    def known_by(self) -> str:
        """What tells it from every other: its locator, or the path of its first file, absolute.

        Empty of what was made in memory.
        """
        if self.locator or not self.paths:
            return self.locator
        return str(self.paths[0].resolve())

    def restore(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Turn a spatial array (S, P, L) in display order back into the file's axis order."""
        return nio.apply_orientation(array, _inverse_orientation(self.to_display))

    def checksum(self) -> str:
        """sha256 over the bytes of all files, in order; empty of what was made in memory."""
        if self.sha256 or not self.paths:
            return self.sha256
        digest = hashlib.sha256()
        for path in self.paths:
            with open(path, "rb") as stream:
                while block := stream.read(1 << 20):
                    digest.update(block)
        return digest.hexdigest()


def is_locator(text: str) -> bool:
    """Whether a text names a scheme, so that it is no path; one letter is a disk of Windows."""
    return bool(_SCHEME.match(text))


def _inverse_orientation(transform: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Orientation transform that undoes ``transform``."""
    inverse = np.empty_like(transform)
    for axis, (target, flip) in enumerate(transform):
        inverse[int(target)] = (axis, flip)
    return inverse


def measured(
    values: npt.NDArray[Any], padding: tuple[float, float] | None
) -> npt.NDArray[np.bool_]:
    """Which values are finite and outside the range of padding."""
    there = np.isfinite(values) if values.dtype.kind in "fc" else np.ones(values.shape, dtype=bool)
    if padding is not None:
        there &= ~((values >= padding[0]) & (values <= padding[1]))
    return there


@dataclass(frozen=True, eq=False)
class Volume:
    """A scan or a label map in display order (S, P, L).

    Attributes
    ----------
    data : array-like
        Shape ``(*leading, S, P, L)``, with a last colour axis of 3 or 4 when ``colour``.
        A NumPy array or memory map, or a dask array for large or scaled 4-D files: slicing
        reads only what is asked for. Finite unless the file itself holds NaN.
    grid : Grid
        Place of the voxels in the patient.
    role : str
        ``t1``, ``t1ce``, ``t2``, ``flair``, ``seg``, … or the file's own name when not told.
    kind : {"image", "label"}
        Labels are integers and are never interpolated.
    source : Source
        What the file said.
    leading : tuple of str
        Names of the leading axes (``"time"``, ``"direction"``, ``"echo"``).
    colour : bool
        Whether the last axis is RGB(A).
    unit : str
        Unit of the values (``"HU"``), empty when arbitrary.
    details : mapping
        Further facts for a person and for role finding (TR, TE, TI, contrast agent …).
    why : str
        Why it has its role, in words; empty when nothing was asked.
    padding : pair of float or None
        Lowest and highest value that stands where nothing was measured (DICOM's
        PixelPaddingValue, in the scan's own unit). It takes no part in windows and statistics.
    frame : tuple of int
        Point along every leading axis that `spatial` is at; the first of each when empty.

    Examples
    --------
    >>> import numpy as np, napari_sparseexplain as se
    >>> flair = se.study_of_arrays({"flair": np.zeros((24, 32))})["flair"]
    >>> flair.role, flair.kind, flair.data.shape, flair.grid.spacing
    ('flair', 'image', (1, 24, 32), (1.0, 1.0, 1.0))
    """

    data: Any
    grid: Grid
    role: str
    kind: VolumeKind
    source: Source
    leading: tuple[str, ...] = ()
    colour: bool = False
    unit: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""
    padding: tuple[float, float] | None = None
    frame: tuple[int, ...] = ()

    def __repr__(self) -> str:
        shape = " × ".join(map(str, self.data.shape))
        return f"<Volume {self.role!r}: {self.kind}, {shape} {self.data.dtype}>"

    def spatial(self) -> npt.NDArray[Any]:
        """The (S, P, L) array at ``frame``, luminance when in colour."""
        block = self.data[self.frame or (0,) * len(self.leading)]
        array = np.asarray(block)
        if self.colour:
            weights = np.array([0.299, 0.587, 0.114], dtype=np.float32)
            return array[..., :3].astype(np.float32) @ weights
        return array

    def measured(self, values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Which values of this scan were measured: finite, and not padding.

        Parameters
        ----------
        values : ndarray
            Any part of its data.
        """
        return measured(values, self.padding)

    @property
    def inverted(self) -> bool:
        """Whether low values are shown bright: a DICOM image of MONOCHROME1, as a film is read.

        The values themselves are never inverted.
        """
        return self.details.get("photometric") == "MONOCHROME1" and not self.colour

    @property
    def signed(self) -> bool:
        """Whether zero is a meaningful middle, as of a signed map that was opened again."""
        return bool(getattr(self.details.get("map"), "signed", False))

    def grey_ends(self, limits: tuple[float, float]) -> tuple[float, float]:
        """Values that are drawn black and white, given the lower and the upper end of a window."""
        return (limits[1], limits[0]) if self.inverted else limits

    def with_role(self, role: str, kind: VolumeKind | None = None) -> Volume:
        """A copy under another role (arrays are shared)."""
        return replace(self, role=role, kind=self.kind if kind is None else kind)
