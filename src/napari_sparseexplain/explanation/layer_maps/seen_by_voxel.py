"""The method ``receptive-field``: what of the scan a layer sees at the voxel that was clicked."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...errors import ModelError, ParameterError, StudyError
from ...evidence import ExplanationMap
from ...networks.bundle.model import Model
from ...networks.running.exported_parts import exported_parts
from ...networks.running.preparation import Resolution, prepare
from ...progress import Progress, Work
from ...volumes import Study
from ...volumes.captions import slice_caption
from ..method_result import MethodResult
from ..network_logits import network_images
from ..target import Target
from .receptive_field import WHOLE_IMAGE, ReceptiveField, receptive_field
from .seen_layers import seen_layers

#: Said of a field that ends where the image ends.
CUT_OFF = (
    "The theoretical field reaches the edge of the image; its size is that of what lies inside."
)

#: Pixels of a field whose border is drawn two pixels wide, so that it is seen in a small cell.
_LARGE = 200

#: The map that shows both fields.
FIELDS = "fields"


def receptive_field_work(
    study: Study,
    model: Model,
    *,
    target: Target | None,
    slices: slice,
    layer: str,
    resolution: Resolution,
) -> Work[MethodResult]:
    """Theoretical and effective receptive field of a layer at a voxel.

    Returns
    -------
    MethodResult
        Maps ``effective-field`` (absolute gradient as a share of the largest),
        ``theoretical-field``, and both in one picture, ``fields``, on the slice of the voxel.

    Raises
    ------
    StudyError
        The target is no voxel of the study.
    ModelError
        No such layer, or a part of the network runs in one piece.
    ParameterError
        Several layers were named.
    """
    if target is None or target.kind != "voxel" or target.index is None:
        raise StudyError(
            "a receptive field is that of a voxel",
            where=study.name,
            remedy="Give one as the target, for example voxel:80,120,90, or click in the image",
        )
    s, p, l = target.index  # noqa: E741
    if not all(0 <= i < n for i, n in zip(target.index, study.grid.shape, strict=True)):
        raise StudyError(
            f"{target.label} does not lie in this study",
            where=study.name,
            remedy="Give slice, row and column inside it, counted from 0",
        )
    here = slice(s, s + 1)
    yield Progress(0, 2, f"Preparing {slice_caption(here)}")
    prepared = prepare(study, model.card, here, resolution=resolution)
    seen = seen_layers(model, prepared)
    names = list(seen.sizes)
    name = layer.strip() or names[-1]
    (name, *others) = seen.chosen(name, model.name)
    if others:
        raise ParameterError(
            f"a receptive field is that of one layer, and {len(others) + 1} were named",
            where="layer",
            remedy=f"Name one of them, for example layer={name}",
        )
    if parts := exported_parts(model.network):
        part, kind = next(iter(parts.items()))
        raise ModelError(
            f"the receptive field of {name!r} cannot be followed: "
            f"{repr(part) if part else 'the network'} is {kind}, of which nothing tells how it "
            "adds up what it sees",
            where=model.name,
            remedy="Give the torch module of which it was made; layer-maps shows the layers that "
            "can be seen",
        )
    row, column = prepared.to_network_index(p, l)
    index = seen.geometries[name].index_of(row, column, seen.sizes[name][1:])
    yield Progress(1, 2, f"What {name} sees")
    found = receptive_field(model.network, network_images(model, prepared.array), name, index)
    share = prepared.to_study(found.effective[None] / max(float(found.effective.max()), 1e-12))
    theoretical = prepared.nearest_to_study(found.theoretical[None].astype(np.uint8))
    maps = (
        ExplanationMap(
            FIELDS,
            np.where(_border(theoretical[0] > 0), np.float32(-1), share),
            "signal",
            f"Receptive field of {name}: effective, and the border of the theoretical one (-1)",
            value_range=(-1.0, 1.0),
            signed=True,
        ),
        ExplanationMap(
            "effective-field",
            share,
            "signal",
            f"Effective receptive field of {name}",
            value_range=(0.0, 1.0),
        ),
        ExplanationMap(
            "theoretical-field",
            theoretical,
            "segmentation",
            f"Theoretical receptive field of {name}",
            classes={1: "seen"},
        ),
    )
    notes = [*prepared.notes]
    if any(isinstance(module, WHOLE_IMAGE) for module in model.network.modules()):
        notes.append(
            "The network normalises by the whole image (instance, group or layer norm): by that "
            "way every pixel has a small influence, which the theoretical field leaves out."
        )
    if not found.effective.any():
        notes.append(
            f"Nothing in this image moves {name} here: its maps are all 0, or not finite. So there "
            "is no effective field, and no radius of it."
        )
    if _cut_off(found, prepared.array.shape[-2:]):
        notes.append(CUT_OFF)
    return MethodResult(
        maps,
        _scores(found, prepared.spacing, prepared.grid.calibrated),
        tuple(notes),
        target=f"{name} at {target.label}",
        slices=here,
        region=prepared.region,
        decided={"layer": name},
    )


def _cut_off(found: ReceptiveField, shape: tuple[int, ...]) -> bool:
    top, bottom, left, right = found.box
    return top == 0 or left == 0 or bottom == shape[0] - 1 or right == shape[1] - 1


def _border(inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The outermost pixels of a region, two where it is large; at the image's edge it ends, too."""
    within = inside
    for _ in range(1 if inside.sum() < _LARGE else 2):
        padded = np.pad(within, 1)
        within = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return inside & ~within


def _scores(
    found: ReceptiveField, spacing: tuple[float, float], calibrated: bool
) -> dict[str, float | None]:
    unit = "mm" if calibrated else "px"
    sizes = spacing if calibrated else (1.0, 1.0)
    rows, columns = found.size
    return {
        f"theoretical field, rows ({unit})": rows * sizes[0],
        f"theoretical field, columns ({unit})": columns * sizes[1],
        **{
            f"radius of {share:.0%} of the effective field ({unit})": (
                radius * float(np.mean(sizes)) if np.isfinite(radius) else None
            )
            for share, radius in found.radii.items()
        },
    }
