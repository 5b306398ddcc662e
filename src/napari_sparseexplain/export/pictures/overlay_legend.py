"""The strip under a panel: of every overlay its colours with numbers, and how it was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from .burned_in import number_text, parameter_text, score_text
from .colour_scale import coloured
from .lettering import DIM, PALE, WARNING, WHITE, fitted, line_height, text_width, wrapped, write
from .panel_lettering import joined

#: Lines that the parameters of a method may take; all of them are in the JSON file.
_PARAMETER_LINES = 2

#: Width of the colour bar, as a share of the panel's, and in sizes of text at most.
_BAR_SHARE, _BAR_SIZES = 0.26, 14.0


def legend_height(overlays: Sequence[Mapping[str, Any]], width: int, size: int) -> int:
    """Pixels that the legend of these overlays takes."""
    if not overlays:
        return 0
    heights = [_entry_height(item, width, size) for item in overlays]
    return sum(heights) + round(size * 0.4) * (len(heights) + 1)


def draw_legend(
    image: Image.Image, overlays: Sequence[Mapping[str, Any]], top: int, size: int
) -> None:
    """Draw the legend under the picture of a panel, from ``top`` downwards, in place."""
    y = top + round(size * 0.4)
    for item in overlays:
        if "limits" in item:
            _colour_bar(image, item, y, size)
        _entry_text(image, item, y, size)
        y += _entry_height(item, image.width, size) + round(size * 0.4)


def entry_title(name: str, target: str) -> str:
    """A map's name and what was explained, said once: most layers' names hold it already."""
    return name if f" · {target} · " in f" · {name} · " else joined((name, target))


def _bar_width(width: int, size: int) -> int:
    return round(min(width * _BAR_SHARE, size * _BAR_SIZES))


def _text_room(item: Mapping[str, Any], width: int, size: int) -> float:
    left = _bar_width(width, size) + size if "limits" in item else 0
    return width - left - size


def _lines(item: Mapping[str, Any], width: int, size: int) -> list[tuple[str, str]]:
    """Text and colour of every line beside the bar."""
    room = _text_room(item, width, size)
    title = entry_title(item["name"], item.get("target", ""))
    lines = [(fitted(title, size, room, bold=True), WHITE)]
    shown = [f"opacity {100 * item['opacity']:.0f} %"]
    if "limits" in item:
        if item["blend"] == "heat":
            shown = ["opacity grows with the heat"]
        shown += [text for text in (item["part_text"],) if text]
        if item["gamma"] != 1:
            shown.append(f"gamma {number_text(float(item['gamma']))}")
        if item["threshold"] is not None:
            sign = "±" if item["signed"] else ""
            shown.append(f"from {sign}{number_text(item['threshold'])}")
        shown += ["signed" if item["signed"] else "unsigned", item["scope_text"]]
    lines += [(text, PALE) for text in wrapped(joined(shown), size, room, 2)]
    if not item["on_this_slice"]:
        lines.append(("nothing was computed on this slice", WARNING))
    if item.get("method"):
        told = joined((item["method"], parameter_text(item["parameters"])))
        lines += [(text, DIM) for text in wrapped(told, size, room, _PARAMETER_LINES)]
        scores = score_text(item["scores"])
        if scores:
            lines += [(text, DIM) for text in wrapped(scores, size, room, 2)]
    return lines


def _entry_height(item: Mapping[str, Any], width: int, size: int) -> int:
    step = line_height(size)
    rows = len(_lines(item, width, size)) + len(_swatch_rows(item, width, size))
    return step * max(rows, 3 if "limits" in item else 1)


def _entry_text(image: Image.Image, item: Mapping[str, Any], top: int, size: int) -> None:
    step = line_height(size)
    x = round(size * 0.5)
    if "limits" in item:
        x += _bar_width(image.width, size) + size
    lines = _lines(item, image.width, size)
    for place, (text, colour) in enumerate(lines):
        at = (x, top + place * step)
        write(image, at, text, size, colour=colour, bold=place == 0, outlined=False)
    for row, swatches in enumerate(_swatch_rows(item, image.width, size), start=len(lines)):
        left = float(x)
        y = top + row * step
        for colour, name in swatches:
            side = round(size * 0.8)
            draw = ImageDraw.Draw(image)
            draw.rectangle((round(left), y + 2, round(left) + side, y + 2 + side), fill=colour)
            write(image, (left + size * 1.2, y), name, size, colour=PALE, outlined=False)
            left += text_width(name, size) + size * 2.2


def _swatch_rows(item: Mapping[str, Any], width: int, size: int) -> list[list[tuple[str, str]]]:
    """Colour and name of every class, in rows that fit; labels of one colour stand together."""
    if "colours" not in item:
        return []
    names: dict[str, list[str]] = {}
    for label, colour in item["colours"].items():
        if item["classes"] and label not in item["classes"]:
            continue
        of_colour = names.setdefault(colour, [])
        name = item["classes"].get(label, label)
        if name not in of_colour:  # the enhancing tumour has two values of one meaning
            of_colour.append(name)
    rows: list[list[tuple[str, str]]] = [[]]
    left = 0.0
    for colour, labels in names.items():
        name = "/".join(labels) if item["classes"] else "label " + "/".join(labels)
        needed = text_width(name, size) + size * 2.2
        if rows[-1] and left + needed > width - size:
            rows.append([])
            left = 0.0
        rows[-1].append((colour, fitted(name, size, width - size * 2.2)))
        left += needed
    return [row for row in rows if row]


def _colour_bar(image: Image.Image, item: Mapping[str, Any], top: int, size: int) -> None:
    """The bar, numbers at its ends (and zero in a signed one), the unit, where it is clear."""
    width, tall = _bar_width(image.width, size), round(size * 0.9)
    left = round(size * 0.5)
    low, high = item["limits"]
    values = np.linspace(low, high, width)
    colours = coloured(values, (low, high), item["colormap"])
    strip = np.repeat(np.rint(colours * 255).astype(np.uint8)[None], tall, axis=0)
    if item["threshold"] is not None:
        clear = (np.abs(values) if item["signed"] else values) < item["threshold"]
        rows, columns = np.indices((tall, width))
        hatched = clear[None, :] & ((rows + columns) // max(2, size // 5) % 2 == 0)
        strip = np.where((clear[None, :] & ~hatched)[..., None], 24, strip)
        strip = np.where(hatched[..., None], 70, strip).astype(np.uint8)
    y = top + 2
    image.paste(Image.fromarray(np.ascontiguousarray(strip)), (left, y))
    ImageDraw.Draw(image).rectangle((left - 1, y - 1, left + width, y + tall), outline="#707070")
    under = y + tall + 3
    ends = ((low, left, "la"), (high, left + width, "ra"))
    for value, x, anchor in ends:
        text = number_text(float(value))
        if item["signed"] and value > 0:
            text = f"+{text}"
        write(image, (x, under), text, size, colour=WHITE, anchor=anchor, outlined=False)
    if item["signed"] and low < 0 < high:
        middle = left + width * (0 - low) / (high - low)
        write(image, (middle, under), "0", size, colour=WHITE, anchor="ma", outlined=False)
    unit = fitted(item["unit"], size, width)
    at = (left + width / 2, under + line_height(size))
    write(image, at, unit, size, colour=DIM, anchor="ma", outlined=False)
