"""What the canvas shows, captions and all, as a PNG."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from qtpy.QtWidgets import QFileDialog, QWidget

from ...errors import SparseExplainError
from ...files.atomic_write import write_atomically
from ..parts.notices import show_error_dialog
from ..parts.save_place import save_place, with_ending

if TYPE_CHECKING:
    from napari import Viewer


def save_canvas(viewer: Viewer, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write the picture.

    Raises
    ------
    SparseExplainError
        The file is there already, or cannot be written.
    """
    pixels = viewer.screenshot(canvas_only=True, flash=False)
    held = BytesIO()
    Image.fromarray(pixels[..., :3]).save(held, "PNG")
    return write_atomically(Path(path), held.getvalue(), overwrite=overwrite)


def ask_and_save(parent: QWidget, viewer: Viewer) -> None:
    """Ask where, and write it."""
    chosen, _ = QFileDialog.getSaveFileName(
        parent, "Save the picture", save_place("prior.png"), "Pictures (*.png)"
    )
    if not chosen:
        return
    try:
        # The dialog has asked.
        save_canvas(viewer, with_ending(chosen, "png", only=True), overwrite=True)
    except SparseExplainError as error:
        show_error_dialog(error)
