"""The layers of a model that have maps, run on prepared slices one by one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch

from ...errors import ModelError
from ...networks.bundle.model import Model
from ...networks.modules.left_ventricle_fcn import SamePadding
from ...networks.running.exported_parts import exported_parts, missing_words, unseen_error
from ...networks.running.inference import few_threads
from ...networks.running.layer_geometry import LayerGeometry, layer_geometries
from ...networks.running.layer_outputs import layer_outputs
from ...networks.running.preparation import Prepared
from ..network_logits import network_images

#: Layers that are shown at first.
MOST_BLOCKS = 11


#: Modules that compute nothing.
_PADDING = (
    torch.nn.ZeroPad2d,
    torch.nn.ConstantPad2d,
    torch.nn.ReflectionPad2d,
    torch.nn.ReplicationPad2d,
    torch.nn.CircularPad2d,
    SamePadding,
)


@dataclass(frozen=True, eq=False)
class SeenLayers:
    """Names and geometry of a model's layers, in the order in which they run.

    Attributes
    ----------
    sizes : mapping of name to (maps, rows, columns)
    geometries : mapping of name to LayerGeometry
    first : mapping of name to ndarray
        What they hold for the first prepared slice: it had to run.
    missing : str
        Which parts of the model are not among them, a sentence; empty where all are.
    padding : frozenset of str
        Layers that only put a margin about what the layer before them holds.
    """

    sizes: dict[str, tuple[int, int, int]]
    geometries: dict[str, LayerGeometry]
    first: dict[str, npt.NDArray[np.float32]] = field(default_factory=dict, repr=False)
    missing: str = ""
    padding: frozenset[str] = frozenset()

    @property
    def blocks(self) -> list[str]:
        """The last layer of every run of layers of one size: what a person looks at first.

        At most `MOST_BLOCKS`, spread over the network; none that only pads.
        """
        names = [name for name in self.sizes if name not in self.padding] or list(self.sizes)
        ends = [
            name
            for name, following in itertools.zip_longest(names, names[1:])
            if following is None or self.sizes[name][1:] != self.sizes[following][1:]
        ]
        if len(ends) <= MOST_BLOCKS:
            return ends
        places = np.linspace(0, len(ends) - 1, MOST_BLOCKS).round().astype(int)
        return [ends[i] for i in places]

    @property
    def deepest(self) -> str:
        """The last layer of the smallest maps, as Grad-CAM takes it."""
        areas = {name: rows * columns for name, (_, rows, columns) in self.sizes.items()}
        smallest = min(areas.values())
        return [name for name, area in areas.items() if area == smallest][-1]

    def number(self, name: str) -> str:
        """A layer's name with its place, as maps are called: ``"03-conv2"``."""
        place = list(self.sizes).index(name) + 1
        return f"{place:02d}-{name}".replace(" ", "").replace("(", "-call-").replace(")", "")

    def chosen(self, names: str, model: str) -> list[str]:
        """Layers by name, separated by commas; all where none is named.

        Raises
        ------
        ModelError
            There is no such layer; the message lists those there are.
        """
        wanted = [name.strip() for name in names.split(",") if name.strip()]
        strange = [name for name in wanted if name not in self.sizes]
        if strange:
            raise ModelError(
                f"the network has no layer {strange[0]!r} with maps",
                where=model,
                remedy="It has "
                + ", ".join(self.sizes)
                + (f". {self.missing}" * bool(self.missing)),
            )
        return [name for name in self.sizes if not wanted or name in wanted]


def outputs_of_slice(
    model: Model, array: npt.NDArray[np.float32]
) -> dict[str, npt.NDArray[np.float32]]:
    """Maps (maps, h, w) of every layer for one prepared slice (channels, H, W).

    Raises
    ------
    ModelError
        The network shows no layers, or none of them has maps.
    """
    images = network_images(model, array[None])
    if images.ndim == 4:
        images = images.contiguous(memory_format=torch.channels_last)
    with few_threads():
        found = layer_outputs(model.network, lambda: model.network(images))
    maps = {
        name: output[0].float().cpu().numpy()
        for name, output in found.items()
        if len(output) == 1 and min(output.shape[-2:]) > 1
    }
    if not maps:
        raise unseen_error(model.network, model.name)
    return maps


def seen_layers(model: Model, prepared: Prepared) -> SeenLayers:
    """What layers a model has for these slices, and where their pixels lie.

    Raises
    ------
    ModelError
        As `outputs_of_slice`.
    """
    maps = outputs_of_slice(model, prepared.array[0])
    sizes = {name: (len(a), *a.shape[1:]) for name, a in maps.items()}
    places = layer_geometries(
        model.network,
        prepared.array.shape[1],
        (prepared.array.shape[2], prepared.array.shape[3]),
        {name: (rows, columns) for name, (_, rows, columns) in sizes.items()},
    )
    missing = missing_words(exported_parts(model.network))
    modules = dict(model.network.named_modules())
    padding = frozenset(
        name for name in sizes if isinstance(modules.get(name.partition(" (")[0]), _PADDING)
    )
    return SeenLayers(
        {name: (c, h, w) for name, (c, h, w) in sizes.items()}, places, maps, missing, padding
    )


def mask_at_layer(
    geometry: LayerGeometry, mask: npt.NDArray[np.float32], size: tuple[int, int]
) -> npt.NDArray[np.float32]:
    """Share of each pixel of a layer (h, w) that lies in a mask (rows, columns) of the input.

    Each pixel of the input counts for the layer's pixel whose centre is nearest.
    """
    places = []
    for count, stride, offset, length in zip(
        size, geometry.stride, geometry.offset, mask.shape, strict=True
    ):
        places.append(
            np.clip(np.rint((np.arange(length) - offset) / stride), 0, count - 1).astype(np.intp)
        )
    index = (places[0][:, None] * size[1] + places[1][None, :]).ravel()
    total = np.bincount(index, minlength=size[0] * size[1])
    inside = np.bincount(index, weights=mask.ravel(), minlength=size[0] * size[1])
    share = np.divide(inside, total, out=np.zeros(total.size), where=total > 0)
    if (total == 0).any():  # a layer finer than the image: what lies there
        rows = np.clip(np.rint(geometry.offset[0] + geometry.stride[0] * np.arange(size[0])),
                       0, mask.shape[0] - 1).astype(np.intp)  # fmt: skip
        columns = np.clip(np.rint(geometry.offset[1] + geometry.stride[1] * np.arange(size[1])),
                          0, mask.shape[1] - 1).astype(np.intp)  # fmt: skip
        share = np.where(total > 0, share, mask[np.ix_(rows, columns)].ravel())
    return share.reshape(size).astype(np.float32)


def over_slices(
    model: Model, prepared: Prepared, seen: SeenLayers
) -> Iterator[tuple[int, dict[str, npt.NDArray[np.float32]]]]:
    """Number and layers of each prepared slice, one at a time; the first one ran already."""
    for row, array in enumerate(prepared.array):
        yield row, outputs_of_slice(model, array) if row or not seen.first else seen.first
