"""The report: a PDF with a cover, the models' cards, the scores and one page a key slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from ... import __version__
from ...evidence.notice import RESEARCH_ONLY
from ...files.atomic_write import check_free, remove_file, write_atomically
from ...progress import Progress, Work
from ...review.frames import at_slice, frame_of, frame_text, key_slice_label
from ...review.reading import Reading
from ...review.result_panel import result_reading
from ...review.review import KeySlice
from ...volumes.view_of_slice import plane_word
from ..pictures.compositor import PictureSize, draw
from ..privacy.output_check import released_together
from ..privacy.policy import ExportPolicy, policy_for
from ..typesetting.letter_notes import letter_notes
from .measurements import (
    Measurement,
    measurement_csv,
    measurement_file,
    measurement_rows,
    measurements_of,
    region_rows,
    without_empty_frames,
)
from .pages import ReportPages
from .tables import finding_lines, model_tables, score_table, study_rows

#: Resolution of the pictures in the report.
PRINT_DPI = 200.0

#: Marks of one slice that its page lists beside the picture; all stand in the table of the cover.
_MOST_ON_PAGE = 12


def write_report(
    reading: Reading,
    path: str | Path,
    slices: Sequence[KeySlice] | None = None,
    *,
    dpi: float = PRINT_DPI,
    identify: bool = False,
    overwrite: bool = False,
    created: datetime | None = None,
    policy: ExportPolicy | None = None,
) -> Work[Path]:
    """Write the report of a reading: its key slices as they are shown, and all of its results.

    The file appears under its name when the last page is made, together with the table of what was
    marked (see `measurement_file`), where anything was; a former table is taken away where nothing
    is marked any more. Only one picture is held uncompressed at a time; pages that are done are
    kept as they will be in the file.

    Parameters
    ----------
    slices : sequence of KeySlice, optional
        The review's key slices when not given; one page each, in this order.
    dpi : float
        Resolution of the pictures.
    identify : bool
        Whether the study's name, file names and notes stand as they are.
    policy : ExportPolicy, optional
        Remembers what was replaced; made anew when not given.

    Raises
    ------
    SparseExplainError
        The report would tell who was examined. The file or a table of its name is there already,
        or cannot be written; what a picture needs is not here.
    """
    path = Path(path)
    check_free([path, measurement_file(path)], overwrite=overwrite)
    keys = tuple(reading.review.key_slices if slices is None else slices)
    time = (created or datetime.now(UTC)).astimezone(UTC)
    policy = policy or policy_for(reading.studies.values(), identify=identify)
    policy.allow_time(time)
    reading = policy.reading(reading)
    keys = tuple(
        replace(key, note=policy.words(key.note, "the note of a key slice")) for key in keys
    )
    yield Progress(0, len(keys) + 1, "cover")
    pages = ReportPages(
        title="napari-sparseexplain report",
        foot=f"{RESEARCH_ONLY} · napari-sparseexplain {__version__} · {time:%Y-%m-%d %H:%M:%S} UTC",
    )
    marks = measurements_of(reading)
    _cover(pages, reading, keys, time, marks)
    for place, key in enumerate(keys):
        study, here = reading.studies[key.study], at_slice(reading, key)
        yield Progress(place + 1, len(keys) + 1, key_slice_label(study, key, kind="slice"))
        lines = [key.note] if key.note else []
        table = _rows_of_slice(here, key, marks)
        width, height = pages.picture_room(lines, table)
        size = PictureSize(round(width / 72 * dpi), round(height / 72 * dpi), dpi)
        picture = draw(here, policy, size, created=time)
        heading = f"Key slice {place + 1} of {len(keys)}: {key_slice_label(study, key)}"
        pages.picture_page(heading, lines, picture.image, table)
    yield from _results_beside(pages, reading, keys, policy, dpi, time)
    policy.tell(letter_notes(pages.shaped))
    with released_together(path.parent, policy, overwrite=overwrite) as temporary:
        write_atomically(temporary / path.name, pages.content())
        if marks:
            write_atomically(temporary / measurement_file(path).name, measurement_csv(marks))
    if not marks:
        remove_file(measurement_file(path))
    yield Progress(len(keys) + 1, len(keys) + 1, "done")
    return path


def _results_beside(
    pages: ReportPages,
    reading: Reading,
    keys: Sequence[KeySlice],
    policy: ExportPolicy,
    dpi: float,
    time: datetime,
) -> Work[None]:
    """A page for each result that is on no key slice's page.

    Those that the view did not show; without a key slice there is no page of the view, and every
    result has a page of its own, on a slice that it has.
    """
    shown = reading.on_screen if keys else ()
    beside = [key for key in reading.explanations if key not in shown]
    for place, key in enumerate(beside):
        here = result_reading(reading, key)
        if here is None:
            continue
        explanation = reading.explanations[key]
        title = " ".join(part for part in (explanation.method, explanation.target) if part)
        yield Progress(place, len(beside), title)
        panel = here.review.panels[0]
        width, height = pages.picture_room([])
        size = PictureSize(round(width / 72 * dpi), round(height / 72 * dpi), dpi)
        picture = draw(here, policy, size, created=time)
        place_shown = KeySlice(panel.study, panel.plane, panel.index)
        label = key_slice_label(here.study_of(panel), place_shown, kind="slice")
        words = f"{title}, {label}"
        words += ", not in the view that was exported" if keys else ""
        pages.picture_page(words, [], picture.image)


def _cover(
    pages: ReportPages,
    reading: Reading,
    keys: Sequence[KeySlice],
    time: datetime,
    marks: Sequence[Measurement],
) -> None:
    pages.heading("Report of a reading", level=1)
    pages.paragraph(f"{RESEARCH_ONLY}.", strong=True)
    pages.paragraph(
        f"Made by napari-sparseexplain {__version__} on {time:%Y-%m-%d at %H:%M:%S} UTC. "
        f"{reading.review.convention.capitalize()} convention. "
        f"{len(keys)} key slice{'' if len(keys) == 1 else 's'}."
    )
    for heading, rows in study_rows(reading):
        pages.heading(heading)
        pages.table(rows)
    if rows := score_table(reading):
        pages.heading("Explanations and their scores")
        pages.table(rows)
    for title, rows in model_tables(reading):
        pages.heading(title)
        pages.table(rows)
    if notes := finding_lines(reading):
        pages.heading("What a reader must know")
        for line in notes:
            pages.paragraph(line)
    if keys:
        pages.heading("Key slices")
        table = [["", "plane", "slice", "frame", "note"]]
        table += [
            [str(i + 1), plane_word(reading.studies[k.study], k.plane), str(k.index + 1),
             frame_text(reading.studies[k.study], k.leading), k.note] for i, k in enumerate(keys)
        ]  # fmt: skip
        pages.table(without_empty_frames(table))
    if marks:
        pages.heading("Measurements")
        pages.table(measurement_rows(marks))
    if regions := region_rows(marks):
        pages.heading("Values in regions")
        pages.table(regions)
    pages.end_section()


def _rows_of_slice(
    reading: Reading, key: KeySlice, marks: Sequence[Measurement]
) -> list[list[str]]:
    """The table of the marks on the slice that a reading is at; the cover has those cut here."""
    panels = [p for p in reading.review.panels if p.study == key.study]
    # A key slice of before has no frame: its picture is of the frame that the panels show.
    frames = {key.leading, *(frame_of(reading, panel)[0] for panel in panels)}
    here = [
        mark
        for mark, item in zip(marks, reading.review.annotations, strict=True)
        if any(item.on(key.study, key.plane, key.index, leading) for leading in frames)
    ]
    rows = measurement_rows(here[:_MOST_ON_PAGE])
    if len(here) > _MOST_ON_PAGE:
        more = f"{len(here) - _MOST_ON_PAGE} more in the table of measurements"
        rows.append(["…", "", more, *[""] * (len(rows[0]) - 3)])
    return rows
