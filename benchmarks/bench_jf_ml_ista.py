"""Merged JF-ML-ISTA against the direct transcription of its equations, one 240² slice."""

from __future__ import annotations

import time

import torch

from direct_jf_ml_ista import direct_jf_ml_ista
from napari_sparseexplain.sparse.convolutional_dictionary import project_to_unit_norm
from napari_sparseexplain.sparse.jf_ml_ista import ClassModel, jf_ml_ista
from paired_timing import Row, milliseconds, paired

_CLASSES, _MODALITIES, _SIZE, _LAYERS = 4, 4, 240, 3


def _models(atoms: int, dtype: torch.dtype) -> list[ClassModel]:
    generator = torch.Generator().manual_seed(0)

    def weights(channels: int) -> torch.Tensor:
        drawn = torch.randn(atoms, channels, 3, 3, generator=generator, dtype=torch.float64)
        return project_to_unit_norm(drawn).to(dtype)

    def scalar(value: float) -> torch.Tensor:
        return torch.tensor(value, dtype=dtype)

    return [
        ClassModel(
            weights(_MODALITIES),
            [weights(atoms) for _ in range(_LAYERS)],
            scalar(0.01),
            scalar(1.0),
            [scalar(0.002)] * _LAYERS,
            [scalar(1.0)] * _LAYERS,
        )
        for _ in range(_CLASSES)
    ]


def measure(repeats: int) -> list[Row]:
    """One row a number of atoms; the two ways must agree before they are timed."""
    rows = []
    image = torch.rand(1, _MODALITIES, _SIZE, _SIZE, generator=torch.Generator().manual_seed(1))
    for atoms in (16, 8):
        classes = _models(atoms, torch.float32)

        def ours(classes: list[ClassModel] = classes):
            with torch.inference_mode():
                return jf_ml_ista(image, classes, outer=3, inner=2)

        def peer(classes: list[ClassModel] = classes):
            with torch.inference_mode():
                return direct_jf_ml_ista(image, classes, outer=3, inner=2)

        mine, theirs = ours(), peer()
        gap = max(
            float((mine.residual - theirs[2]).abs().max()),
            *(float((a - b).abs().max()) for a, b in zip(mine.codes, theirs[0], strict=True)),
        )
        if gap > 1e-6:
            raise AssertionError(f"the two ways disagree by {gap}")
        seconds, direct, ratio = paired(ours, peer, repeats, clock=time.process_time)
        rows.append(
            Row(
                f"merged JF-ML-ISTA, 240², n = m = 4, F = {atoms}, T = 3, M = 2",
                milliseconds(seconds),
                f"direct transcription {milliseconds(direct)}",
                f"{ratio:.2f}× faster, differ by {gap:.1e}",
                "≥ 1.4×, ≤ 1e-6",
                ratio >= 1.4,
            )
        )
    return rows
