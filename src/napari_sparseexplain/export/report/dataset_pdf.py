"""A set as a PDF: the same as on its HTML page, on paper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ...explanation.data_explorer.dataset import Dataset
from ...explanation.data_explorer.dataset_text import class_rows, measure_rows, summary_lines
from ...explanation.data_explorer.noted import Noted, noted
from ...explanation.data_explorer.slice_reader import SliceReader
from ...progress import Progress, Work
from .dataset_figures import SHOWN, as_image, histograms, position_map, sheet, shown_slices
from .pages import ReportPages

#: What a gravity is called.
_GRAVITY = {"grave": "mend", "look": "look at", "hint": "unusual"}

#: Lines of one kind in the table of what stands out; the rest is counted.
_LINES = 24


def dataset_pdf_work(found: Dataset) -> Work[bytes]:
    """The file: numbers, what stands out, distributions, position map, pictures."""
    pages = ReportPages(found.root.name, "SparseExplain: what a labelled set holds")
    pages.heading(found.root.name, level=1)
    for line in summary_lines(found):
        pages.paragraph(line)
    notes = noted(found)
    pages.heading("What stands out")
    if notes:
        pages.table([["", "what", "found"], *_rows(notes)])
    else:
        pages.paragraph("Nothing stands out.")
    if found.studies or len(found.classes) > 1:
        pages.heading("Classes")
        head, rows = class_rows(found)
        pages.table([head, *rows])
    pages.heading("Measures")
    head, rows = measure_rows(found)
    pages.table([head, *rows])
    yield Progress(0, 0, "Drawing the plots")
    pages.picture_page("Distributions", [], as_image(histograms(found)))
    pages.picture_page("Where the target lies", [], as_image(position_map(found)))
    reader = SliceReader()
    for name, indices in shown_slices(found).items():
        yield Progress(0, 0, f"Reading pictures: {name}")
        said = [f"and {len(indices) - SHOWN} more"] if len(indices) > SHOWN else []
        records = [found.records[index] for index in indices[:SHOWN]]
        pages.picture_page(name, said, sheet(records, reader))
    return pages.content()


def _rows(notes: Sequence[Noted]) -> list[list[str]]:
    """What stands out, of each kind the first lines and how many there are."""
    rows = []
    many = Counter((note.gravity, note.kind) for note in notes)
    counts: Counter[tuple[str, str]] = Counter()
    for note in notes:
        key = (note.gravity, note.kind)
        counts[key] += 1
        if counts[key] <= _LINES:
            rows.append([_GRAVITY[note.gravity], note.kind, note.words])
        elif counts[key] == many[key]:
            said = note.words if note.words.startswith("…") else f"… {many[key]} in all"
            rows.append([_GRAVITY[note.gravity], note.kind, said])
    return rows
