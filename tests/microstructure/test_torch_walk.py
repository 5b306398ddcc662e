"""Random walks in torch, on the processor: against closed forms, and against numba's walks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import j0, jnp_zeros

from napari_sparseexplain.errors import ParameterError
from napari_sparseexplain.microstructure.gradient_table import GAMMA, Timings
from napari_sparseexplain.microstructure.tissue import Tissue
from napari_sparseexplain.microstructure.walks.random_walk import inside_walk, outside_walk
from napari_sparseexplain.microstructure.walks.simulation import simulate_work
from napari_sparseexplain.microstructure.walks.walker import ON_PROCESSOR, Walk
from napari_sparseexplain.networks.tissue.spin_streams import SpinStreams
from napari_sparseexplain.networks.tissue.torch_walk import TorchWalker, walker_on
from napari_sparseexplain.progress import drain

D = 2e-9
SHORT = Timings(1e-3, 2e-3)
#: Strengths at which signals between 0 and 1 come out at these timings, T/m.
STRENGTHS = np.array([0.6, 1.2, 1.8, 2.4])


def walked(*places: tuple[float, float | None, int], spins: int, timings: Timings = SHORT):
    walks = [Walk(n, *place) for n, place in enumerate(places)]
    return drain(TorchWalker(torch.device("cpu")).walked_work(walks, spins, timings, D))


def signal(phases: np.ndarray, more: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Signal at some strengths, times a factor, and its standard error."""
    waves = j0(GAMMA * more * STRENGTHS[:, None] * phases * 1e-6)
    return waves.mean(axis=1), waves.std(axis=1) / np.sqrt(phases.size)


def van_gelderen(radius: float) -> np.ndarray:
    """Signal across a cylinder in the Gaussian phase approximation (van Gelderen et al. 1994)."""
    roots = jnp_zeros(1, 60) / (radius * 1e-6)
    rate, small, big = roots**2 * D, SHORT.small_delta, SHORT.big_delta
    terms = 2 * rate * small - 2 + 2 * np.exp(-rate * small) + 2 * np.exp(-rate * big)
    terms -= np.exp(-rate * (big - small)) + np.exp(-rate * (big + small))
    below = roots**6 * D**2 * ((radius * 1e-6 * roots) ** 2 - 1)
    return np.exp(-2 * (GAMMA * STRENGTHS) ** 2 * (terms / below).sum())


def test_inside_thin_cylinders_it_is_the_known_signal() -> None:
    """Two radii in one group, as a card walks them."""
    for radius, phases in zip(
        (1.0, 2.0), walked((1.0, None, 1), (2.0, None, 2), spins=700), strict=True
    ):
        found, error = signal(phases)
        assert 0.1 < found.min() < 0.99
        assert (abs(found - van_gelderen(radius)) < 3 * error + 2e-4).all()


def test_in_a_wide_cylinder_water_is_free() -> None:
    # In half a millisecond a spin goes 1.4 µm; few of those in 200 µm meet the wall.
    short = Timings(0.2e-3, 0.3e-3)
    (phases,) = walked((200.0, None, 3), spins=5000, timings=short)
    wave = j0(GAMMA * short.strength(250.0) * phases * 1e-6)
    error = wave.std() / np.sqrt(wave.size)
    assert abs(wave.mean() - np.exp(-250e6 * D)) < 3 * error + 2e-3


def test_signals_are_those_of_numbas_walk() -> None:
    """Within four standard errors of their difference, in sparse and in dense arrays."""
    places, brief = ((2.0, None, 5), (2.5, 0.3, 6), (4.0, 0.75, 7)), Timings(0.4e-3, 0.8e-3)
    inside = walked(places[0], spins=600, timings=brief)
    between = walked(*places[1:], spins=600, timings=brief)
    for (radius, density, _), phases in zip(places, inside + between, strict=True):
        other = (
            inside_walk(radius, 1200, brief, D, 8)
            if density is None
            else outside_walk(radius, density, 1200, brief, D, 8)
        )
        (mine, e1), (theirs, e2) = signal(phases, 4), signal(other, 4)
        assert theirs.min() < 0.8
        assert (abs(mine - theirs) < 4 * np.hypot(e1, e2)).all(), (radius, density)


