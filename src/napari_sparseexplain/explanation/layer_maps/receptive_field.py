"""How far a layer sees: theoretical and effective receptive field of one of its pixels.

Theoretical: every pixel on which the layer's pixel can depend, exactly: where the gradient of the
positive copy (`positive_copy`) is not 0. Effective: the pixels on which it does depend here, the
absolute gradient of the network itself on this image [1]_.

References
----------
.. [1] W. Luo et al., Understanding the effective receptive field in deep convolutional neural
       networks, NeurIPS 2016.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ...errors import ModelError
from ...networks.running.adding_up import AddingUp
from ...networks.running.inference import few_threads
from ...networks.running.layer_geometry import positive_copy
from ...networks.running.layer_outputs import watched_layers

#: Layers that look at the whole image, which the theoretical field leaves out.
WHOLE_IMAGE = (nn.InstanceNorm2d, nn.GroupNorm, nn.LayerNorm)

#: Shares of the effective field's weight whose radius is told.
SHARES = (0.5, 0.95)


@dataclass(frozen=True, eq=False)
class ReceptiveField:
    """What one pixel of a layer sees.

    Attributes
    ----------
    layer : str
    index : (int, int)
        Its pixel.
    box : (int, int, int, int)
        First and last row, first and last column of the theoretical field inside the image.
    theoretical : ndarray of bool, shape (rows, columns)
    effective : ndarray, shape (rows, columns), float32
        Absolute gradients added over the inputs, their sum 1.
    radii : mapping of share to float
        Radius about the field's centre of weight within which a share of it lies, in pixels.
    """

    layer: str
    index: tuple[int, int]
    box: tuple[int, int, int, int]
    theoretical: npt.NDArray[np.bool_]
    effective: npt.NDArray[np.float32]
    radii: dict[float, float]

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the theoretical field inside the image."""
        top, bottom, left, right = self.box
        return bottom - top + 1, right - left + 1


def receptive_field(
    network: nn.Module, image: torch.Tensor, layer: str, index: tuple[int, int]
) -> ReceptiveField:
    """Both fields of a layer's pixel, by one backward pass each.

    Parameters
    ----------
    image : Tensor, shape (1, channels, rows, columns)
        As the network is fed it.
    layer : str
        As `layer_outputs` names it.
    index : (int, int)
        Row and column in the layer's map.

    Raises
    ------
    ModelError
        No such layer, or nothing of the image reaches it.
    """
    copied = positive_copy(network, torch.float64, equal=False)
    ones = torch.ones(image.shape, dtype=torch.float64)
    with AddingUp():
        support = _gradient(copied, ones, layer, index) > 0
    effective = np.nan_to_num(
        _gradient(network, image.detach(), layer, index), nan=0.0, posinf=0.0, neginf=0.0
    )
    total = float(effective.sum())
    if not support.any():
        raise ModelError(
            f"nothing of the image reaches the layer {layer!r} in a way that can be followed",
            where=layer,
            remedy="Choose another layer",
        )
    rows, columns = np.nonzero(support.any(axis=1))[0], np.nonzero(support.any(axis=0))[0]
    shares = effective / total if total > 0 else effective
    return ReceptiveField(
        layer,
        index,
        (int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])),
        support,
        shares.astype(np.float32),
        _radii(shares) if total > 0 else dict.fromkeys(SHARES, float("nan")),
    )


def _gradient(
    network: nn.Module, image: torch.Tensor, layer: str, index: tuple[int, int]
) -> npt.NDArray[np.float64]:
    """Absolute gradient of a layer's pixel, its maps' magnitudes added, shape (rows, columns)."""
    found: dict[str, torch.Tensor] = {}

    def keep(name: str, output: torch.Tensor) -> torch.Tensor | None:
        if name == layer and output.dim() == 4:
            # A layer after it that works in place gets a copy.
            found[name] = output
            return output.clone()
        return None

    x = image.requires_grad_(True)
    with few_threads():
        with watched_layers(network, keep), torch.enable_grad():
            network(x)
        if layer not in found:
            raise ModelError(
                f"the network has no layer {layer!r} with maps",
                where=layer,
                remedy="Take a name that the method layer-maps lists",
            )
        here = found[layer][0, :, index[0], index[1]]
        gradient = None
        if here.requires_grad:
            (gradient,) = torch.autograd.grad(here.abs().sum(), x, allow_unused=True)
    if gradient is None:
        return np.zeros(image.shape[-2:])
    return np.asarray(gradient[0].abs().sum(dim=0).double().cpu().numpy())


def _radii(weights: npt.NDArray[Any]) -> dict[float, float]:
    rows, columns = np.indices(weights.shape)
    centre = (rows * weights).sum(), (columns * weights).sum()
    far = np.hypot(rows - centre[0], columns - centre[1]).ravel()
    order = np.argsort(far)
    reached = np.cumsum(weights.ravel()[order])
    return {
        share: float(far[order][min(np.searchsorted(reached, share), far.size - 1)])
        for share in SHARES
    }
