"""A small dictionary made without walks: thin cylinders, and the limit of long times outside."""

from __future__ import annotations

from functools import cache

import numpy as np

from napari_sparseexplain.microstructure.dictionary import Dictionary, dictionary_of, distinct_b
from napari_sparseexplain.microstructure.gradient_table import (
    HCP_MGH,
    GradientTable,
    shell_protocol,
)
from napari_sparseexplain.microstructure.tissue import Tissue
from napari_sparseexplain.microstructure.walks.homogenised_tissue import homogenised_phases
from napari_sparseexplain.microstructure.walks.phases import Phases

TISSUE = Tissue(np.arange(1.0, 7.0, 0.75), np.round(np.arange(0.25, 0.86, 0.1), 3))


@cache
def small_phases() -> Phases:
    """Phases that change with radius and density as walked ones do, up to their noise."""
    quantiles = 64
    outside = np.stack(
        [
            [
                homogenised_phases(f, HCP_MGH, TISSUE.diffusivity, quantiles) * (1 + 0.02 * r)
                for f in TISSUE.densities
            ]
            for r in TISSUE.radii
        ]
    )
    free = homogenised_phases(1e-6, HCP_MGH, TISSUE.diffusivity, quantiles)
    inside = np.stack([free * (r / 14) ** 2 for r in TISSUE.radii])
    return Phases(TISSUE, HCP_MGH, inside.astype(np.float32), outside.astype(np.float32), 10_000, 0)


@cache
def small_protocol() -> GradientTable:
    """Three shells."""
    return shell_protocol([(0, 6), (1000, 20), (3000, 30), (6000, 40)], HCP_MGH)


@cache
def small_dictionary() -> Dictionary:
    """Of this protocol."""
    return dictionary_of(small_phases(), distinct_b(small_protocol()), rank=24)
