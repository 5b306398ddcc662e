"""Diffusion weighting of one image: b-value and gradient direction, by the scanner's maker.

The standard's own elements give directions in the patient's axes (PS3.3 C.8.13.5.9), and so do
those of Siemens [1]_ and Philips [2]_. GE [3]_ [4]_ writes components along frequency, phase and
slice, UIH [5]_ along rows, columns and normal of the image: both are turned into the patient's axes
here.

References
----------
.. [1] dcm2niix, Siemens/README.md: (0019,xx0C) b, (0019,xx0E) direction, or the CSA header's
   ``B_value`` and ``DiffusionGradientDirection``; (0019,xx27) is the b-matrix.
.. [2] dcm2niix, Philips/README.md: (2001,xx03) b, (2005,xxB0 to xxB2) direction; an averaged image
   has a b-value without a direction, or says ISOTROPIC.
.. [3] dcm2niix, GE/README.md: (0043,xx39) b, plus a multiple of 10⁹; (0019,xxBB to xxBD) along
   frequency, phase, slice; issues 163 and 245: a vector that is too short is that of a lower b.
.. [4] The signs, as a GE engineer gives and tested them for axial, sagittal and coronal slices with
   both phase encodings in dcm2niix's issue 970.
.. [5] dcm2niix, UIH/README.md: (0065,xx09) b, (0065,xx37) direction; issues 225 and 836: along the
   image's axes, and to be believed before the standard's element.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from .csa import csa_header
from .values import UnreadableError, first_item, plain_reals, private_reals, text

#: Up to this b-value, s/mm², an image counts as one without diffusion weighting.
B0_MOST = 50.0

#: A direction may be off length 1 by this; GE's are lower shells where they are shorter.
_UNIT = 0.05
_GE_SHORTEST, _GE_UNIT = 0.03, 0.97

#: GE adds a multiple of this to the b-value as a flag.
_GE_FLAG = 1e9

#: No b-value is larger, s/mm²: such a number is no b-value.
_MOST_B = 1e6

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Weighting:
    """What an image says of its diffusion weighting.

    Attributes
    ----------
    b : float or None
        s/mm²; None where it is not told, or cannot be read.
    direction : 3 floats
        Unit vector along the patient's axes (LPS); zeros without one.
    averaged : bool
        It says that it is put together from several directions (ISOTROPIC).
    problem : str
        What of it cannot be read, and which element.
    """

    b: float | None
    direction: tuple[float, float, float] = (0.0, 0.0, 0.0)
    averaged: bool = False
    problem: str = ""

    @property
    def label(self) -> tuple[float, ...] | None:
        """b-value and direction, by which images of one volume are known; None without a b."""
        return None if self.b is None else (self.b, *self.direction)

    @property
    def directional(self) -> bool:
        """Whether it is weighted along a direction."""
        return self.b is not None and self.b > B0_MOST and any(self.direction)

    @property
    def without_direction(self) -> bool:
        """Whether it is weighted, and neither tells a direction nor one that cannot be read."""
        weighted = self.b is not None and self.b > B0_MOST
        return weighted and not any(self.direction) and not self.problem


def weighting_of(header: Dataset, orientation: tuple[float, ...] | None) -> Weighting | None:
    """Diffusion weighting of an image with one plane, or what holds for all planes of a file.

    Parameters
    ----------
    header : Dataset
    orientation : 6 floats or None
        Direction cosines of a row and of a column, LPS.

    Returns
    -------
    Weighting or None
        None where no element of diffusion is there.
    """
    maker = text(header, "Manufacturer").upper()
    try:
        if "UIH" in maker or "UNITED IMAGING" in maker:
            own = _uih(header, orientation)
            if own is not None:
                return own
        found = _standard(header)
        if found is not None and not found.without_direction:
            return found
        for read in (_siemens, _philips, _ge):
            private = read(header, orientation, maker)
            if private is None:
                continue
            if found is None:
                return private
            if private.directional or private.problem:
                # The b-value of the standard's element, where the direction is private.
                scaled = private.b if read is _ge else found.b
                return replace(private, b=scaled)
        return found
    except UnreadableError as error:
        return Weighting(None, problem=str(error))


def enhanced_weighting(group: Dataset) -> Weighting | None:
    """What a frame's MR Diffusion Sequence says (PS3.3 C.8.13.5.9); None where it says nothing."""
    kind = text(group, "DiffusionDirectionality").upper()
    try:
        told = plain_reals(group, "DiffusionBValue", 1)
    except UnreadableError as error:
        return Weighting(None, problem=str(error))
    if told is None:
        return Weighting(0.0) if kind == "NONE" else None
    inner = first_item(group, "DiffusionGradientDirectionSequence") or group
    try:
        vector = plain_reals(inner, "DiffusionGradientOrientation", 3)
        if vector is None and kind != "ISOTROPIC":
            vector = _matrix_direction(_standard_matrix(group))
    except UnreadableError as error:
        return Weighting(_b_value(told[0]), problem=str(error))
    return _weighting(told[0], vector, averaged=kind == "ISOTROPIC", element="(0018,9089)")


