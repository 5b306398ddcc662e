"""The figures of a cine as text and as a table of areas, with what must be read beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...evidence.tables import text_table
from ...files.atomic_write import write_together
from .cine_volumes import KNOWN_ERROR, RESEARCH, CineVolumes, common_slices, spread_of


def cine_text(found: Sequence[CineVolumes]) -> str:
    """The figures of each network, what is missing, and which slices were added.

    Dashes stand where no slice was used.
    """
    head = ["network", "EDV ml", "ESV ml", "SV ml", "EF", "ED at", "ES at", "slices"]
    lines = [text_table(head, [_row(one) for one in found])]
    warnings = dict.fromkeys(text for one in found for text in one.warnings)
    lines += [f"WARNING: {text}" for text in warnings]
    if len(found) > 1:
        lines.append(_spread(found))
    for one in found:
        if not one.used.any():
            lines.append(f"{one.model}: no ventricle was found in any slice at every time point.")
            continue
        count = int(one.used.sum())
        slices = "1 slice" if count == 1 else f"{count} slices"
        lines.append(
            f"{one.model}: {slices} {one.distance:.4g} mm apart, "
            f"{one.covered:.4g} mm of the heart's length."
        )
        lines += [f"{one.model}: {said}" for said in (one.incomplete, one.not_added) if said]
        rough = ", ".join("-" if np.isnan(v) else f"{v:.3f}" for v in one.roughness)
        lines.append(f"{one.model}: roughness of the area over time by slice: {rough}.")
    return "\n\n".join([*lines, f"{RESEARCH} {KNOWN_ERROR}"])


def _row(one: CineVolumes) -> list[str]:
    slices = f"{int(one.used.sum())} of {len(one.used)}"
    if not one.used.any():
        return [one.model, *["-"] * 6, slices]
    ratio = one.ejection_fraction
    return [
        one.model, f"{one.edv:.1f}", f"{one.esv:.1f}", f"{one.stroke_volume:.1f}",
        "-" if np.isnan(ratio) else f"{ratio:.1%}",
        str(one.end_diastole + 1), str(one.end_systole + 1), slices,
    ]  # fmt: skip


def _spread(found: Sequence[CineVolumes]) -> str:
    common = np.flatnonzero(common_slices(found))
    if not len(common):
        return "Between the networks: they have no slice in common, so volumes are not compared."
    shown = ", ".join(str(index + 1) for index in common)
    spread = spread_of(found)
    return (
        f"Between the networks, over the slices that all of them use ({shown}): EDV differs by "
        f"{spread['EDV']:.1f} ml, ESV by {spread['ESV']:.1f} ml, SV by {spread['SV']:.1f} ml, "
        f"EF by {100 * spread['EF']:.1f} points."
    )


def cine_csv(found: Sequence[CineVolumes]) -> str:
    """Areas in mm² and volumes in ml, a line a network and time point, each with what it is not."""
    count = len(found[0].used) if found else 0
    lines = [
        ",".join(
            ["network", "time point", *(f"area {s + 1} mm2" for s in range(count)), "ml", "note"]
        )
    ]
    for one in found:
        notes = [RESEARCH.rstrip("."), *(["images are missing"] if one.warnings else [])]
        if one.incomplete or not one.used.any():
            notes.append("not a whole ventricle")
        note = '"' + "; ".join(notes) + '"'
        for point, (areas, volume) in enumerate(zip(one.areas, one.volumes, strict=True), 1):
            values = ",".join(f"{area:.1f}" for area in areas)
            ml = f"{volume:.2f}" if one.used.any() else ""
            lines.append(f"{one.model},{point},{values},{ml},{note}")
    return "\n".join(lines) + "\n"


def save_cine(folder: Path, found: Sequence[CineVolumes], *, overwrite: bool = False) -> list[Path]:
    """Write the figures and the areas into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {"cine.txt": cine_text(found) + "\n", "cine.csv": cine_csv(found)}
    return write_together(folder, contents, overwrite=overwrite)
