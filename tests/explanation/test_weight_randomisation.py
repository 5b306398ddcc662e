"""Cascading randomisation: what depends on the weights falls, what does not is found out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from napari_sparseexplain.explanation.trust.weight_randomisation import (
    Randomisation,
    randomise_cascading,
    randomised_layers,
    rank_correlation,
)
from napari_sparseexplain.progress import drain

SIDE = 24


def gradient_of(network: nn.Module) -> np.ndarray:
    x = torch.linspace(-1, 1, SIDE * SIDE).reshape(1, SIDE * SIDE).requires_grad_(True)
    return torch.autograd.grad(network(x).sum(), x)[0].numpy().reshape(SIDE, SIDE)


def deep() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(SIDE * SIDE, 5), nn.Tanh(), nn.Linear(5, 4), nn.Linear(4, 1))


def run(network: nn.Module, **options: object) -> Randomisation:
    return drain(randomise_cascading(network, gradient_of, **options))  # type: ignore[arg-type]


@pytest.mark.parametrize("signed", [True, False])
def test_the_gradient_of_a_linear_model_forgets_its_weights(signed: bool) -> None:
    found = run(nn.Linear(SIDE * SIDE, 1), signed=signed)
    assert found.final is not None
    assert abs(found.final) < 0.15
    assert not found.survives


def test_a_map_that_does_not_look_at_the_network_survives() -> None:
    edges = np.random.default_rng(0).random((SIDE, SIDE))
    found = drain(randomise_cascading(deep(), lambda _: edges))
    assert all(stage.correlation == pytest.approx(1.0) for stage in found.stages)
    assert found.survives


def test_the_network_given_is_not_touched_and_the_seed_decides() -> None:
    network = deep()
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    first, again, other = run(network), run(network), run(network, seed=1)
    assert all(torch.equal(before[name], w) for name, w in network.state_dict().items())
    assert first == again
    assert first != other


def test_weights_keep_their_size_and_nothing_else() -> None:
    network = deep()
    seen: list[dict[str, torch.Tensor]] = []

    def explain(given: nn.Module) -> np.ndarray:
        seen.append({name: w.clone() for name, w in given.state_dict().items()})
        return gradient_of(given)

    drain(randomise_cascading(network, explain))
    trained, random = seen[0]["0.weight"], seen[-1]["0.weight"]
    assert random.norm().item() == pytest.approx(trained.norm().item(), rel=0.1)
    assert abs(np.corrcoef(trained.ravel(), random.ravel())[0, 1]) < 0.1
    # From the output to the input: the first layer is the last to be drawn.
    changed = [
        [not torch.equal(s[f"{k}.weight"], trained_k) for s in seen]
        for k, trained_k in ((k, seen[0][f"{k}.weight"]) for k in (0, 2, 3))
    ]
    assert changed == [
        [False, False, False, True],
        [False, False, True, True],
        [False, True, True, True],
    ]


def test_layers_come_in_the_order_in_which_they_act_not_as_registered() -> None:
    class Reversed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last = nn.Linear(3, 1)
            self.first = nn.Linear(SIDE * SIDE, 3)
            self.gain = nn.Parameter(torch.tensor(2.0))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.gain * self.last(torch.relu(self.first(x)))

    found = run(Reversed())
    assert [stage.layer for stage in found.stages] == ["gain", "last", "first"]


def test_weights_of_a_network_without_layers_are_drawn_one_by_one() -> None:
    class Bare(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.atoms = nn.ParameterList(
                [nn.Parameter(torch.rand(4)), nn.Parameter(torch.rand(3))]
            )

    names = [name for name, _ in randomised_layers(Bare())]
    assert names == ["atoms.1", "atoms.0"]


def test_few_stages_draw_neighbouring_layers_together() -> None:
    found = run(deep(), stages=1)
    assert [stage.layer for stage in found.stages] == ["0"]
    assert found.final == pytest.approx(run(deep()).final)


def test_equal_zeros_outside_the_head_do_not_count_as_agreement() -> None:
    head = np.zeros((SIDE, SIDE), dtype=bool)
    head[8:16, 8:16] = True

    def explain(network: nn.Module) -> np.ndarray:
        return np.abs(gradient_of(network)) * head

    network = nn.Linear(SIDE * SIDE, 1)
    everywhere = drain(randomise_cascading(network, explain))
    inside = drain(randomise_cascading(network, explain, within=head))
    assert everywhere.final is not None
    assert inside.final is not None
    assert everywhere.survives
    assert not inside.survives
    both = drain(randomise_cascading(network, explain, within=head, around=np.ones_like(head)))
    assert both.final == inside.final
    assert both.stages[-1].around == everywhere.final


def test_a_map_that_dies_ranks_nothing() -> None:
    calls: list[int] = []

    def explain(network: nn.Module) -> np.ndarray:
        calls.append(1)
        return np.arange(4.0) if len(calls) == 1 else np.zeros(4)

    found = drain(randomise_cascading(nn.Linear(2, 1), explain))
    assert found.final is None
    assert not found.survives


def test_rank_correlation_is_that_of_scipy() -> None:
    from scipy.stats import spearmanr

    rng = np.random.default_rng(2)
    one, other = np.round(rng.random(200) * 9), np.round(rng.random(200) * 5)
    assert rank_correlation(one, other) == pytest.approx(spearmanr(one, other).statistic)


def test_what_has_no_weights_has_no_stages_and_a_scripted_network_has_its_own() -> None:
    assert drain(randomise_cascading(nn.ReLU(), lambda _: np.arange(3.0))) == Randomisation(())
    scripted = torch.jit.trace(deep().eval(), torch.zeros(1, SIDE * SIDE))
    found = run(scripted)
    assert found.final is not None
    assert found.final == pytest.approx(run(scripted).final)
