"""What each level of a shrinkage network lets through: bands before and after the thresholds.

Source: Zavala-Mondragón et al., "Segmentation CNNs are denoising models", Section 3.1: the
encoder splits the image into bands, the shrinkages suppress part of each, the decoder puts
them together again. Here every shrinkage is listened to while the network runs, so the bands
cost no pass of their own.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn


@dataclass(frozen=True, eq=False)
class Band:
    """One shrinkage of one level, over the slices that went through.

    Attributes
    ----------
    name : str
        As in ``SumNetwork.shrinkages()`` (``"encoder.2.b"``).
    level : int
        Level of decomposition; its pixels are ``2**level`` times those of the input.
    energy_before, energy_after : ndarray, shape (N,)
        Sum of squares over all feature maps, per slice.
    zeroed : ndarray, shape (N,)
        Coefficients that were not zero before and are exactly zero after, per slice.
    nonzero : ndarray, shape (N,)
        Coefficients that were not zero before, per slice.
    before, after : ndarray, shape (N, h, w), or None
        Root mean square over the feature maps, at the level's own pixels; None where only the
        numbers were asked for.
    """

    name: str
    level: int
    energy_before: npt.NDArray[np.float64]
    energy_after: npt.NDArray[np.float64]
    zeroed: npt.NDArray[np.int64]
    nonzero: npt.NDArray[np.int64]
    before: npt.NDArray[np.float32] | None = None
    after: npt.NDArray[np.float32] | None = None

    @property
    def suppressed_energy(self) -> float | None:
        """Share of the energy taken away; negative where thresholds below 0 boosted the band.

        None when there was nothing to take away.
        """
        before = float(self.energy_before.sum())
        return None if before == 0 else 1.0 - float(self.energy_after.sum()) / before

    @property
    def zeroed_share(self) -> float | None:
        """Share of the coefficients set to zero; None when all were zero already."""
        count = int(self.nonzero.sum())
        return None if count == 0 else int(self.zeroed.sum()) / count


def has_bands(network: nn.Module) -> bool:
    """Whether the network has shrinkages to listen to."""
    return callable(getattr(network, "shrinkages", None))


@contextmanager
def listening(
    network: nn.Module, *, pictures: tuple[str, ...] | None = None
) -> Iterator[dict[str, Band]]:
    """Collect the band of every shrinkage during the one forward pass made inside.

    Parameters
    ----------
    pictures : tuple of str, optional
        Shrinkages whose pictures are kept; `pictured_bands` when not given.

    Yields
    ------
    dict of str to Band
        Filled by the pass, in order of flow; empty for a network without shrinkages.
    """
    found: dict[str, Band] = {}
    shrinkages: Mapping[str, Any] = cast(Any, network).shrinkages() if has_bands(network) else {}
    kept = pictured_bands(network) if pictures is None else pictures
    # Hooks hang on the network, which other threads may be running at the same time.
    owner = threading.get_ident()

    def listener(name: str, level: int) -> Any:
        def hook(module: nn.Module, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
            if threading.get_ident() != owner:
                return
            found[name] = _band(name, level, inputs[0].detach(), output.detach(), name in kept)

        return hook

    handles = [
        shrinkage.register_forward_hook(listener(name, shrinkage.level))
        for name, shrinkage in shrinkages.items()
    ]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def pictured_bands(network: nn.Module) -> tuple[str, ...]:
    """Shrinkages worth a picture: the last of each encoder level and of the bottom."""
    if not has_bands(network):
        return ()
    names = cast(Any, network).shrinkages()
    return tuple(n for n in names if n.endswith(".b") and not n.startswith("decoder"))


def by_level(bands: Mapping[str, Band]) -> dict[str, dict[int, tuple[float | None, float | None]]]:
    """Suppressed energy and zeroed share of each level, its shrinkages taken together.

    Returns
    -------
    dict
        ``{"encoder": {level: (suppressed energy, zeroed share)}, "decoder": …}``; the bottom
        counts as the encoder's last level.
    """
    table: dict[str, dict[int, tuple[float | None, float | None]]] = {"encoder": {}, "decoder": {}}
    for side in table:
        mine = [b for b in bands.values() if b.name.startswith("decoder") == (side == "decoder")]
        for level in sorted({b.level for b in mine}):
            group = [b for b in mine if b.level == level]
            before = sum(float(b.energy_before.sum()) for b in group)
            after = sum(float(b.energy_after.sum()) for b in group)
            nonzero = sum(int(b.nonzero.sum()) for b in group)
            zeroed = sum(int(b.zeroed.sum()) for b in group)
            table[side][level] = (
                None if before == 0 else 1.0 - after / before,
                None if nonzero == 0 else zeroed / nonzero,
            )
    return table


def joined(parts: list[dict[str, Band]]) -> dict[str, Band]:
    """Bands of several passes as one, slices one after the other."""
    if len(parts) == 1:
        return parts[0]
    result: dict[str, Band] = {}
    for name in parts[0] if parts else ():
        bands = [part[name] for part in parts]

        def stacked(field: str, bands: list[Band] = bands) -> Any:
            values = [getattr(band, field) for band in bands]
            return None if values[0] is None else np.concatenate(values)

        result[name] = Band(
            name,
            bands[0].level,
            *(stacked(f) for f in ("energy_before", "energy_after", "zeroed", "nonzero")),
            before=stacked("before"),
            after=stacked("after"),
        )
    return result


def _band(name: str, level: int, x: torch.Tensor, y: torch.Tensor, picture: bool) -> Band:
    axes = (1, 2, 3)
    occupied = x != 0
    gone = occupied & (y == 0)
    return Band(
        name,
        level,
        x.square().sum(axes).double().cpu().numpy(),
        y.square().sum(axes).double().cpu().numpy(),
        gone.sum(axes).cpu().numpy(),
        occupied.sum(axes).cpu().numpy(),
        x.square().mean(1).sqrt().float().cpu().numpy() if picture else None,
        y.square().mean(1).sqrt().float().cpu().numpy() if picture else None,
    )
