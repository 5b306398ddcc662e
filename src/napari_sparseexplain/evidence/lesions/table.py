"""The table of lesions as cells and as CSV: heads with units, numbers as a person writes them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from .lesion import Lesion

#: What a cell holds: shown to a few digits, sorted and saved by its value.
Cell = str | int | float | None


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes
    ----------
    title : str
        With its unit.
    says : str
        What it means, one sentence.
    digits : int
        After the point.
    """

    title: str
    says: str
    digits: int = 1


@dataclass(frozen=True)
class LesionTable:
    """Columns and, line by line, the cells of all lesions."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def shown(self) -> list[list[str]]:
        """The cells as text."""
        return [
            [shown_cell(cell, c) for cell, c in zip(row, self.columns, strict=True)]
            for row in self.rows
        ]

    def csv(self) -> str:
        """Comma-separated, with a line of heads; numbers in full, nothing where there is none."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([column.title for column in self.columns])
        for row in self.rows:
            writer.writerow([_saved(cell) for cell in row])
        return text.getvalue()

    def tabbed(self) -> str:
        """As text for a spreadsheet: tabs between cells."""
        lines = [[column.title for column in self.columns], *self.shown()]
        return "\n".join("\t".join(line) for line in lines) + "\n"


def shown_cell(cell: Cell, column: Column) -> str:
    """A cell as text: a dash where there is nothing."""
    if cell is None:
        return "–"
    if isinstance(cell, float):
        # Values of scans have any size.
        return f"{cell:.{column.digits}f}" if column.digits >= 0 else f"{cell:.4g}"
    return str(cell)


def _saved(cell: Cell) -> str:
    return "" if cell is None else f"{cell:.6g}" if isinstance(cell, float) else str(cell)


def lesion_table(lesions: Sequence[Lesion], *, calibrated: bool = True) -> LesionTable:
    """The table of some lesions of one mask, in their order.

    Columns of Dice and of change are there where a lesion has them, those of centroids in
    millimetres where the grid has any; without, lengths are in pixels and sizes in voxels.
    """
    unit, square = ("mm", "mm²") if calibrated else ("px", "px²")
    columns = [Column("No.", "1 is the largest; over time points the number persists")]
    if any(lesion.change for lesion in lesions):
        columns.append(Column("Change", "Against the earlier mask, matched by shared voxels"))
    if calibrated:
        columns.append(Column("Volume (ml)", "Voxels times the size of a voxel", 3))
    else:
        columns.append(Column("Voxels", "The scan gives no size of a voxel"))
    columns += [
        Column(f"Longest ({unit})", "Longest diameter in an axial slice, between outer edges"),
        Column(f"Across ({unit})", "Longest line at right angles to it in that slice"),
        Column(f"Product ({square})", "Both diameters multiplied", 0),
        Column("Measurable", f"RANO: both diameters are 10 {unit} or more"),
        Column("Slice", "Where the diameters lie, counted from 1"),
        Column("Slices", "Axial slices that it lies on; RANO asks for two or more"),
    ]
    if calibrated:
        columns += [
            Column(f"{side} (mm)", f"Centroid in the patient: {way}")
            for side, way in (
                ("Right", "to the right; negative to the left"),
                ("Front", "to the front; negative to the back"),
                ("Up", "upwards; negative downwards"),
            )
        ]
    names = list(dict.fromkeys(name for lesion in lesions for name in lesion.values))
    columns += [Column(name, f"Mean of {name} in the lesion", -1) for name in names]
    if any(lesion.dice is not None for lesion in lesions):
        columns.append(Column("Dice", "With the parts of the reference that it touches", 3))
    titles = {column.title for column in columns}
    rows = []
    for lesion in lesions:
        d = lesion.diameters
        row: list[Cell] = [lesion.number]
        row += [lesion.change] if "Change" in titles else []
        row += [lesion.volume_ml if calibrated else lesion.voxels]
        row += [d.longest, d.perpendicular, d.product, _yes(lesion.measurable)]
        row += [d.index + 1, lesion.slices]
        if calibrated:
            row += list(lesion.centroid_mm or (None, None, None))
        row += [lesion.values.get(name) for name in names]
        row += [lesion.dice] if "Dice" in titles else []
        rows.append(tuple(row))
    return LesionTable(tuple(columns), tuple(rows))


def summary(lesions: Sequence[Lesion], *, calibrated: bool = True) -> str:
    """All lesions in one line: how many, how large together, the sum of RANO's products."""
    if not lesions:
        return "No lesion: the mask is empty."
    count = "1 lesion" if len(lesions) == 1 else f"{len(lesions)} lesions"
    if not calibrated:
        voxels = sum(lesion.voxels for lesion in lesions)
        return f"{count}, {voxels} voxels. The scan has no millimetres: lengths are in pixels."
    volume = sum(lesion.volume_ml or 0.0 for lesion in lesions)
    measurable = [lesion for lesion in lesions if lesion.measurable]
    total = sum(lesion.diameters.product for lesion in measurable)
    return (
        f"{count}, {volume:.2f} ml; {len(measurable)} measurable (10 × 10 mm or more), "
        f"sum of their products {total:.0f} mm²"
    )


def _yes(said: bool | None) -> str | None:
    return None if said is None else "yes" if said else "no"
