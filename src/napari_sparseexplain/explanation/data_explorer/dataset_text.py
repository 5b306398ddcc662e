"""What is known of a labelled folder, as text for a terminal and as a table."""

from __future__ import annotations

import csv
import io

import numpy as np

from ...evidence.tables import text_table
from .dataset import Dataset
from .slice_record import MEASURES

#: Lines of one kind that are printed.
_LINES = 12


def dataset_text(found: Dataset) -> str:
    """Numbers first, then what a person should look at, the weightiest first."""
    lines = [
        f"{found.root.name}: {len(found.records)} slices of {len(found.patients)} patients, "
        f"{found.labelled} with something drawn; {found.balance:.2%} of the pixels are inside."
    ]
    sizes = ", ".join(f"{r} × {c} ({n})" for (r, c), n in found.matrices.most_common(6))
    lines.append(f"Rows × columns: {sizes}.")
    told = ", ".join(
        f"{'not told' if s is None else f'{s[0]:.3g} × {s[1]:.3g} mm'} ({n})"
        for s, n in found.spacings.most_common(6)
    )
    lines.append(f"Pixel sizes: {told}.")
    rows = []
    for measure, words in MEASURES.items():
        values = found.values(measure)
        values = values[np.isfinite(values)]
        if values.size:
            low, middle, high = np.percentile(values, (5, 50, 95))
            rows.append([words, f"{low:.4g}", f"{middle:.4g}", f"{high:.4g}"])
    lines += ["", text_table(["measure", "5 %", "median", "95 %"], rows), ""]
    said = [f"{name} is on {len(sides)} sides of the split: {', '.join(sides)}"
            for name, sides in found.leaked.items()]  # fmt: skip
    said += [one.words for one in found.displaced]
    said += [one.words for one in found.turned]
    exact = [pair for pair in found.pairs if pair.exact]
    near = [pair for pair in found.pairs if not pair.exact]
    said += [f"{p.first} and {p.second} are the same picture" for p in exact[:_LINES]]
    said += [
        f"{p.first} and {p.second} of different patients are nearly the same "
        f"(correlation {p.correlation:.4f})"
        for p in near[:_LINES]
    ]
    if found.pair_count > min(len(exact), _LINES) + min(len(near), _LINES):
        said.append(f"… {found.pair_count} pairs of duplicates in all")
    said += [f"{f.where}: {f.message}" for f in found.findings[:_LINES]]
    said += [f"{r.item.name}: {text}" for r in found.records for text in r.findings][:_LINES]
    for outlier in found.outliers[:_LINES]:
        parts = ", ".join(f"{MEASURES[m]} {z:+.1f}" for m, z in outlier.measures.items())
        said.append(f"{outlier.name} lies apart (robust z-score): {parts}")
    if len(found.outliers) > _LINES:
        said.append(f"… {len(found.outliers)} slices that lie apart in all")
    lines += [f"- {line}" for line in said] or ["Nothing stands out."]
    return "\n".join(lines)


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
