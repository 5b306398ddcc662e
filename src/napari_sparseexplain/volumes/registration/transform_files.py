"""Affine transforms that registration programs leave beside the scans: ITK's, FSL's, FreeSurfer's.

ITK (ANTs, elastix, 3D Slicer, Greedy) writes, in LPS millimetres, how a point of the *fixed* image
maps to the *moving* one: ``x' = A (x - c) + t + c`` [1]_. FSL's flirt writes how a point of the
moving image maps to the fixed one, in each image's voxels times their size, the first axis
reversed where the image is stored neurologically [2]_.

References
----------
.. [1] ITK Software Guide, "Transforms"; itkMatrixOffsetTransformBase.h, itkTransformFileReader.h.
.. [2] FSL FLIRT, "What is the format of the matrix used by FLIRT, and how does it relate to the
   transformation parameters?"
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ...errors import ReadError
from ...files.regular_file import regular_size
from ..volume import Volume
from .lta_file import looks_like_lta, lta_matrix

Matrix = npt.NDArray[np.floating[Any]]

TRANSFORM_ENDINGS = (".txt", ".tfm", ".mat", ".xfm", ".lta", ".h5", ".hdf5")

#: ITK's container of several transforms (ANTs' ``Composite.h5``), which is told but not read.
_CONTAINERS = (".h5", ".hdf5")
_HDF5 = b"\x89HDF\r\n\x1a\n"

#: A text of one transform has some hundred bytes; a deformation is no affine.
MOST_BYTES = 1 << 16

_ITK = b"#Insight Transform File"
#: In the names of ITK's transforms that are no matrix.
_BENDS = re.compile(r"(?i)spline|displacement|velocity|deformation|kernel|thinplate|volume")
_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class SpatialTransform:
    """An affine transform of one file.

    Attributes
    ----------
    path : Path
    kind : {"itk", "fsl"}
    matrix : ndarray, shape (4, 4)
        Of ITK: RAS+ millimetres of the fixed image to those of the moving one. Of FSL: scaled
        voxels of the moving image to those of the fixed one.
    """

    path: Path
    kind: Literal["itk", "fsl"]
    matrix: Matrix

    @property
    def needs_target(self) -> bool:
        """Whether it means nothing without the image that it registers to."""
        return self.kind == "fsl"

    def to_target(self, moving: Volume, target: Volume | None) -> Matrix:
        """RAS+ millimetres of the moving image to those of the target.

        Parameters
        ----------
        moving, target : Volume
            As they were on file. FSL's matrix needs both.
        """
        if self.kind == "itk":
            return np.asarray(np.linalg.inv(self.matrix), dtype=np.float64)
        if target is None:
            raise ValueError("an FSL matrix needs its reference image")
        scaled_moving = _flirt_space(moving)
        from_target = np.linalg.inv(_flirt_space(target))
        to_moving = np.linalg.inv(moving.source.affine)
        whole = target.source.affine @ from_target @ self.matrix @ scaled_moving @ to_moving
        return np.asarray(whole, dtype=np.float64)


def _flirt_space(volume: Volume) -> Matrix:
    """From voxel indices on file to flirt's millimetres."""
    affine, shape = volume.source.affine, volume.source.shape
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    scaled = np.diag([*sizes, 1.0])
    if np.linalg.det(affine[:3, :3]) > 0:
        scaled[0, 0] = -sizes[0]
        scaled[0, 3] = (shape[0] - 1) * sizes[0]
    return scaled


def looks_like_transform(path: Path) -> bool:
    """Whether a file may hold a transform: by its ending, its size and how it begins."""
    if not path.name.lower().endswith(TRANSFORM_ENDINGS):
        return False
    if path.name.lower().endswith(_CONTAINERS):
        return _holds_transforms(path)
    try:
        content = _content(path)
    except ReadError:
        return False
    if content.startswith(_ITK) or looks_like_lta(content):
        return True
    if not path.name.lower().endswith((".mat", ".xfm")):
        return False
    return _matrix_text(content) is not None or b"AffineTransform_" in content