def _standard(header: Dataset) -> Weighting | None:
    kind = text(header, "DiffusionDirectionality").upper()
    told = plain_reals(header, "DiffusionBValue", 1)
    if told is None:
        return Weighting(0.0) if kind == "NONE" else None
    averaged = kind == "ISOTROPIC"
    try:
        vector = plain_reals(header, "DiffusionGradientOrientation", 3)
    except UnreadableError as error:
        return Weighting(_b_value(told[0]), problem=str(error))
    return _weighting(told[0], vector, averaged=averaged, element="(0018,9089)")


def _siemens(header: Dataset, _orientation: Any, maker: str) -> Weighting | None:
    def own(element: int, vr: str, count: int) -> tuple[float, ...] | None:
        bare = "SIEMENS" in maker
        return private_reals(header, 0x0019, "SIEMENS MR HEADER", element, vr, count, bare=bare)

    told = own(0x0C, "IS", 1)
    if told is None:
        return _csa(csa_header(header))
    try:
        vector = own(0x0E, "FD", 3)
        if vector is None:
            vector = _matrix_direction(own(0x27, "FD", 6))
    except UnreadableError as error:
        return Weighting(_b_value(told[0]), problem=str(error))
    return _weighting(told[0], vector, element="(0019,xx0E)")


def _csa(elements: Mapping[str, tuple[str, ...]]) -> Weighting | None:
    told = _csa_reals(elements, "B_value", 1)
    if told is None:
        return None
    vector = _csa_reals(elements, "DiffusionGradientDirection", 3)
    if vector is not None and max(vector) < -1.0:
        return Weighting(0.0)  # how syngo 2004 marks an image without weighting
    if vector is None:
        vector = _matrix_direction(_csa_reals(elements, "B_matrix", 6))
    return _weighting(max(told[0], 0.0), vector, element="DiffusionGradientDirection of CSA")


def _csa_reals(
    elements: Mapping[str, tuple[str, ...]], name: str, count: int
) -> tuple[float, ...] | None:
    try:
        values = tuple(float(value) for value in elements.get(name, ()))
    except ValueError:
        return None
    return values if len(values) == count and np.isfinite(values).all() else None


def _philips(header: Dataset, _orientation: Any, maker: str) -> Weighting | None:
    bare = "PHILIPS" in maker
    told = private_reals(header, 0x2001, "Philips Imaging DD 001", 0x03, "FL", 1, bare=bare)
    if told is None:
        return None
    try:
        parts = [
            private_reals(header, 0x2005, "Philips MR Imaging DD 001", element, "FL", 1, bare=bare)
            for element in (0xB0, 0xB1, 0xB2)
        ]
    except UnreadableError as error:
        return Weighting(_b_value(told[0]), problem=str(error))
    vector = tuple(part[0] for part in parts if part is not None)
    return _weighting(told[0], vector if len(vector) == 3 else None, element="(2005,xxB0)")


def _ge(header: Dataset, orientation: tuple[float, ...] | None, maker: str) -> Weighting | None:
    bare = maker.startswith("GE")
    told = private_reals(header, 0x0043, "GEMS_PARM_01", 0x39, "IS", None, bare=bare)
    if not told:
        return None
    b = told[0] % _GE_FLAG
    try:
        parts = [
            private_reals(header, 0x0019, "GEMS_ACQU_01", element, "DS", 1, bare=bare)
            for element in (0xBB, 0xBC, 0xBD)
        ]
    except UnreadableError as error:
        return Weighting(_b_value(b), problem=str(error))
    if b <= B0_MOST or None in parts:
        return _weighting(b, None, element="(0019,xxBB)")
    along = np.array([part[0] for part in parts if part is not None])
    length = float(np.linalg.norm(along))
    if _GE_SHORTEST < length < _GE_UNIT:
        b, along = b * length**2, along / length
    axes = _ge_axes(orientation, text(header, "InPlanePhaseEncodingDirection").upper())
    if axes is None and length > _GE_SHORTEST:
        return Weighting(
            _b_value(b),
            problem="the direction is told along frequency and phase, and (0018,1312) "
            "InPlanePhaseEncodingDirection or the orientation is missing",
        )
    vector = None if axes is None else tuple(float(v) for v in along @ axes)
    return _weighting(b, vector, element="(0019,xxBB)")


