"""Where on the image the pixels of a layer lie: stride and offset, found by running the network.

A copy of the network is made of which every weight is positive and equal, every activation and
normalisation passes its input on, and every pooling averages. It is given the row of each pixel and
an image of ones: what a layer then holds, divided by its image of ones, is the mean row of the
pixels that it sees. These images are longer than the model's: by how much longer a layer is then
tells its stride exactly, and in the middle no border cuts off what it sees. The same for columns.
Two passes find all layers, whatever way they are joined.
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

from ...errors import ModelError
from .adding_up import AddingUp
from .exported_parts import exported_parts
from .inference import few_threads
from .layer_outputs import layer_outputs, leaf_layers

#: Pixels by which the images are longer: a multiple of every stride in use, so that a layer's
#: pixels lie where they lay.
_ADDED = 256

#: Share by which the places in the middle may rise otherwise than the stride says: neighbours after
#: a transposed convolution see one place.
_MISSED = 0.2

#: Share of a layer's pixels, in its middle, of which the offset is the mean.
_MIDDLE = 0.5

#: What is left as it is but for its numbers: all that adds inputs up with weights.
_WEIGHTED = (
    nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d,
    nn.Linear,
)  # fmt: skip


#: Left as it is: it adds up already, or `AddingUp` answers in its place.
_AS_THEY_ARE = (
    nn.MaxPool2d, nn.AvgPool2d, nn.LPPool2d, nn.MaxUnpool2d, nn.AdaptiveMaxPool2d,
    nn.AdaptiveAvgPool2d, nn.Upsample, nn.Flatten, nn.Fold,
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


#: Geometries found, for as long as the network lives: by channels and shape of the images, and by
#: its layers and what they are set to, which a person may change.
_FOUND: weakref.WeakKeyDictionary[nn.Module, dict[tuple[Any, ...], dict[str, LayerGeometry]]] = (
    weakref.WeakKeyDictionary()
)


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
    # A person's own module is wrapped anew in every run.
    own = getattr(network, "inner", None)
    kept = _FOUND.setdefault(own if isinstance(own, nn.Module) else network, {})
    state = channels, shape, tuple(sizes.items()), _settings(network)
    if state in kept:
        return kept[state]
    along = [_along(network, channels, shape, axis, sizes) for axis in (0, 1)]
    found: dict[str, LayerGeometry] = {}
    for name, (rows, columns) in sizes.items():
        down, across = along[0].get(name), along[1].get(name)
        if down is not None and across is not None:
            found[name] = LayerGeometry((down[0], across[0]), (down[1], across[1]))
        else:
            strides = shape[0] / rows, shape[1] / columns
            middle = (strides[0] - 1) / 2, (strides[1] - 1) / 2
            found[name] = LayerGeometry(strides, middle, measured=False)
    kept[state] = found
    return found


def _settings(network: nn.Module) -> tuple[str, ...]:
    """Of each layer what it is and is set to, as torch prints it."""
    return tuple(f"{name}: {module}" for name, module in leaf_layers(network).items())


def positive_copy(network: nn.Module, precision: torch.dtype, *, equal: bool = True) -> nn.Module:
    """A copy that adds up what it sees with positive weights; see this module.

    Parameters
    ----------
    equal : bool
        Whether all weights of a layer are equal. Where they are not, nothing cancels that a
        network takes apart and puts together again, as by a wavelet transform.
    """
    generator = torch.Generator().manual_seed(0)
    copied = copy.deepcopy(network).eval().to("cpu", precision)
    for module in copied.modules():
        if hasattr(module, "inplace"):
            setattr(module, "inplace", False)  # noqa: B010 - not every module has it
    for module in leaf_layers(copied).values():
        if isinstance(module, _WEIGHTED):
            with torch.no_grad():
                share = 1.0 / max(1, module.weight[0].numel())
                if equal:
                    module.weight.fill_(share)
                else:
                    module.weight.uniform_(0.5 * share, 1.5 * share, generator=generator)
                if module.bias is not None:
                    module.bias.zero_()
        elif not isinstance(module, _AS_THEY_ARE):
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


def _along(
    network: nn.Module,
    channels: int,
    shape: tuple[int, int],
    axis: int,
    sizes: Mapping[str, tuple[int, int]],
) -> dict[str, tuple[float, float]]:
    """Stride and offset of each layer along rows (axis 0) or columns (1), where they are found."""
    if not any(isinstance(module, _WEIGHTED) for module in network.modules()):
        return {}  # a pursuit: nothing to make positive
    if exported_parts(network):
        return {}  # what runs in one piece adds up with its own weights
    larger = [size + _ADDED * (place == axis) for place, size in enumerate(shape)]
    images = torch.ones(2, channels, *larger)
    # From 1 on, so that nothing vanishes.
    places = torch.arange(1, larger[axis] + 1, dtype=images.dtype)
    images[0] *= places[:, None] if axis == 0 else places
    try:
        copied = positive_copy(network, images.dtype)
        with few_threads(), AddingUp():
            outputs = layer_outputs(copied, lambda: copied(images))
    except (RuntimeError, TypeError, ValueError, AttributeError, ModelError):
        # A network for images of one size, or one that checks its input: laid from edge to edge.
        return {}
    found = {}
    for name, size in sizes.items():
        output = outputs.get(name)
        if output is None or len(output) != 2:
            continue
        total = output.double().mean(dim=1).numpy()
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = total[0] / total[1] - 1
        line = _line(mean if axis == 0 else mean.T, size[axis], size[1 - axis])
        if line is not None:
            found[name] = line
    return found


def _line(places: npt.NDArray[np.float64], count: int, across: int) -> tuple[float, float] | None:
    """Stride and offset of a layer from the mean places (n, m) that it sees in a longer image.

    Parameters
    ----------
    count, across : int
        Its pixels along the axis, and across, for the model's own images.
    """
    longer, there = places.shape
    if longer <= count or there != across:
        return None
    stride = _ADDED / (longer - count)
    edge = int(longer * (1 - _MIDDLE) / 2)
    index = np.arange(edge, longer - edge)
    chosen = places[edge : longer - edge, there // 2]
    if not np.isfinite(chosen).all():
        return None
    offset = float((chosen - stride * index).mean())
    # A layer that looks at the whole image, as a global pooling, lies nowhere.
    slope = np.polyfit(index, chosen, 1)[0] if len(index) > 1 else 0.0
    return (stride, offset) if abs(slope / stride - 1) < _MISSED else None
