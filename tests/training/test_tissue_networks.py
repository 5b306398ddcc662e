"""Networks that read tissue: trained on few voxels, written, read again, and asked."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.microstructure.small_dictionary import small_dictionary, small_protocol

from napari_sparseexplain.errors import ModelError
from napari_sparseexplain.networks.tissue.tissue_modules import HybridModule, LearnedModule
from napari_sparseexplain.networks.tissue.tissue_network import swapped
from napari_sparseexplain.networks.tissue.tissue_network_file import (
    CARD_FILE,
    WEIGHTS_FILE,
    load_tissue_network,
    read_tissue_card,
)
from napari_sparseexplain.progress import drain
from napari_sparseexplain.training.fit.train_tissue_network import (
    TissueRecipe,
    larger_first,
    tissue_loss,
    train_tissue_network,
)

RECIPE = TissueRecipe(samples=400, held_back=100, epochs=3, batch=50, half=False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both networks, hardly trained."""
    root = tmp_path_factory.mktemp("networks")
    for kind in ("hybrid", "learned"):
        made = train_tissue_network(
            kind, small_dictionary(), small_protocol(), root / kind, recipe=RECIPE
        )
        assert drain(made).errors[0] < 0.19, "half and half errs by .2"
    return root


def test_sizes_are_those_of_the_paper() -> None:
    for module, parameters, hidden in (
        (HybridModule(), 460_056, 1700),
        (LearnedModule(), 2_935_806, 3600),
    ):
        assert sum(p.numel() for p in module.parameters()) == parameters
        width = 1564 if isinstance(module, HybridModule) else 552
        layers = module.eval().activations(torch.rand(2, width))
        assert sum(layer.shape[1] for layer in layers[:-1]) == hidden
        assert module(torch.rand(2, width)).shape == (2, 2, 3)


def test_answers_lie_in_the_range_and_the_order_of_populations_changes_nothing(
    trained: Path,
) -> None:
    network = load_tissue_network("hybrid", trained / "hybrid")
    weights = np.random.default_rng(0).uniform(size=(9, 2 * network.card.atoms))
    found = network.tissue(weights.astype(np.float32))
    assert np.allclose(found[..., 0].sum(axis=1), 1.0)
    for n, of in ((1, network.card.radii), (2, network.card.densities)):
        assert min(of) <= found[..., n].min() <= found[..., n].max() <= max(of)
    turned = swapped(torch.from_numpy(weights)).numpy()
    assert np.allclose(network.tissue(turned), found[:, ::-1], atol=1e-6)
    x = torch.from_numpy(weights.astype(np.float32)).requires_grad_()
    network.score(0, 1)(x).sum().backward()
    assert x.grad is not None
    assert x.grad.shape == weights.shape


def test_a_training_that_was_stopped_ends_the_same(trained: Path, tmp_path: Path) -> None:
    work = train_tissue_network(
        "learned", small_dictionary(), small_protocol(), tmp_path / "own", recipe=RECIPE
    )
    for step in work:
        if step.message.startswith("Epoch 2"):
            break
    work.close()
    parts = tmp_path / "own.parts"
    assert (parts / "samples" / "part-0000.npz").exists()
    other = train_tissue_network(
        "learned", small_dictionary(), small_protocol(), tmp_path / "own", recipe=RECIPE, seed=1
    )
    with pytest.raises(ModelError, match="another training"):
        drain(other)
    card = drain(
        train_tissue_network(
            "learned", small_dictionary(), small_protocol(), tmp_path / "own", recipe=RECIPE
        )
    )
    assert card == read_tissue_card(trained / "learned")
    assert not parts.exists(), "samples and checkpoint are gone once the network is there"
    log = (tmp_path / "own" / "log.jsonl").read_text().splitlines()
    assert len(log) == RECIPE.epochs


def test_what_is_not_there_does_not_count() -> None:
    out = torch.rand(4, 2, 3)
    truth = torch.rand(4, 2, 3)
    truth[:, 1, 1:] = torch.nan
    known = torch.isfinite(truth)
    assert tissue_loss(out, truth) == pytest.approx(float((out - truth)[known].square().mean()))
    shares = larger_first(torch.tensor([[[0.3, 1, 1], [0.7, 2, 2]], [[0.9, 1, 1], [0.1, 2, 2]]]))
    assert shares[:, 0, 1].tolist() == [2, 1]


def test_what_is_wrong_with_a_folder_is_said(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no tissue-network"):
        load_tissue_network("hybrid", tmp_path)
    with pytest.raises(ModelError, match="is a learned one"):
        load_tissue_network("hybrid", trained / "learned")
    card, weights = ((trained / "hybrid" / name).read_bytes() for name in (CARD_FILE, WEIGHTS_FILE))
    (tmp_path / WEIGHTS_FILE).write_bytes(weights[:-1] + b"x")
    (tmp_path / CARD_FILE).write_bytes(card)
    with pytest.raises(ModelError, match="not those of the card"):
        load_tissue_network("hybrid", tmp_path)
    values = json.loads(card)
    (tmp_path / WEIGHTS_FILE).write_bytes(weights)
    for wrong in ({"radii": [1.0]}, {"samples": "many"}, {"gradients": []}):
        (tmp_path / CARD_FILE).write_text(json.dumps({**values, **wrong}))
        with pytest.raises(ModelError):
            load_tissue_network("hybrid", tmp_path)
    network = load_tissue_network("hybrid", trained / "hybrid")
    with pytest.raises(ModelError, match="takes 112 values a voxel"):
        network.tissue(np.zeros((3, 7), dtype=np.float32))
