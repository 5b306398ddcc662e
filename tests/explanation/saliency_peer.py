"""The authors' package as a peer for tests and benchmarks: PyPI `saliency`, patched where needed.

Two things keep it from agreeing in double precision, or from running at all on NumPy 2.4, and both
are patched from outside: its integrated gradients add up in single precision whatever the input,
and its guided integrated gradients call ``np.quantile(interpolation=)``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import saliency.core.guided_ig as guided_ig
import saliency.core.integrated_gradients as integrated_gradients
import torch
from saliency.core import INPUT_OUTPUT_GRADIENTS, BlurIG, GuidedIG, IntegratedGradients

from napari_sparseexplain.explanation.score_function import ScoreFunction


class _Numpy:
    """NumPy with a few functions of its own."""

    def __init__(self, **replaced: Any) -> None:
        self.__dict__.update(replaced)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


def _zeros_like(a: Any, dtype: Any = None) -> Any:
    return np.zeros_like(a)


def _quantile(a: Any, q: float, interpolation: str) -> Any:
    return np.quantile(a, q, method=interpolation)


integrated_gradients.np = _Numpy(zeros_like=_zeros_like)
guided_ig.np = _Numpy(quantile=_quantile)


class Peer:
    """The peer's methods on one image (C, H, W) of a `ScoreFunction`.

    Attributes
    ----------
    gradients : int
        Gradients that it asked for.
    """

    def __init__(self, score: ScoreFunction, row: int = 0) -> None:
        self.score, self.row, self.gradients = score, row, 0

    def _call(self, batch: Any, call_model_args: Any = None, expected_keys: Any = None) -> Any:
        x = torch.from_numpy(np.moveaxis(np.asarray(batch), -1, 1).copy())
        _, gradients = self.score.gradient(x, np.full(len(x), self.row))
        self.gradients += len(x)
        return {INPUT_OUTPUT_GRADIENTS: np.moveaxis(gradients.numpy(), 1, -1)}

    def _run(self, method: Any, x: torch.Tensor, **options: Any) -> Any:
        found = method.GetMask(np.moveaxis(x.numpy(), 0, -1), self._call, **options)
        return np.moveaxis(found, -1, 0)

    def integrated_gradients(self, x: torch.Tensor, steps: int) -> Any:
        """From the baseline 0."""
        return self._run(IntegratedGradients(), x, x_steps=steps)

    def guided(self, x: torch.Tensor, **options: Any) -> Any:
        """From the baseline 0."""
        return self._run(GuidedIG(), x, **options)

    def blur(self, x: torch.Tensor, **options: Any) -> Any:
        """From the image to its blur."""
        return self._run(BlurIG(), x, **options)
