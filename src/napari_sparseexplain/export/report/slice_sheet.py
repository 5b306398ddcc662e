"""A sheet of one slice on paper: one picture, one page with verdict and provenance, its results."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from ... import __version__
from ...arguments import check_kind, given_path
from ...evidence import Explanation, ExplanationMap
from ...evidence.colours import SIGNED_COLORMAP
from ...evidence.notice import RESEARCH_ONLY
from ...evidence.store import check_place
from ...files.atomic_write import check_free, write_atomically
from ...progress import Progress, Work, drain
from ...review.reading import Reading
from ...review.slice_sheet_reading import slice_sheet_reading
from ...volumes import Study
from ..explanation_export import export_explanation
from ..pictures.burned_in import explanation_facts, parameter_text
from ..pictures.colour_scale import coloured
from ..pictures.compositor import Picture, PictureSize, draw, text_size
from ..pictures.lettering import DIM, WARNING, line_height, noted_lines, wrapped, write
from ..pictures.picture_file import png_bytes
from ..privacy.file_texts import SaidText
from ..privacy.output_check import check_texts, released_together
from ..privacy.policy import ExportPolicy, policy_for
from ..typesetting.letter_notes import letter_notes
from .pages import ReportPages

if TYPE_CHECKING:
    from ...explanation.slice_sheet.sheet import SliceSheet

#: Files beside the results.
PICTURE, RECORD, PAGE = "sheet.png", "sheet.json", "sheet.pdf"

#: Folder of the results.
RESULTS = "results"

#: Side of what lies on no study (responses), as a share of the picture's width.
_BESIDE = 0.16

#: Share of an impulse response's energy that its picture holds.
_ENERGY = 0.995

_GROUND = "#181818"

#: Longest text of parameters in the table of the page.
_LONGEST = 160


@dataclass(frozen=True, eq=False)
class SheetFiles:
    """What was written.

    Attributes
    ----------
    files : list of Path
    notes : tuple of str
        What a person must know of them.
    """

    files: list[Path]
    notes: tuple[str, ...]


def save_slice_sheet(
    sheet: SliceSheet,
    study: Study,
    folder: str | Path,
    *,
    identify: bool = False,
    overwrite: bool = False,
) -> list[Path]:
    """Write a sheet: its results, one picture (``sheet.png``), one page (``sheet.pdf``).

    Parameters
    ----------
    sheet : SliceSheet
        What ``se.explain_slice`` gave.
    study : Study
        The study explained.
    folder : str or Path
        Made when it is not there; results are written into its folder ``results``.
    identify : bool
        Whether names of study and scans stand as they are.
    overwrite : bool
        Whether files that are there may be replaced.

    Returns
    -------
    list of Path
        The picture, its record with every figure, the page, then the files of the results.

    Raises
    ------
    SparseExplainError
        A file is there already or cannot be written, or would tell who was examined.

    Examples
    --------
    >>> import tempfile, numpy as np, napari_sparseexplain as se
    >>> folder = tempfile.TemporaryDirectory()
    >>> study = se.study_of_arrays({"flair": np.random.default_rng(0).random((1, 32, 32))})
    >>> sheet = se.explain_slice(study, 0, models=["sum-seg"])
    >>> [path.name for path in se.save_slice_sheet(sheet, study, folder.name)][:3]
    ['sheet.png', 'sheet.json', 'sheet.pdf']
    """
    from ...explanation.slice_sheet.sheet import SliceSheet

    check_kind(sheet, SliceSheet, "sheet", "what se.explain_slice gave")
    check_kind(study, Study, "study", "the one explained, from se.open_study")
    work = slice_sheet_files(
        sheet, study, given_path(folder), identify=identify, overwrite=overwrite
    )
    return drain(work).files


def slice_sheet_files(
    sheet: SliceSheet,
    study: Study,
    folder: str | Path,
    *,
    identify: bool = False,
    overwrite: bool = False,
    size: PictureSize | None = None,
    created: datetime | None = None,
) -> Work[SheetFiles]:
    """`save_slice_sheet` with progress, and what a person must know of the files."""
    folder = Path(folder)
    check_free([folder / name for name in (PICTURE, RECORD, PAGE)], overwrite=overwrite)
    for found in sheet.explanations.values():
        place = {"overwrite": overwrite, "frame": found.frame}
        check_place(folder / RESULTS, found.method, found.target, **place)
    time = (created or datetime.now(UTC)).astimezone(UTC)
    policy = policy_for([study], identify=identify)
    policy.know_roles(study)
    policy.allow_time(time)
    yield Progress(0, 3, "drawing the sheet")
    public = policy.reading(slice_sheet_reading(study, sheet.index, sheet.explanations))
    head, lines = _words(sheet, policy)
    shown = size or PictureSize(2000, 1700)
    picture = _picture(public, policy, shown, head, lines, time)
    record = {
        **picture.record,
        "sheet": policy.values(sheet.to_json(), "the sheet's record"),
    }
    yield Progress(1, 3, "writing the page")
    page = _page(public, policy, sheet.index, head, lines, time)
    with released_together(folder, policy, overwrite=overwrite) as temporary:
        write_atomically(temporary / PICTURE, png_bytes(replace(picture, record=record)))
        said = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        write_atomically(temporary / RECORD, said)
        write_atomically(temporary / PAGE, page)
    written = [folder / name for name in (PICTURE, RECORD, PAGE)]
    yield Progress(2, 3, "writing the results")
    notes = dict.fromkeys(policy.notes())
    for explanation in sheet.explanations.values():
        done = export_explanation(
            explanation, study, folder / RESULTS, identify=identify, overwrite=overwrite
        )
        written += done.files
        notes |= dict.fromkeys(done.notes)
    yield Progress(3, 3, "done")
    return SheetFiles(list(dict.fromkeys(written)), tuple(notes))


def _words(sheet: SliceSheet, policy: ExportPolicy) -> tuple[str, list[str]]:
    """Headline, and the lines below it."""
    verdict = sheet.verdict
    lines = [policy.words(line, "the verdict") for line in verdict.lines]
    return policy.words(verdict.headline, "the verdict"), [*lines, verdict.limits]


def _picture(
    reading: Reading,
    policy: ExportPolicy,
    size: PictureSize,
    head: str,
    lines: Sequence[str],
    time: datetime,
) -> Picture:
    """The panels; below them responses and words."""
    text = text_size(size.width // 3, size.dpi)
    side = round(size.width * _BESIDE)
    beside = [_response(e, side) for e in reading.explanations.values()]
    pictures = [one for several in beside for one in several]
    left = (side + text) * len(pictures) + text
    room = size.width - left - text
    told = [(head, WARNING)] + [
        (line, DIM) for words in lines for line in wrapped(words, text, room)
    ]
    strip = max(
        side + 2 * line_height(text) if pictures else 0, line_height(text) * (len(told) + 1)
    )
    panels = draw(
        reading,
        policy,
        replace(size, height=max(size.height - strip, size.height // 2)),
        created=time,
    )
    image = Image.new("RGB", (size.width, panels.image.height + strip), _GROUND)
    image.paste(panels.image, (0, 0))
    with noted_lines() as noted:
        for place, (title, drawn) in enumerate(pictures):
            x, y = text + place * (side + text), panels.image.height
            write(image, (x, y), title, text, outlined=False)
            image.paste(drawn, (x, y + line_height(text)))
        for place, (line, colour) in enumerate(told):
            y = panels.image.height + place * line_height(text)
            write(image, (left, y), line, text, colour=colour, bold=place == 0, outlined=False)
    policy.tell(letter_notes(noted))
    check_texts("picture", [SaidText("a line", line) for line in noted], policy)
    record = {**panels.record, "size_px": list(image.size), "words": [head, *lines]}
    return Picture(image, record, size.dpi)


def _response(explanation: Explanation, side: int) -> list[tuple[str, Image.Image]]:
    """Title and picture of the first maps that lie on no study, as responses do."""
    found: list[tuple[str, Image.Image]] = []
    for space in ("space", "frequency"):
        maps = [m for m in explanation.maps if m.space == space and np.asarray(m.data).ndim == 2]
        found += [(_caption(item), _drawn(item, side)) for item in maps[:1]]
    return found


def _caption(item: ExplanationMap) -> str:
    """Title, and how much the picture holds from side to side."""
    step, unit = item.axes["spacing"][1], item.axes["unit"]
    return f"{item.title or item.name}, {step * len(_middle(item)):.3g} {unit} across"


def _middle(item: ExplanationMap) -> npt.NDArray[np.float64]:
    """The middle of a map: of an impulse response the part that holds nearly all of its energy."""
    data = np.asarray(item.data, dtype=np.float64)
    if item.space != "space":
        return data
    total, centre = float(np.square(data).sum()), np.asarray(data.shape) // 2
    for half in range(8, max(data.shape) // 2, 4):
        rows, columns = (slice(max(c - half, 0), c + half + 1) for c in centre)
        if np.square(data[rows, columns]).sum() >= _ENERGY * total:
            return data[rows, columns]
    return data


def _drawn(item: ExplanationMap, side: int) -> Image.Image:
    data = _middle(item)
    colours = coloured(data, item.limits, SIGNED_COLORMAP if item.signed else "gray")
    return Image.fromarray((255 * colours).round().astype(np.uint8)).resize(
        (side, side), Image.Resampling.NEAREST
    )


def _page(
    reading: Reading,
    policy: ExportPolicy,
    index: int,
    head: str,
    lines: Sequence[str],
    time: datetime,
) -> bytes:
    """One page: verdict, provenance, the panels."""
    pages = ReportPages(
        title="napari-sparseexplain: one slice explained",
        foot=f"{RESEARCH_ONLY} · napari-sparseexplain {__version__} · {time:%Y-%m-%d %H:%M:%S} UTC",
    )
    study = next(iter(reading.studies.values()))
    table = _provenance(reading)
    width, height = pages.picture_room([head, *lines], table)
    dpi = 200.0
    size = PictureSize(round(width / 72 * dpi), round(height / 72 * dpi), dpi)
    picture = draw(reading, policy, size, created=time)
    pages.picture_page(
        f"{study.name}: slice {index + 1} explained", [head, *lines], picture.image, table
    )
    policy.tell(letter_notes(pages.shaped))
    return pages.content()


def _provenance(reading: Reading) -> list[list[str]]:
    """One row a result: what made it, of which inputs."""
    rows = [["method", "target", "model, weights", "parameters", "inputs' sha256"]]
    for explanation in reading.explanations.values():
        facts = explanation_facts(explanation)
        version = f" {facts['model_version']}" if facts["model_version"] else ""
        inputs = ", ".join(
            f"{role} {entry.get('sha256', '')[:8]}"
            for role, entry in explanation.provenance.inputs.items()
        )
        rows.append(
            [
                facts["method"],
                facts["target"],
                f"{facts['model']}{version} {facts['weights_sha256'][:12]}".strip(),
                parameter_text(facts["parameters"])[:_LONGEST],
                inputs,
            ]
        )
    return rows
