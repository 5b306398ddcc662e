"""All pairs of atoms of a batch of voxels in torch: what `two_populations` does voxel by voxel.

The same words and the same limits: all pairs are screened, those rows of pairs that may matter are
computed again in double precision, and the posterior is taken over these. Screening is what most of
the time goes into, and graphics cards of desks are many times slower in double precision.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

#: As in `microstructure/search/two_populations.py`: share of ‖y‖² that single precision may be
#: wrong by; pairs less likely than exp of this are left out; 1 - c² of two atoms that are one.
SCREEN, FAINT, SAME = 2e-5, -18.0, 1e-6

#: Tables as large as all pairs of a voxel that are held at once, while screened and afterwards.
SCREENED_TABLES, EXACT_TABLES = 8, 14


@dataclass(frozen=True, eq=False)
class FoundPairs:
    """Of P voxels, on the device; as `Fingerprints` has them."""

    pair: Tensor
    weights: Tensor
    residual: Tensor
    mean: Tensor
    sd: Tensor
    entropy: Tensor


def single_atoms(y: Tensor, basis: Tensor, v: Tensor, known: Tensor, sigma: float) -> FoundPairs:
    """As `exhaustive_singles`: signals (P, M), bases (P, M, R), V (R, N), (r, f) (N, 2)."""
    found = _nothing(y)
    lengths, common = _correlations(y, basis, v)
    gains = common.clamp(min=0.0) ** 2
    top = gains.amax(1)
    best = _first(gains == top[:, None])
    there = top > 0
    found.pair[:, 0] = torch.where(there, best, -1)
    weight = (common / lengths).gather(1, best[:, None])[:, 0]
    found.weights[:, 0] = torch.where(there, weight, 0.0)
    found.residual.copy_(((y * y).sum(1) - top).clamp(min=0.0))
    if sigma > 0:
        chance = torch.softmax((gains - top[:, None]) / (2 * sigma**2), dim=1)
        mean = chance @ known
        apart = known - mean[:, None]
        sd = (chance[..., None] * apart**2).sum(1).clamp(min=0.0).sqrt()
        bits = -(chance * chance.clamp(min=1e-300).log2()).sum(1)
        ones = torch.ones_like(top)[:, None]
        told = there[:, None]
        found.mean[:, 0] = torch.where(told, torch.cat([ones, mean], 1), torch.nan)
        found.sd[:, 0] = torch.where(told, torch.cat([0 * ones, sd], 1), torch.nan)
        found.entropy.copy_(torch.where(there, bits, torch.nan))
    return found


def all_pairs(
    y: Tensor,
    one: Tensor,
    two: Tensor,
    v: Tensor,
    known: Tensor,
    sigma: float,
    *,
    screen: torch.dtype,
    exact_bytes: int,
) -> FoundPairs:
    """As `exhaustive_pairs`.

    Parameters
    ----------
    y : Tensor, shape (P, M)
    one, two : Tensor, shape (P, M, R)
    v : Tensor, shape (R, N)
    known : Tensor, shape (N, 2)
    sigma : float
    screen : torch.dtype
        Precision in which all pairs are screened; all else is in double precision.
    exact_bytes : int
        Memory that the rows computed again may take at a time.
    """
    found = _nothing(y)
    n1, y1 = _correlations(y, one, v)
    n2, y2 = _correlations(y, two, v)
    left = (v.mT @ (one.mT @ two)) / n1[..., None]  # (P, N, R)
    right = v / n2[:, None]  # (P, R, N)
    rows = _row_tops(left.to(screen), right.to(screen), y1.to(screen), y2.to(screen)).to(y.dtype)
    energy = (y * y).sum(1)
    slack = SCREEN * energy
    if sigma > 0:
        slack = slack + (1.0 - FAINT) * 2 * sigma**2
    near = rows >= (rows.amax(1) - slack)[:, None]
    counts, order = near.sum(1).sort(descending=True)
    several = counts.tolist()
    start = 0
    while start < len(order):
        # Voxels of many such rows are few at a time, and stand together.
        most = several[start]
        size = max(exact_bytes // (most * v.shape[1] * y.element_size() * EXACT_TABLES), 1)
        some = order[start : start + size]
        exact = _Rows(near[some], most, n1[some], y1[some], n2[some], y2[some])
        _fill(found, some, exact, left[some], right[some], energy[some], known, sigma)
        start += size
    return found


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows of pairs of Q voxels that are looked at again, at most ``most`` of each."""

    near: Tensor
    most: int
    n1: Tensor
    y1: Tensor
    n2: Tensor
    y2: Tensor


