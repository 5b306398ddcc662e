"""Pictures of a reading, drawn without a window: panels, and everything that must stand in them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import NoneType
from typing import Any

import numpy as np
from PIL import Image

from ... import __version__
from ...arguments import check_kind, is_number, is_whole, shown
from ...errors import SparseExplainError
from ...evidence.notice import RESEARCH_ONLY
from ...review.frames import frame_of
from ...review.reading import Reading, slice_count
from ...review.review import Camera, Panel
from ..privacy.file_texts import SaidText
from ..privacy.output_check import check_texts
from ..privacy.policy import ExportPolicy, released
from ..typesetting.letter_notes import letter_notes
from .annotation_drawing import draw_annotations, draw_crosshair, draw_ring
from .burned_in import model_text, panel_facts
from .lettering import DIM, WARNING, line_height, noted_lines, wrapped, write
from .mask_outlines import draw_outlines
from .overlay_legend import draw_legend, legend_height
from .panel_lettering import letter_panel
from .plane_picture import draw_panel, without_hidden
from .plane_view import PlaneView

#: Pixels between panels.
GAP = 3

#: Between the panels, and behind the legends.
_GROUND = "#181818"

#: Smallest and largest text in points.
_SMALLEST, _LARGEST = 6.0, 10.5

#: Widths of a panel, in sizes of text.
_PANEL_IN_SIZES = 46.0

#: Smallest picture that can hold its text, and the largest that is drawn.
_LEAST, _MOST = 200, 20_000


@dataclass(frozen=True)
class PictureSize:
    """Size of a picture.

    Attributes
    ----------
    width, height : int
        Pixels.
    dpi : float
        Pixels in an inch: 96 for the screen, 300 for print. Text keeps its size in points.

    Examples
    --------
    >>> import napari_sparseexplain as se
    >>> se.PictureSize(2400, 2100, dpi=300.0).height
    2100
    """

    width: int = 1600
    height: int = 1400
    dpi: float = 96.0

    def __post_init__(self) -> None:
        for name in ("width", "height"):
            check_kind(getattr(self, name), is_whole, f"{name} of a picture", "pixels, as 1600")
        check_kind(self.dpi, is_number, "dpi of a picture", "96 for the screen, 300 for print")
        if not (min(self.width, self.height) >= _LEAST and max(self.width, self.height) <= _MOST):
            raise SparseExplainError(
                f"a picture of {shown(self.width)} × {shown(self.height)} pixels cannot be drawn",
                where="picture",
                remedy=f"Choose {_LEAST} to {_MOST} pixels on each side",
            )
        if not 30 <= self.dpi <= 2400:
            raise SparseExplainError(
                f"{shown(self.dpi)} pixels an inch cannot be drawn",
                where="picture",
                remedy="Choose 96 for the screen, 300 for print",
            )


@dataclass(frozen=True, eq=False)
class Picture:
    """A drawn picture and all that it says, as JSON values.

    Examples
    --------
    >>> import napari_sparseexplain as se
    >>> picture = se.compose(se.default_reading(se.sample_study()))
    >>> picture.image.size, picture.dpi
    ((1600, 1400), 96.0)
    """

    image: Image.Image
    record: Mapping[str, Any]
    dpi: float


def compose(
    reading: Reading,
    size: PictureSize | None = None,
    *,
    identify: bool = False,
    created: datetime | None = None,
) -> Picture:
    """Draw a reading as it is on the screen.

    Parameters
    ----------
    reading : Reading
    size : PictureSize, optional
    identify : bool
        Whether the study's own name stands in the picture instead of a code.
    created : datetime, optional
        Time to write; now when not given. With one time the same reading gives the same bytes.

    Raises
    ------
    SparseExplainError
        Something is still being computed, there is no panel, a slice is not there, what a panel
        shows is not here, or a line would tell who was examined.

    Examples
    --------
    >>> import napari_sparseexplain as se
    >>> reading = se.default_reading(se.sample_study())
    >>> se.compose(reading, se.PictureSize(800, 700)).image.size
    (800, 700)
    """
    check_kind(reading, Reading, "reading", "one, from se.default_reading or se.restore_review")
    check_kind(size, (PictureSize, NoneType), "size", "an se.PictureSize")
    check_kind(created, (datetime, NoneType), "time of creation", "a datetime")
    _check(reading)
    public, policy = released(reading, identify=identify)
    picture = draw(public, policy, size, created=created)
    for note in policy.told:
        warnings.warn(note, stacklevel=2)
    return picture


def draw(
    reading: Reading,
    policy: ExportPolicy,
    size: PictureSize | None = None,
    *,
    created: datetime | None = None,
) -> Picture:
    """Draw a reading as it is given; see `compose`.

    Parameters
    ----------
    reading : Reading
        Of `ExportPolicy.reading`: everything in it may be seen.
    policy : ExportPolicy
        What every written line is searched with.
    """
    with noted_lines() as lines:
        picture = _drawn(reading, size or PictureSize(), policy, created)
    policy.tell(letter_notes(lines))
    said = [*lines, " ".join(lines)]  # a name can be broken over two lines
    check_texts("picture", [SaidText("a line", line) for line in said], policy)
    return picture


def _drawn(
    reading: Reading, size: PictureSize, policy: ExportPolicy, created: datetime | None
) -> Picture:
    _check(reading)
    panels = tuple(without_hidden(reading, panel) for panel in reading.review.panels)
    rows, columns = panel_grid(reading, size)
    cell_width = (size.width - (columns - 1) * GAP) // columns
    text = text_size(cell_width, size.dpi)
    time = (created or datetime.now(UTC)).astimezone(UTC)
    image = Image.new("RGB", (size.width, size.height), _GROUND)
    probes = [PlaneView(reading.study_of(p).grid, p.plane, p.index, (1, 1)) for p in panels]
    policy.allow_time(time)
    known = [panel_facts(reading, p, v) for p, v in zip(panels, probes, strict=True)]
    foot = foot_lines(reading, known, size.width, text, time)
    foot_height = line_height(text) * len(foot) + text // 2
    legends = [
        max(
            legend_height(facts["overlays"], cell_width, text)
            for facts in known[row * columns : (row + 1) * columns]
        )
        for row in range(rows)
    ]
    room = size.height - foot_height - sum(legends) - (rows - 1) * GAP
    picture_height = room // rows
    if picture_height < 4 * line_height(text):
        raise SparseExplainError(
            f"{size.width} × {size.height} pixels leave no room for {len(panels)} panels",
            where="picture",
            remedy="Choose a larger picture, or fewer panels",
        )
    panels = _one_scale(reading, panels, (picture_height, cell_width))
    top, facts_drawn = 0, []
    for row in range(rows):
        for column in range(columns):
            place = row * columns + column
            if place < len(panels):
                cell, facts = _draw_cell(
                    reading,
                    panels[place],
                    (picture_height, cell_width),
                    legends[row],
                    text,
                )
                image.paste(cell, (column * (cell_width + GAP), top))
                facts_drawn.append(facts)
        top += picture_height + legends[row] + GAP
    for place, (line, colour) in enumerate(foot):
        y = size.height - foot_height + text // 4 + place * line_height(text)
        write(image, (text // 2, y), line, text, colour=colour, outlined=False)
    record = {
        "software": f"napari-sparseexplain {__version__}",
        "created": time.isoformat(timespec="seconds"),
        "notice": RESEARCH_ONLY,
        "convention": reading.review.convention,
        "size_px": [size.width, size.height],
        "dpi": size.dpi,
        "panels": facts_drawn,
    }
    return Picture(image, record, size.dpi)


def panel_grid(reading: Reading, size: PictureSize) -> tuple[int, int]:
    """Rows and columns of panels: as the review says, else such that they are drawn largest."""
    count = len(reading.review.panels)
    if reading.review.columns:
        columns = min(reading.review.columns, count)
        return -(-count // columns), columns
    best, largest = (1, count), 0.0
    for columns in range(1, count + 1):
        rows = -(-count // columns)
        side = min(size.width / columns, 0.8 * size.height / rows)
        if side > largest * 1.0001:
            best, largest = (rows, columns), side
    return best


def text_size(panel_width: int, dpi: float) -> int:
    """Size of text in pixels: readable in print, small enough for the panel."""
    point = dpi / 72
    return round(point * float(np.clip(panel_width / point / _PANEL_IN_SIZES, _SMALLEST, _LARGEST)))


def _one_scale(
    reading: Reading, panels: tuple[Panel, ...], cell: tuple[int, int]
) -> tuple[Panel, ...]:
    """Planes that are linked by a crosshair and seen whole have one scale, as on the screen."""
    whole = all(panel.camera.zoom is None for panel in panels)
    if not (reading.review.crosshair and whole and len(panels) > 1):
        return panels
    views = [PlaneView.of(reading.study_of(p), p.plane, p.index, cell, p.camera) for p in panels]
    zoom = min(view.zoom for view in views)
    return tuple(
        replace(panel, camera=Camera(zoom, view.centre, cell))
        for panel, view in zip(panels, views, strict=True)
    )


def foot_lines(
    reading: Reading,
    facts: list[dict[str, Any]],
    width: int,
    size: int,
    time: datetime,
) -> list[tuple[str, str]]:
    """Notice, models, program, time and convention, with their colours."""
    models = dict.fromkeys(
        text for panel in facts for item in panel["overlays"] if (text := model_text(item))
    )
    parts = [
        *models,
        f"napari-sparseexplain {__version__}",
        f"{time:%Y-%m-%d %H:%M:%S} UTC",
    ]
    if any(panel["letters"] for panel in facts):
        parts.append(f"{reading.review.convention} convention")
    told = wrapped(" · ".join(parts), size, width - size, 4)
    return [(RESEARCH_ONLY, WARNING), *((line, DIM) for line in told)]


def _draw_cell(
    reading: Reading,
    panel: Panel,
    picture: tuple[int, int],
    legend: int,
    text: int,
) -> tuple[Image.Image, dict[str, Any]]:
    """One panel with its legend, and what stands in it."""
    study, review = reading.study_of(panel), reading.review
    view = PlaneView.of(study, panel.plane, panel.index, picture, panel.camera, review.convention)
    facts = panel_facts(reading, panel, view)
    drawn = Image.fromarray(draw_panel(reading, panel, view))
    draw_outlines(drawn, reading, panel, view, text)
    leading, _ = frame_of(reading, panel)
    marks = [a for a in review.annotations if a.on(panel.study, panel.plane, panel.index, leading)]
    if review.crosshair and review.probe is not None:
        draw_crosshair(drawn, view.pixels(review.probe), text)
    elif review.probe is not None and facts["probe"] is not None:
        draw_ring(drawn, view.pixels(review.probe), text)
    outside = draw_annotations(drawn, marks, view, text)
    letter_panel(drawn, facts, view, text, outside=outside)
    cell = Image.new("RGB", (picture[1], picture[0] + legend), _GROUND)
    cell.paste(drawn, (0, 0))
    draw_legend(cell, facts["overlays"], picture[0], text)
    return cell, facts


def _check(reading: Reading) -> None:
    if reading.pending:
        raise SparseExplainError(
            f"{', '.join(reading.pending)} is still being computed",
            where="picture",
            remedy="Wait until it is done, or cancel it, and export again",
        )
    if not reading.review.panels:
        raise SparseExplainError(
            "there is nothing to draw", where="picture", remedy="Show a scan or a result first"
        )
    for panel in reading.review.panels:
        count = slice_count(reading.study_of(panel), panel)
        if not 0 <= panel.index < count:
            raise SparseExplainError(
                f"there is no {panel.plane} slice {panel.index + 1} (there are {count})",
                where=panel.study,
                remedy="Choose a slice of the study",
            )
