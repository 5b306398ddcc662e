"""Networks of the right sizes for the small dictionary, written without a training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from napari_sparseexplain.networks.tissue.tissue_card import TissueCard, TissueNetworkKind
from napari_sparseexplain.networks.tissue.tissue_network_file import (
    module_of,
    save_tissue_network,
)

from .small_dictionary import small_dictionary, small_protocol


def write_untrained(kind: TissueNetworkKind, folder: Path) -> TissueCard:
    """Write a network with random weights and a true card."""
    dictionary, table = small_dictionary(), small_protocol()
    tissue, timings = dictionary.tissue, dictionary.timings
    rows = np.column_stack([table.b, table.directions]).tolist()
    card = TissueCard(
        kind=kind,
        radii=tuple(tissue.radii.tolist()),
        densities=tuple(tissue.densities.tolist()),
        small_delta=1e3 * timings.small_delta,
        big_delta=1e3 * timings.big_delta,
        echo_time=1e3 * timings.echo_time,
        unweighted=float(np.exp(-timings.echo_time / tissue.t2)),
        gradients=tuple((row[0], row[1], row[2], row[3]) for row in rows),
        snr=(20.0, 120.0),
        least_share=0.1,
        least_angle=20.0,
        one_population=0.1,
        direction_error=5.0,
        samples=1,
        epochs=1,
        seed=0,
        errors=(0.1, 1.0, 0.1),
    )
    torch.manual_seed(0)
    return save_tissue_network(folder, card, module_of(card))