def _fill(
    found: FoundPairs,
    some: Tensor,
    of: _Rows,
    left: Tensor,
    right: Tensor,
    energy: Tensor,
    known: Tensor,
    sigma: float,
) -> None:
    """The best pair and the posterior of some voxels, in double precision."""
    # Near rows first, and in their order: of equal pairs the first is taken.
    index = (~of.near).to(torch.uint8).argsort(dim=1, stable=True)[:, : of.most]
    valid = of.near.gather(1, index)
    taken = left.gather(1, index[..., None].expand(-1, -1, left.shape[2]))
    c = taken @ right  # (Q, K, N)
    y1, n1 = of.y1.gather(1, index)[..., None], of.n1.gather(1, index)[..., None]
    y2, n2 = of.y2[:, None], of.n2[:, None]
    rest = 1.0 - c * c
    a, b = y1 - c * y2, y2 - c * y1
    both = (a > 0) & (b > 0) & (rest > SAME)
    rest = torch.where(both, rest, 1.0)
    first = y1 >= y2
    alone = torch.where(first, y1, y2).clamp(min=0.0)
    gain = torch.where(both, y1 * y1 + b * b / rest, alone * alone)
    gain = torch.where(valid[..., None], gain, -1.0)
    w1 = torch.where(both, a / rest, torch.where(first, alone, 0.0)) / n1
    w2 = torch.where(both, b / rest, torch.where(first, 0.0, alone)) / n2

    best = gain.flatten(1).amax(1)
    at = _first((gain == best[:, None, None]).flatten(1))
    row, column = at // c.shape[2], at % c.shape[2]
    there = best > 0
    weight = torch.stack([w.flatten(1).gather(1, at[:, None])[:, 0] for w in (w1, w2)], 1)
    place = torch.stack([index.gather(1, row[:, None])[:, 0], column], 1)
    told = (weight > 0) & there[:, None]
    found.pair[some] = torch.where(told, place, -1)
    found.weights[some] = torch.where(told, weight, 0.0)
    found.residual[some] = (energy - best.clamp(min=0.0)).clamp(min=0.0)
    if sigma > 0:
        exponent = (gain - best[:, None, None]) * (0.5 / sigma**2)
        kept = (exponent >= FAINT) & (w1 + w2 > 0)
        _posterior(found, some, exponent, kept, w1, w2, index, known)


def _posterior(
    found: FoundPairs,
    some: Tensor,
    exponent: Tensor,
    kept: Tensor,
    w1: Tensor,
    w2: Tensor,
    index: Tensor,
    known: Tensor,
) -> None:
    weight = torch.where(kept, exponent.exp(), 0.0)
    total = weight.sum((1, 2))
    told = total > 0
    share = w1 / torch.where(kept, w1 + w2, 1.0)
    log_sum = (weight * exponent).sum((1, 2))
    safe = torch.where(told, total, 1.0)
    bits = (safe.log() - log_sum / safe) / torch.log(torch.tensor(2.0, dtype=safe.dtype))
    found.entropy[some] = torch.where(told, bits, torch.nan)
    for k, nu in enumerate((share, 1.0 - share)):
        # Without weight a population's radius and density are not told.
        present = weight * (nu > 0)
        values = known[index] if k == 0 else known.expand(len(some), -1, -1)
        by_atom = present.sum(2 if k == 0 else 1)[..., None]
        sums = [
            (total[:, None], (weight * nu).sum((1, 2))[:, None],
             (weight * nu * nu).sum((1, 2))[:, None]),
            (by_atom.sum(1), (by_atom * values).sum(1), (by_atom * values**2).sum(1)),
        ]  # fmt: skip
        means, spreads = [], []
        for whole, once, twice in sums:
            middle = once / whole  # not a number where nothing is told
            means.append(middle)
            spreads.append((twice / whole - middle**2).clamp(min=0.0).sqrt())
        means[1], spreads[1] = (part.reshape(len(some), 2) for part in (means[1], spreads[1]))
        found.mean[some, k] = torch.cat(means, 1)
        found.sd[some, k] = torch.cat(spreads, 1)


def _nothing(y: Tensor) -> FoundPairs:
    p = len(y)
    return FoundPairs(
        y.new_full((p, 2), -1, dtype=torch.int64), y.new_zeros((p, 2)), y.new_zeros(p),
        y.new_full((p, 2, 3), torch.nan), y.new_full((p, 2, 3), torch.nan),
        y.new_full((p,), torch.nan),
    )  # fmt: skip


def _first(chosen: Tensor) -> Tensor:
    """Index of the first true value of each row; `argmax` promises no order."""
    places = torch.arange(chosen.shape[1], device=chosen.device)
    return torch.where(chosen, places, chosen.shape[1] - 1).amin(1)


def _correlations(y: Tensor, basis: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Lengths of the atoms, and what they have in common with the data at length 1: (P, N)."""
    gram = basis.mT @ basis
    lengths = (v * (gram @ v)).sum(1).clamp(min=1e-300).sqrt()
    common = (basis.mT @ y[..., None])[..., 0] @ v
    return lengths, common / lengths


def _row_tops(left: Tensor, right: Tensor, y1: Tensor, y2: Tensor) -> Tensor:
    """Most that a pair of each atom of the first population explains, shape (P, N)."""
    c = left @ right
    one, two = y1[..., None], y2[:, None]
    a = torch.addcmul(one, c, two, value=-1.0)
    b = torch.addcmul(two, c, one, value=-1.0)
    rest = torch.addcmul(torch.ones((), dtype=c.dtype, device=c.device), c, c, value=-1.0)
    both = (a > 0) & (b > 0) & (rest > SAME)
    gain = b.square_().div_(rest.clamp_(min=SAME)).add_(one * one)
    alone = (two.clamp(min=0.0) ** 2).expand_as(gain)
    return torch.maximum(torch.where(both, gain, alone).amax(2), y1.clamp(min=0.0) ** 2)
