"""`sparseexplain open` and `sparseexplain demo`: the window."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import SparseExplainError
from .options import PatientAxes, Reference, Roles, StudyPath, parse_roles


def open_window(
    path: StudyPath,
    reference: Reference = None,
    role: Roles = None,
    patient_axes: PatientAxes = False,
) -> None:
    """Open a study in napari with the SparseExplain workspace beside it."""
    roles = parse_roles(role)

    from ..volumes import open_study

    # Read before the window comes up, so that a file that cannot be read is one line, not an
    # empty window.
    study = open_study(path, reference=reference, patient_axes=patient_axes, roles=roles)

    _require_qt()
    import napari

    from ..widgets.workspace import open_workspace

    viewer = napari.Viewer(title="napari · SparseExplain")
    open_workspace(viewer).show_study(study)
    napari.run()


def demo(
    out: Annotated[
        Path, typer.Option("--out", help="Where the pictures go on a virtual screen.")
    ] = Path("out"),
    study: Annotated[
        Path | None, typer.Option("--study", help="Another study than the sample.")
    ] = None,
    model: Annotated[str, typer.Option("--model", help="Model of the tour.")] = "sum-rec",
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

    _require_qt()
    from ..volumes.sample import sample_path
    from ..widgets.tour import run_tour

    pictures = run_tour(study or sample_path(), model=model, out=out, stay=stay)
    for picture in pictures:
        print(picture.resolve())


def _require_qt() -> None:
    """A window needs a Qt binding, which the package does not choose for people."""
    try:
        import qtpy.QtWidgets  # noqa: F401
    except ImportError as error:
        raise SparseExplainError(
            "no Qt binding is installed, so no window can be opened",
            remedy="Install one: pip install 'napari-sparseexplain[qt]' (or PyQt6)",
        ) from error
