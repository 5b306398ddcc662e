"""Walk what the dictionary that ships is made of, and lay it into the package.

``python scripts/ship_dictionary.py``: some minutes; a run that is stopped goes on where it was. The
walks between cylinders are of a coarse grid with many spins, and interpolated
(`microstructure/walks/interpolated_walks.py`); those inside are of every radius.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_sparseexplain.microstructure.gradient_table import HCP_MGH
from napari_sparseexplain.microstructure.tissue import Tissue
from napari_sparseexplain.microstructure.walks.interpolated_walks import interpolated_outside
from napari_sparseexplain.microstructure.walks.phases import Phases, quantile_means
from napari_sparseexplain.microstructure.walks.phases_file import save_phases
from napari_sparseexplain.microstructure.walks.random_walk import inside_walk
from napari_sparseexplain.microstructure.walks.simulation import forget_parts, simulate_work
from napari_sparseexplain.progress import drain

SPINS, SEED = 6000, 0
COARSE = Tissue(np.array([1.6, 2.8, 4.2, 5.6, 7.0]), np.array([0.21, 0.39, 0.57, 0.72, 0.81, 0.87]))
OUT = Path(__file__).parents[1] / "src/napari_sparseexplain/microstructure/dictionaries/mgh_usc.npz"


def main() -> None:
    """Walk, interpolate, write."""
    parts = OUT.with_name("mgh_usc.parts")
    work = simulate_work(COARSE, HCP_MGH, spins=SPINS, seed=SEED, parts=parts)
    coarse = drain(work, lambda step: print(f"{step.done}/{step.total} {step.message}", flush=True))
    tissue = Tissue()
    seeds = np.random.SeedSequence(SEED).generate_state(len(tissue.radii))
    inside = [
        quantile_means(inside_walk(float(r), SPINS, HCP_MGH, tissue.diffusivity, int(own)))
        for r, own in zip(tissue.radii, seeds, strict=True)
    ]
    outside = interpolated_outside(coarse, tissue)
    made = Phases(tissue, HCP_MGH, np.stack(inside), outside, SPINS, SEED)
    print(save_phases(made, OUT, overwrite=True))
    forget_parts(parts)


if __name__ == "__main__":
    main()
