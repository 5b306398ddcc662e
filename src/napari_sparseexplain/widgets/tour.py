"""The tour of `sparseexplain demo`: the sample study, a network's signals, its responses, a
decomposition into classes, heat maps of two attribution methods side by side, three planes, and a
review with key slices that ends in a report.

The same steps serve a person, who is left with the window, and a machine without a display, for
which each step is written as a picture of the whole window.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import QApplication
from skimage.io import imsave

from ..errors import SparseExplainError
from ..networks.bundle.catalogue import models
from ..review.annotation import AnnotationKind, annotation_on_grid
from .decompose.tab import FIRST_DECOMPOSER
from .review.study_marks import OWN
from .view.plots_dock import hide_plots, show_plots
from .window_close import run_window
from .workspace import Workspace, open_workspace

if TYPE_CHECKING:
    from napari import Viewer

#: Smallest window that the workspace is made for.
WINDOW_SIZE = (1280, 800)

#: α of the picture that shows the thresholds half drawn back.
HALF_ALPHA = 0.5

#: Seconds after which a step that has not ended is taken to hang.
PATIENCE = 600.0

#: Attribution methods that the tour puts side by side.
SIDE_BY_SIDE = ("xrai", "guided-integrated-gradients")

#: A network of the same build and another purpose, for the comparison of responses.
COMPARED = "sum-denoise"


def run_tour(study: Path, *, model: str, out: Path, stay: bool) -> list[Path]:
    """Open the window and go through the tour; it ends in a report, ``out/report.pdf``.

    Parameters
    ----------
    study : Path
        What `open_study` reads.
    model : str
        Bundled name or folder.
    out : Path
        Folder for the report, the review and the pictures (none when ``stay``); made when it is
        not there.
    stay : bool
        Leave the window to a person, until it is closed.

    Returns
    -------
    list of Path
        The pictures, in order, none when ``stay``; then the report.

    Raises
    ------
    SparseExplainError
        The study or the model cannot be read, the folder cannot be written, or a step failed.
    """
    import napari

    _make_folder(out)
    viewer = napari.Viewer(title="napari · SparseExplain", show=True)
    try:
        viewer.window.resize(*WINDOW_SIZE)
        workspace = open_workspace(viewer)
        pictures: list[Path] = []

        def show(name: str) -> None:
            _settle(viewer)
            if not stay:
                pictures.append(_picture(viewer, out / f"{len(pictures) + 1}-{name}.png"))

        voxel = _steps(workspace, study, model, show)
        report = _review(workspace, voxel, out, show)
        if stay:
            print(f"Report: {report.resolve()}")
            run_window(viewer)
        return [*pictures, report]
    finally:
        if not stay:
            viewer.close()


def _steps(
    workspace: Workspace, path: Path, model: str, show: Callable[[str], None]
) -> tuple[int, int, int]:
    from ..volumes import open_study

    workspace.show_study(open_study(path))
    show("study")
    workspace.page("study").side_by_side.click()
    show("modalities")
    workspace.page("study").side_by_side.click()

    proxy = workspace.page("proxy")
    workspace.show_tab("proxy")
    proxy.models.choose(model)
    proxy.run_slice()
    _wait(workspace, "Run on slice")
    show("signals")
    proxy.set_alpha(HALF_ALPHA)
    _wait(workspace, "α")
    show("half-thresholds")
    proxy.set_alpha(1.0)
    _wait(workspace, "α")

    show_plots(workspace.viewer, workspace.page("proxy").responses)
    panel = workspace.page("proxy").responses
    panel.model.choose(model)
    if COMPARED in models() and model != COMPARED:
        panel.beside.choose(COMPARED)
    panel.refresh()
    _wait(workspace, "Responses")
    show("responses")
    voxel = _lesion_voxel(workspace)
    workspace.go_to_voxel(voxel)
    panel.show_voxel(voxel)
    _wait(workspace, "the filter at a voxel")
    show("filter-at-a-voxel")
    _decompose(workspace, voxel, show)
    _attribute(workspace, model, voxel, show)
    return voxel


def _decompose(
    workspace: Workspace, voxel: tuple[int, int, int], show: Callable[[str], None]
) -> None:
    """What each class contributes; left out, with a line that says so, until the model ships."""
    if FIRST_DECOMPOSER not in models():
        print(f"The tour leaves out the decomposition: the model {FIRST_DECOMPOSER} is not there.")
        return
    hide_plots(workspace.page("proxy").responses)
    tab = workspace.page("decompose")
    workspace.show_tab("decompose")
    tab.models.choose(FIRST_DECOMPOSER)
    tab.run_slice()
    _wait(workspace, "Decompose")
    tab.parameters.button.setChecked(True)
    show("components")
    tab.parameters.button.setChecked(False)
    tab.set_round(1)
    _wait(workspace, "Round")
    show("most-salient")
    tab.set_round(tab.rounds.slider.maximum())
    _wait(workspace, "Round")
    tab.show_classes_over_scan()
    workspace.click(voxel)
    show("classes")
    channel = tab.likeliest(voxel)
    if channel is not None:
        tab.switch(channel, False)
        _wait(workspace, "a class switched off")
        show("without-a-class")
        tab.switch(channel, True)
        _wait(workspace, "a class switched on")
    tab.show_grid()


def _attribute(
    workspace: Workspace, model: str, voxel: tuple[int, int, int], show: Callable[[str], None]
) -> None:
    """Where the network looked, by two methods on one slice, and how far to trust them."""
    hide_plots(workspace.page("proxy").responses)
    tab = workspace.page("attribution")
    workspace.show_tab("attribution")
    tab.models.choose(model)
    for method in SIDE_BY_SIDE:
        tab.choose_method(method)
        tab.run_slice()
        _wait(workspace, method)
    workspace.click(voxel)
    _settle(workspace.viewer, 0.2)
    tab.show_table()
    show("attribution")


def _review(
    workspace: Workspace, voxel: tuple[int, int, int], out: Path, show: Callable[[str], None]
) -> Path:
    """Three planes, two key slices, a distance and an arrow; the review and its report."""
    study = workspace.study
    assert study is not None
    tab = workspace.page("review")
    workspace.show_tab("review")
    index, row, column = voxel
    drawn: list[tuple[AnnotationKind, Any, str]] = [
        ("distance", _across(workspace, voxel), "lesion"),
        ("arrow", ((row - 40, column - 40), (row - 4, column - 4)), "brightest voxel"),
    ]
    for kind, points, words in drawn:
        tab.marking.add_annotation(
            annotation_on_grid(
                kind,
                [(index, *point) for point in points],
                study.grid,
                study=OWN,
                plane="axial",
                index=index,
                text=words,
            )
        )
    tab.marking.mark_key_slice("what two methods show of the lesion")
    workspace.go_to_slice(index + 4)
    tab.marking.mark_key_slice("four slices on")
    workspace.go_to_slice(index)
    tab.export(out / "report.pdf", what="report", overwrite=True)
    _wait(workspace, "the report")
    report = out / "report.pdf"
    if not report.is_file():
        raise SparseExplainError(
            f"the report was not written: {tab.run_bar.message.text()}", where=report
        )
    workspace.modes.set_mode("orthogonal")
    # Off the row that was measured, or the crosshair would hide the line.
    workspace.go_to_voxel((index, row + 8, column))
    show("three-planes")
    workspace.modes.set_mode("single")
    tab.marking.step_key_slice(1)
    # Nothing is saved while what follows the slice is still computed.
    _settle(workspace.viewer)
    _wait(workspace, "the slice of the review")
    tab.save(out / "review", overwrite=True)
    _wait(workspace, "the saved review")
    if not (out / "review").is_dir():
        raise SparseExplainError(
            f"the review was not saved: {tab.run_bar.message.text()}", where=out / "review"
        )
    show("review")
    return report


def _across(
    workspace: Workspace, voxel: tuple[int, int, int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Ends of the lesion in the row of a voxel, else a stretch about it."""
    index, row, column = voxel
    study = workspace.study
    assert study is not None
    for label in study.labels.values():
        inside = np.flatnonzero(np.asarray(label.spatial()[index, row]) > 0)
        if inside.size > 1:
            return (row, int(inside[0])), (row, int(inside[-1]))
    return (row, column - 10), (row, column + 10)


