"""Where on the image the pixels of a layer lie: stride and offset, found by running the network.

A copy of the network is made of which every weight is positive and equal, every activation and
normalisation passes its input on, and every pooling averages. It is given the row and the column of
each pixel, and an image of ones: what a layer then holds, divided by its image of ones, is the mean
place of the pixels that it sees. One pass finds all layers, whatever way they are joined.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from ...networks.running.layer_outputs import layer_outputs, leaf_layers

#: Share by which a measured stride may miss a whole number (or one over it). Deep layers see past
#: the border, which draws their places together.
_MISSED = 0.15

#: Share of a map's pixels, in its middle, from which its line is taken: the border sees less.
_MIDDLE = 0.5

#: What is left as it is but for its numbers: all that adds inputs up with weights.
_WEIGHTED = (
    nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d,
    nn.Linear,
)  # fmt: skip


@dataclass(frozen=True)
class LayerGeometry:
    """Pixel (i, j) of a layer is centred at ``offset + stride * (i, j)`` of the input's pixels.

    Attributes
    ----------
    stride, offset : (float, float)
        Along rows and columns, in input pixels; the centre of the first one is at 0.
    measured : bool
        False where the network could not be run so, and the layer was laid over the image from
        edge to edge.
    """

    stride: tuple[float, float]
    offset: tuple[float, float]
    measured: bool = True

    def resampled(
        self, maps: npt.NDArray[Any], shape: tuple[int, int], order: int = 1
    ) -> npt.NDArray[np.float32]:
        """Maps (..., h, w) of the layer at the pixels of the input, shape (..., H, W).

        Linear between the layer's pixels (``order`` 1) or the nearest one (0); past its outermost
        pixels these go on.
        """
        found = np.asarray(maps, dtype=np.float32)
        for axis, (size, stride, offset) in enumerate(
            zip(shape, self.stride, self.offset, strict=True), start=-2
        ):
            count = found.shape[axis]
            place = np.clip((np.arange(size) - offset) / stride, 0, count - 1)
            if order == 0:
                found = np.take(found, np.rint(place).astype(np.intp), axis=axis)
                continue
            low = np.minimum(place.astype(np.intp), max(0, count - 2))
            part = (place - low).astype(np.float32)
            part = part[:, None] if axis == -2 else part
            high = np.minimum(low + 1, count - 1)
            found = (1 - part) * np.take(found, low, axis=axis) + part * np.take(
                found, high, axis=axis
            )
        return found

    def index_of(self, row: float, column: float, shape: tuple[int, int]) -> tuple[int, int]:
        """The layer's pixel (of ``shape``) whose centre is nearest to an input pixel."""
        places = [
            int(np.clip(round((value - offset) / stride), 0, count - 1))
            for value, stride, offset, count in zip(
                (row, column), self.stride, self.offset, shape, strict=True
            )
        ]
        return places[0], places[1]


#: Geometries found, for as long as the network lives: by channels and shape of the images.
_FOUND: weakref.WeakKeyDictionary[
    nn.Module, dict[tuple[int, tuple[int, int]], dict[str, LayerGeometry]]
] = weakref.WeakKeyDictionary()


def layer_geometries(
    network: nn.Module, channels: int, shape: tuple[int, int], sizes: Mapping[str, tuple[int, int]]
) -> dict[str, LayerGeometry]:
    """Geometry of every layer for images of a shape; measured once a network and shape.

    Parameters
    ----------
    network : torch.nn.Module
        ``network(x)`` takes images (B, channels, rows, columns).
    sizes : mapping of layer name to (int, int)
        Rows and columns of each layer's maps for images of this shape.
    """
    kept = _FOUND.setdefault(network, {})
    if (channels, shape) in kept:
        return kept[channels, shape]
    measured = _mean_places(network, channels, shape)
    found: dict[str, LayerGeometry] = {}
    for name, (rows, columns) in sizes.items():
        lines = None
        if name in measured and measured[name].shape[1:] == (rows, columns):
            along_rows = _line(measured[name][0], 0)
            along_columns = _line(measured[name][1], 1)
            if along_rows and along_columns:
                lines = along_rows, along_columns
        if lines:
            (first, start), (second, begin) = lines
            found[name] = LayerGeometry((first, second), (start, begin))
        else:
            strides = shape[0] / rows, shape[1] / columns
            found[name] = LayerGeometry(
                strides, ((strides[0] - 1) / 2, (strides[1] - 1) / 2), measured=False
            )
    kept[channels, shape] = found
    return found


