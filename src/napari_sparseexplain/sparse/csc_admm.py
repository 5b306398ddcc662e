"""Plain convolutional sparse coding by ADMM in the frequency domain.

``min_z ½ ‖x - Σ_k d_k ∗ z_k‖² + λ Σ_k ‖z_k‖₁`` with circular convolution (Bristow, Eriksson and
Lucey 2013; Wohlberg 2016, *Efficient algorithms for convolutional sparse representations*,
Eq. 11-20). With z = y split, the quadratic step is solved per frequency by Sherman and Morrison:
``z = v + Dᴴ (x - D v) / (ρ + D Dᴴ)``, ``v = y - u``.

The arithmetic is ours. With over-relaxation α, both variables follow from one, ``w = z + u`` of
the relaxed step: ``u = clip(w, ±λ/ρ)``, ``y = w - u``, ``v = w - 2 u`` and
``w ← w + α (q - u)``, ``q = Dᴴ (x - D v) / (ρ + D Dᴴ)``. So one array is kept where ADMM names
three. Codes go in pairs as real and imaginary part of one complex map, which halves the number of
transforms; and pairs are worked off in blocks that fit into the cache.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch

from ..errors import SparseExplainError
from ..progress import Progress, Work
from .pursuit_trace import Pursuit, TraceRow, check_images, check_numbers

#: Complex values transformed at once: one map of 240², which a cache of 1 MB holds.
_BLOCK_VALUES = 240 * 240

#: A correction of ρ by less than this factor is not worth making.
_BALANCED = 2.0


def largest_multiplier(x: torch.Tensor, filters: torch.Tensor) -> float:
    """The smallest λ for which all codes are zero: ``max |Dᵀ x|``.

    Parameters
    ----------
    x : Tensor, shape (H, W)
    filters : Tensor, shape (K, h, w)
    """
    size = (x.shape[-2], x.shape[-1])
    spectrum = torch.fft.rfft2(filters, s=size).conj() * torch.fft.rfft2(x)
    return float(torch.fft.irfft2(spectrum, s=size).abs().max())


def csc_admm(
    x: torch.Tensor,
    filters: torch.Tensor,
    multiplier: float,
    *,
    iterations: int = 500,
    tolerance: float = 1e-2,
    relaxation: float = 1.8,
    rho: float | None = None,
    adapt_every: int = 10,
    trace_every: int = 10,
) -> Work[Pursuit]:
    """Convolutional sparse coding of one image.

    Parameters
    ----------
    x : Tensor, shape (H, W)
        Floating; the precision of the computation.
    filters : Tensor, shape (K, h, w)
        Of any size up to the image's. A code at (i, j) paints its filter with the upper left
        corner there, going round at the borders.
    multiplier : float
        λ, in the image's units times a filter's norm.
    iterations : int
        At most so many.
    tolerance : float
        Certified relative gap to stop at: the true one is never larger, and was some 20 times
        smaller where it was looked at. 0: do all iterations.
    relaxation : float
        α, in (0, 2).
    rho : float, optional
        The first penalty. Left out: ``10 √(λ / λ_max)`` times the filters' mean energy, which was
        within 20 % of the fastest fixed one on every problem tried.
    adapt_every : int
        Iterations between corrections of ρ by the balance of the relative residuals (Wohlberg
        2017), 0 for none.
    trace_every : int
        Iterations between rows of the trace, where the tolerance is looked at.

    Returns
    -------
    Work of Pursuit
        ``codes`` hold one tensor (1, K, H, W), reconstruction and residual are (1, 1, H, W).

    Raises
    ------
    SparseExplainError
        No image, no filters, filters larger than the image, values that are not finite.
    """
    _check(x, filters, relaxation)
    check_numbers(iterations, multiplier=multiplier, tolerance=tolerance, rho=rho or 0.0)
    highest = largest_multiplier(x, filters)
    share = min(multiplier / highest, 1.0) if highest > 0 else 1.0
    balance = 10.0 * math.sqrt(share) if share > 0 else 1.0
    energy = float(filters.square().sum(dim=(1, 2)).mean())
    state = _Splitting(x, filters, multiplier, relaxation, rho or balance * energy)
    trace: list[TraceRow] = []
    converged = False
    for k in range(1, iterations + 1):
        look = k % trace_every == 0 or k == iterations
        adapt = adapt_every > 0 and k % adapt_every == 0 and k < iterations
        before = state.w.clone() if look or adapt else None
        state.step()
        if before is None:
            continue
        if look:
            trace.append(state.row(k, before))
            converged = trace[-1].gap <= tolerance
            yield Progress(k, iterations, f"gap {trace[-1].gap:.1e}", trace[-1])
        if converged:
            break
        if adapt:
            state.rebalance(before, balance)
    codes = state.codes()
    reconstruction = state.synthesise(codes)
    return Pursuit(
        (codes[None],),
        reconstruction[None, None],
        (x - reconstruction)[None, None],
        tuple(trace),
        converged,
    )


class _Norms(NamedTuple):
    """Sizes of one step: ``‖z - y‖``, ``‖y - y before‖``, the larger of ‖z‖ and ‖y‖, and ‖u‖."""

    primal: float
    dual: float
    codes: float
    multipliers: float


class _Splitting:
    """The state of the iteration: w, the filters' spectra, and buffers for one block."""

    def __init__(
        self,
        x: torch.Tensor,
        filters: torch.Tensor,
        multiplier: float,
        relaxation: float,
        rho: float,
    ) -> None:
        self.x, self.count = x, filters.shape[0]
        self.multiplier, self.relaxation, self.rho = multiplier, relaxation, rho
        if self.count % 2:
            filters = torch.cat([filters, torch.zeros_like(filters[:1])])
        pairs = len(filters) // 2
        size = (x.shape[0], x.shape[1])
        # a of every pair is the real part of its map and b the imaginary one. Then Dᴴ s, packed,
        # is the inverse transform of (conj â + i conj b̂) ŝ, and D c the real part of that of
        # Σ (â - i b̂) ĉ: with the first weights, and with their conjugates.
        spectrum = torch.fft.fft2(filters, s=size)
        self.forth = spectrum[:pairs] - 1j * spectrum[pairs:]
        self.back = torch.conj_physical(self.forth)
        self.energy = spectrum.abs().square_().sum(dim=0)
        self.w = torch.zeros((pairs, *size, 2), dtype=x.dtype, device=x.device)
        block = min(pairs, max(1, _BLOCK_VALUES // x.numel()))
        self.blocks = [slice(i, min(i + block, pairs)) for i in range(0, pairs, block)]
        self._clipped = self.w.new_empty((block, *size, 2))
        self._maps = torch.view_as_complex(torch.empty_like(self._clipped))
        self._spectra = torch.empty_like(self._maps)
        self._sum = torch.zeros_like(self._maps[0])
        self._bound = 0.0
        self._start()

    def _start(self) -> None:
        """No codes, and the multipliers of the image itself as residual: exact from λ_max on."""
        threshold, spectrum = self.multiplier / self.rho, torch.fft.fft2(self.x / self.rho)
        for block in self.blocks:
            maps = torch.fft.ifft2(self.back[block] * spectrum)
            torch.clamp(torch.view_as_real(maps), -threshold, threshold, out=self.w[block])

    def step(self) -> None:
        """One iteration: w to w."""
        threshold = self.multiplier / self.rho
        self._sum.zero_()
        for block in self.blocks:
            w = self.w[block]
            clipped, maps, spectra = (b[: len(w)] for b in self._buffers)
            torch.clamp(w, -threshold, threshold, out=clipped)
            torch.sub(w, clipped, alpha=2, out=torch.view_as_real(maps))
            torch.fft.fft2(maps, out=spectra)
            for weight, spectrum in zip(self.forth[block], spectra, strict=True):
                self._sum.addcmul_(weight, spectrum)
        s = torch.fft.fft2(self.x - torch.fft.ifft2(self._sum).real)
        s /= self.energy + self.rho
        for block in self.blocks:
            w = self.w[block]
            clipped, maps, spectra = (b[: len(w)] for b in self._buffers)
            torch.mul(self.back[block], s, out=spectra)
            torch.fft.ifft2(spectra, out=maps)
            torch.clamp(w, -threshold, threshold, out=clipped)
            w.add_(torch.view_as_real(maps).sub_(clipped), alpha=self.relaxation)

    @property
    def _buffers(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return self._clipped, self._maps, self._spectra

    def codes(self) -> torch.Tensor:
        """y, shape (K, H, W): exactly 0 where it is 0."""
        threshold = self.multiplier / self.rho
        y = self.w - self.w.clamp(-threshold, threshold)
        return torch.cat([y[..., 0], y[..., 1]])[: self.count]

    def synthesise(self, codes: torch.Tensor) -> torch.Tensor:
        """``Σ_k d_k ∗ codes_k``, shape (H, W)."""
        pairs = len(self.w)
        total = torch.zeros_like(self._sum)
        for k, code in enumerate(codes):
            weight = self.forth[k % pairs]
            total += (weight if k < pairs else 1j * weight) * torch.fft.fft2(code)
        return torch.fft.ifft2(total).real

    def row(self, iteration: int, before: torch.Tensor) -> TraceRow:
        """Objective at y, and its distance from a dual point made of this step's ``q``.

        ``θ = ρ s`` has ``Dᴴ θ = ρ q``; scaled until no entry of it passes λ it is feasible, and
        ``½ ‖x‖² - ½ ‖x - θ‖²`` is below the minimum; the best of all such bounds counts.
        """
        threshold = self.multiplier / self.rho
        q = self._change(before).add_(before.clamp(-threshold, threshold))
        steepest = self.rho * float(q.abs().max())
        theta = self._theta()
        along, size = float((self.x * theta).sum()), float(theta.square().sum())
        most = self.multiplier / steepest if steepest > 0 else math.inf
        scale = max(-most, min(most, along / size)) if size > 0 else 0.0
        self._bound = max(self._bound, scale * along - 0.5 * scale**2 * size)
        codes = self.codes()
        error = self.x - self.synthesise(codes)
        value = 0.5 * float(error.square().sum()) + self.multiplier * float(codes.abs().sum())
        gap = (value - self._bound) / value if value > 0 else 0.0
        active = int(torch.count_nonzero(codes)) / codes.numel()
        return TraceRow(iteration, value, float(error.norm()), active, max(gap, 0.0))

    def rebalance(self, before: torch.Tensor, balance: float) -> None:
        """Correct ρ where the relative residuals are out of ``balance``; u = λ-multiplier / ρ."""
        norms = self._norms(before)
        if min(norms) <= 0:
            return
        ratio = (norms.primal / norms.codes) / (norms.dual / norms.multipliers) / balance
        factor = min(max(math.sqrt(ratio), 0.25), 4.0)
        if 1 / _BALANCED <= factor <= _BALANCED:
            return
        threshold = self.multiplier / self.rho
        clipped = self.w.clamp(-threshold, threshold)
        self.w.add_(clipped, alpha=1 / factor - 1)
        self.rho *= factor

    def _change(self, before: torch.Tensor) -> torch.Tensor:
        """``q - u`` of the step just made."""
        return (self.w - before).div_(self.relaxation)

    def _theta(self) -> torch.Tensor:
        """``ρ s`` of the step just made, shape (H, W); ``_sum`` still holds its ``D v``."""
        s = torch.fft.fft2(self.x - torch.fft.ifft2(self._sum).real)
        return torch.fft.ifft2(s.div_(self.energy + self.rho)).real * self.rho

    def _norms(self, before: torch.Tensor) -> _Norms:
        threshold = self.multiplier / self.rho
        y_before = before - before.clamp(-threshold, threshold)
        u = self.w.clamp(-threshold, threshold)
        y = self.w - u
        change = self._change(before)
        z = y_before + change
        return _Norms(
            float(change.norm()),
            float((y - y_before).norm()),
            max(float(z.norm()), float(y.norm())),
            float(u.norm()),
        )


def _check(x: torch.Tensor, filters: torch.Tensor, relaxation: float) -> None:
    check_images(x[None, None])
    if filters.ndim != 3 or 0 in filters.shape or not bool(torch.isfinite(filters).all()):
        raise SparseExplainError(
            f"filters of shape {tuple(filters.shape)} are none, or hold NaN or infinite values",
            remedy="Give finite (filters, rows, columns)",
        )
    if filters.shape[1] > x.shape[0] or filters.shape[2] > x.shape[1]:
        raise SparseExplainError(
            f"filters of {filters.shape[1]} × {filters.shape[2]} are larger than the image of "
            f"{x.shape[0]} × {x.shape[1]}",
            remedy="Give smaller filters",
        )
    if not 0 < relaxation < 2:
        raise SparseExplainError(
            f"{relaxation} is no relaxation", remedy="Give a number between 0 and 2"
        )