def _lesion_voxel(workspace: Workspace) -> tuple[int, int, int]:
    """The brightest lesion voxel of the slice in the picture, else its middle."""
    study = workspace.study
    assert study is not None
    index = workspace.current_slice
    rows, columns = study.grid.shape[1:]
    for label in study.labels.values():
        inside = np.argwhere(np.asarray(label.spatial()[index]) > 0)
        if inside.size:
            scan = next(iter(study.images.values())).spatial()[index]
            place = inside[int(np.argmax([scan[row, column] for row, column in inside]))]
            return index, int(place[0]), int(place[1])
    return index, rows // 2, columns // 2


def _wait(workspace: Workspace, step: str) -> None:
    if not workspace.wait(PATIENCE):
        raise SparseExplainError(
            f"the step {step!r} of the tour did not end within {PATIENCE:.0f} s",
            remedy="Try again when the machine is less busy",
        )


def _settle(viewer: Viewer, seconds: float = 1.2) -> None:
    """Let resting timers fire and the canvas be drawn before a picture is taken."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.01)


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SparseExplainError(
            f"the folder cannot be made ({error.strerror})",
            where=out,
            remedy="Choose another one with --out",
        ) from error


def _picture(viewer: Viewer, path: Path) -> Path:
    """Write the whole window as a PNG.

    Raises
    ------
    SparseExplainError
        The canvas came out black: the display has no OpenGL.
    """
    image = viewer.screenshot(canvas_only=False, flash=False)
    canvas = viewer.screenshot(canvas_only=True, flash=False)
    if not canvas[..., :3].any():
        raise SparseExplainError(
            "the picture came out black, so this display has no OpenGL",
            where=path,
            remedy="Run on a display with OpenGL, for instance xvfb-run with +extension GLX",
        )
    imsave(path, image[..., :3], check_contrast=False)
    return path