def positive_copy(network: nn.Module, precision: torch.dtype) -> nn.Module:
    """A copy that adds up what it sees with equal positive weights; see this module."""
    copied = copy.deepcopy(network).eval().to("cpu", precision)
    for module in copied.modules():
        if hasattr(module, "inplace"):
            module.inplace = False
    for module in leaf_layers(copied).values():
        if isinstance(module, _WEIGHTED):
            with torch.no_grad():
                module.weight.fill_(1.0 / max(1, module.weight[0].numel()))
                if module.bias is not None:
                    module.bias.zero_()
        elif isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
            module.register_forward_hook(_averaged)
        elif not isinstance(module, nn.Upsample | nn.AdaptiveAvgPool2d | nn.Flatten | nn.Fold):
            module.register_forward_hook(_passed_on)
    return copied


def _passed_on(module: nn.Module, inputs: Any, output: Any) -> Any:
    """What came in, where it is of the shape of what goes out: activations, normalisations."""
    given = inputs[0] if inputs else None
    if (
        isinstance(given, torch.Tensor)
        and isinstance(output, torch.Tensor)
        and given.shape == output.shape
    ):
        # In place it would be what the activation made of it.
        return given
    return None


def _averaged(module: Any, inputs: Any, _output: Any) -> torch.Tensor:
    return functional.avg_pool2d(
        inputs[0], module.kernel_size, module.stride, module.padding, module.ceil_mode
    )


def _mean_places(
    network: nn.Module, channels: int, shape: tuple[int, int]
) -> dict[str, npt.NDArray[np.float64]]:
    """Mean row and column that each pixel of each layer sees, shape (2, h, w); NaN where none."""
    if not any(isinstance(module, _WEIGHTED) for module in network.modules()):
        return {}  # a pursuit, or one exported piece: nothing to make positive
    rows, columns = shape
    images = torch.ones(3, channels, rows, columns)
    # From 1 on, so that nothing vanishes.
    images[0] *= torch.arange(1, rows + 1)[:, None]
    images[1] *= torch.arange(1, columns + 1)
    try:
        copied = positive_copy(network, torch.float32)
        outputs = layer_outputs(copied, lambda: copied(images))
    except (RuntimeError, TypeError, ValueError, AttributeError):
        # A module that takes no double precision, or checks its input: laid from edge to edge.
        return {}
    found = {}
    for name, output in outputs.items():
        if len(output) != 3:
            continue
        total = output.double().mean(dim=1).numpy()
        with np.errstate(divide="ignore", invalid="ignore"):
            found[name] = total[:2] / total[2] - 1
    return found


def _line(places: npt.NDArray[np.float64], axis: int) -> tuple[float, float] | None:
    """Stride and offset along an axis, from the middle of a map; None where it is no line.

    The border cuts what is seen off on both sides alike, so that the mean place of the middle is
    right although the stride comes out too small: it is one of n or 1/n pixels.
    """
    count = places.shape[axis]
    values = np.take(places, places.shape[1 - axis] // 2, axis=1 - axis)
    edge = int(count * (1 - _MIDDLE) / 2) if count > 4 else 0
    index = np.arange(count)[edge : count - edge]
    chosen = values[edge : count - edge]
    if not np.isfinite(chosen).all() or len(chosen) < 2:
        return None
    slope = float(np.polyfit(index, chosen, 1)[0])
    if slope <= 0:
        return None
    stride = float(round(slope)) if slope >= 0.75 else 1.0 / round(1.0 / slope)
    if abs(slope / stride - 1) > _MISSED:
        return None
    return stride, float(chosen.mean() - stride * index.mean())
