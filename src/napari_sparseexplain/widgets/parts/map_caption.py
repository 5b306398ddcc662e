"""What stands on the canvas about heat maps: their colours, their part, where there is none."""

from __future__ import annotations

from collections.abc import Sequence

from ...volumes.captions import slice_caption
from ..attribution.heat_controls import OWN, SCALE_WORDS, SHARED

#: Maps whose limits the caption tells one by one.
MOST_NAMED_MAPS = 2


def uncovered_text(maps: Sequence[tuple[str, slice]]) -> str:
    """Which maps do not lie on the slice in the picture, and where they do.

    Parameters
    ----------
    maps : sequence of (name, slices)
        Of more than `MOST_NAMED_MAPS` the number is told alone; their lines in the tab say where.
    """
    if len(maps) > MOST_NAMED_MAPS:
        return f"{len(maps)} maps are not on this slice"
    return "\n".join(f"{name}: no map on this slice ({slice_caption(at)})" for name, at in maps)


def limits_label(limits: tuple[float, float]) -> str:
    """As ``"±17"``, or ``"0 … 17"`` where zero is not the middle."""
    low, high = limits
    return f"±{high:.2g}" if low == -high else f"{low:.2g} … {high:.2g}"


def caption_text(
    groups: Sequence[tuple[str, tuple[float, float]]], maps: int, shared: bool, part: str
) -> str:
    """How maps are coloured and which part of them is seen, in lines for the canvas.

    Parameters
    ----------
    groups : sequence of (name, limits)
        One for all maps when they share their colours. Of more than `MOST_NAMED_MAPS` the limits
        stand in the tab alone, where there is room.
    part : str
        From `export.burned_in.part_text`.
    """
    if not groups:
        return ""
    scale = "Colours" if maps == 1 else f"Colours {SCALE_WORDS[SHARED if shared else OWN]}"
    if len(groups) == 1:
        scale += f" {limits_label(groups[0][1])}"
    elif len(groups) <= MOST_NAMED_MAPS:
        names = [name.partition(" · ")[0] for name, _ in groups]
        limits = zip(names, (limits_label(pair) for _, pair in groups), strict=True)
        scale += ": " + ", ".join(f"{name} {words}" for name, words in limits)
    # Lines are short: a long one would run under the scale bar.
    return "\n".join(words for words in (scale, part) if words)