def read_transform(path: str | Path) -> SpatialTransform:
    """Read one affine transform.

    Parameters
    ----------
    path : str or Path
        ITK's text (``.txt``, ``.tfm``), ITK's binary ``.mat`` (ANTs' ``0GenericAffine.mat``),
        FSL's ``.mat`` of four lines, or FreeSurfer's ``.lta``.

    Raises
    ------
    ReadError
        It is none of these, not affine, or not finite and invertible.
    """
    path = Path(path)
    if path.name.lower().endswith(_CONTAINERS) and _holds_transforms(path):
        raise _refused(path, "transforms in an HDF5 file are not read")
    content = _content(path)
    if content.startswith(_ITK):
        kind, matrix = "itk", _itk_text(path, content)
    elif (found := _matrix_text(content)) is not None:
        kind, matrix = "fsl", found
    elif b"AffineTransform_" in content:
        kind, matrix = "itk", _itk_binary(path)
    elif looks_like_lta(content):
        kind, matrix = "itk", _lta(path, content)
    else:
        raise _refused(path, "the file holds no affine transform that is known")
    if not np.isfinite(matrix).all() or abs(np.linalg.det(matrix[:3, :3])) < 1e-6:
        raise _refused(path, "the transform is not finite or cannot be inverted")
    return SpatialTransform(path, "itk" if kind == "itk" else "fsl", matrix)


def _refused(path: Path, what: str) -> ReadError:
    return ReadError(
        what,
        where=path,
        remedy="Give an affine transform of ITK (.txt, .tfm), FSL (.mat) or FreeSurfer (.lta), or "
        "resample the scan with the program that registered it",
    )


def _holds_transforms(path: Path) -> bool:
    """Whether an HDF5 file begins like ITK's: its groups stand near the front."""
    try:
        regular_size(path)
        with path.open("rb") as file:
            head = file.read(MOST_BYTES)
    except (OSError, ReadError):
        return False
    return head.startswith(_HDF5) and b"TransformGroup" in head


def _content(path: Path) -> bytes:
    if regular_size(path) > MOST_BYTES:
        raise _refused(path, "the file is too large for an affine transform")
    try:
        return path.read_bytes()[:MOST_BYTES]
    except OSError as error:
        raise _refused(path, f"the file cannot be read ({error.strerror or error})") from error


def _matrix_text(content: bytes) -> Matrix | None:
    """Four lines of four numbers, the last 0 0 0 1; None for anything else."""
    try:
        lines = [line.split() for line in content.split(b"\n") if line.strip()]
        rows = [[float(word) for word in line] for line in lines]
    except ValueError:
        return None
    if len(rows) != 4 or any(len(row) != 4 for row in rows):
        return None
    matrix = np.asarray(rows, dtype=np.float64)
    return matrix if np.allclose(matrix[3], (0, 0, 0, 1)) else None


def _itk_text(path: Path, content: bytes) -> Matrix:
    """All transforms of the file, the last one applied first, as ITK does in a composite."""
    text = content.decode("ascii", "replace")
    blocks = re.findall(
        r"Transform:\s*(\S+)\s*\n\s*Parameters:\s*(.*?)\s*\n\s*FixedParameters:[ \t]*([^\n]*)", text
    )
    if not blocks:
        raise _refused(path, "the ITK transform is damaged")
    whole = np.eye(4)
    for name, parameters, fixed in blocks:
        if name.startswith("CompositeTransform"):
            continue
        try:
            values = [np.array([float(v) for v in words.split()]) for words in (parameters, fixed)]
            matrix = _itk_matrix(name, values[0], values[1])
        except (ValueError, IndexError) as error:
            raise _refused(path, f"the ITK transform is damaged ({name})") from error
        if matrix is None:
            raise _refused(path, _why_not(name))
        whole = whole @ matrix
    return _LPS @ whole @ _LPS


def _lta(path: Path, content: bytes) -> Matrix:
    """FreeSurfer's, which leads from the moving to the fixed volume: turned round, as ITK's."""
    try:
        return np.linalg.inv(lta_matrix(content.decode("ascii", "replace")))
    except (ValueError, KeyError, np.linalg.LinAlgError) as error:
        raise _refused(path, f"the LTA transform cannot be used ({error})") from error


def _itk_binary(path: Path) -> Matrix:
    """ANTs' MATLAB file of one affine transform."""
    try:
        values = _level_4(_content(path))
        name = next(n for n in values if "Transform_" in n)
        matrix = _itk_matrix(name, values[name], values["fixed"])
    except (ValueError, KeyError, StopIteration, IndexError, struct.error) as error:
        raise _refused(path, "the ITK transform is damaged") from error
    if matrix is None:
        raise _refused(path, _why_not(name))
    return _LPS @ matrix @ _LPS


