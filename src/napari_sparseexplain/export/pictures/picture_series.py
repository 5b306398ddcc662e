"""Many pictures of one reading: its key slices, or every n-th slice; one at a time in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from ...errors import SparseExplainError, StudyError
from ...files.atomic_write import check_free
from ...progress import Progress, Work
from ...review.frames import at_slice, frame_of, key_slice_label
from ...review.reading import Reading, slice_count
from ...review.review import KeySlice
from ..privacy.output_check import released_together
from ..privacy.policy import ExportPolicy, policy_for
from .compositor import PictureSize, draw
from .picture_file import write_picture


def every_slice(reading: Reading, step: int = 1) -> tuple[KeySlice, ...]:
    """Every ``step``-th slice of the first panel's plane, with the notes of those that are marked.

    Raises
    ------
    StudyError
        ``step`` is below 1, or there is no panel.
    """
    if step < 1 or not reading.review.panels:
        raise StudyError(
            f"every {step}th slice of {len(reading.review.panels)} panels cannot be exported",
            where="export",
            remedy="Show a scan, and give a whole number from 1",
        )
    panel = reading.review.panels[0]
    leading, _ = frame_of(reading, panel)
    notes = {
        (k.study, k.plane, k.index): k.note
        for k in reading.review.key_slices
        if k.leading in ((), leading)
    }
    return tuple(
        KeySlice(panel.study, panel.plane, i, notes.get((panel.study, panel.plane, i), ""), leading)
        for i in range(0, slice_count(reading.study_of(panel), panel), step)
    )


def picture_name(place: int, key: KeySlice) -> str:
    """File name of a slice's picture, counted from 1 and sorted as the slices are."""
    frame = "".join(f"_frame_{point + 1:03d}" for point in key.leading)
    return f"{place + 1:03d}_{key.plane}_{key.index + 1:03d}{frame}.png"


def capture_name(place: int, key: KeySlice) -> str:
    """As `picture_name`, of a Secondary Capture."""
    return str(Path(picture_name(place, key)).with_suffix(".dcm"))


def key_or_shown_slices(reading: Reading) -> tuple[KeySlice, ...]:
    """The key slices; where none is marked, the slice of the first panel."""
    panels = reading.review.panels[:1]
    shown = tuple(KeySlice(panel.study, panel.plane, panel.index) for panel in panels)
    return tuple(reading.review.key_slices) or shown


def chosen_slices(reading: Reading, slices: Sequence[KeySlice] | None) -> tuple[KeySlice, ...]:
    """The slices to draw: those given, else the review's key slices.

    Raises
    ------
    SparseExplainError
        There is none.
    """
    keys = tuple(reading.review.key_slices if slices is None else slices)
    if not keys:
        raise SparseExplainError(
            "no slice is marked as a key slice",
            where="export",
            remedy="Mark key slices, or export every n-th slice (--every N)",
        )
    return keys


def export_slices(
    reading: Reading,
    folder: str | Path,
    slices: Sequence[KeySlice] | None = None,
    size: PictureSize | None = None,
    *,
    identify: bool = False,
    overwrite: bool = False,
    created: datetime | None = None,
    policy: ExportPolicy | None = None,
) -> Work[list[Path]]:
    """Write a picture of each slice, as PNG and JSON.

    The pictures are made under a hidden folder beside their goal and moved there when all are
    done: cancelled or interrupted, nothing is left that looks finished.

    Parameters
    ----------
    slices : sequence of KeySlice, optional
        The review's key slices when not given.
    policy : ExportPolicy, optional
        Remembers what was replaced; made anew when not given.

    Raises
    ------
    SparseExplainError
        No slice, a picture that would tell who was examined, a file that is there already, or a
        folder that cannot be written.
    """
    folder = Path(folder)
    keys = chosen_slices(reading, slices)
    names = [picture_name(place, key) for place, key in enumerate(keys)]
    written = [path for n in names for path in (folder / n, (folder / n).with_suffix(".json"))]
    check_free(written, overwrite=overwrite)
    policy = policy or policy_for(reading.studies.values(), identify=identify)
    public = policy.reading(reading)
    with released_together(folder, policy, overwrite=overwrite) as temporary:
        for place, (key, name) in enumerate(zip(keys, names, strict=True)):
            words = key_slice_label(public.studies[key.study], key, kind="slice")
            yield Progress(place, len(keys), words)
            picture = draw(at_slice(public, key), policy, size, created=created)
            note = policy.words(key.note, "the note of a key slice")
            record = {**picture.record, "note": note}
            write_picture(replace(picture, record=record), temporary / name)
    yield Progress(len(keys), len(keys), "done")
    return written
