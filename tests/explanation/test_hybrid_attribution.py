"""Attribution of the hybrid network to atoms and measurements."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_sparseexplain.errors import ParameterError
from napari_sparseexplain.explanation.microstructure.hybrid_attribution import hybrid_attribution
from napari_sparseexplain.microstructure.simulated_voxels import simulated_voxels
from napari_sparseexplain.networks.tissue.tissue_network import TissueNetwork
from napari_sparseexplain.networks.tissue.tissue_network_file import load_tissue_network

from ..microstructure.small_dictionary import small_dictionary, small_protocol
from ..microstructure.untrained_network import write_untrained


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TissueNetwork]:
    folder: Path = tmp_path_factory.mktemp("networks")
    for kind in ("hybrid", "learned"):
        write_untrained(kind, folder / kind)
    return {kind: load_tissue_network(kind, folder / kind) for kind in ("hybrid", "learned")}


def test_atoms_and_measurements_add_up_to_the_output(networks) -> None:
    dictionary, table = small_dictionary(), small_protocol()
    made = simulated_voxels(dictionary, table, 3, snr=60, seed=1)
    for p, population, parameter in ((0, 0, 0), (1, 1, 1), (2, 0, 2)):
        found = hybrid_attribution(
            networks["hybrid"], dictionary, table, made.signals[p], made.directions[p],
            population, parameter,
        )  # fmt: skip
        change = found.value - found.baseline
        assert found.gap == pytest.approx(abs(found.atoms.sum() - change))
        assert found.gap < 0.02 * max(abs(change), np.abs(found.atoms).sum())
        # Exact: with the same atoms the weights are a linear function of the measurements.
        assert found.measurements.sum() == pytest.approx(found.atoms.sum(), rel=1e-6)
        answer = networks["hybrid"].tissue(_weights(dictionary, table, made, p))[0]
        if parameter:
            least, most = networks["hybrid"].card.least, networks["hybrid"].card.largest
            told = np.clip(found.value, least[parameter], most[parameter])
            assert told == pytest.approx(answer[population, parameter], abs=1e-4)


def _weights(dictionary, table, made, p: int):
    from napari_sparseexplain.microstructure.tissue_samples import sparse_projection

    return sparse_projection(dictionary, table, made.signals[p : p + 1], made.directions[p : p + 1])


def test_what_cannot_be_attributed_is_said(networks) -> None:
    dictionary, table = small_dictionary(), small_protocol()
    ways = np.eye(3)[:2]
    with pytest.raises(ParameterError, match="only a hybrid"):
        hybrid_attribution(networks["learned"], dictionary, table, table.b, ways, 0, 0)
    with pytest.raises(ParameterError, match="no atom"):
        hybrid_attribution(networks["hybrid"], dictionary, table, -np.ones(len(table)), ways, 0, 0)
