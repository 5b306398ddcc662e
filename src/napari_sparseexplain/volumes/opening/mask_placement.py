"""Is a mask where the brain is, in the patient's space? A wrong affine is noticed here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ..finding import Finding
from ..volume import Volume

#: A mask of which less than this share lies in the brain is reported.
MIN_SHARE = 0.5

#: A mask that would lie this much better with the scan's own affine is reported too.
BETTER_BY = 0.2

#: Voxels of a mask that are looked at; a larger mask is sampled evenly.
_SAMPLE = 200_000


@dataclass(frozen=True)
class Placement:
    """Where a mask lies.

    Attributes
    ----------
    share : float
        Part of the mask's voxels that lies in the brain, by the mask's own affine; 0 to 1.
    share_with_scan_affine : float or None
        The same if the mask had the scan's affine; None when the two files differ in size or
        have the same affine anyway.
    """

    share: float
    share_with_scan_affine: float | None

    @property
    def is_off(self) -> bool:
        """Whether a person must look at it."""
        other = self.share_with_scan_affine
        return self.share < MIN_SHARE or (other is not None and other > self.share + BETTER_BY)


def mask_placement(mask: Volume, scan: Volume, brain: npt.NDArray[np.bool_]) -> Placement | None:
    """Compare a mask's voxels with a scan's brain in RAS+ millimetres.

    Parameters
    ----------
    mask : Volume
        A label map as it was on file (not resampled: what lies outside the scan counts too).
    scan : Volume
        The scan, as it was on file.
    brain : ndarray of bool, shape ``scan.grid.shape``
        Its brain (`brain_mask`).

    Returns
    -------
    Placement or None
        None when there is nothing to compare: an empty mask or brain, or no place in a patient.
    """
    places = (mask.grid, scan.grid)
    if not all(grid.oriented and grid.calibrated for grid in places) or not brain.any():
        return None
    voxels = _some_voxels(mask.spatial())
    if voxels.size == 0:
        return None
    share = _share(scan.grid.index(mask.grid.world(voxels)), brain)
    other = None
    same_size = mask.source.shape == scan.source.shape
    if same_size and not np.allclose(mask.source.affine, scan.source.affine, atol=1e-2):
        # Display index -> file index of the mask -> millimetres by the scan's affine.
        to_file = np.linalg.inv(mask.source.affine) @ mask.grid.affine
        affine = scan.source.affine @ to_file
        world = voxels @ affine[:3, :3].T + affine[:3, 3]
        other = _share(scan.grid.index(world), brain)
    return Placement(share, other)


def placement_finding(role: str, mask: Volume, scan_role: str, placed: Placement) -> Finding | None:
    """What to tell a person about a mask's place, None when it is where it should be."""
    if not placed.is_off:
        return None
    text = f"only {placed.share:.0%} of the mask {role!r} lies in the brain of {scan_role!r}"
    other = placed.share_with_scan_affine
    if other is not None and other > placed.share + BETTER_BY:
        text += (
            f"; with the affine of {scan_role!r} it would be {other:.0%}, so the mask's header "
            "has probably lost its orientation: copy the scan's affine into the mask file"
        )
    else:
        text += "; check that it belongs to this scan and that its header is right"
    return Finding("warning", "mask-outside-brain", text, mask.source.description)


def filled_in_slices(brain: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """A mask with everything that it encloses within a slice, shape (S, P, L)."""
    filled = np.empty_like(brain)
    for plane, out in zip(brain, filled, strict=True):
        ndimage.binary_fill_holes(plane, output=out)
    return filled


def _some_voxels(labels: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    """Indices (n, 3) of labelled voxels, evenly thinned out when there are very many."""
    flat = np.flatnonzero(labels)
    step = max(1, flat.size // _SAMPLE)
    return np.stack(np.unravel_index(flat[::step], labels.shape), axis=-1).astype(np.float64)


def _share(index: npt.NDArray[np.float64], brain: npt.NDArray[np.bool_]) -> float:
    """Part of fractional indices that falls on True."""
    nearest = np.rint(index).astype(np.int64)
    inside = ((nearest >= 0) & (nearest < brain.shape)).all(axis=1)
    hits = brain[tuple(nearest[inside].T)]
    return float(np.count_nonzero(hits) / len(index))
