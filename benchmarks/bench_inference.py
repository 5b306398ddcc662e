"""A whole volume (155 × 240²) through a network: ours against one plain batched call."""

from __future__ import annotations

import torch

from napari_sparseexplain.networks.bundle.loading import load_model
from napari_sparseexplain.networks.running.inference import predict_array
from napari_sparseexplain.progress import drain
from paired_timing import Row, paired

_SHAPE = (155, 1, 240, 240)


def measure(repeats: int) -> list[Row]:
    """One row a network; the two ways must agree before they are timed."""
    rows = []
    x = torch.rand(_SHAPE, generator=torch.Generator().manual_seed(0))
    for name in ("sum-rec", "unet"):
        model = load_model(name)

        def ours(model=model):
            return drain(predict_array(model, x))

        def peer(model=model):
            with torch.inference_mode():
                return model.network(x)

        mask, signal = ours()[:2]
        plain_mask, plain_signal = peer()
        gap = float((torch.as_tensor(signal) - plain_signal).abs().max())
        scale = float(plain_signal.abs().max())
        if gap > 1e-4 * scale:
            raise AssertionError(f"{name}: the two ways disagree by {gap} of {scale}")
        del mask, signal, plain_mask, plain_signal
        mine, theirs, ratio = paired(ours, peer, max(3, repeats - 2), warmup=0)
        rows.append(
            Row(
                f"{model.card.title}, 155 × 240² on CPU",
                f"{mine:.2f} s",
                f"one batched call {theirs:.2f} s",
                f"{ratio:.2f}× faster",
                "≥ 2×",
                ratio >= 2.0,
            )
        )
    return rows
