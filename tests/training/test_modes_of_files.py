"""Weights and checkpoints are open to whom the umask allows, whatever safetensors thinks."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_sparseexplain.errors import ModelError
from napari_sparseexplain.networks.bundle.loading import load_model
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.bundle.saving import save_bundle
from napari_sparseexplain.networks.modules.architectures import build_network
from napari_sparseexplain.training.fit.checkpoint import save_checkpoint
from napari_sparseexplain.training.fit.phantom_slices import PhantomSlices

ARGUMENTS = {"in_channels": 1, "classes": 1, "maps": 2, "levels": 1}


def card() -> ModelCard:
    return ModelCard(
        name="tiny",
        title="Tiny",
        architecture="sum",
        arguments=ARGUMENTS,
        task="segmentation",
        inputs=Inputs(("flair",), "brain-range", 1.0, 32),
        classes={"1": "lesion"},
    )


@pytest.mark.parametrize("mask", [0o002, 0o077])
def test_the_umask_is_kept(mask: int, tmp_path: Path) -> None:
    network = build_network("sum", ARGUMENTS)
    slices = PhantomSlices(
        np.zeros((2, 1, 8, 8), np.uint8), np.zeros((2, 8, 8), np.uint8),
        np.zeros(2, np.int32), ("flair",), 1.0, 0,
    )  # fmt: skip
    before = os.umask(mask)
    try:
        save_bundle(tmp_path / "bundle", card(), network)
        save_checkpoint(
            tmp_path / "bundle", network, torch.optim.AdamW(network.parameters()), 1, {}
        )
        slices.save(tmp_path / "slices.npz")
    finally:
        os.umask(before)
    found = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(found) == 4
    for path in found:
        assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask, path


def test_a_bundle_that_cannot_be_replaced_stays_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New weights beside the old card would be no bundle at all."""
    first = save_bundle(tmp_path, card(), build_network("sum", ARGUMENTS))
    real = os.replace

    def full(source: Path, target: Path) -> None:
        if Path(target).name == "weights.safetensors" and Path(target).parent == tmp_path:
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ModelError, match="No space left"):
        save_bundle(tmp_path, card(), build_network("sum", ARGUMENTS))
    assert load_model(tmp_path).card.weights_sha256 == first.weights_sha256
