"""A dictionary learned from the images themselves, by turns of coding and of gradient steps.

``min_{z, D} ½ ‖x - D z‖² + λ ‖z‖₁`` with no atom longer than 1 (Olshausen and Field 1996; Engan,
Aase and Husøy 1999 in the alternating form): some ISTA steps on the codes with the dictionary
fixed, then projected gradient steps on the dictionary with the codes fixed, each halved until it
lowers the error. So the objective never rises from one round to the next.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as functional

from ..errors import SparseExplainError
from ..progress import Progress, Work
from .convolutional_dictionary import norm_bound, synthesis
from .ista import ista
from .jf_ml_ista import Prox
from .pursuit_trace import TraceRow, check_images, check_numbers


class LearnedDictionary(NamedTuple):
    """What learning found.

    Attributes
    ----------
    weight : Tensor, shape (F, n, k, k)
    codes : Tensor, shape (B, F, H, W)
    trace : tuple of TraceRow
        One row a round.
    """

    weight: torch.Tensor
    codes: torch.Tensor
    trace: tuple[TraceRow, ...]


def learn_dictionary(
    x: torch.Tensor,
    multiplier: float,
    *,
    atoms: int = 16,
    width: int = 7,
    rounds: int = 20,
    coding_steps: int = 5,
    prox: Prox = "soft",
    seed: int = 0,
) -> Work[LearnedDictionary]:
    """Learn a convolutional dictionary from images.

    Parameters
    ----------
    x : Tensor, shape (B, n, H, W)
        At least ``width`` rows and columns.
    multiplier : float
        λ.
    atoms, width : int
        F and k (odd).
    rounds : int
        Turns of coding and of fitting.
    coding_steps : int
        ISTA steps in a turn.
    prox : {"soft", "relu"}
    seed : int
        Of the patches to start from.

    Returns
    -------
    Work of LearnedDictionary

    Raises
    ------
    SparseExplainError
        Images smaller than an atom or all the same value, or values that are not finite.
    """
    check_images(x)
    check_numbers(rounds, multiplier=multiplier)
    if atoms < 1 or width < 1 or width % 2 == 0 or min(x.shape[2:]) < width:
        raise SparseExplainError(
            f"{atoms} atoms of {width} × {width} cannot be learned from images of "
            f"{x.shape[2]} × {x.shape[3]}",
            remedy="Give an odd width that fits into the images, and at least one atom",
        )
    weight = _strongest_patches(x, atoms, width, seed)
    codes = x.new_zeros(x.shape[0], atoms, *x.shape[2:])
    trace: list[TraceRow] = []
    for k in range(1, rounds + 1):
        coding = ista(
            x, weight, multiplier, iterations=coding_steps, prox=prox, start=codes, tolerance=0.0
        )
        codes = yield from _silent(coding, k, rounds)
        weight = _fitted(x, weight, codes)
        residual = x - synthesis(codes, weight)
        value = 0.5 * float(residual.square().sum()) + multiplier * float(codes.abs().sum())
        active = int(torch.count_nonzero(codes)) / codes.numel()
        trace.append(TraceRow(k, value, float(residual.norm()), active))
        weight = _unused_replaced(weight, codes, residual, seed + k)
    yield Progress(rounds, rounds, f"objective {trace[-1].objective:.5g}")
    return LearnedDictionary(weight, codes, tuple(trace))


def _silent(coding, turn: int, rounds: int) -> Work[torch.Tensor]:
    """Code, with the progress of the rounds and not of the steps."""
    while True:
        try:
            next(coding)
        except StopIteration as end:
            return end.value.codes[0]
        yield Progress(turn - 1, rounds, f"round {turn}")


def _strongest_patches(x: torch.Tensor, count: int, width: int, seed: int) -> torch.Tensor:
    """Patches of unit norm, drawn the more often the more they vary."""
    patches = functional.unfold(x, width).transpose(1, 2).reshape(-1, x.shape[1] * width * width)
    patches = patches - patches.mean(dim=1, keepdim=True)
    energy = patches.square().sum(dim=1).double()
    if not bool((energy > 0).any()):
        raise SparseExplainError(
            "the images have the same value everywhere, so there is nothing to learn",
            remedy="Give slices that show something",
        )
    generator = torch.Generator().manual_seed(seed)
    again = int((energy > 0).sum()) < count
    drawn = torch.multinomial(energy.sqrt().cpu(), count, replacement=again, generator=generator)
    chosen = patches[drawn.to(x.device)]
    chosen = chosen / chosen.norm(dim=1, keepdim=True)
    return chosen.view(count, x.shape[1], width, width)


def _fitted(
    x: torch.Tensor, weight: torch.Tensor, codes: torch.Tensor, steps: int = 3
) -> torch.Tensor:
    """Projected gradient steps on the dictionary; each lowers the error or is not made."""
    size = 1.0 / max(float(norm_bound(weight)), 1.0)
    for _ in range(steps):
        leaf = weight.detach().requires_grad_()
        with torch.enable_grad():
            error = 0.5 * (x - synthesis(codes, leaf)).square().sum()
            (slope,) = torch.autograd.grad(error, leaf)
        now = float(error.detach())
        steepness = float(slope.norm())
        if steepness == 0:
            return weight
        for _ in range(30):
            moved = _in_unit_balls(weight - size * slope)
            after = 0.5 * float((x - synthesis(codes, moved)).square().sum())
            # Sufficient decrease of a projected step, with Armijo's constant.
            if after <= now - 1e-4 / size * float((moved - weight).square().sum()):
                weight = moved
                size *= 2.0
                break
            size *= 0.5
    return weight


def _in_unit_balls(weight: torch.Tensor) -> torch.Tensor:
    """Each atom, shortened where it is longer than 1."""
    return weight / weight.flatten(1).norm(dim=1).clamp_min(1.0).view(-1, 1, 1, 1)


def _unused_replaced(
    weight: torch.Tensor, codes: torch.Tensor, residual: torch.Tensor, seed: int
) -> torch.Tensor:
    """Atoms that no code uses, replaced by patches of the residual: the objective stays."""
    unused = ~codes.flatten(2).ne(0).any(dim=2).any(dim=0)
    if not bool(unused.any()) or not bool((residual != residual.mean()).any()):
        return weight
    weight = weight.clone()
    weight[unused] = _strongest_patches(residual, int(unused.sum()), weight.shape[-1], seed)
    return weight
