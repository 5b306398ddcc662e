"""The maps of the method *fingerprint*, filled batch by batch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...evidence import ExplanationMap
from ...microstructure.dictionary import Dictionary
from ...microstructure.protocol.peaks import FibrePeaks
from ...microstructure.search.comparison import (
    chosen_populations,
    compared_voxels,
    seconds_of_three,
)
from ...microstructure.search.voxel_search import ON_PROCESSOR, VoxelSearch
from ...microstructure.simulated_voxels import without_rician_bias
from .diffusion_scan import DiffusionScan
from .map_names import DIRECTION_AXES, WATER, direction_name
from .tissue_maps import PARAMETERS, direction_maps, parameter_map, populations_map


@dataclass(frozen=True)
class ComparedHow:
    """What a person chose of the comparison.

    Attributes
    ----------
    populations : int
        At most so many; 0: as many as there are peaks, at most two.
    refine : bool
    water : bool
        Whether free water may be there.
    by_bic : bool
        Whether the information criterion may leave some of several peaks out.
    """

    populations: int
    refine: bool
    water: bool
    by_bic: bool


class FingerprintMaps:
    """What is found of the voxels of a scan, put together.

    Parameters
    ----------
    of : DiffusionScan
        Its signals are those of the slices that are compared.
    dictionary : Dictionary
    how : ComparedHow
    search : VoxelSearch
        Where they are compared.
    """

    def __init__(
        self,
        of: DiffusionScan,
        dictionary: Dictionary,
        how: ComparedHow,
        search: VoxelSearch = ON_PROCESSOR,
    ) -> None:
        self._of, self._dictionary, self._how, self._search = of, dictionary, how, search
        self._most = max(how.populations, 2)
        numbers = range(1, self._most + 1)
        shape = of.signals.shape[:3]
        names = [
            f"{name}-{k}{end}" for k in numbers for name, *_ in PARAMETERS for end in ("", "-sd")
        ]
        shells = [f"misfit-b{shell.b:.0f}" for shell in of.table.shells]
        ways = [direction_name(k, axis) for k in numbers for axis in DIRECTION_AXES]
        more = [WATER] if how.water else []
        self._arrays = {
            name: np.full(shape, np.nan, dtype=np.float32)
            for name in (*names, "entropy", "misfit", *shells, *ways, *more)
        }
        self._populations = np.zeros(shape, dtype=np.uint8)

    def counts(self, places: npt.NDArray[np.intp], peaks: FibrePeaks) -> npt.NDArray[np.intp]:
        """Populations of some voxels by their peaks."""
        counts = np.array(peaks.count[tuple(places.T)])
        return np.minimum(counts, self._how.populations or self._most)

    def seconds_of_three(self) -> float:
        """About how long a voxel of three populations takes on this machine."""
        once = seconds_of_three(self._dictionary, self._of.table) * (2 if self._how.water else 1)
        # By the information criterion triples are searched to choose, and again for the maps.
        return once * (2 if self._how.by_bic else 1)

    def fill(self, places: npt.NDArray[np.intp], peaks: FibrePeaks, sigma: float) -> None:
        """Compare some voxels, given by their indices (P, 3)."""
        index = tuple(places.T)
        y = without_rician_bias(self._of.signals[index], sigma)
        directions = np.array(peaks.directions[index], dtype=np.float64)
        counts = self.counts(places, peaks)
        by_peaks = counts.copy()
        for several in range(2, self._most + 1) if self._how.by_bic else ():
            rows = np.flatnonzero(by_peaks == several)
            if rows.size:
                counts[rows], directions[rows, :several] = chosen_populations(
                    self._dictionary, self._of.table, y[rows], directions[rows, :several], sigma,
                    refine=self._how.refine, water=self._how.water, search=self._search,
                )  # fmt: skip
        for count in range(1, self._most + 1):
            rows = np.flatnonzero(counts == count)
            if rows.size:
                self._compare(places[rows], y[rows], directions[rows], sigma, count)

    def _compare(
        self,
        places: npt.NDArray[np.intp],
        y: npt.NDArray[np.float64],
        directions: npt.NDArray[np.float64],
        sigma: float,
        count: int,
    ) -> None:
        compared = compared_voxels(
            self._dictionary, self._of.table, y, directions, sigma,
            count=count, refine=self._how.refine, water=self._how.water, search=self._search,
        )  # fmt: skip
        found = compared.found
        at = tuple(places.T)
        self._populations[at] = count
        for k in range(count):
            for n, (name, *_) in enumerate(PARAMETERS):
                self._arrays[f"{name}-{k + 1}"][at] = found.mean[:, k, n]
                if count > 1 or name != "share":
                    # That a voxel has one population is taken from its peaks: how sure ν = 1 is
                    # is not known.
                    self._arrays[f"{name}-{k + 1}-sd"][at] = found.sd[:, k, n]
            for n, axis in enumerate(DIRECTION_AXES):
                self._arrays[direction_name(k + 1, axis)][at] = compared.directions[:, k, n]
        if self._how.water:
            self._arrays[WATER][at] = compared.water
        self._arrays["entropy"][at] = found.entropy
        rest = (y - compared.fitted) / sigma
        self._arrays["misfit"][at] = np.sqrt((rest**2).mean(axis=1))
        for shell in self._of.table.shells:
            part = rest[:, shell.rows]
            self._arrays[f"misfit-b{shell.b:.0f}"][at] = np.sqrt((part**2).mean(axis=1))

    def result(self) -> tuple[ExplanationMap, ...]:
        """The maps, in the order in which they are read."""
        largest = float(self._dictionary.tissue.radii.max())
        maps, numbers = [], range(1, self._most + 1)
        for k in numbers:
            for name, title, unit, known in PARAMETERS:
                low, high = known or (0.0, largest)
                said = f"{title}, population {k}"
                maps.append(self._map(f"{name}-{k}", said, unit, (low, high)))
                spread = (0.0, (high - low) / 3)
                maps.append(
                    self._map(f"{name}-{k}-sd", f"{said}, standard deviation", unit, spread)
                )
        if self._how.water:
            maps.append(self._map(WATER, "Share of free water", "", (0.0, 1.0)))
        maps.append(self._map("entropy", "Entropy of the posterior", "bit", (0.0, 14.0)))
        maps.append(self._map("misfit", "Misfit of all measurements", "σ", (0.0, 3.0)))
        for shell in self._of.table.shells:
            title = f"Misfit at b = {shell.b:.0f} s/mm²"
            maps.append(self._map(f"misfit-b{shell.b:.0f}", title, "σ", (0.0, 3.0)))
        ways = [[self._arrays[direction_name(k, a)] for a in DIRECTION_AXES] for k in numbers]
        maps += direction_maps(np.array(ways))
        return (*maps, populations_map(self._populations, self._most))

    def _map(self, name: str, title: str, unit: str, limits: tuple[float, float]) -> ExplanationMap:
        return parameter_map(name, self._arrays[name], title, unit, limits)

    def scores(self) -> dict[str, float | None]:
        """How much was compared, and how well it fits."""
        fit = self._arrays["misfit"][np.isfinite(self._arrays["misfit"])]
        said = {2: "two", 3: "three"}
        counted = {
            f"voxels with {said[k]} populations": float((self._populations == k).sum())
            for k in range(2, self._most + 1)
        }
        return {
            "voxels": float((self._populations > 0).sum()),
            **counted,
            "median misfit": float(np.median(fit)) if fit.size else None,
        }
