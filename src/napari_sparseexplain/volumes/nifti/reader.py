"""Reading NIfTI-1 and NIfTI-2 [1]_: one copy in memory at most, in display order by views.

An uncompressed file in the machine's byte order is memory-mapped. A compressed one is unpacked
straight into the array that is kept. Values that must be scaled become float32 slab by slab, in
a file of four or more dimensions only when they are looked at (a dask array).

References
----------
.. [1] R. W. Cox et al., A (sort of) new image data format standard: NIfTI-1, HBM 2004; and the
   headers nifti1.h, nifti2.h of the NIfTI Data Format Working Group.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import nibabel.orientations as nio
import numpy as np
import numpy.typing as npt
from nibabel.spatialimages import HeaderDataError

from ...errors import ReadError
from ..finding import Finding
from ..grid import Grid, orientation_to_display
from ..labels.purpose import OWN_OUTPUT
from ..opening.own_output import is_own_nifti
from ..roles.roles import stem_of
from ..volume import Source, Volume
from .header import NiftiHeader, read_nifti_header
from .kind import leading_names, what_it_is
from .sidecar import sidecar_details
from .voxels import VoxelPlan, count_not_finite, read_voxels

#: Corners of the volume may lie this far apart in the two transforms before it is said.
TRANSFORMS_AGREE_MM = 1.0

#: No voxel size or place in a patient is larger; a damaged header is.
LARGEST_MM = 1e9


def read_nifti(path: str | Path) -> Volume:
    """Open one NIfTI file; `open_nifti` also tells what was noticed.

    Parameters
    ----------
    path : str or Path
        ``.nii``, ``.nii.gz``, or the header of a ``.hdr``/``.img`` pair. What the file holds
        decides, not its ending.

    Returns
    -------
    Volume
        Shape ``(*leading, S, P, L)``, a last colour axis for RGB(A). Stored type when the
        values need no scaling, else float32. Not writable.

    Raises
    ------
    ReadError
        Not a NIfTI voxel image, damaged or cut short, or an affine that places nothing.
    """
    return open_nifti(path)[0]


def open_nifti(path: str | Path, *, frames: str = "") -> tuple[Volume, list[Finding]]:
    """`read_nifti`, with what a person should know about the file.

    Parameters
    ----------
    path : str or Path
    frames : str
        Name of the axis ("time") along which a mask of four dimensions has one mask an image,
        where that is known from the scan beside it; it is one channel a class without.
    """
    path = Path(path)
    file = read_nifti_header(path)
    affine, oriented, findings = _affine(file)
    to_display = orientation_to_display(affine, where=str(path))
    voxels = read_voxels(VoxelPlan.of(file))
    if file.is_complex:
        findings.append(
            Finding(
                "info",
                "complex",
                "the voxels are complex numbers; their magnitude is shown",
                path.name,
            )
        )
    findings += _not_finite(voxels, file)

    leading = leading_names(file)
    data = to_display_order(voxels, to_display, len(leading))
    shape3 = (file.shape[0], file.shape[1], file.shape[2])
    slices, rows, columns = data.shape[len(leading) : len(leading) + 3]
    grid = Grid(
        shape=(slices, rows, columns),
        affine=affine @ nio.inv_ornt_aff(to_display, shape3),
        oriented=oriented,
    )
    if grid.is_oblique:
        findings.append(
            Finding(
                "info",
                "oblique",
                f"the slices are tilted by {grid.obliquity_degrees:.1f}° against the patient's "
                "axes and are shown as acquired",
                path.name,
            )
        )
    sidecar = sidecar_details(path)
    named = what_it_is(file, data, leading, sidecar, frames=frames)
    findings += named.findings
    if named.kind == "label":  # what became of NaN in a mask is said there
        findings = [f for f in findings if f.code != "nan"]
    source = Source(
        paths=file.paths,
        format="nifti",
        shape=shape3,
        affine=affine,
        dtype=file.dtype,
        to_display=to_display,
        header=file.header,
        description=path.name,
    )
    details = {
        key: text
        for key in ("descrip", "intent_name")
        if (text := bytes(file.header[key]).split(b"\0")[0].decode("latin-1").strip())
    }
    if is_own_nifti(file.header):
        # A result, whatever its name says.
        named = replace(named, role=stem_of(path.name), why="this program made it")
        details[OWN_OUTPUT] = "yes"
    volume = Volume(
        data=named.data,
        grid=grid,
        role=named.role,
        kind=named.kind,
        source=source,
        leading=named.leading,
        colour=named.colour,
        details={**sidecar, **details},
        why=named.why,
    )
    return volume, findings


def nifti_affine(path: str | Path) -> npt.NDArray[np.float64]:
    """From file index to RAS+ millimetres, from the header alone, as `read_nifti` takes it.

    Raises
    ------
    ReadError
        Not a NIfTI voxel image, or an affine that places nothing.
    """
    return _affine(read_nifti_header(Path(path)))[0]


def to_display_order(
    array: Any, to_display: npt.NDArray[np.float64], leading: int, *, spatial: int = 3
) -> Any:
    """View of a file-order array (i, j, k, [t, u, …], [colour]) in display order.

    The further axes come first, slowest first: ``(u, t, S, P, L, [colour])``. Works on NumPy and
    dask arrays; nothing is copied.
    """
    flips = tuple(slice(None, None, -1 if flip < 0 else 1) for flip in to_display[:spatial, 1])
    array = array[flips]
    order = np.argsort(to_display[:spatial, 0])
    further = range(spatial + leading - 1, spatial - 1, -1)
    rest = range(spatial + leading, array.ndim)
    return array.transpose([*further, *(int(axis) for axis in order), *rest])


def _affine(file: NiftiHeader) -> tuple[npt.NDArray[np.float64], bool, list[Finding]]:
    """Affine in mm, whether it tells the patient's orientation, and what was noticed.

    The sform when its code is set, else the qform, else voxel sizes alone: then letters are not
    known. This is the order that nifti1.h recommends.
    """
    header, where = file.header, str(file.path)
    findings: list[Finding] = []
    sform = header.get_sform() if header["sform_code"] > 0 else None
    qform = None
    if header["qform_code"] > 0:
        try:
            qform = header.get_qform()
        except (ValueError, HeaderDataError) as error:
            if sform is None:
                raise ReadError(
                    f"its only spatial transform (qform) is not valid: {error}",
                    where=where,
                    remedy="Repair the header, or export the scan again from its source",
                ) from error
    scale = file.millimetres
    if sform is not None:
        affine = sform
        if qform is not None and np.isfinite(sform).all() and np.isfinite(qform).all():
            gap = _largest_gap(sform, qform, file.shape[:3]) * scale
            if sides := mirrored(sform, qform):
                findings.append(
                    Finding(
                        "warning",
                        "left-right-conflict",
                        "the header's two transforms (sform and qform) disagree about "
                        f"{' and about '.join(sides)}; the sform is used: check the side with what "
                        "is known of the patient",
                        file.path.name,
                    )
                )
            elif gap > TRANSFORMS_AGREE_MM:
                findings.append(
                    Finding(
                        "info",
                        "two-transforms",
                        f"the header's two transforms disagree by up to {gap:.0f} mm; "
                        "the sform is used",
                        file.path.name,
                    )
                )
    elif qform is not None:
        affine = qform
    else:
        affine = header.get_base_affine()
        findings.append(
            Finding(
                "warning",
                "no-orientation",
                "the header tells voxel sizes but not the patient's orientation (qform and sform "
                "code are 0): left and right are not known and no letters are shown",
                file.path.name,
            )
        )
    affine = np.array(affine, dtype=np.float64)
    if np.isfinite(affine).all() and np.abs(affine).max() > LARGEST_MM:
        raise ReadError(
            f"the affine puts voxels {np.abs(affine).max():.0e} mm away",
            where=where,
            remedy="Repair the header, or export the scan again from its source",
        )
    affine[:3] *= scale
    if scale != 1.0:
        findings.append(
            Finding(
                "info",
                "unit",
                f"the header gives lengths in {file.length_unit}; they are shown in millimetres",
                file.path.name,
            )
        )
    oriented = sform is not None or qform is not None
    return affine, oriented, findings


#: Opposite directions, and what is called by them.
_OPPOSITES = {"LR": "left and right", "AP": "front and back", "IS": "head and foot"}


def mirrored(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> tuple[str, ...]:
    """Which sides of the patient two affines of one volume disagree about.

    An axis that runs to the left in one and to the right in the other; both transforms may be
    tilted. A mirror without such an axis (the signs of the determinants differ) swaps left and
    right all the same.
    """
    try:
        pairs = zip(nib.aff2axcodes(one), nib.aff2axcodes(other), strict=True)  # type: ignore[attr-defined]
        sides = tuple(
            words
            for a, b in pairs
            if (words := _OPPOSITES.get("".join(sorted(f"{a}{b}")))) is not None
        )
    except (ValueError, np.linalg.LinAlgError):  # one of them spans no space; refused elsewhere
        return ()
    with np.errstate(over="ignore", invalid="ignore"):
        signs = np.sign(np.linalg.det(one[:3, :3])) * np.sign(np.linalg.det(other[:3, :3]))
    return sides or (("left and right",) if signs < 0 else ())


def _largest_gap(
    one: npt.NDArray[np.float64], other: npt.NDArray[np.float64], shape: tuple[int, ...]
) -> float:
    """Largest distance between the places that two affines give a volume's corners."""
    top = np.asarray(shape) - 1
    corners = np.stack(np.meshgrid(*[(0, n) for n in top], indexing="ij"), -1).reshape(-1, 3)
    with np.errstate(over="ignore", invalid="ignore"):  # a damaged header may hold any number
        difference = corners @ (one - other)[:3, :3].T + (one - other)[:3, 3]
        return float(np.linalg.norm(difference, axis=1).max())


def _not_finite(voxels: Any, file: NiftiHeader) -> list[Finding]:
    """A finding when the voxels hold NaN or infinite values."""
    count, looked_at = count_not_finite(voxels, mapped=not file.compressed)
    if not count:
        return []
    part = "" if looked_at == "all" else " in its first volume"
    verb = "is" if count == 1 else "are"
    return [
        Finding(
            "warning",
            "nan",
            f"{count} voxel{'s' if count > 1 else ''}{part} {verb} NaN or infinite; kept as they "
            "are for display and replaced by background before a model sees them",
            file.path.name,
        )
    ]