def test_a_walk_is_the_same_whichever_others_are_beside_it() -> None:
    brief = Timings(0.05e-3, 0.08e-3)
    one, two = (2.0, 0.5, 7), (3.0, 0.8, 8)
    together = walked(two, one, spins=40, timings=brief)
    (alone,) = walked(one, spins=40, timings=brief)
    np.testing.assert_array_equal(together[1], alone)
    (other,) = walked((2.0, 0.5, 9), spins=40, timings=brief)
    assert not np.array_equal(other, alone)


def test_streams_are_those_of_splitmix64() -> None:
    """Against the same in Python's whole numbers."""
    streams, mask = SpinStreams([12345], 3, torch.device("cpu")), 2**64 - 1
    state = [(12345 * 0xD1342543DE82EF95 + n + 0x9E3779B97F4A7C15) & mask for n in range(3)]
    for _ in range(3):
        expected = []
        for n in range(3):
            state[n] = z = (state[n] + 0x9E3779B97F4A7C15) & mask
            z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
            z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
            expected.append(((z ^ (z >> 31)) >> 11) / 2**53)
        assert streams.uniform().tolist() == expected
    whole = SpinStreams([1, 2], 4000, torch.device("cpu")).uniform()
    assert 0 <= whole.min() < 0.01 < 0.99 < whole.max() < 1
    assert abs(float(whole.mean()) - 0.5) < 0.02


def test_a_simulation_is_resumed_with_the_same_result(tmp_path: Path) -> None:
    tissue, brief = Tissue(np.array([1.4, 2.0]), np.array([0.4, 0.6])), Timings(0.05e-3, 0.06e-3)
    walker = TorchWalker(torch.device("cpu"))
    made = {"spins": 100, "seed": 4, "walker": walker}
    whole = drain(simulate_work(tissue, brief, **made))
    parts = tmp_path / "parts"
    seen = []
    work = simulate_work(tissue, brief, parts=parts, **made)
    for step in work:
        seen.append(step.message)
        if step.message == "Between cylinders of 1.4 to 2 µm":
            break
    work.close()
    assert seen[0] == "Inside cylinders of 1.4 to 2 µm"
    assert len(list(parts.glob("walk-*.npy"))) == 2
    (parts / "walk-0001.npy").write_bytes(b"damaged")
    again = drain(simulate_work(tissue, brief, parts=parts, **made))
    np.testing.assert_array_equal(again.inside, whole.inside)
    np.testing.assert_array_equal(again.outside, whole.outside)
    with pytest.raises(ParameterError, match="another simulation"):
        drain(simulate_work(tissue, brief, spins=100, seed=4, parts=parts))


def test_full_memory_halves_a_group(monkeypatch) -> None:
    walker, brief = TorchWalker(torch.device("cpu")), Timings(0.02e-3, 0.05e-3)
    walks = [Walk(n, 2.0, 0.4, n) for n in range(3)]
    whole = drain(walker.walked_work(walks, 20, brief, D))
    honest = TorchWalker._together_work

    def narrow(self, walks, *given):
        if len(walks) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return honest(self, walks, *given)

    monkeypatch.setattr(TorchWalker, "_together_work", narrow)
    for mine, other in zip(drain(walker.walked_work(walks, 20, brief, D)), whole, strict=True):
        np.testing.assert_array_equal(mine, other)


def test_walks_of_one_length_of_step_are_made_together() -> None:
    places = [(0.4, None), (0.6, None), (1.0, None), (2.0, None), (2.0, 0.3), (7.0, 0.5)]
    walks = [Walk(n, *place, n) for n, place in enumerate(places)]
    groups = TorchWalker(torch.device("cpu")).groups(walks, 10_000)
    assert [[walk.number for walk in group] for group in groups] == [[0], [1], [2, 3], [4, 5]]
    assert [len(g) for g in TorchWalker(torch.device("cpu")).groups(walks[2:], 5_000_000)] == [
        1
    ] * 4
    assert walker_on("cpu") == (ON_PROCESSOR, "cpu")
