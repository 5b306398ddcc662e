"""Training: it learns, ends the same when interrupted, and notices a dead output."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from napari_sparseexplain.errors import ModelError
from napari_sparseexplain.networks.bundle.loading import load_model
from napari_sparseexplain.progress import drain
from napari_sparseexplain.sparse.thresholds import Shrinkage
from napari_sparseexplain.training.fit.corruption import (
    add_noise,
    brain_window,
    flip_and_rotate,
    jitter_range,
    shade,
    stretch_contrast,
)
from napari_sparseexplain.training.fit.phantom_slices import PhantomSlices
from napari_sparseexplain.training.fit.recipes import RECIPES, recipe_of
from napari_sparseexplain.training.fit.study_slices import centred
from napari_sparseexplain.training.fit.train_bundle import train_bundle
from napari_sparseexplain.training.fit.train_sum import _optimizer, train_sum

SMALL = {"maps": 2, "levels": 2}


def discs(count: int = 24, size: int = 32) -> PhantomSlices:
    """Bright discs on a noisy ground."""
    rng = np.random.default_rng(0)
    place = np.mgrid[:size, :size]
    x = np.zeros((count, 1, size, size), dtype=np.uint8)
    y = np.zeros((count, size, size), dtype=np.uint8)
    for n in range(count):
        centre = rng.uniform(8, size - 8, (2, 1, 1))
        y[n] = (np.square(place - centre).sum(axis=0) < rng.uniform(4, 7) ** 2) * 2
        x[n, 0] = 80 + 100 * (y[n] > 0) + rng.normal(0, 5, (size, size))
    geometry = np.repeat(np.arange(count // 2, dtype=np.int32), 2)
    return PhantomSlices(x, y, geometry, ("flair",), 1.875, 0)


def small(kind: str, **changes):
    recipe = recipe_of(kind, samples=64, batch=4, half=False, **changes)
    return replace(recipe, arguments={**recipe.arguments, **SMALL})


@pytest.mark.parametrize("kind", sorted(RECIPES))
def test_every_kind_trains_and_its_loss_falls(kind):
    recipe = replace(small(kind), samples=240, learning_rate=1e-2)
    trained = drain(train_sum(kind, discs(), recipe=recipe))
    first = drain(train_sum(kind, discs(), recipe=replace(recipe, samples=4))).log[0]
    assert trained.log[-1]["loss"] < 0.95 * first["loss"]
    assert not trained.dead
    assert 0 <= trained.log[-1]["clipped"] <= 1
    assert ("reconstruction" in trained.log[-1]) == (kind == "sum-rec")


def test_same_seed_same_weights_other_seed_others():
    weights = [
        drain(train_sum("sum-seg", discs(), seed=seed, recipe=small("sum-seg"))).network
        for seed in (0, 0, 1)
    ]
    first, again, other = (next(n.parameters()) for n in weights)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_an_interrupted_training_ends_as_if_it_had_not_been(tmp_path):
    recipe = replace(small("unet"), samples=240)
    whole = drain(train_sum("unet", discs(), recipe=recipe))
    work = train_sum("unet", discs(), recipe=recipe, folder=tmp_path)
    for _ in range(55):
        next(work)
    work.close()
    steps = 0

    def count(_progress):
        nonlocal steps
        steps += 1

    resumed = drain(train_sum("unet", discs(), recipe=recipe, folder=tmp_path), count)
    assert steps == 60 - 50
    for a, b in zip(
        whole.network.state_dict().values(), resumed.network.state_dict().values(), strict=True
    ):
        torch.testing.assert_close(a, b)
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [50, 60]


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    recipe = replace(small("sum-seg"), samples=200)
    drain(train_sum("sum-seg", discs(), recipe=recipe, folder=tmp_path))
    with pytest.raises(ModelError, match="another recipe, seed or data"):
        drain(train_sum("sum-seg", discs(), seed=1, recipe=recipe, folder=tmp_path))
    other = discs()
    other.x[3, 0, 5, 5] ^= 1
    with pytest.raises(ModelError, match="another recipe, seed or data"):
        drain(train_sum("sum-seg", other, recipe=recipe, folder=tmp_path))


def test_a_dead_output_stops_the_training_and_is_said(monkeypatch):
    monkeypatch.setattr(
        "napari_sparseexplain.training.fit.train_sum.is_silent", lambda mask, truth: True
    )
    recipe = replace(small("sum-seg"), silent_steps=3)
    trained = drain(train_sum("sum-seg", discs(), recipe=recipe))
    assert trained.dead
    assert trained.seen == 3 * recipe.batch


def test_thresholds_are_not_decayed():
    from napari_sparseexplain.networks.modules.sum_network import SumNetwork

    network = SumNetwork(**SMALL)
    optimizer = _optimizer(network, RECIPES["sum-seg"])
    decay = {id(p): g["weight_decay"] for g in optimizer.param_groups for p in g["params"]}
    layers = [m for m in network.modules() if isinstance(m, Shrinkage)]
    assert all(decay[id(m.raw)] == 0 for m in layers)
    assert decay[id(network.head.scale.weight)] == 0.01


def test_the_gradient_is_clipped_and_the_recipes_are_the_papers_networks():
    assert all(r.gradient_norm == 1e-3 for r in RECIPES.values())
    assert RECIPES["sum-rec"].reconstruction == 0.35
    assert RECIPES["sum-seg"].reconstruction == 0
    assert RECIPES["sum-denoise"].denoise
    with pytest.raises(ModelError, match="no recipe"):
        recipe_of("sum-what")


def test_unusable_slices_are_refused():
    data = SimpleNamespace(x=np.zeros((2, 1, 8, 9), np.uint8), y=np.zeros((2, 8, 9), np.uint8))
    with pytest.raises(ModelError, match="cannot be trained on"):
        drain(train_sum("sum-seg", data))
    data = SimpleNamespace(x=np.zeros((2, 1, 8, 8), np.uint8), y=np.zeros((3, 8, 8), np.uint8))
    with pytest.raises(ModelError, match="do not belong together"):
        drain(train_sum("sum-seg", data))


def test_augmentation_moves_image_and_mask_alike_in_all_eight_ways():
    x = torch.arange(16.0).reshape(1, 1, 4, 4).repeat(256, 1, 1, 1)
    a, b = flip_and_rotate(x, 10 * x, torch.Generator().manual_seed(0))
    torch.testing.assert_close(10 * a, b)
    seen, counts = torch.unique(a.flatten(1), dim=0, return_counts=True)
    assert len(seen) == 8
    still = (a == x).flatten(1).all(dim=1).float().mean()
    assert 0.15 < float(still) < 0.35
    assert counts.min() > 5


def test_slices_that_are_not_square_keep_their_chances_and_fit_in_one_batch():
    x = torch.arange(12.0).reshape(1, 1, 3, 4).repeat(8, 1, 1, 1)
    generator = torch.Generator().manual_seed(0)
    shapes = []
    for _ in range(300):
        a, b = flip_and_rotate(x, x, generator)
        assert torch.equal(a, b)
        shapes.append(tuple(a.shape[-2:]))
    assert 0.25 < shapes.count((4, 3)) / 300 < 0.42


def test_the_window_holds_the_brain_and_cuts_the_mask_alike():
    x = torch.zeros(4, 1, 128, 128)
    x[:, :, 20:110, 5:85] = torch.rand(4, 1, 90, 80) + 0.1
    generator = torch.Generator().manual_seed(0)
    a, b = brain_window(x, x, (112, 96), generator)
    assert a.shape == (4, 1, 112, 96)
    assert torch.equal(a, b)
    torch.testing.assert_close(a.sum(), x.sum())
    black = torch.zeros(2, 1, 128, 128)
    assert brain_window(black, black, (112, 96), generator)[0].shape == (2, 1, 112, 96)
    small = torch.rand(2, 1, 64, 64)
    assert brain_window(small, small, (112, 96), generator)[0] is small


def test_stretching_contrast_keeps_median_and_background():
    x = torch.rand(64, 1, 8, 8) * 0.4 + 0.1
    x[:, :, 0] = 0.0
    x[:, :, 1] = 1 / 3
    out = stretch_contrast(x, (0.5, 2.0), torch.Generator().manual_seed(0))
    assert torch.equal(out[:, :, 0], x[:, :, 0])
    torch.testing.assert_close(out[:, :, 1], x[:, :, 1])
    factor = (out[:, 0, 2, 0] - 1 / 3) / (x[:, 0, 2, 0] - 1 / 3)
    inside = (out[:, 0, 2, 0] > 0) & (out[:, 0, 2, 0] < 1)
    assert 0.49 < float(factor[inside].min()) < 0.8
    assert 1.4 < float(factor[inside].max()) < 2.01
    assert stretch_contrast(x, (1.0, 1.0), torch.Generator()) is x


def test_shading_is_smooth_about_one_and_no_stronger_than_asked():
    x = torch.full((64, 1, 32, 32), 0.3)
    field = torch.log(shade(x, 0.15, torch.Generator().manual_seed(0)) / x)
    assert 0.03 < float(field.std()) < 0.15
    assert float(field.diff(dim=-1).abs().max()) < 0.1
    assert abs(float(field.mean())) < 0.02
    assert shade(x, 0.0, torch.Generator()) is x


def test_noise_has_the_sigma_asked_for_and_jitter_stays_in_range():
    generator = torch.Generator().manual_seed(0)
    noisy = add_noise(torch.zeros(4, 1, 64, 64), 0.1, generator)
    assert float(noisy.std()) == pytest.approx(0.1, rel=0.05)
    x = torch.rand(8, 1, 4, 4)
    assert torch.equal(jitter_range(x, 0.0, generator), x)
    assert jitter_range(x, 0.1, generator).max() <= 1


@pytest.mark.parametrize("have", [5, 8, 11])
def test_slices_are_padded_or_cropped_about_their_centre(have):
    array = np.zeros((1, have, have))
    array[0, have // 2, have // 2] = 1
    out = centred(array, 8)
    assert out.shape == (1, 8, 8)
    assert out.sum() == 1
    assert abs(int(out[0].argmax()) // 8 - 4) <= 1


def test_a_bundle_is_trained_saved_and_loaded(tmp_path, monkeypatch):
    discs().save(tmp_path / "discs.npz")
    monkeypatch.setitem(RECIPES, "sum-rec", small("sum-rec"))
    card = drain(train_bundle("sum-rec", tmp_path / "discs.npz", tmp_path / "bundle", device="cpu"))
    assert card.name == "sum-rec"
    assert card.training["slices seen"] == 64
    assert 0 <= card.metrics["held-out dice"] <= 1
    assert not any("held out" in note for note in card.notes)
    model = load_model(tmp_path / "bundle")
    assert model.card == card
    with pytest.raises(ModelError, match="no thresholds to keep positive"):
        drain(
            train_bundle(
                "unet", tmp_path / "discs.npz", tmp_path / "other", positive_thresholds=True
            )
        )


def test_a_set_too_small_to_hold_a_patient_out_says_so_on_the_card(tmp_path, monkeypatch):
    few = discs(count=8)
    assert np.unique(few.geometry).size == 4
    few.save(tmp_path / "few.npz")
    monkeypatch.setitem(RECIPES, "sum-seg", small("sum-seg"))
    card = drain(train_bundle("sum-seg", tmp_path / "few.npz", tmp_path / "bundle", device="cpu"))
    assert card.metrics == {}
    assert any("of 4 patients or phantoms none was held out" in note for note in card.notes)
    assert load_model(tmp_path / "bundle").card.notes == card.notes
