"""What every layer saw of one fixed slice, kept after each epoch of a training."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from ...files.atomic_write import write_atomically
from ...networks.running.layer_outputs import layer_outputs
from ..fit.training_folder import OUTPUT, WATCHED

#: Single maps of a layer that are kept beside the energy of all, and their largest side. The same
#: ones after every epoch, so that each can be followed.
MAPS, SIDE = 3, 64


def watch_slice(network: nn.Module, image: npt.NDArray[np.float32]) -> dict[str, np.ndarray]:
    """The energy of each layer for one image, and some of its maps, in half precision.

    Parameters
    ----------
    image : ndarray, shape (rows, columns)
        As the network is fed it.

    Returns
    -------
    mapping of layer name to ndarray, shape (1 + maps, h, w), float16
        The first is the root mean square over all maps of the layer. With ``"output"``, the
        probability of the ventricle, shape (1, h, w).
    """
    device = next(network.parameters()).device
    was_training = network.training
    network.eval()
    x = torch.from_numpy(np.ascontiguousarray(image))[None, None].to(device)
    given: list[torch.Tensor] = []
    found = layer_outputs(network, lambda: given.append(network(x)[0]))
    network.train(was_training)
    kept = {name: _small(_with_energy(output[0])) for name, output in found.items()}
    kept[OUTPUT] = _small(given[0][0, 1:])
    return kept


def _with_energy(maps: torch.Tensor) -> torch.Tensor:
    energy = maps.pow(2).mean(dim=0, keepdim=True).sqrt()
    chosen = torch.linspace(0, len(maps) - 1, min(MAPS, len(maps))).round().long()
    return torch.cat((energy, maps[chosen.to(maps.device)]))


def _small(maps: torch.Tensor) -> np.ndarray:
    if max(maps.shape[-2:]) > SIDE:
        maps = functional.adaptive_avg_pool2d(maps.detach(), SIDE)
    return maps.detach().cpu().numpy().astype(np.float16)


def save_watched(folder: Path, epoch: int, maps: dict[str, np.ndarray]) -> None:
    """Write the maps of an epoch into ``folder/watched/epoch-NNNN.npz``."""
    target = folder / WATCHED
    target.mkdir(exist_ok=True)
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **maps)
    write_atomically(target / f"epoch-{epoch:04d}.npz", stream.getvalue(), overwrite=True)
