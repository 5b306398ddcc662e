"""The text over a panel's picture: corners, letters at the four edges, scale bar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from ...volumes.captions import axis_captions, voxel_caption
from .burned_in import number_text
from .lettering import PALE, WARNING, WHITE, fitted, line_height, text_width, wrapped, write
from .plane_view import PlaneView

LETTER_COLOUR = "#F0E442"

#: Longest scale bar, as a share of the picture's width.
_BAR_SHARE = 0.22

#: How the line begins that says what may not lie where it is drawn.
_UNREGISTERED = "NOT REGISTERED: "

#: Rows that a line in the lower left corner may be broken into.
_LINES = 3


def letter_panel(
    image: Image.Image, facts: Mapping[str, Any], view: PlaneView, size: int, *, outside: int = 0
) -> None:
    """Write corners, letters and scale bar over a panel, in place.

    Parameters
    ----------
    facts : mapping
        Of `panel_facts`.
    outside : int
        Annotations of the slice that lie outside the picture; said when there are any.
    """
    width, height = image.size
    edge = round(size * 0.5)
    step = line_height(size)
    half = width / 2 - size * 2
    scan = facts["scan"]
    series = " · ".join(t for t in (facts["title"], scan["modality"] if scan else "") if t)
    for place, text in enumerate((facts["study"], series)):
        write(image, (edge, edge + place * step), fitted(text, size, half), size, colour=WHITE)
    number = f"{facts['view'].capitalize()} {facts['slice']}/{facts['slices']}"
    places = (number, *(facts[k] for k in ("frame", "position", "lengths") if facts[k]))
    for place, text in enumerate(places):
        at = (width - edge, edge + place * step)
        write(image, at, fitted(text, size, half), size, anchor="ra")
    lines = bottom_left_lines(facts)
    if outside:
        plural = "s" if outside > 1 else ""
        lines.insert(0, f"{outside} annotation{plural} outside the picture")
    if facts["unregistered"]:
        lines.insert(0, unregistered_text(facts["unregistered"]))
    bar_left = _scale_bar(image, view, size)
    # Up to the letter at the middle of the lower edge, as on the screen.
    room = min(half, bar_left - size) - edge
    told = [
        (row, WARNING if "outside" in text or text.startswith(_UNREGISTERED) else PALE)
        for text in lines
        for row in wrapped(text, size, room, _LINES)
    ]
    for place, (text, colour) in enumerate(reversed(told)):
        write(image, (edge, height - edge - place * step), text, size, colour=colour, anchor="ld")
    _letters(image, facts["letters"], size)


def unregistered_text(titles: Sequence[str]) -> str:
    """The line of a picture, or of the window, about scans that may not lie over the reference."""
    return _UNREGISTERED + ", ".join(titles)


def bottom_left_lines(facts: Mapping[str, Any]) -> list[str]:
    """Probe, window and level, zoom."""
    lines = []
    probe = facts["probe"]
    if probe is not None:
        lines.append("probe " + _position_text(probe))
        named = probe.get("value_names", {})  # classes are called as in the legend
        values = [
            f"{name} {named.get(name) or number_text(value)}"
            for name, value in probe["values"].items()
        ]
        if values:
            lines.append(" · ".join(values))
    per_mm, per_voxel = facts["zoom_px_per_mm"], facts["zoom_px_per_voxel"]
    zoom = f"zoom {per_voxel:.2f} px/voxel" if per_mm is None else f"zoom {per_mm:.2f} px/mm"
    scan = facts["scan"]
    if scan is not None:
        unit = f" {scan['unit']}" if scan["unit"] else ""
        lines.append(f"W {number_text(scan['window'])} L {number_text(scan['level'])}{unit}")
    return [*lines, zoom]


def _position_text(probe: Mapping[str, Any]) -> str:
    """The probe's place, in the patient or on the grid (counted from 1, as slices are)."""
    if "points_ras_mm" in probe:
        return ", ".join(axis_captions(probe["points_ras_mm"][0]))
    return voxel_caption(probe["points_voxel"][0])


def _letters(image: Image.Image, letters: Mapping[str, str], size: int) -> None:
    """One letter hard at the middle of each edge, with a dark outline."""
    width, height = image.size
    big = round(size * 1.25)
    edge = round(size * 0.4)
    places = {
        "left": (edge, height / 2, "lm"),
        "right": (width - edge, height / 2, "rm"),
        "top": (width / 2, edge, "ma"),
        "bottom": (width / 2, height - edge, "md"),
    }
    for side, text in letters.items():
        x, y, anchor = places[side]
        write(image, (x, y), text, big, colour=LETTER_COLOUR, anchor=anchor, bold=True)


def _scale_bar(image: Image.Image, view: PlaneView, size: int) -> float:
    """A bar of a round length in the lower right corner; where it begins."""
    width, height = image.size
    edge = round(size * 0.5)
    length = round_length(_BAR_SHARE * width / view.zoom)
    pixels = length * view.zoom
    text = f"{length:g} {'mm' if view.grid.calibrated else 'px'}"
    y = height - edge
    thick = max(2, size // 6)
    x1 = width - edge
    x0 = x1 - pixels
    draw = ImageDraw.Draw(image)
    box = (round(x0), y - thick, round(x1), y)
    draw.rectangle((box[0] - 1, box[1] - 1, box[2] + 1, box[3] + 1), fill="#000000")
    draw.rectangle((box[0], box[1], box[2] - 1, box[3] - 1), fill=WHITE)
    write(image, (x1, y - thick - size * 0.25), text, size, anchor="rd")
    return min(x0, x1 - text_width(text, size))


def round_length(longest: float) -> float:
    """The longest of 1, 2, 5, 10, 20 … that is not above ``longest``."""
    power = 10.0 ** np.floor(np.log10(longest))
    return float(max(step for step in (power, 2 * power, 5 * power) if step <= longest * 1.0001))


def joined(parts: Sequence[str]) -> str:
    """Parts that are not empty, with points between them."""
    return " · ".join(part for part in parts if part)
