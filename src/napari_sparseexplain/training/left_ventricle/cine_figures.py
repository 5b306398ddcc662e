"""The figures of a cine as they stand beside its curve, in the panel and in files."""

from __future__ import annotations

from collections.abc import Sequence

from .cine_tables import cine_csv
from .cine_volumes import KNOWN_ERROR, RESEARCH, CineVolumes, spread_of

#: What each row of figures is.
ROWS = ("EDV (ml)", "ESV (ml)", "SV (ml)", "EF (%)", "ED, ES at", "Slices")

#: How the last column is headed where there are several networks.
SPREAD = "differ by"

#: Must stand with the figures wherever they stand.
LIMITS = f"{RESEARCH} {KNOWN_ERROR}"


def figure_columns(
    found: Sequence[CineVolumes], titles: Sequence[str]
) -> tuple[list[str], list[list[str]]]:
    """Headings, and below each its figures in the order of `ROWS`; the spread last."""
    heads, columns = [*titles], [_figures(one) for one in found]
    if len(found) > 1:
        spread = spread_of(found)
        factors = {"EDV": 1, "ESV": 1, "SV": 1, "EF": 100}
        words = [_number(factor * spread[name]) for name, factor in factors.items()]
        heads.append(SPREAD)
        columns.append([*words, "", ""])
    return heads, columns


def figure_sentences(found: Sequence[CineVolumes], titles: Sequence[str]) -> list[str]:
    """What is missing; what was added, and what was not, once where it is true of several networks;
    the limits.
    """
    missing = [f"⚠ {text}" for text in dict.fromkeys(t for one in found for t in one.warnings)]
    said: dict[str, list[str]] = {}
    for one, title in zip(found, titles, strict=True):
        said.setdefault(_added(one), []).append(title)
    lines = [f"{', '.join(names)}: {words}" for words, names in said.items()]
    return [*missing, *lines, LIMITS]


def figures_csv(found: Sequence[CineVolumes]) -> str:
    """All of it as a table: sentences and figures as lines that begin with ``#``, then the areas
    in mm² and volumes in ml, a line a network and time point.
    """
    names = [one.model for one in found]
    heads, columns = figure_columns(found, names)
    lines = figure_sentences(found, names)
    for place, row in enumerate(ROWS):
        each = [f"{head} {column[place]}" for head, column in zip(heads, columns, strict=True)]
        lines.append(f"{row}: " + "; ".join(words for words in each if not words.endswith(" ")))
    return "".join(f"# {line}\n" for line in lines) + cine_csv(found)


def _figures(one: CineVolumes) -> list[str]:
    if not one.used.any():
        return [*["–"] * 5, f"0 of {len(one.used)}"]
    return [
        f"{one.edv:.1f}", f"{one.esv:.1f}", f"{one.stroke_volume:.1f}",
        _number(100 * one.ejection_fraction),
        f"{one.end_diastole + 1}, {one.end_systole + 1}",
        f"{int(one.used.sum())} of {len(one.used)}",
    ]  # fmt: skip


def _number(value: float) -> str:
    """A dash where networks share no slice, or nothing was ejected."""
    return "–" if value != value else f"{value:.1f}"


def _added(one: CineVolumes) -> str:
    if not one.used.any():
        return "no ventricle was found in any slice at every time point."
    left = [str(index + 1) for index in (~one.used).nonzero()[0]]
    away = f"not added: slice {', '.join(left)}, which the ventricle leaves. " if left else ""
    whole = f" {one.incomplete}" if one.incomplete else ""
    added = f"{one.covered:.4g} mm of the heart, slices {one.distance:.4g} mm apart"
    return f"{away}Added: {added}.{whole}"
