"""`sparseexplain open` and `sparseexplain demo`: the window."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import SparseExplainError
from .options import ApplyTransforms, Labels, PatientAxes, Reference, Roles, StudyPath, parse_roles


def open_window(
    path: StudyPath,
    reference: Reference = None,
    role: Roles = None,
    labels: Labels = "",
    patient_axes: PatientAxes = False,
    apply_transforms: ApplyTransforms = False,
) -> None:
    """Open a study in napari with the SparseExplain workspace beside it."""
    roles = parse_roles(role)
    require_display()

    from ..volumes import open_study

    # Read before the window comes up, so that a file that cannot be read is one line, not an
    # empty window.
    study = open_study(
        path,
        reference=reference,
        patient_axes=patient_axes,
        roles=roles,
        apply_transforms=apply_transforms,
        label_numbering=labels,
    )

    with _interrupts_noted() as end_if_interrupted:
        import napari

        from ..widgets.window_close import run_window
        from ..widgets.workspace import open_workspace

        viewer = napari.Viewer(title="napari · SparseExplain")
        # A window that a command brings is for reading; napari's own start keeps its place.
        viewer.window._qt_window.showMaximized()
        open_workspace(viewer).show_study(study)
        end_if_interrupted()
        run_window(viewer)


def demo(
    out: Annotated[
        Path, typer.Option("--out", help="Where the pictures go on a virtual screen.")
    ] = Path("out"),
    study: Annotated[
        Path | None, typer.Option("--study", help="Another study than the sample.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", help="Model of the tour; the first one for FLAIR if left out."),
    ] = None,
    part: Annotated[
        list[str] | None,
        typer.Option(
            "--part", help="Only this part, by the name of its tab; can be given several times."
        ),
    ] = None,
    stay: Annotated[
        bool | None,
        typer.Option(
            "--stay/--pictures",
            help="Leave the window open, or write its pictures and end "
            "(default: stay where there is a real display).",
        ),
    ] = None,
) -> None:
    """Show the sample study with the proxy's signals and responses."""
    import os

    if stay is None:
        # xvfb-run names its authority file so; on a virtual screen nobody could close a window.
        stay = not (
            os.environ.get("SPARSEEXPLAIN_VIRTUAL_SCREEN")
            or "xvfb-run" in os.environ.get("XAUTHORITY", "")
        )

    require_display()
    from ..files.atomic_write import check_writable
    from ..volumes.opening.sample import sample_path

    check_writable(out)
    with _interrupts_noted():
        from ..explanation.model_choice import FIRST_MODEL
        from ..widgets.tour import run_tour

        chosen = model or FIRST_MODEL
        pictures = run_tour(
            study or sample_path(), model=chosen, out=out, stay=stay, parts=part or ()
        )
    for picture in pictures:
        print(picture.resolve())


@contextmanager
def _interrupts_noted() -> Iterator[Callable[[], None]]:
    """Remember Ctrl-C, which Qt swallows where it comes while one of its own callbacks runs."""
    noted: list[int] = []

    def note(number: int, _frame: Any) -> None:
        noted.append(number)
        raise KeyboardInterrupt

    def end_if_interrupted() -> None:
        if noted:
            raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:
        yield end_if_interrupted  # another program decides what Ctrl-C means
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield end_if_interrupted
    finally:
        signal.signal(signal.SIGINT, before)
    end_if_interrupted()


#: Opens Qt's display and nothing else. Where that fails Qt ends its process, so it has its own.
_PROBE = """
import resource
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
from qtpy.QtWidgets import QApplication
QApplication([])
"""

#: Seconds after which a display that does not answer counts as none.
_PATIENCE_S = 30.0


def require_display() -> None:
    """Say in one line that no window can be opened, before anything is read.

    Raises
    ------
    SparseExplainError
        No Qt binding is installed, or Qt finds no display.
    """
    import subprocess
    import sys

    try:
        import qtpy.QtWidgets  # noqa: F401
    except ImportError as error:
        raise SparseExplainError(
            "no Qt binding is installed, so no window can be opened",
            remedy="Install one: pip install 'napari-sparseexplain[qt]' (or PyQt6)",
        ) from error
    if not sys.platform.startswith("linux"):
        return  # elsewhere there is always one
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_S,
        )
    except subprocess.TimeoutExpired:
        failed, said = True, ""
    else:
        failed, said = done.returncode != 0, done.stderr.decode(errors="replace")
    if failed:
        libraries = "Could not load the Qt platform" in said and "connect to display" not in said
        remedy = (
            "Install Qt's system libraries (Debian, Ubuntu: libxcb-cursor0)"
            if libraries
            else "Run it on a desktop, through ssh -X or under xvfb-run, or use `sparseexplain "
            "explain` and `report`, which need none"
        )
        raise SparseExplainError("there is no display, so no window can be opened", remedy=remedy)
