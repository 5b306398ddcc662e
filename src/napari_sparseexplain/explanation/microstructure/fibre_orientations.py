"""How fibre orientations are distributed in the voxels of a slice that a result has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import StudyError
from ...evidence import Explanation
from ...microstructure.protocol.orientations import Orientations, orientation_distributions
from .diffusion_scan import DiffusionScan

#: FA from which a voxel is taken for one population (Tournier et al. 2004).
ONE_POPULATION_FA = 0.7


@dataclass(frozen=True, eq=False)
class SliceOrientations:
    """Of the voxels of one axial slice that were compared.

    Attributes
    ----------
    index : int
    places : ndarray of int, shape (V, 2)
        Row and column of each.
    found : Orientations
        Directions are (S, P, L).
    """

    index: int
    places: npt.NDArray[np.intp]
    found: Orientations


def slice_orientations(result: Explanation, of: DiffusionScan, index: int) -> SliceOrientations:
    """Deconvolve the voxels of a slice; the response is that of the result's single populations.

    Parameters
    ----------
    result : Explanation
        Of the method *fingerprint* or *tensor*.
    of : DiffusionScan
        That it was found in.
    index : int
        Slice of the study.

    Raises
    ------
    SparseExplainError
        The slice was not run, or the scan has too few directions for orientations.
    """
    count = _populations(result)
    if of.mask.shape[1:] != count.shape[1:] or len(of.mask) < result.slices.stop:
        raise StudyError(
            "the scan has other voxels than the study, over which its orientations are not drawn",
            where=of.role,
            remedy="Show the directions as lines, or open the diffusion scan alone",
        )
    if not result.covers(index) or not count[index - result.slices.start].any():
        raise StudyError(
            f"nothing was compared on slice {index + 1}", where=of.role, remedy="Run it first"
        )
    here, one = np.zeros_like(of.mask), np.zeros_like(of.mask)
    here[index] = count[index - result.slices.start] > 0
    one[result.slices] = count == 1
    found = orientation_distributions(of.table, of.signals, here, one)
    return SliceOrientations(index, np.argwhere(here[index]), found)


def _populations(result: Explanation) -> npt.NDArray[np.integer]:
    """Of each voxel; of a tensor one where FA is that of a single population."""
    if any(item.name == "populations" for item in result.maps):
        return np.asarray(result["populations"].data)
    fa = np.nan_to_num(np.asarray(result["fa"].data))
    return np.where(fa > ONE_POPULATION_FA, 1, np.where(fa > 0, 2, 0))
