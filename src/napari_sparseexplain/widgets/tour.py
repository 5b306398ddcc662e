"""The tour of `sparseexplain demo`: what every family shows of itself, in the order of the tabs.

With the families of this package: the sample study, a network's signals and responses, a
decomposition into classes, heat maps of two attribution methods, and a review that ends in a
report. The same steps serve a person, who is left with the window, and a machine without a display,
for which each step is written as a picture of the whole window.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from skimage.io import imsave

from ..errors import SparseExplainError
from ..families import Family, attempt, families, resolve
from .demo import Demo
from .window_close import run_window
from .workspace import open_workspace

if TYPE_CHECKING:
    from napari import Viewer

#: Smallest window that the workspace is made for.
WINDOW_SIZE = (1280, 800)


def run_tour(
    study: Path, *, model: str, out: Path, stay: bool, parts: Sequence[str] = ()
) -> list[Path]:
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
    parts : sequence of str
        Names of families that are shown; all when empty. The study is opened in any case.

    Returns
    -------
    list of Path
        The pictures, in order, none when ``stay``; then the report.

    Raises
    ------
    SparseExplainError
        A part is not there, the study or the model cannot be read, the folder cannot be written,
        or a step failed.
    """
    import napari

    shown = _shown_parts(parts)
    _make_folder(out)
    viewer = napari.Viewer(title="napari · SparseExplain", show=True)
    try:
        viewer.window.resize(*WINDOW_SIZE)
        workspace = open_workspace(viewer)
        pictures: list[Path] = []

        def show(name: str) -> None:
            demo.settle()
            if not stay:
                pictures.append(_picture(viewer, out / f"{len(pictures) + 1}-{name}.png"))

        demo = Demo(workspace, study, model, out, show)
        for family in shown:
            with attempt(family):
                resolve(family.demo)(demo)
        if stay:
            for path in demo.results:
                print(f"Report: {path.resolve()}")
            run_window(viewer)
        return [*pictures, *demo.results]
    finally:
        if not stay:
            viewer.close()


def _shown_parts(parts: Sequence[str]) -> list[Family]:
    """Families with something to show, in order: the first, which opens the study, and these."""
    there = [family for family in families() if family.demo]
    names = [family.name for family in there]
    if missing := [name for name in parts if name not in names]:
        raise SparseExplainError(
            f"the demonstration has no part {missing[0]!r}",
            remedy="The parts are: " + ", ".join(names),
        )
    return [f for f in there if not parts or f.name in parts or f is there[0]]


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