def _level_4(content: bytes) -> dict[str, Matrix]:
    """Matrices of doubles in a MATLAB file of level 4, which ITK writes (no later one is read)."""
    found: dict[str, Matrix] = {}
    place = 0
    while place + 20 <= len(content) and len(found) < 8:
        kind, rows, columns, imaginary, length = struct.unpack_from("<5i", content, place)
        if kind not in (0, 10) or imaginary or not (0 < length < 256 and 0 < rows * columns < 4096):
            raise ValueError("no matrix of real numbers")
        place += 20
        name = content[place : place + length].split(b"\0")[0].decode("ascii")
        place += length
        dtype = np.dtype("<f8" if kind == 0 else "<f4")
        found[name] = np.frombuffer(content, dtype, rows * columns, place).astype(np.float64)
        place += rows * columns * dtype.itemsize
    return found


def _why_not(name: str) -> str:
    """Why a transform is refused: only what bends the image is said not to be affine."""
    kind = name.split("_")[0]
    if _BENDS.search(kind):
        return f"the ITK transform {name} is not affine"
    if kind in _ROTATIONS or "AffineTransform" in kind or kind == "MatrixOffsetTransformBase":
        return f"the ITK transform {name} is not one of three dimensions"
    return f"ITK transforms of the kind {kind} are not read"


def _itk_matrix(name: str, values: Matrix, fixed: Matrix) -> Matrix | None:
    """Fixed to moving point in LPS by one of ITK's transforms; None for one that is not affine."""
    kind = name.split("_")[0]
    if kind == "IdentityTransform":
        return np.eye(4)
    if kind == "TranslationTransform":
        return _about(np.eye(3), values[:3], np.zeros(3))
    if kind in ("AffineTransform", "MatrixOffsetTransformBase"):
        if len(values) != 12:
            return None
        return _about(values[:9].reshape(3, 3), values[9:12], fixed[:3])
    found = _ROTATIONS.get(kind)
    if found is None:
        return None
    linear, shift = found(values, fixed)
    return _about(linear, shift, fixed[:3])


def _about(linear: Matrix, shift: Matrix, centre: Matrix) -> Matrix:
    """``x' = A (x - c) + t + c`` as one matrix."""
    if linear.shape != (3, 3) or shift.shape != (3,) or centre.shape != (3,):
        raise ValueError("a transform of three dimensions has three numbers each")
    matrix = np.eye(4)
    matrix[:3, :3] = linear
    matrix[:3, 3] = shift + centre - linear @ centre
    return matrix


def _euler(values: Matrix, fixed: Matrix) -> tuple[Matrix, Matrix]:
    """Euler3DTransform: three angles, then the shift; Z Y X where the file says so, else Z X Y."""
    (sx, sy, sz), (cx, cy, cz) = np.sin(values[:3]), np.cos(values[:3])
    x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    turned = z @ y @ x if len(fixed) > 3 and fixed[3] else z @ x @ y
    return turned, values[3:6]


def _versor(values: Matrix, _: Matrix) -> tuple[Matrix, Matrix]:
    """VersorRigid3DTransform: the vector part of a unit quaternion, then the shift."""
    return _quaternion(values[:3]), values[3:6]


def _similarity(values: Matrix, _: Matrix) -> tuple[Matrix, Matrix]:
    """Similarity3DTransform: as the versor, then one scale."""
    return _quaternion(values[:3]) * values[6], values[3:6]


def _quaternion(vector: Matrix) -> Matrix:
    x, y, z = (float(v) for v in vector)
    w = float(np.sqrt(max(0.0, 1 - x * x - y * y - z * z)))
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


_ROTATIONS: dict[str, Callable[[Matrix, Matrix], tuple[Matrix, Matrix]]] = {
    "Euler3DTransform": _euler,
    "VersorRigid3DTransform": _versor,
    "Rigid3DTransform": lambda v, f: (v[:9].reshape(3, 3), v[9:12]),
    "Similarity3DTransform": _similarity,
}


def transforms_below(files: Sequence[Path]) -> tuple[list[SpatialTransform], list[ReadError]]:
    """The transforms among files, and what was wrong with those that look like one."""
    found, refused = [], []
    for path in files:
        if looks_like_transform(path):
            try:
                found.append(read_transform(path))
            except ReadError as error:
                refused.append(error)
    return found, refused
