"""Letters at the edges of every view, words beside their marks: what is seen on the screen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from napari_sparseexplain.layers.canvas import annotation_labels
from napari_sparseexplain.layers.canvas.annotation_labels import PIXELS
from napari_sparseexplain.layers.canvas.class_legend import ClassLegend
from napari_sparseexplain.layers.cells.shown_cells import cells_of
from napari_sparseexplain.layers.study_layers import METADATA_KEY, StudyLayer
from napari_sparseexplain.review.annotation import Annotation, annotation_on_grid
from napari_sparseexplain.review.label_position import WORDS_GAP

from .conftest import settle

pytestmark = pytest.mark.gui

#: No letter reaches further into a view than this, in pixels.
BORDER = 26


def shown(workspace: Any) -> np.ndarray:
    """The canvas, (rows, columns, 3)."""
    settle(0.4)
    return workspace.viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)


def yellow(shot: np.ndarray) -> np.ndarray:
    """Where the colour of letters and marks is."""
    return (shot[..., 0] > 170) & (shot[..., 1] > 160) & (shot[..., 2] < 110)


def cells(workspace: Any) -> list[tuple[slice, slice]]:
    """Rows and columns of every cell in the canvas."""
    viewer = workspace.viewer
    height, width = viewer.canvas.size
    return [
        (slice(p.top, p.top + p.height), slice(p.left, p.left + p.width))
        for p in cells_of(viewer).places((height, width))
        if p is not None
    ]


def check_letters(view: np.ndarray) -> None:
    """One letter in the middle of each side, within `BORDER` of the edge; nothing further in."""
    mask = yellow(view)
    height, width = mask.shape
    assert not mask[BORDER:-BORDER, BORDER:-BORDER].any(), "a letter stands in the picture"
    middle_rows = slice(height // 2 - 20, height // 2 + 20)
    middle_columns = slice(width // 2 - 20, width // 2 + 20)
    assert mask[:BORDER, middle_columns].any()
    assert mask[-BORDER:, middle_columns].any()
    assert mask[middle_rows, :BORDER].any()
    assert mask[middle_rows, -BORDER:].any()


@pytest.mark.parametrize("columns", [2, 3])
def test_letters_stand_at_the_edges_of_every_cell_also_beside_captions_and_names(
    opened: Any, columns: int
) -> None:
    legend = ClassLegend(opened.viewer, "heat")
    legend.caption("Colours each map its own: IG ±0.012, XRAI ±0.3\nhighest 10 % of the head")
    scans = [x for x in opened.viewer.layers
             if isinstance(x.metadata.get(METADATA_KEY), StudyLayer)]  # fmt: skip
    for layer in scans:
        layer.name = f"{layer.name} · with a name that is far too long for a cell of the grid"
    opened.grid_view.show(scans[:2] if columns == 2 else scans, columns=columns)
    mask = opened.study_layer("seg")
    mask.opacity = 0.0  # its colours are those of the letters
    shot = shown(opened)
    for rows, across in cells(opened):
        check_letters(shot[rows, across])


def test_letters_stand_at_the_edges_of_the_single_view_over_a_caption(opened: Any) -> None:
    ClassLegend(opened.viewer, "heat").caption("Colours shared by all maps ±0.012 " * 4)
    opened.study_layer("seg").visible = False
    check_letters(shown(opened))


def test_letters_have_a_dark_edge_on_a_white_picture(opened: Any) -> None:
    opened.study_layer("seg").visible = False
    opened.study_layer("flair").contrast_limits = (-20.0, -10.0)
    opened.viewer.scene.camera.zoom *= 4
    shot = shown(opened)
    strip = shot[:BORDER, shot.shape[1] // 2 - 15 : shot.shape[1] // 2 + 15]
    assert strip.min(axis=(0, 1)).max() < 60, "dark pixels"
    assert (strip.min(axis=-1) > 240).mean() > 0.4, "on white ones"
    assert yellow(strip).any()


def distance(workspace: Any, text: str = "") -> Annotation:
    """A line across the middle of the slice in the picture."""
    index = workspace.current_slice
    ends = [(index, 16, 8), (index, 16, 20)]
    return annotation_on_grid(
        "distance", ends, workspace.study.grid, study="study", plane="axial", index=index,
        text=text,
    )  # fmt: skip


def test_words_are_small_dark_edged_and_beside_their_line(opened: Any) -> None:
    opened.study_layer("seg").visible = False
    opened.study_layer("flair").contrast_limits = (-20.0, -10.0)  # all white
    opened.letters.set_grid(None)
    coloured = replace(distance(opened), colour="#F0E442")
    opened.page("review").marking.add_annotation(coloured)
    drawing = opened.page("review").marking.drawing
    settle()
    ((text, row, column, _),) = drawing.words.lines
    assert text == "12.0 mm"
    assert not any(str(v) for layer in drawing.layers for v in np.atleast_1d(layer.text.values))
    spacing = opened.study.grid.spacing
    assert column > 20 * spacing[2], "beyond the right end of the line"
    assert row == pytest.approx(16 * spacing[1], abs=1.0)
    shot = shown(opened)
    zoom = opened.viewer.scene.camera.zoom
    centre = opened.viewer.scene.camera.center[-2:]
    y = round((row - centre[0]) * zoom + shot.shape[0] / 2)
    x = round((column - centre[1]) * zoom + shot.shape[1] / 2)
    words = shot[y - 20 : y + 20, x - 2 : x + 60]
    lines = np.flatnonzero(yellow(words).any(axis=1))
    assert 6 <= np.ptp(lines) <= 14, "digits of words about 13 pixels high"
    assert words.min() < 60, "a dark edge"


def test_words_keep_their_size_and_their_distance_when_zoomed(opened: Any) -> None:
    opened.page("review").marking.add_annotation(distance(opened))
    words = opened.page("review").marking.drawing.words
    camera = opened.viewer.scene.camera
    end = 20 * opened.study.grid.spacing[2]
    for factor in (1.0, 0.5):
        camera.zoom *= factor
        ((_, _, column, _),) = words.lines
        assert (column - end) * camera.zoom == pytest.approx(PIXELS * WORDS_GAP, abs=0.5)


def test_words_stand_on_their_slice_alone_and_in_every_view_of_it(opened: Any) -> None:
    index = opened.current_slice
    mark = annotation_on_grid(
        "text", [(4, 12, 16)], opened.study.grid, study="study", plane="coronal", index=12,
        text="rim",
    )  # fmt: skip
    opened.page("review").marking.add_annotation(distance(opened, "long"))
    opened.page("review").marking.add_annotation(mark)
    words = opened.page("review").marking.drawing.words
    assert [line[0] for line in words.lines][:2] == ["long", "12.0 mm"]
    opened.go_to_slice(index + 1 if index != 3 else index - 1)
    assert "long" not in [line[0] for line in words.lines]
    opened.go_to_slice(index)
    opened.modes.set_mode("orthogonal")
    opened.go_to_voxel((4, 12, 16))
    settle(0.3)
    coronal = next(p for p in opened.modes.views.panes if p.plane == "coronal")
    assert [line[0] for line in coronal.words.lines] == ["rim"]


def ellipse(workspace: Any, text: str = "") -> Annotation:
    """One beside the middle of the slice in the picture."""
    index = workspace.current_slice
    corners = [(index, 6, 6), (index, 6, 14), (index, 12, 14), (index, 12, 6)]
    return annotation_on_grid(
        "ellipse", corners, workspace.study.grid, study="study", plane="axial", index=index,
        text=text,
    )  # fmt: skip


def test_a_mark_of_another_kind_can_be_deleted_in_the_list(opened: Any) -> None:
    marking = opened.page("review").marking
    for mark in (ellipse(opened, "first"), distance(opened, "second")):
        marking.add_annotation(mark)
    marking.remove_annotation(0)
    assert [line[0] for line in marking.drawing.words.lines] == ["second", "12.0 mm"]
    shapes = marking.drawing.layers[0]
    assert list(shapes.features["kind"]) == ["distance"]
    assert [a.kind for a in marking.annotations] == ["distance"]


def test_marks_of_one_review_give_way_to_those_of_another(opened: Any) -> None:
    drawing = opened.page("review").marking.drawing
    for mark in (ellipse(opened, "one"), distance(opened, "other"), ellipse(opened, "one")):
        drawing.show([mark], opened.study, "study")
        assert drawing.words.lines[0][0] == mark.text
        assert list(drawing.layers[0].features["kind"]) == [mark.kind]


def test_words_are_looked_for_once_when_marks_are_written(
    opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawing = opened.page("review").marking.drawing
    drawing.show([ellipse(opened)], opened.study, "study")
    looked: list[int] = []
    look = annotation_labels.marks_on_slice
    monkeypatch.setattr(
        annotation_labels, "marks_on_slice", lambda viewer: (looked.append(1), look(viewer))[1]
    )
    drawing.show([distance(opened), ellipse(opened)], opened.study, "study")
    assert len(looked) == 1


def test_words_keep_beside_their_mark_when_views_become_cells(opened: Any) -> None:
    """Words that fit beside their mark in the whole canvas alone."""
    opened.letters.set_grid(None)
    opened.page("review").marking.add_annotation(distance(opened, "words that are long " * 4))
    words = opened.page("review").marking.drawing.words
    side, viewer = cells_of(opened.viewer), opened.viewer
    for shape in ((1, 2), (2, 1), None):
        before = words.lines
        if shape is None:
            side.clear()
        else:
            side.show([[layer] for layer in viewer.layers[:2]], shape)
        after = words.lines
        words.refresh()
        assert (words.lines, after != before) == (after, True), shape
