"""The search in torch, on the processor, against the one in numba."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_sparseexplain.errors import ModelError
from napari_sparseexplain.microstructure.search.comparison import Comparison, compared_voxels
from napari_sparseexplain.microstructure.search.free_water import free_water_signal
from napari_sparseexplain.microstructure.search.voxel_search import ON_PROCESSOR
from napari_sparseexplain.microstructure.simulated_voxels import simulated_voxels
from napari_sparseexplain.networks.tissue import card_choice, torch_search
from napari_sparseexplain.networks.tissue.torch_search import TorchSearch, search_on
from napari_sparseexplain.training.evaluate import card_times
from napari_sparseexplain.training.evaluate.card_times import card_run

from .small_dictionary import small_dictionary, small_protocol

COUNT = 40
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def voxels() -> tuple[np.ndarray, np.ndarray, float]:
    """Signals of crossings, every second with free water, one silent; directions; σ."""
    made = simulated_voxels(small_dictionary(), small_protocol(), COUNT, snr=40, seed=2)
    share = np.where(np.arange(COUNT) % 2, 0.3, 0.0)[:, None]
    water = free_water_signal(small_protocol(), small_dictionary().timings)
    y = (1 - share) * made.signals + share * water
    y[7] = 0.0
    return y, made.directions, made.sigma


def compared(search, voxels, **how) -> Comparison:
    y, directions, sigma = voxels
    return compared_voxels(
        small_dictionary(), small_protocol(), y, directions, sigma, search=search, **how
    )


@pytest.mark.parametrize(
    ("screen", "within"), [(torch.float32, 1e-5), (torch.float64, 1e-10)], ids=["single", "double"]
)
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("water", [False, True])
def test_pair_and_posterior_are_those_of_numba(voxels, screen, within, count, water) -> None:
    how = {"count": count, "refine": False, "water": water}
    ours = compared(TorchSearch(CPU, screen=screen), voxels, **how)
    theirs = compared(ON_PROCESSOR, voxels, **how)
    assert (theirs.water > 0).any() == water
    np.testing.assert_array_equal(ours.found.pair, theirs.found.pair)
    for name in ("weights", "residual", "mean", "sd", "entropy"):
        mine, other = getattr(ours.found, name), getattr(theirs.found, name)
        np.testing.assert_allclose(mine, other, atol=within, rtol=0, err_msg=name)
    np.testing.assert_allclose(ours.fitted, theirs.fitted, atol=1e-10)
    np.testing.assert_allclose(ours.water, theirs.water, atol=1e-10)


def test_refined_directions_are_those_of_numpy(voxels) -> None:
    how = {"count": 2, "refine": True}
    ours, theirs = compared(TorchSearch(CPU), voxels, **how), compared(ON_PROCESSOR, voxels, **how)
    np.testing.assert_allclose(ours.directions, theirs.directions, atol=1e-9)
    assert not np.allclose(theirs.directions, voxels[1], atol=1e-3), "some were moved"
    np.testing.assert_array_equal(ours.found.pair, theirs.found.pair)
    alone = np.stack([theirs.found.pair[:, 0], np.full(COUNT, -1)], axis=1)
    given = (small_dictionary(), small_protocol(), voxels[0], voxels[1], alone)
    np.testing.assert_allclose(
        TorchSearch(CPU).refined(*given), ON_PROCESSOR.refined(*given), atol=1e-9
    )


def test_full_memory_makes_batches_smaller(voxels, monkeypatch) -> None:
    sizes = []
    honest = torch_search.all_pairs

    def narrow(y, *given, **more):
        sizes.append(len(y))
        if len(y) > 5:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return honest(y, *given, **more)

    monkeypatch.setattr(torch_search, "all_pairs", narrow)
    search = TorchSearch(CPU)
    ours = compared(search, voxels, count=2, refine=False)
    assert sizes[0] > 5 >= max(sizes[-8:])
    assert search.device == "cpu"
    assert "fewer voxels at a time" in " ".join(search.notes)
    theirs = compared(ON_PROCESSOR, voxels, count=2, refine=False)
    np.testing.assert_array_equal(ours.found.pair, theirs.found.pair)


def test_without_memory_for_one_voxel_the_processor_does_the_rest(voxels, monkeypatch) -> None:
    def never(*given, **more):
        raise RuntimeError("MPS backend out of memory")

    monkeypatch.setattr(torch_search, "all_pairs", never)
    search = TorchSearch(CPU)
    ours = compared(search, voxels, count=2, refine=False)
    assert "the CPU compared" in search.notes[-1]
    assert search.batch == ON_PROCESSOR.batch
    theirs = compared(ON_PROCESSOR, voxels, count=2, refine=False)
    np.testing.assert_array_equal(ours.found.mean, theirs.found.mean)


def test_another_error_is_not_taken_for_full_memory(voxels, monkeypatch) -> None:
    def broken(*given, **more):
        raise RuntimeError("illegal instruction")

    monkeypatch.setattr(torch_search, "all_pairs", broken)
    with pytest.raises(RuntimeError, match="illegal"):
        compared(TorchSearch(CPU), voxels, count=2, refine=False)


def test_a_timed_run_looks_at_as_many_voxels_as_it_says(monkeypatch) -> None:
    made = simulated_voxels(small_dictionary(), small_protocol(), 5, snr=40, seed=2)
    search, sizes = TorchSearch(CPU), []
    monkeypatch.setattr(search, "_size", 8)
    honest = search.found

    def counted(*given):
        sizes.append(len(given[2]))
        return honest(*given)

    monkeypatch.setattr(search, "found", counted)
    timed = card_run(small_dictionary(), small_protocol(), made, search=search, voxels=20)
    assert timed is not None
    timed.run()
    assert (sizes, timed.voxels, timed.card) == ([8, 8, 4], 20, "cpu")
    monkeypatch.setattr(card_times, "search_on", lambda wanted: (ON_PROCESSOR, ()))
    assert card_run(small_dictionary(), small_protocol(), made) is None


def test_auto_is_the_card_where_one_answers(monkeypatch) -> None:
    assert search_on("cpu") == (ON_PROCESSOR, ())
    with pytest.raises(ModelError, match="not available"):
        search_on("cuda:77")
    card = torch.device("cuda")
    monkeypatch.setattr(card_choice, "choose_device", lambda wanted: card)
    monkeypatch.setattr(card_choice, "_probe", lambda device: None)
    found, notes = search_on("auto")
    assert isinstance(found, TorchSearch)
    assert (found.device, notes) == ("cuda", ())

    def dead(device):
        raise RuntimeError("no kernel image is available\nfor this card")

    monkeypatch.setattr(card_choice, "_probe", dead)
    found, notes = search_on("auto")
    assert found is ON_PROCESSOR
    assert "on the CPU: cuda does not answer (no kernel image is available)" in notes[0]
    monkeypatch.setattr(card_choice, "choose_device", lambda wanted: torch.device("mps"))
    assert "no double precision" in search_on("mps")[1][0]
