"""Dictionaries without a network: analytic ones, and one learned from the image."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.progress import drain
from napari_sparseexplain.sparse.analytic_dictionaries import (
    ANALYTIC,
    analytic_dictionary,
    cosine_atoms,
    gabor_atoms,
    morphological_classes,
)
from napari_sparseexplain.sparse.convolutional_dictionary import synthesis
from napari_sparseexplain.sparse.dictionary_learning import learn_dictionary
from napari_sparseexplain.sparse.jf_ml_ista import jf_ml_ista


@pytest.mark.parametrize("width", [1, 3, 7])
def test_cosine_atoms_are_an_orthonormal_basis_of_patches(width):
    atoms = cosine_atoms(width).flatten(1)
    torch.testing.assert_close(atoms @ atoms.T, torch.eye(width**2, dtype=torch.float64))


def test_cosine_atoms_begin_with_the_smooth_ones():
    atoms = cosine_atoms(7, 10)
    torch.testing.assert_close(atoms[0], torch.full_like(atoms[0], 1 / 7))
    roughness = [
        float(a.diff(dim=-1).square().sum() + a.diff(dim=-2).square().sum()) for a in atoms
    ]
    assert roughness[0] < roughness[1] < roughness[9]
    assert len(atoms) == 10


@pytest.mark.parametrize("width", [5, 7, 11])
def test_gabor_atoms_have_no_mean_unit_norm_and_no_two_are_alike(width):
    atoms = gabor_atoms(width)
    assert atoms.shape == (24, 1, width, width)
    torch.testing.assert_close(atoms.sum((1, 2, 3)), torch.zeros(24, dtype=torch.float64))
    gram = atoms.flatten(1) @ atoms.flatten(1).T
    torch.testing.assert_close(gram.diagonal(), torch.ones(24, dtype=torch.float64))
    assert float((gram - torch.eye(24)).abs().max()) < 0.999


@pytest.mark.parametrize("name", ANALYTIC)
def test_dictionaries_are_found_by_name_and_count(name):
    assert len(analytic_dictionary(name, 7, 5)) == 5
    with pytest.raises(SparseExplainError, match="there are no"):
        analytic_dictionary(name, 5, 1000)
    with pytest.raises(SparseExplainError, match="wide"):
        analytic_dictionary(name, 4)


def test_an_unknown_dictionary_names_those_that_are_there():
    with pytest.raises(SparseExplainError, match="cosine"):
        analytic_dictionary("wavelet", 5)


def test_what_is_smooth_goes_to_the_smooth_class_and_a_line_to_the_edges():
    place = torch.arange(40, dtype=torch.float64)
    bump = torch.exp(-((place - 20) ** 2) / 200)
    smooth = torch.outer(bump, bump)[None, None]
    line = torch.zeros_like(smooth)
    line[..., 12, :] = 1.0
    many = list(morphological_classes(7, 0.02).values())
    for part, home in ((smooth, 0), (line, 1)):
        found = jf_ml_ista(part, many, outer=20, inner=4, prox="soft")
        energy = [float(c.square().sum()) for c in found.components]
        assert energy[home] > 0.7 * sum(energy)


def planted() -> torch.Tensor:
    """Images painted sparsely with three known atoms."""
    generator = torch.Generator().manual_seed(1)
    atoms = torch.randn(3, 1, 5, 5, generator=generator, dtype=torch.float64)
    codes = torch.randn(2, 3, 32, 32, generator=generator, dtype=torch.float64)
    chosen = torch.rand(codes.shape, generator=generator) < 0.01
    return synthesis(codes * chosen, atoms / atoms.flatten(1).norm(dim=1).view(3, 1, 1, 1))


def test_learning_never_raises_the_objective_and_keeps_atoms_in_the_unit_ball():
    x = planted()
    found = drain(learn_dictionary(x, 0.05, atoms=4, width=5, rounds=12))
    values = np.array([row.objective for row in found.trace])
    assert len(values) == 12
    assert (np.diff(values) <= 1e-9 * values[0]).all()
    assert float(found.weight.flatten(1).norm(dim=1).max()) <= 1 + 1e-12


def test_a_learned_dictionary_explains_what_it_was_learned_from_more_sparsely_than_cosines():
    x, level = planted(), 0.05
    found = drain(learn_dictionary(x, level, atoms=6, width=5, rounds=40, coding_steps=10))
    learned = found.trace[-1].objective
    from napari_sparseexplain.sparse.fista import fista

    other = drain(fista(x, cosine_atoms(5, 6), level, iterations=200)).trace[-1].objective
    assert learned < 0.7 * other


def test_learning_is_the_same_again_and_another_with_another_seed():
    x = planted()
    first, again, other = (
        drain(learn_dictionary(x, 0.1, atoms=3, width=5, rounds=2, seed=s)).weight
        for s in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    ("x", "options", "said"),
    [
        (torch.ones(1, 1, 9, 9), {}, "same value everywhere"),
        (torch.zeros(1, 1, 3, 9), {}, "cannot be learned"),
        (torch.rand(1, 1, 9, 9), {"width": 4}, "cannot be learned"),
        (torch.rand(1, 1, 9, 9), {"atoms": 0}, "cannot be learned"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(x, options, said):
    with pytest.raises(SparseExplainError, match=said):
        drain(learn_dictionary(x, 0.1, **options))
