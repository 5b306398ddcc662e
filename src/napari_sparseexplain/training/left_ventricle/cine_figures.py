"""The figures of a cine as they stand beside its curve, in the panel and in files."""

from __future__ import annotations

from collections.abc import Sequence

from .cine_volumes import CineVolumes, cine_csv, spread_of

#: What each row of figures is.
ROWS = ("EDV (ml)", "ESV (ml)", "SV (ml)", "EF (%)", "ED, ES at", "Slices")

#: How the last column is headed where there are several networks.
SPREAD = "differ by"

#: Must stand with the figures wherever they stand.
LIMITS = "Research figures, not for diagnosis."

#: Where several networks were run.
_NO_BOUND = "By how much the networks differ is no bound of the error."


def figure_columns(
    found: Sequence[CineVolumes], titles: Sequence[str]
) -> tuple[list[str], list[list[str]]]:
    """Headings, and below each its figures in the order of `ROWS`; the spread last."""
    heads, columns = [*titles], [_figures(one) for one in found]
    if len(found) > 1:
        spread = spread_of(found)
        words = [f"{spread[name]:.1f}" for name in ("EDV", "ESV", "SV")]
        heads.append(SPREAD)
        columns.append([*words, f"{100 * spread['EF']:.1f}", "", ""])
    return heads, columns


def figure_sentences(found: Sequence[CineVolumes], titles: Sequence[str]) -> list[str]:
    """What was added, and what was not, once where it is true of several networks; the limits."""
    said: dict[str, list[str]] = {}
    for one, title in zip(found, titles, strict=True):
        said.setdefault(_added(one), []).append(title)
    lines = [f"{', '.join(names)}: {words}" for words, names in said.items()]
    return [*lines, *([_NO_BOUND] if len(found) > 1 else []), LIMITS]


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
    ratio = one.ejection_fraction
    return [
        f"{one.edv:.1f}", f"{one.esv:.1f}", f"{one.stroke_volume:.1f}",
        "–" if ratio != ratio else f"{100 * ratio:.1f}",
        f"{one.end_diastole + 1}, {one.end_systole + 1}",
        f"{int(one.used.sum())} of {len(one.used)}",
    ]  # fmt: skip


def _added(one: CineVolumes) -> str:
    if not one.used.any():
        return "no ventricle was found in any slice at every time point."
    left = [str(index + 1) for index in (~one.used).nonzero()[0]]
    away = f"not added: slice {', '.join(left)}, which the ventricle leaves. " if left else ""
    return f"{away}Added: {one.covered:.4g} mm of the heart, slices {one.distance:.4g} mm apart."
