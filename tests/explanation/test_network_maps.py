"""The hybrid and the learned network as methods: from files to maps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import napari_sparseexplain as se
from napari_sparseexplain.errors import ModelError
from napari_sparseexplain.explanation.microstructure.network_maps import measurement_order
from napari_sparseexplain.microstructure.gradient_table import GradientTable, Timings
from napari_sparseexplain.microstructure.walks.phases_file import save_phases
from napari_sparseexplain.networks.tissue.tissue_network_file import (
    load_tissue_network,
    read_tissue_card,
)

from ..microstructure.small_dictionary import small_dictionary, small_phases, small_protocol
from ..microstructure.untrained_network import write_untrained
from .test_fingerprint import BAND, SIDE, write_scan

TIMINGS = {"small_delta": 12.9, "big_delta": 21.8}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A crossing, its dictionary, and networks that were not trained."""
    folder = tmp_path_factory.mktemp("network-maps")
    write_scan(folder / "scan")
    save_phases(small_phases(), folder / "small.npz")
    for kind in ("hybrid", "learned"):
        write_untrained(kind, folder / kind)
    return folder


def run_hybrid(root: Path, study: se.Study | None = None, **more: Any) -> se.Explanation:
    """The first slice of the crossing; ``more`` goes before what is usual."""
    asked = {"dictionary": str(root / "small.npz"), "network": str(root / "hybrid")}
    study = study or se.open_study(root / "scan")
    return se.explain(
        study, None, "hybrid-microstructure", slices=slice(0, 1), **{**asked, **TIMINGS, **more}
    )


@pytest.fixture(scope="module")
def hybrid(root: Path) -> se.Explanation:
    return run_hybrid(root)


def test_the_hybrid_reads_both_populations_where_they_cross(hybrid: se.Explanation) -> None:
    populations = np.asarray(hybrid["populations"].data)[0]
    assert (populations[BAND, BAND] == 2).all()
    alone = populations == 1
    assert alone.sum() > SIDE
    share = np.asarray(hybrid["share-1"].data)[0]
    assert (share[alone] == 1).all()
    both = share + np.nan_to_num(np.asarray(hybrid["share-2"].data)[0])
    assert np.allclose(both[populations > 0], 1.0)
    assert np.isnan(np.asarray(hybrid["radius-2"].data)[0][alone]).all()
    assert np.isnan(share[populations == 0]).all()


def test_the_projection_fits_to_the_noise(hybrid: se.Explanation) -> None:
    assert 0.6 < hybrid.scores["median misfit"] < 1.3
    atoms = np.asarray(hybrid["atoms"].data)[0]
    assert np.nanmax(atoms) < 40, "sparse"
    assert np.nanmin(atoms) >= 1
    said = hybrid.provenance.parameters
    assert said["sigma"] > 0
    for name in ("network_sha256", "dictionary_sha256"):
        assert len(said[name]) == 64, "a click compares them"


def test_the_scale_of_a_scan_changes_nothing(root: Path, hybrid: se.Explanation) -> None:
    study = se.open_study(root / "scan")
    scan = study["dwi"]
    larger = replace(study, images={"dwi": replace(scan, data=scan.data * 7)})
    again = run_hybrid(root, larger, sigma=7 * hybrid.provenance.parameters["sigma"])
    for name in ("share-1", "radius-1", "density-2"):
        assert np.allclose(again[name].data, hybrid[name].data, atol=2e-3, equal_nan=True)


def test_the_learned_network_tells_the_larger_population_first(root: Path) -> None:
    found = se.explain(
        se.open_study(root / "scan"),
        None,
        "learned-microstructure",
        slices=slice(0, 2),
        network=str(root / "learned"),
        **TIMINGS,
    )
    first, second = (np.asarray(found[f"share-{k}"].data) for k in (1, 2))
    two = np.asarray(found["populations"].data) == 2
    assert two.any()
    assert (first[two] >= second[two]).all()
    assert "misfit" not in [m.name for m in found.maps]


def test_measurements_are_found_in_any_order_and_sign(root: Path) -> None:
    card = load_tissue_network("learned", root / "learned").card
    table = small_protocol()
    assert np.array_equal(measurement_order(table, card)[6:], np.arange(6, len(table)))
    turned = np.random.default_rng(0).permutation(len(table))
    other = GradientTable(table.b[turned], -table.directions[turned], table.timings)
    order = measurement_order(other, card)
    assert sorted(order) == list(range(len(table)))
    assert np.array_equal(other.b[order], table.b)
    assert np.allclose(other.directions[order], -table.directions)
    few = GradientTable(table.b[:-1], table.directions[:-1], table.timings)
    slow = table.with_timings(Timings(10e-3, 40e-3))
    tilted = GradientTable(table.b, table.directions[:, ::-1], table.timings)
    for wrong in (few, slow, tilted):
        with pytest.raises(ModelError, match="train"):
            measurement_order(wrong, card)


def test_what_does_not_go_together_is_said(root: Path) -> None:
    study = se.open_study(root / "scan")
    card = read_tissue_card(root / "hybrid")
    assert card.atoms == small_dictionary().atoms.shape[1]
    with pytest.raises(ModelError, match="holds no"):
        se.explain(study, None, "hybrid-microstructure", network=str(root / "none"), **TIMINGS)
    with pytest.raises(ModelError, match="other"):
        se.explain(study, None, "hybrid-microstructure", network=str(root / "hybrid"), **TIMINGS)


def test_the_echo_time_of_a_dictionary_changes_nothing(root: Path, hybrid: se.Explanation) -> None:
    """Weights are those of a voxel of 1, whatever T2 leaves of the atoms' signals."""
    phases = small_phases()
    slow = Timings(phases.timings.small_delta, phases.timings.big_delta, 0.11)
    save_phases(replace(phases, timings=slow), root / "slow.npz")
    sigma = hybrid.provenance.parameters["sigma"]
    again = run_hybrid(root, dictionary=str(root / "slow.npz"), sigma=sigma)
    for name in ("share-1", "radius-1", "density-2", "misfit"):
        assert np.allclose(again[name].data, hybrid[name].data, atol=5e-3, equal_nan=True)


def test_a_voxel_without_an_atom_is_told_nothing(root: Path) -> None:
    found = run_hybrid(root, sigma=1e5)
    assert not np.asarray(found["populations"].data).any()
    assert np.isnan(found["share-1"].data).all()


def test_refined_directions_fit_better_and_stand_in_the_result(
    root: Path, hybrid: se.Explanation
) -> None:
    refined = run_hybrid(root, refine=True)
    assert refined.scores["median misfit"] <= hybrid.scores["median misfit"]
    ways = np.stack([np.asarray(refined[f"direction-1-{axis}"].data)[0] for axis in "spl"])
    there = np.asarray(refined["populations"].data)[0] > 0
    assert np.allclose(np.linalg.norm(ways, axis=0)[there], 1, atol=1e-5)
    assert np.isnan(ways[:, ~there]).all()
