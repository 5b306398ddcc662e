"""Convolutional sparse coding of a 240² slice to a relative gap of 1e-3, against SPORCO's ADMM.

Both minimise ``½ ‖x - Σ d_k ∗ z_k‖² + λ Σ ‖z_k‖₁`` with circular convolution, in single precision
on one thread, with over-relaxation 1.8 and the penalty rule that each brings along. How many
iterations each needs is counted beforehand with the objective taken in double precision at the
sparse variable; what is timed is then one call of so many iterations, its preparation included and
without any look at the objective. SPORCO is given its options for speed.
"""

from __future__ import annotations

import time
import warnings

import numpy as np
import torch

with warnings.catch_warnings():
    # Escapes in its documentation and imports that newer versions of its libraries have moved.
    warnings.simplefilter("ignore")
    import sporco.fft
    from sporco.admm import cbpdn

from napari_sparseexplain.progress import drain
from napari_sparseexplain.sparse.csc_admm import csc_admm, largest_multiplier
from napari_sparseexplain.volumes import open_study
from napari_sparseexplain.volumes.opening.sample import sample_path
from paired_timing import Row, paired

_GAP, _COUNT, _WIDTH, _SHARE, _MOST = 1e-3, 32, 8, 0.05, 400


def _image() -> torch.Tensor:
    """A FLAIR slice in about [0, 1] without its smooth part, as is usual before this coding."""
    plane = np.asarray(open_study(sample_path())["flair"].data[78], np.float64)
    plane /= np.percentile(plane[plane > 0], 99.5)
    rows, columns = (2 - 2 * np.cos(2 * np.pi * np.fft.fftfreq(n)) for n in plane.shape)
    filtered = np.fft.fft2(plane) / (1 + 5 * (rows[:, None] + columns))
    return torch.from_numpy(plane - np.fft.ifft2(filtered).real).float()


def _dictionaries() -> dict[str, torch.Tensor]:
    """Filters of unit norm: the first cosines without the constant one, and Gaussian noise."""
    place = (np.arange(_WIDTH) + 0.5)[:, None] * np.arange(_WIDTH) * np.pi / _WIDTH
    waves = np.cos(place)
    order = sorted((u + v, u, v) for u in range(_WIDTH) for v in range(_WIDTH))[1 : _COUNT + 1]
    cosines = np.stack([np.outer(waves[:, u], waves[:, v]) for _, u, v in order])
    noise = np.random.default_rng(0).standard_normal((_COUNT, _WIDTH, _WIDTH))
    found = {}
    for name, filters in (("cosine", cosines), ("random", noise)):
        filters /= np.linalg.norm(filters, axis=(1, 2), keepdims=True)
        found[name] = torch.from_numpy(filters).float()
    return found


def _objective(x: torch.Tensor, filters: torch.Tensor, codes: torch.Tensor, level: float) -> float:
    size = (x.shape[0], x.shape[1])
    spectrum = torch.fft.rfft2(filters.double(), s=size) * torch.fft.rfft2(codes.double())
    error = x.double() - torch.fft.irfft2(spectrum.sum(dim=0), s=size)
    return 0.5 * float(error.square().sum()) + level * float(codes.double().abs().sum())


class _Peer:
    """SPORCO's ConvBPDN on one problem."""

    def __init__(self, x: torch.Tensor, filters: torch.Tensor, level: float) -> None:
        self.x, self.level = x.numpy(), level
        self.filters = np.ascontiguousarray(filters.numpy().transpose(1, 2, 0))

    def run(self, iterations: int, look=None) -> torch.Tensor:
        options = {
            "MaxMainIter": iterations,
            "RelStopTol": 0.0,
            "AbsStopTol": 0.0,
            "RelaxParam": 1.8,
            "DataType": np.float32,
            "FastSolve": True,
            "HighMemSolve": True,
            "LinSolveCheck": False,
        }
        if look is not None:
            options["Callback"] = lambda solver: look(_codes(solver))
        solver = cbpdn.ConvBPDN(
            self.filters, self.x, self.level, cbpdn.ConvBPDN.Options(options), dimK=0
        )
        solver.solve()
        return _codes(solver)


def _codes(solver: cbpdn.ConvBPDN) -> torch.Tensor:
    """The sparse variable, shape (K, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(solver.Y.squeeze().transpose(2, 0, 1)))


def measure(repeats: int) -> list[Row]:
    """One row a dictionary."""
    sporco.fft.pyfftw_threads = torch.get_num_threads()
    rows, x = [], _image()
    for name, filters in _dictionaries().items():
        level = _SHARE * largest_multiplier(x, filters)
        best = drain(csc_admm(x, filters, level, iterations=_MOST, tolerance=0))
        least = _objective(x, filters, best.codes[0][0], level)

        def gap(codes: torch.Tensor, f=filters, level=level, least=least) -> float:
            return _objective(x, f, codes, level) / least - 1

        looks: list[float] = []

        def look(codes: torch.Tensor, gap=gap, looks=looks) -> bool:
            looks.append(gap(codes))
            return looks[-1] <= _GAP

        peer = _Peer(x, filters, level)
        peer.run(_MOST, look)
        theirs_needed = len(looks)
        traced = drain(csc_admm(x, filters, level, iterations=_MOST, tolerance=0, trace_every=1))
        mine_needed = next(
            row.iteration for row in traced.trace if row.objective <= least * (1 + _GAP)
        )

        def ours(f=filters, level=level, n=mine_needed) -> torch.Tensor:
            work = csc_admm(x, f, level, iterations=n, tolerance=0, trace_every=n)
            return drain(work).codes[0][0]

        def theirs(peer=peer, n=theirs_needed) -> torch.Tensor:
            return peer.run(n)

        for who, codes in (("ours", ours()), ("SPORCO", theirs())):
            # Rounding of sums in single precision may move the count by one at the threshold.
            if gap(codes) > 1.05 * _GAP:
                raise AssertionError(f"{who} ended at a gap of {gap(codes)}")
        mine, other, ratio = paired(ours, theirs, repeats, clock=time.process_time)
        rows.append(
            Row(
                f"CSC to a gap of 1e-3, 240², 32 {name} filters of 8²",
                f"{mine:.2f} s, {mine_needed} iterations",
                f"SPORCO {other:.2f} s, {theirs_needed} iterations",
                f"{ratio:.2f}× sooner",
                "≥ 1.7×",
                ratio >= 1.7,
            )
        )
    return rows
