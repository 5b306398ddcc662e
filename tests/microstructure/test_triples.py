"""Three populations: the best of all triples, against each of them solved by itself."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.optimize import nnls

from napari_sparseexplain.errors import ParameterError
from napari_sparseexplain.microstructure.search.three_populations import exhaustive_triples

from .small_dictionary import small_dictionary, small_protocol

DIRECTIONS = np.eye(3)


def test_the_best_triple_is_that_of_all_of_them() -> None:
    dictionary, table = small_dictionary(), small_protocol()
    atoms = dictionary.atoms[:, ::7]
    bases = np.stack([dictionary.basis(table, way) for way in DIRECTIONS])
    each = bases @ atoms
    rng = np.random.default_rng(0)
    shares = np.array([[0.4, 0.35, 0.25], [0.6, 0.4, 0.0], [1.0, 0.0, 0.0]])
    chosen = rng.integers(0, atoms.shape[1], (3, 3))
    clean = np.stack(
        [
            sum(share[k] * each[k][:, which[k]] for k in range(3))
            for share, which in zip(shares, chosen, strict=True)
        ]
    )
    y = clean + rng.normal(0, 0.01, clean.shape)
    found = exhaustive_triples(y, np.repeat(bases[None], 3, axis=0), atoms)
    for p in range(3):
        best = min(
            nnls(np.stack([each[k][:, n] for k, n in enumerate(which)], axis=1), y[p])[1] ** 2
            for which in product(range(atoms.shape[1]), repeat=3)
        )
        assert found.residual[p] == pytest.approx(best, rel=1e-9)
        fitted = sum(
            found.weights[p, k] * each[k][:, n] for k, n in enumerate(found.atoms[p]) if n >= 0
        )
        assert ((y[p] - fitted) ** 2).sum() == pytest.approx(best, rel=1e-9)
        assert ((found.weights[p] > 0) == (found.atoms[p] >= 0)).all()


def test_clean_voxels_give_their_own_atoms() -> None:
    dictionary, table = small_dictionary(), small_protocol()
    bases = np.stack([dictionary.basis(table, way) for way in DIRECTIONS])
    which, share = np.array([5, 20, 33]), np.array([0.5, 0.3, 0.2])
    y = sum(share[k] * bases[k] @ dictionary.atoms[:, which[k]] for k in range(3))
    found = exhaustive_triples(y[None], bases[None], dictionary.atoms)
    assert found.atoms[0].tolist() == which.tolist()
    assert np.allclose(found.weights[0], share, atol=1e-6)


def test_shapes_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(ParameterError, match="do not go together"):
        exhaustive_triples(np.zeros((2, 5)), np.zeros((2, 2, 5, 3)), np.zeros((3, 4)))
