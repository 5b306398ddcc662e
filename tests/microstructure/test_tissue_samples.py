"""Simulated voxels for networks: what they are made of, and that parts make up the whole."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sparseexplain.errors import ParameterError
from napari_sparseexplain.microstructure.tissue import Tissue
from napari_sparseexplain.microstructure.tissue_samples import (
    BATCH,
    SampleRanges,
    TissueSamples,
    atoms_between,
    tissue_samples_work,
)
from napari_sparseexplain.microstructure.walks.off_grid_tissue import (
    off_grid_phases_work,
    off_grid_tissue,
)
from napari_sparseexplain.progress import drain

from .small_dictionary import small_dictionary, small_protocol

CLEAN = SampleRanges(snr=(1e6, 1e6), direction_error=0.0)


def samples(count: int, ranges: SampleRanges | None = None, **more: int) -> TissueSamples:
    return drain(
        tissue_samples_work(small_dictionary(), small_protocol(), count, ranges=ranges, **more)
    )


def test_the_projection_explains_clean_voxels() -> None:
    """Signals are those of weights times the rotated sub-dictionaries: their sum is about 1."""
    made = samples(40, CLEAN)
    assert made.weights.shape == (40, 2 * small_dictionary().atoms.shape[1])
    total = made.weights.sum(axis=1)
    assert np.allclose(total, 1.0, atol=0.02)
    shares = made.weights[:, : made.weights.shape[1] // 2].sum(axis=1) / total
    assert np.abs(shares - made.truth[:, 0, 0]).mean() < 0.05


def test_voxels_are_drawn_from_their_ranges() -> None:
    made = samples(BATCH, SampleRanges(one_population=0.25, least_share=0.2))
    alone = made.truth[:, 0, 0] == 1.0
    assert 0.15 < alone.mean() < 0.35
    assert np.isnan(made.truth[alone, 1, 1:]).all()
    assert (made.truth[alone, 1, 0] == 0).all()
    second = made.weights[:, made.weights.shape[1] // 2 :].sum(axis=1)
    assert (second[alone] == 0).all(), "a population that is not there has no direction"
    two = made.truth[~alone]
    assert two[..., 0].min() >= 0.2
    assert np.allclose(two[..., 0].sum(axis=1), 1.0)
    radii = small_dictionary().tissue.radii
    assert radii.min() <= two[..., 1].min() < two[..., 1].max() <= radii.max()
    same = samples(20, SampleRanges(one_population=0.0, same_tissue=True)).truth
    assert np.array_equal(same[:, 0, 1:], same[:, 1, 1:])


def test_parts_make_up_the_whole() -> None:
    whole = samples(BATCH + 30, seed=3)
    part = samples(30, start=BATCH, seed=3)
    assert np.array_equal(part.signals, whole.signals[BATCH:])
    assert np.array_equal(part.weights.toarray(), whole.weights[BATCH:].toarray())
    with pytest.raises(ParameterError, match="multiple of"):
        samples(30, start=7)


def test_tissues_between_atoms_are_between_their_signals() -> None:
    made = small_dictionary()
    tissue = made.tissue
    at = atoms_between(made.atoms, tissue, tissue.atoms)
    assert np.allclose(at, made.atoms.T)
    half = np.array([[(tissue.radii[2] + tissue.radii[3]) / 2, tissue.densities[1]]])
    n = len(tissue.densities)
    expected = (made.atoms[:, 2 * n + 1] + made.atoms[:, 3 * n + 1]) / 2
    assert np.allclose(atoms_between(made.atoms, tissue, half)[0], expected)


def test_off_the_grid_is_half_way_between_its_values() -> None:
    grid = Tissue()
    between = off_grid_tissue(grid)
    for own, of in ((between.radii, grid.radii), (between.densities, grid.densities)):
        assert len(own) == 4
        distance = np.abs(own[:, None] - of).min(axis=1)
        assert np.allclose(distance, np.diff(of).min() / 2)
    few = Tissue(np.array([1.4, 1.6]), np.array([0.4, 0.5]))
    walked = drain(off_grid_phases_work(few, small_dictionary().timings, spins=100))
    assert walked.tissue.atoms.tolist() == [[1.5, 0.45]]
