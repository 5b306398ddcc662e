"""Frames: the points along a study's leading axes (time, direction) that a picture is of."""

from __future__ import annotations

from dataclasses import replace

from ..evidence import Explanation
from ..volumes import Study, Volume
from ..volumes.captions import slice_caption
from ..volumes.edge_letters import PLANES
from ..volumes.frames import frame_label
from ..volumes.view_of_slice import plane_word
from .gradient_names import gradient_name
from .reading import Reading
from .review import KeySlice, Overlay, Panel, ScanLayer


def frame_name(volume: Volume, leading: tuple[int, ...]) -> str:
    """`frame_label`, of a diffusion scan with what the volume measured: see `gradient_name`."""
    words = (frame_label(volume, leading), gradient_name(volume, leading))
    return ", ".join(word for word in words if word)


def frame_text(study: Study, leading: tuple[int, ...]) -> str:
    """`frame_label` of a mark, by the first volume of its study that has such a frame."""
    return frame_label(_framed(study, leading), leading)


def result_position(study: Study, explanation: Explanation) -> str:
    """Where a result lies, as ``"slice 75"`` or ``"slices 61–80, frame 12/25"``."""
    frame = frame_text(study, explanation.frame)
    where = slice_caption(explanation.slices)
    return f"{where}, {frame}" if frame else where


def frame_points(volume: Volume, leading: tuple[int, ...]) -> tuple[int, ...]:
    """The frame of a mark as points along all leading axes of a volume, inside it.

    An axis that the mark does not tell of stands at its first point.
    """
    return _moved((0,) * len(volume.leading), leading, volume)


def frame_of(reading: Reading, panel: Panel) -> tuple[tuple[int, ...], str]:
    """The frame that a panel is of, and its words: that of its scan, else of what lies over it."""
    for layer, volume in _volumes(reading, panel):
        if volume.leading:
            leading = _points(layer, volume)
            return leading, frame_name(volume, leading)
    return (), ""


def frames_by_role(reading: Reading, panel: Panel) -> dict[str, tuple[int, ...]]:
    """Points along the leading axes at which a panel shows volumes of its own study, by role."""
    shown = reversed(_volumes(reading, panel))  # the scan, which comes first, has the last word
    return {volume.role: _points(layer, volume) for layer, volume in shown}


def key_slice_label(study: Study, key: KeySlice, *, kind: str = "") -> str:
    """As ``"axial 12, frame 3/25"``; ``kind`` stands before the number (``"axial slice 12"``)."""
    word = plane_word(study, key.plane)
    kind = kind if word == key.plane else ""
    number = " ".join(part for part in (word, kind, str(key.index + 1)) if part)
    frame = frame_text(study, key.leading)
    return f"{number}, {frame}" if frame else number


def at_slice(reading: Reading, key: KeySlice) -> Reading:
    """The reading on a key slice and, in volumes with leading axes, at its frame.

    A key slice without a frame leaves every panel at its own; a probe elsewhere keeps its place
    and is not told. A crosshair goes to the slice: in the other planes its line stands for it.
    """
    review = reading.review.at(key)
    if review.crosshair and review.probe is not None:
        grid, axis = reading.studies[key.study].grid, PLANES[key.plane][0]
        place = grid.index(review.probe)
        place[axis] = key.index
        x, y, z = (float(value) for value in grid.world(place))
        review = replace(review, probe=(x, y, z))
    here = reading.with_review(review)
    if not key.leading:
        return here
    panels = tuple(
        _panel_at_frame(here, p, key.leading) if p.study == key.study else p for p in review.panels
    )
    return reading.with_review(replace(review, panels=panels))


def _panel_at_frame(reading: Reading, panel: Panel, leading: tuple[int, ...]) -> Panel:
    framed = {
        id(layer): _moved(_points(layer, volume), leading, volume)
        for layer, volume in _volumes(reading, panel)
        if volume.leading
    }
    scan = panel.scan
    if scan is not None and id(scan) in framed:
        scan = replace(scan, leading=framed[id(scan)])
    overlays = tuple(
        replace(o, leading=framed[id(o)]) if id(o) in framed else o for o in panel.overlays
    )
    return replace(panel, scan=scan, overlays=overlays)


def _points(layer: ScanLayer | Overlay, volume: Volume) -> tuple[int, ...]:
    """A layer's points along all leading axes of its volume; the first where none is told."""
    count = len(volume.leading)
    return (*layer.leading, *(0,) * count)[:count]


def _moved(own: tuple[int, ...], leading: tuple[int, ...], volume: Volume) -> tuple[int, ...]:
    """Points with their last ones replaced, as a viewer aligns axes; inside the volume."""
    wanted = (*own[: max(len(own) - len(leading), 0)], *leading[max(len(leading) - len(own), 0) :])
    return tuple(min(p, n - 1) for p, n in zip(wanted, volume.data.shape, strict=False))


def _volumes(reading: Reading, panel: Panel) -> list[tuple[ScanLayer | Overlay, Volume]]:
    """Layers of a panel that are volumes of its own study, the scan first."""
    study = reading.study_of(panel)
    found: list[tuple[ScanLayer | Overlay, Volume]] = []
    if panel.scan is not None and panel.scan.study == panel.study:
        found.append((panel.scan, study[panel.scan.role]))
    found += [
        (o, study[o.name]) for o in panel.overlays if (o.shelf, o.key) == ("study", panel.study)
    ]
    return found


def _framed(study: Study, leading: tuple[int, ...]) -> Volume | None:
    for volume in (*study.images.values(), *study.labels.values()):
        if len(volume.leading) == len(leading) and all(
            point < count for point, count in zip(leading, volume.data.shape, strict=False)
        ):
            return volume
    return None
