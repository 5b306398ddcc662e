"""Segmentation as matched filtering: Eq. 30 trained to find noisy bursts of a sinusoid.

Source: Zavala-Mondragón et al., "Segmentation CNNs are denoising models", Appendix I and
Figures 11-13. Both activations are trained, and the quadrature matched filter, whose
threshold is chosen on training signals, stands beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from ...networks.modules.matched_filter import Activation, MatchedFilterNetwork
from ...progress import Progress, Work

#: Samples in one period of the sinusoid.
PERIOD = 16
#: Samples in one signal.
LENGTH = 256
#: Shortest and longest burst, in samples.
BURST = (32, 96)
#: Standard deviation of the noise; the sinusoid has amplitude 1.
NOISE = 0.5
#: Signals that scores are measured on, and signals that choose the matched filter's threshold.
TEST_SIGNALS = 500

ACTIVATIONS: tuple[Activation, ...] = ("shrink", "relu")
Signal = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Bursts:
    """Signals (B, 1, T): observed ``x``, clean ``s``, and the ``mask`` of where the burst is."""

    x: Tensor
    s: Tensor
    mask: Tensor


@dataclass(frozen=True, eq=False)
class Example:
    """One test signal through one trained network, for the figure.

    Attributes
    ----------
    encoder, decoder : ndarray, shape (2, 18)
        Learned filters.
    encoded : ndarray, shape (2, T)
        After the activation.
    decoded, mask : ndarray, shape (T,)
        Before and after the clip.
    """

    encoder: Signal
    decoder: Signal
    encoded: Signal
    decoded: Signal
    mask: Signal


@dataclass(frozen=True, eq=False)
class MatchedFilterResult:
    """What the demonstration found.

    Attributes
    ----------
    seeds : tuple of int
        One training of each activation for each.
    dice : mapping of str to tuple of float
        ``"shrink"``, ``"relu"`` and ``"matched filter"``: Dice on test signals, per seed.
    clean, noise, observed, truth : ndarray, shape (T,)
        The example signal, its noise, their sum, and its reference segmentation.
    envelope, detected : ndarray, shape (T,)
        Squared envelope by the quadrature filters, and where it passes ``threshold``.
    threshold : float
        Chosen on training signals.
    examples : mapping of str to Example
        The example signal through the network of each activation, first seed.
    """

    seeds: tuple[int, ...]
    dice: Mapping[str, tuple[float, ...]]
    clean: Signal
    noise: Signal
    observed: Signal
    truth: Signal
    envelope: Signal
    detected: Signal
    threshold: float
    examples: Mapping[str, Example]

    def table(self) -> str:
        """Mean and standard deviation of the Dice over seeds, one line each, and why."""
        names = {
            "shrink": "Eq. 30, soft shrinkage",
            "relu": "Eq. 30, ReLU",
            "matched filter": "quadrature matched filter",
        }
        lines = [f"Dice on {TEST_SIGNALS} noisy bursts, seeds {', '.join(map(str, self.seeds))}"]
        for key, name in names.items():
            values = np.array(self.dice[key])
            spread = f" ± {values.std(ddof=1):.3f}" if values.size > 1 else ""
            lines.append(f"{name:<27}{values.mean():.3f}{spread}")
        lines.append(
            "A network of soft shrinkages is odd, so it answers a burst and its negative with "
            "opposite signals and can mark only part of both; a rectifier is not."
        )
        return "\n".join(lines)


def bursts(count: int, generator: torch.Generator) -> Bursts:
    """Sinusoids of random phase in a random window, with white Gaussian noise."""

    def uniform() -> Tensor:
        return torch.rand(count, 1, generator=generator)

    time = torch.arange(LENGTH)
    extent = (BURST[0] + uniform() * (BURST[1] + 1 - BURST[0])).long()
    start = (uniform() * (LENGTH - extent + 1)).long()
    mask = ((time >= start) & (time < start + extent)).float()
    clean = torch.sin(2 * torch.pi * (time / PERIOD + uniform())) * mask
    noise = NOISE * torch.randn(count, LENGTH, generator=generator)
    return Bursts((clean + noise)[:, None], clean[:, None], mask[:, None])


def squared_envelope(x: Tensor) -> Tensor:
    """Quadrature matched filter: squared correlations with a cosine and a sine, summed.

    The templates are one period long, as in Fig. 11; (B, 1, T) to (B, 1, T).
    """
    angle = 2 * torch.pi * torch.arange(PERIOD) / PERIOD
    templates = torch.stack([angle.cos(), angle.sin()])[:, None]
    padded = functional.pad(x, ((PERIOD - 1) // 2, PERIOD // 2))
    return functional.conv1d(padded, templates).square().sum(dim=1, keepdim=True)


def dice(found: Tensor, truth: Tensor) -> float:
    """Dice of two masks thresholded at one half, over all samples together."""
    a, b = found > 0.5, truth > 0.5
    return float(2 * (a & b).sum() / (a.sum() + b.sum()).clamp(min=1))


def best_threshold(envelope: Tensor, truth: Tensor) -> float:
    """The threshold on an envelope that gives the highest Dice; every value is tried."""
    order = envelope.flatten().sort(descending=True)
    hits = (truth.flatten()[order.indices] > 0.5).cumsum(0)
    above = torch.arange(1, hits.numel() + 1)
    best = int((2 * hits / (above + hits[-1])).argmax())
    # Half-way to the next lower value, so that this one still passes.
    following = order.values[min(best + 1, hits.numel() - 1)]
    return float((order.values[best] + following) / 2)


def train_work(
    activation: Activation, seed: int, *, steps: int = 800, batch: int = 32, rate: float = 1e-2
) -> Work[MatchedFilterNetwork]:
    """Train Eq. 30 with soft IoU on fresh signals; the learning rate falls linearly to 0."""
    generator = torch.Generator().manual_seed(seed)
    network = MatchedFilterNetwork(activation, generator=generator)
    optimiser = torch.optim.Adam(network.parameters(), rate)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = rate * (1 - step / steps)
        data = bursts(batch, generator)
        with torch.enable_grad():
            p, _ = network.train()(data.x)
            product = (p * data.mask).sum()
            loss = 1 - product / (p.sum() + data.mask.sum() - product)
            optimiser.zero_grad()
            loss.backward()
        optimiser.step()
        if step % 50 == 49:
            yield Progress(step + 1, steps, f"{activation}, seed {seed}")
    return network.eval().requires_grad_(False)


def matched_filter_demo(
    seeds: Sequence[int] = (0, 1, 2), *, steps: int = 800
) -> Work[MatchedFilterResult]:
    """Train both activations for every seed and compare with the quadrature matched filter.

    Parameters
    ----------
    seeds : sequence of int
        Seeds of initial weights and training signals. Test signals have seeds of their own.
    steps : int
        Training steps of each network; 800 take about two seconds on one CPU thread.
    """
    scores: dict[str, list[float]] = {"shrink": [], "relu": [], "matched filter": []}
    examples: dict[str, Example] = {}
    shown = bursts(1, torch.Generator().manual_seed(10_000 + seeds[0]))
    threshold = 0.0
    for number, seed in enumerate(seeds):
        test = bursts(TEST_SIGNALS, torch.Generator().manual_seed(20_000 + seed))
        chosen = bursts(TEST_SIGNALS, torch.Generator().manual_seed(30_000 + seed))
        limit = best_threshold(squared_envelope(chosen.x), chosen.mask)
        found = (squared_envelope(test.x) > limit).float()
        scores["matched filter"].append(dice(found, test.mask))
        threshold = limit if number == 0 else threshold
        for activation in ACTIVATIONS:
            network = yield from train_work(activation, seed, steps=steps)
            scores[activation].append(dice(network(test.x)[0], test.mask))
            if number == 0:
                examples[activation] = _example(network, shown.x)
    envelope = squared_envelope(shown.x)
    return MatchedFilterResult(
        seeds=tuple(seeds),
        dice={name: tuple(values) for name, values in scores.items()},
        clean=_line(shown.s),
        noise=_line(shown.x - shown.s),
        observed=_line(shown.x),
        truth=_line(shown.mask),
        envelope=_line(envelope),
        detected=_line((envelope > threshold).float()),
        threshold=threshold,
        examples=examples,
    )


def _example(network: MatchedFilterNetwork, x: Tensor) -> Example:
    encoded = network.encode(x)
    mask, signal = network(x)
    return Example(
        encoder=network.encoder[:, 0].numpy(),
        decoder=network.decoder[0].numpy(),
        encoded=encoded[0].numpy(),
        decoded=_line(signal),
        mask=_line(mask),
    )


def _line(signals: Tensor) -> Signal:
    return signals[0, 0].numpy()
