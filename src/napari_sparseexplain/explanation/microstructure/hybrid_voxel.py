"""Why the hybrid network gave a voxel its values: outputs shared out among atoms and shells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ModelError
from ...evidence import Explanation
from ...microstructure.dictionary import distinct_b
from ...microstructure.gradient_table import GradientTable
from ...networks.tissue.tissue_network_file import load_tissue_network
from ...progress import drain
from ...volumes import Study
from .diffusion_scan import DiffusionScan
from .hybrid_attribution import PARAMETERS, HybridAttribution, hybrid_attribution
from .network_maps import scaled_signals, unweighted_signal
from .shipped_dictionary import dictionary_for
from .voxel_of_scan import (
    directions_at,
    signal_of_voxel_work,
    voxel_of_result,
)


@dataclass(frozen=True, eq=False)
class HybridVoxel:
    """One voxel with K fibre populations.

    Attributes
    ----------
    index : tuple of int
        (slice, row, column) of the study.
    table : GradientTable
    directions : ndarray, shape (K, 3)
    radii, densities : ndarray
        Of the dictionary's atoms: all densities of the first radius come first.
    outputs : tuple of HybridAttribution
        ν, r and f of the first population, then of the second.
    """

    index: tuple[int, ...]
    table: GradientTable
    directions: npt.NDArray[np.float64]
    radii: npt.NDArray[np.float64]
    densities: npt.NDArray[np.float64]
    outputs: tuple[HybridAttribution, ...]

    @property
    def populations(self) -> int:
        """K."""
        return len(self.directions)

    @property
    def groups(self) -> tuple[tuple[str, npt.NDArray[np.intp]], ...]:
        """Measurements that belong together: ``"b 0"``, ``"b 1000"`` … with their rows."""
        shells = [(f"b {shell.b:.0f}", shell.rows) for shell in self.table.shells]
        return (("b 0", self.table.b0_rows), *shells)

    @property
    def by_shell(self) -> npt.NDArray[np.float64]:
        """What the measurements of each group added to each output, shape (groups, 3 K)."""
        return np.array(
            [[out.measurements[rows].sum() for out in self.outputs] for _, rows in self.groups]
        )

    @property
    def by_atom(self) -> npt.NDArray[np.float64]:
        """What each atom with weight added to each output, shape (A, 3 K)."""
        return np.stack([out.atoms for out in self.outputs], axis=1)

    def atom(self, number: int) -> tuple[int, float, float]:
        """Population (from 1), r and f of an atom of `HybridAttribution.active`."""
        population, place = divmod(number, len(self.radii) * len(self.densities))
        row, column = divmod(place, len(self.densities))
        return population + 1, float(self.radii[row]), float(self.densities[column])

    def numbers(self) -> dict[str, Any]:
        """All of it as JSON holds it."""
        return {
            "voxel": [int(place) for place in self.index],
            "directions": self.directions.tolist(),
            "outputs": [
                {
                    "population": out.population + 1,
                    "parameter": PARAMETERS[out.parameter],
                    "value": out.value,
                    "baseline": out.baseline,
                    "gap": out.gap,
                    "measurements": out.measurements.tolist(),
                    "atoms": [
                        dict(zip(("population", "radius", "density"), self.atom(n), strict=True))
                        | {"added": added}
                        for n, added in zip(out.active.tolist(), out.atoms.tolist(), strict=True)
                    ],
                }
                for out in self.outputs
            ],
        }


def explain_hybrid_voxel(
    result: Explanation, study: Study, index: tuple[int, int, int], of: DiffusionScan | None = None
) -> HybridVoxel:
    """Explain a voxel of a result of the method *hybrid-microstructure*.

    Parameters
    ----------
    result : Explanation
    study : Study
        That it was found in.
    index : tuple of int
        (slice, row, column).
    of : DiffusionScan, optional
        Of `scan_of_result`, where it was read already.

    Raises
    ------
    SparseExplainError
        The voxel was not read, or the scan, its gradients, the dictionary or the network are not
        what they were.
    """
    said = result.provenance.parameters
    of, at, count = voxel_of_result(result, study, index, of)
    network = load_tissue_network("hybrid", str(said.get("network", "")))
    if said.get("network_sha256") and network.card.weights_sha256 != said["network_sha256"]:
        raise ModelError(
            "the network is not that of the result", where=str(said.get("network", "")) or None,
            remedy="Run the method again, and click in the new result",
        )  # fmt: skip
    known = dictionary_for(str(said["dictionary"]), distinct_b(of.table))
    sigma = float(said["sigma"])
    signal = drain(signal_of_voxel_work(of, at, denoise=bool(said.get("denoise", False))))
    ways = directions_at(result, of, index, count)
    y, _ = scaled_signals(
        np.asarray(signal)[None], of.table, sigma, unweighted_signal(known.timings, known.tissue)
    )
    both = np.zeros((2, 3))
    both[: len(ways)] = ways
    outputs = tuple(
        hybrid_attribution(network, known, of.table, y[0], both, k, n)
        for k in range(len(ways))
        for n in range(len(PARAMETERS))
    )
    tissue = known.tissue
    return HybridVoxel(index, of.table, ways, tissue.radii, tissue.densities, outputs)
