"""The signals of Fig. 2 of the SUM paper, for any α, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch import nn

from napari_sparseexplain.errors import ModelError
from napari_sparseexplain.explanation.catalogue import explain
from napari_sparseexplain.explanation.proxy.band_signals import by_level, listening
from napari_sparseexplain.explanation.proxy.signals import (
    NO_LINEAR_PART,
    ODDNESS_NOTE,
    signal_maps,
    slice_signals,
)
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.modules.sum_network import SumNetwork
from napari_sparseexplain.networks.modules.unet import UNet
from napari_sparseexplain.networks.running.preparation import prepare
from napari_sparseexplain.volumes import Grid, Source, Study, Volume

SHAPE = (4, 40, 36)


def volume(data: np.ndarray, role: str, kind: str) -> Volume:
    grid = Grid(SHAPE, np.diag([1.0, 1.0, 1.0, 1.0]))
    source = Source((), "memory", SHAPE, np.eye(4), data.dtype, np.array([[0, 1], [1, 1], [2, 1]]))
    return Volume(data, grid, role, kind, source)  # type: ignore[arg-type]


@pytest.fixture
def study() -> Study:
    """Four slices in (0, 1), the last one empty, with a square lesion."""
    data = np.random.default_rng(0).random(SHAPE).astype(np.float32)
    data[-1] = 0
    mask = np.zeros(SHAPE, np.uint8)
    mask[1, 10:20, 8:15] = 2
    flair, seg = volume(data, "flair", "image"), volume(mask, "seg", "label")
    return Study("made", None, {"flair": flair}, {"seg": seg}, flair.grid, "flair")


def model_of(network: nn.Module, task: str = "segmentation", **classes: str) -> Model:
    card = ModelCard(
        name="tested",
        title="Tested",
        architecture="sum" if isinstance(network, SumNetwork) else "unet",
        arguments={},
        task=task,
        inputs=Inputs(("flair",), "unit", spacing_mm=1.0, size=40),
        classes=(classes or {"1": "lesion"}) if task == "segmentation" else {},
    )
    return Model.of_network(card, network)


def random_sum(classes: int = 1, threshold: float = 0.05) -> SumNetwork:
    torch.manual_seed(4)
    network = SumNetwork(classes=classes, maps=4, levels=2)
    for shrinkage in network.shrinkages().values():
        shrinkage.raw.data.normal_(threshold, 0.5 * abs(threshold))
    return network


@contextmanager
def passes(network: SumNetwork) -> Iterator[list[None]]:
    """Counts every run through the first encoder, whichever door it came in by."""
    counted: list[None] = []
    handle = network.encoder[0].register_forward_hook(lambda *_: counted.append(None))
    yield counted
    handle.remove()


def test_one_step_of_alpha_is_one_forward_pass(study: Study) -> None:
    model = model_of(random_sum())
    prepared = prepare(study, model.card, slice(1, 2))
    slice_signals(model, prepared, 1.0)  # Lin. ED is computed once, here
    for alpha in (0.9, 0.5, 0.0):
        with passes(model.network) as counted:  # type: ignore[arg-type]
            slice_signals(model, prepared, alpha, bands=True)
        assert len(counted) == 1


def test_the_linear_column_does_not_move_with_alpha_and_is_the_signal_at_zero(
    study: Study,
) -> None:
    model = model_of(random_sum())
    prepared = prepare(study, model.card, slice(0, 1))
    full, none = slice_signals(model, prepared, 1.0), slice_signals(model, prepared, 0.0)
    assert full.linear is none.linear
    assert none.linear is not None
    np.testing.assert_allclose(none.signal, none.linear, atol=1e-6)
    assert np.abs(full.signal - none.signal).max() > 1e-3


def test_a_slice_alone_and_among_others_looks_the_same(study: Study) -> None:
    model = model_of(random_sum())
    whole = explain(study, model, "signals", slices=slice(0, 4), alpha=0.6, bands=True)
    prepared = prepare(study, model.card, slice(2, 3))
    alone = signal_maps(model, prepared, slice_signals(model, prepared, 0.6))
    assert {m.name for m in alone} == {m.name for m in whole.maps} - {"reference-segmentation"}
    for item in alone:
        np.testing.assert_allclose(item.data[0], whole[item.name].data[2], atol=1e-6)


def test_the_columns_are_those_of_figure_2(study: Study) -> None:
    found = explain(study, model_of(random_sum()), "signals", slices=slice(0, 4))
    assert [m.name for m in found.maps] == [
        "input",
        "lin-ed",
        "signal",
        "mask",
        "reference-segmentation",
    ]
    assert all(m.data.shape == SHAPE for m in found.maps)
    np.testing.assert_array_equal(found["reference-segmentation"].data, study["seg"].data > 0)
    assert found["mask"].kind == "segmentation"
    assert found["signal"].signed
    assert ODDNESS_NOTE in found.notes
    assert "dice" in " ".join(found.scores).lower()


def test_an_empty_slice_is_not_run_but_is_there(study: Study) -> None:
    """Two slices of the range are run; both passes (Lin. ED, α) of each are counted."""
    blank = study["flair"].data
    blank[2:] = 0
    model = model_of(random_sum())
    with passes(model.network) as counted:  # type: ignore[arg-type]
        found = explain(study, model, "signals", slices=slice(1, 4))
    assert len(counted) == 2 * 2
    np.testing.assert_array_equal(found["signal"].data[1], found["signal"].data[2])


def test_a_unet_has_no_linear_column_and_says_so(study: Study) -> None:
    model = model_of(UNet(maps=2, levels=2))
    found = explain(study, model, "signals", slices=slice(0, 2), bands=True)
    assert [m.name for m in found.maps] == ["input", "signal", "mask", "reference-segmentation"]
    assert NO_LINEAR_PART in found.notes
    assert ODDNESS_NOTE not in found.notes
    with pytest.raises(ModelError, match="no thresholds"):
        explain(study, model, "signals", slices=slice(0, 2), alpha=0.5)


def test_a_denoiser_gives_an_image_and_no_mask(study: Study) -> None:
    model = model_of(random_sum(), task="denoising")
    found = explain(study, model, "signals", slices=slice(0, 2))
    assert [m.name for m in found.maps] == ["input", "lin-ed", "signal", "restored"]
    assert not found.scores


def test_every_class_has_its_own_signals(study: Study) -> None:
    model = model_of(random_sum(classes=2), **{"1": "core", "2": "oedema"})
    found = explain(study, model, "signals", slices=slice(0, 2))
    names = [m.name for m in found.maps]
    assert {"lin-ed-core", "lin-ed-oedema", "signal-core", "signal-oedema"} < set(names)
    assert found["mask"].classes == {1: "core", 2: "oedema"}


def test_bands_are_what_the_shrinkages_saw() -> None:
    """Energy and zeros against Eq. 18 written out on the hooked input of one shrinkage."""
    network = random_sum().eval().requires_grad_(False)
    kept: dict[str, torch.Tensor] = {}
    shrinkage = network.shrinkages()["encoder.1.a"]
    handle = shrinkage.register_forward_hook(lambda _, x, y: kept.update(x=x[0], y=y))
    with listening(network) as bands:
        network(torch.rand(2, 1, 16, 16), 1.0)
    handle.remove()
    b = shrinkage.thresholds[None, :, None, None]
    after = torch.relu(kept["x"] - b) - torch.relu(-kept["x"] - b)
    band = bands["encoder.1.a"]
    assert band.level == 1
    energies = [t.square().sum((1, 2, 3)).numpy() for t in (kept["x"], after)]
    np.testing.assert_allclose(band.energy_before, energies[0], rtol=1e-5)
    np.testing.assert_allclose(band.energy_after, energies[1], rtol=1e-5)
    assert band.zeroed.sum() == int(((after == 0) & (kept["x"] != 0)).sum())


def test_nothing_is_suppressed_at_alpha_zero_and_more_with_higher_thresholds() -> None:
    x = torch.rand(1, 1, 32, 32)
    shares = []
    for alpha in (0.0, 0.5, 1.0):
        network = random_sum(threshold=0.1).eval().requires_grad_(False)
        with listening(network) as bands:
            network(x, alpha)
        energy, zeroed = by_level(bands)["encoder"][0]
        assert energy is not None
        assert zeroed is not None
        shares.append((energy, zeroed))
    assert shares[0] == (0.0, 0.0)
    assert shares[0] < shares[1] < shares[2]
    assert set(by_level(bands)["encoder"]) == {0, 1, 2}
    assert set(by_level(bands)["decoder"]) == {0, 1}


def test_thresholds_below_zero_count_as_boost() -> None:
    """Eq. 18 with b < 0 adds energy: the share is negative, not clipped to none."""
    network = random_sum(threshold=-0.1).eval().requires_grad_(False)
    with listening(network) as bands:
        network(torch.rand(1, 1, 32, 32), 1.0)
    energy, _ = by_level(bands)["encoder"][0]
    assert energy is not None
    assert energy < 0


def test_listening_leaves_no_hook_behind() -> None:
    network = random_sum()
    with pytest.raises(RuntimeError, match="broken"), listening(network):
        raise RuntimeError("broken")
    assert not any(s._forward_hooks for s in network.shrinkages().values())


def test_bands_are_of_the_pass_made_here_and_not_of_another_threads() -> None:
    """The window runs one network from several threads; hooks hang on the network itself."""
    import threading

    from napari_sparseexplain.explanation.proxy.band_signals import listening
    from napari_sparseexplain.networks.modules.sum_network import SumNetwork

    network = SumNetwork(maps=2, levels=2).eval()
    x = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode(), listening(network) as alone:
        network(x)

    def elsewhere() -> None:
        with torch.inference_mode():
            network(10 * x)

    with torch.inference_mode(), listening(network) as heard:
        network(x)
        other = threading.Thread(target=elsewhere)
        other.start()
        other.join()
    for name, band in alone.items():
        np.testing.assert_array_equal(heard[name].energy_before, band.energy_before)
