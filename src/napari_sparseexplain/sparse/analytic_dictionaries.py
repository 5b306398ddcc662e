"""Dictionaries that nobody had to train: cosines and Gabor functions, each of unit norm.

For decomposing one's own images without a network. The cosines of a width span every patch of
that width; Gabor functions are edges and lines (odd and even) at chosen orientations, without
their mean (Daugman 1985).
"""

from __future__ import annotations

import math

import torch

from ..errors import SparseExplainError
from .convolutional_dictionary import norm_bound
from .jf_ml_ista import ClassModel

#: Names that `analytic_dictionary` knows, and what each is.
ANALYTIC = {
    "cosine": "products of cosines, from smooth to fine",
    "gabor": "edges and lines at six orientations and two widths",
}


def cosine_atoms(width: int, count: int | None = None) -> torch.Tensor:
    """Atoms of the discrete cosine transform (type 2), the smooth ones first.

    Parameters
    ----------
    width : int
        k, odd.
    count : int, optional
        How many of the k² there are.

    Returns
    -------
    Tensor, shape (count, 1, k, k)
        float64, orthonormal.
    """
    _check_width(width)
    most = width * width
    count = most if count is None else count
    if not 1 <= count <= most:
        raise SparseExplainError(
            f"there are no {count} cosine atoms of {width} × {width}",
            remedy=f"Ask for 1 to {most}",
        )
    place = torch.arange(width, dtype=torch.float64)
    waves = torch.cos(math.pi / width * (place[:, None] + 0.5) * place)
    waves = waves / waves.norm(dim=0)
    order = sorted((u + v, max(u, v), u) for u in range(width) for v in range(width))
    pairs = [(u, total - u) for total, _, u in order][:count]
    return torch.stack([torch.outer(waves[:, u], waves[:, v]) for u, v in pairs])[:, None]


def gabor_atoms(
    width: int, *, orientations: int = 6, wavelengths: tuple[float, ...] = (1.0, 0.5)
) -> torch.Tensor:
    """Even and odd Gabor functions.

    Parameters
    ----------
    width : int
        k, odd.
    orientations : int
        Directions in half a turn.
    wavelengths : tuple of float
        As shares of the width; not below two pixels.

    Returns
    -------
    Tensor, shape (2 · orientations · wavelengths, 1, k, k)
        float64; zero mean, unit norm.
    """
    _check_width(width, least=3)
    place = torch.arange(width, dtype=torch.float64) - width // 2
    rows, columns = torch.meshgrid(place, place, indexing="ij")
    atoms = []
    for share in wavelengths:
        wavelength = max(share * width, 2.5)
        window = torch.exp(-0.5 * (rows.square() + columns.square()) / (0.4 * wavelength) ** 2)
        for i in range(orientations):
            angle = math.pi * i / orientations
            along = 2 * math.pi / wavelength * (rows * math.sin(angle) + columns * math.cos(angle))
            for wave in (torch.cos(along), torch.sin(along)):
                atom = window * wave
                atom = atom - window * (atom.sum() / window.sum())
                atoms.append(atom / atom.norm())
    return torch.stack(atoms)[:, None]


def analytic_dictionary(name: str, width: int, count: int | None = None) -> torch.Tensor:
    """One of `ANALYTIC`, shape (F, 1, k, k), float64.

    Raises
    ------
    SparseExplainError
        No such name, an even width, or more atoms than there are.
    """
    if name == "cosine":
        return cosine_atoms(width, count)
    if name == "gabor":
        atoms = gabor_atoms(width)
        if count is not None and not 1 <= count <= len(atoms):
            raise SparseExplainError(
                f"there are no {count} Gabor atoms", remedy=f"Ask for 1 to {len(atoms)}"
            )
        return atoms[:count]
    raise SparseExplainError(
        f"there is no dictionary called {name!r}", remedy=f"Take one of {', '.join(ANALYTIC)}"
    )


def clustering_layer(maps: int) -> torch.Tensor:
    """A second layer without training: a deep code stands for a small cluster of one map's codes.

    Returns
    -------
    Tensor, shape (maps, maps, 3, 3)
        float64; a binomial 3 × 3 kernel of norm bound 1 for every map, nothing across maps.
    """
    profile = torch.tensor([0.25, 0.5, 0.25], dtype=torch.float64)
    return torch.eye(maps, dtype=torch.float64)[..., None, None] * torch.outer(profile, profile)


def morphological_classes(width: int, threshold: float = 0.0) -> dict[str, ClassModel]:
    """Two classes for a decomposition without a network: what is smooth, and what has edges.

    As in morphological component analysis (Fadili, Starck, Bobin and Moudden 2010): dictionaries
    in which the one kind of content is sparse and the other is not.

    Parameters
    ----------
    width : int
        k, odd.
    threshold : float
        λ of both, in the image's units.

    Returns
    -------
    dict of str to ClassModel
        One modality, one layer, float64; steps are ``1 / ‖Φ‖²``.
    """
    place = torch.arange(width, dtype=torch.float64) - width // 2
    found = {}
    smooth = []
    for spread in (width / 2.5, width / 4):
        profile = torch.exp(-0.5 * (place / spread) ** 2)
        smooth.append(torch.outer(profile, profile))
    atoms = torch.stack([a / a.norm() for a in smooth])[:, None]
    for name, phi in (("smooth", atoms), ("edges", gabor_atoms(width))):
        step = 1.0 / norm_bound(phi)
        found[name] = ClassModel(phi, [], torch.tensor(threshold, dtype=phi.dtype), step, [], [])
    return found


def _check_width(width: int, least: int = 1) -> None:
    if width < least or width % 2 == 0:
        raise SparseExplainError(
            f"an atom cannot be {width} pixels wide", remedy=f"Give an odd width from {least}"
        )