def _ge_axes(orientation: tuple[float, ...] | None, phase: str) -> Vector | None:
    """Frequency, phase and slice axis (rows) along the patient's axes.

    With r, p the directions of a row and of a column and n = r × p: frequency -r, phase -p, slice n
    where the phase is encoded along columns; -p, r and n with the first two exchanged, (p, -r, n),
    where along rows. In coronal slices the phase axis is turned round.
    """
    if orientation is None or phase not in ("COL", "COLUMN", "ROW"):
        return None
    row, column = np.asarray(orientation[:3]), np.asarray(orientation[3:])
    normal = np.cross(row, column)
    axes = np.array([column, -row, normal] if phase == "ROW" else [-row, -column, normal])
    if int(np.abs(normal).argmax()) == 1:
        axes[1] = -axes[1]
    return axes


def _uih(header: Dataset, orientation: tuple[float, ...] | None) -> Weighting | None:
    def own(element: int, count: int) -> tuple[float, ...] | None:
        return private_reals(header, 0x0065, None, element, "FD", count)

    told = own(0x09, 1)
    if told is None:
        return None
    try:
        along = own(0x37, 3)
    except UnreadableError as error:
        return Weighting(_b_value(told[0]), problem=str(error))
    if along is None or not any(along):
        return _weighting(told[0], None, element="(0065,xx37)")
    if orientation is None:
        return Weighting(
            _b_value(told[0]), problem="the direction is along the image's axes, which are not told"
        )
    row, column = np.asarray(orientation[:3]), np.asarray(orientation[3:])
    vector = np.asarray(along) @ np.array([row, column, np.cross(row, column)])
    return _weighting(told[0], tuple(float(v) for v in vector), element="(0065,xx37)")


def _b_value(b: float) -> float | None:
    return round(b, 3) if 0 <= b <= _MOST_B else None


def _weighting(
    b: float, vector: tuple[float, ...] | None, *, averaged: bool = False, element: str
) -> Weighting:
    """What was read, if it can be a b-value and a direction."""
    value = _b_value(b)
    if value is None:
        return Weighting(None, problem=f"{b:.4g} is no b-value in s/mm²")
    length = 0.0 if vector is None else float(np.linalg.norm(vector))
    if value <= B0_MOST or averaged or vector is None or length == 0:
        return Weighting(value, averaged=averaged)
    if not abs(length - 1) <= _UNIT:
        return Weighting(
            value, problem=f"its direction {element} is no unit vector (length {length:.3g})"
        )
    x, y, z = (round(float(v) / length, 6) + 0.0 for v in vector)
    return Weighting(value, (x, y, z))


#: Second value of the b-matrix of one direction, against the first: imaging gradients add a little.
_SECOND_MOST = 0.5


def _matrix_direction(matrix: tuple[float, ...] | None) -> tuple[float, ...] | None:
    """The direction of a b-matrix (xx, xy, xz, yy, yz, zz); its sign is not told.

    None where it has none: of an average over directions no value is much larger than the next.
    """
    if matrix is None:
        return None
    xx, xy, xz, yy, yz, zz = matrix
    values, vectors = np.linalg.eigh(np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]))
    one = values[-1] > 0 and abs(values[-2]) < _SECOND_MOST * values[-1]
    return tuple(float(v) for v in vectors[:, -1]) if one else None


def _standard_matrix(group: Dataset) -> tuple[float, ...] | None:
    item = first_item(group, "DiffusionBMatrixSequence")
    if item is None:
        return None
    names = ("XX", "XY", "XZ", "YY", "YZ", "ZZ")
    parts = [plain_reals(item, f"DiffusionBValue{name}", 1) for name in names]
    found = tuple(part[0] for part in parts if part is not None)
    return found if len(found) == 6 else None
