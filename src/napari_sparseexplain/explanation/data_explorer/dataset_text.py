"""What is known of a labelled folder, as text for a terminal and as a table."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter

import numpy as np

from ...evidence.tables import text_table
from .dataset import Dataset
from .differences import spacing_text
from .noted import noted
from .slice_record import MEASURES

#: Lines of one kind that are printed.
_LINES = 12


def dataset_text(found: Dataset) -> str:
    """Numbers first, then what a person should look at, the weightiest first."""
    lines = [*summary_lines(found), ""]
    if found.studies or len(found.classes) > 1:
        lines += [text_table(*class_rows(found)), ""]
    lines += [text_table(*measure_rows(found)), ""]
    said: list[str] = []
    counts: Counter[tuple[str, str]] = Counter()
    notes = noted(found)
    many = Counter((note.gravity, note.kind) for note in notes)
    for note in notes:
        key = (note.gravity, note.kind)
        counts[key] += 1
        if counts[key] <= _LINES:
            said.append(note.words)
        elif counts[key] == many[key]:
            last = note.words if note.words.startswith("…") else f"… {many[key]} in all"
            said.append(f"{note.kind}: {last}")
    lines += [f"- {line}" for line in said] or ["Nothing stands out."]
    return "\n".join(lines)


def summary_lines(found: Dataset) -> list[str]:
    """What the set holds: how much, of which sizes."""
    slices = _counted(len(found.records), "slice", "slices")
    patients = _counted(len(found.patients), "patient", "patients")
    studies = f" in {_counted(len(found.studies), 'study', 'studies')}" if found.studies else ""
    lines = [
        f"{found.root.name}: {slices} of {patients}{studies}, "
        f"{found.labelled} with something drawn; {found.balance:.2%} of the pixels are inside."
    ]
    sizes = ", ".join(f"{r} × {c} ({n})" for (r, c), n in found.matrices.most_common(6))
    lines.append(f"Rows × columns: {sizes}.")
    told = ", ".join(f"{spacing_text(s)} ({n})" for s, n in found.spacings.most_common(6))
    lines.append(f"Pixel sizes: {told}.")
    if found.studies:
        scans = Counter(study.scan for study in found.studies)
        lines.append("Measured scan: " + ", ".join(f"{s} ({n})" for s, n in scans.items()) + ".")
    return lines


def _counted(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"


def class_rows(found: Dataset) -> tuple[list[str], list[list[str]]]:
    """Head and rows of the table of classes."""
    rows = [
        [
            name,
            str(total.slices),
            str(total.pixels),
            f"{total.share:.2%}",
            f"{total.millilitres:.1f}" if math.isfinite(total.millilitres) else "",
        ]
        for name, total in found.classes.items()
    ]
    return ["class", "slices", "pixels", "of what is drawn", "mL"], rows


def measure_rows(found: Dataset) -> tuple[list[str], list[list[str]]]:
    """Head and rows of the table of measures."""
    rows = []
    for measure, words in MEASURES.items():
        values = found.values(measure)
        values = values[np.isfinite(values)]
        if values.size:
            low, middle, high = np.percentile(values, (5, 50, 95))
            rows.append([words, f"{low:.4g}", f"{middle:.4g}", f"{high:.4g}"])
    return ["measure", "5 %", "median", "95 %"], rows


def dataset_csv(found: Dataset) -> str:
    """A line a slice, with every measure."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["name", "patient", "group", "rows", "columns", *MEASURES])
    for record in found.records:
        values = [f"{record.measures[m]:.6g}" if m in record.measures else "" for m in MEASURES]
        item = record.item
        writer.writerow([item.name, item.patient, item.group, *record.shape, *values])
    return stream.getvalue()
