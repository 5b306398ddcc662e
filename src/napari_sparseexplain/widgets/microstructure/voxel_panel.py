"""The explanation of the clicked voxel below the read-out: computed and drawn away from the window.

A click asks for it; what was asked before is dropped. Also the picture is drawn in the thread, as
pixels: a figure of a dozen plots would hold the window for half a second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.utils.theme import get_theme
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import QFileDialog, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from ...errors import SparseExplainError
from ..parts.notices import show_error_dialog
from ..parts.resting_timer import RestingTimer
from ..parts.save_place import save_place, with_ending
from ..parts.work_runner import LatestRunner
from ..parts.wrapped_label import wrapped_label

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ...explanation.microstructure.hybrid_voxel import HybridVoxel
    from ...explanation.microstructure.voxel_explanation import VoxelExplanation

_WAITING = "Explaining the voxel …"

#: Pixels by which the tab's width must differ before the picture is drawn anew.
_WIDTH_STEP = 8


@dataclass(frozen=True, eq=False)
class DrawnVoxel:
    """What a question came to.

    Attributes
    ----------
    key : object
        What was asked.
    found : VoxelExplanation
    pixels : ndarray, shape (rows, columns, 4)
    ratio : float
        Pixels of the screen for one of Qt's.
    """

    key: object
    found: VoxelExplanation | HybridVoxel
    pixels: npt.NDArray[np.uint8]
    ratio: float


class VoxelPanel(QWidget):
    """The picture and *Save picture…*; nothing where nothing was asked.

    Attributes
    ----------
    runner : LatestRunner
        Computes and draws.
    found : VoxelExplanation, HybridVoxel or None
        What the picture shows.
    """

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._key: object = None
        self._width = 0
        self.found: VoxelExplanation | HybridVoxel | None = None
        self.runner = LatestRunner(self)
        self.runner.succeeded.connect(self._on_drawn)
        self.runner.failed.connect(self._on_failed)
        self.said = wrapped_label()
        self.picture = QLabel()
        self.picture.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.picture.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.picture.setAccessibleName("Explanation of the clicked voxel")
        self.save_button = QPushButton("Save picture …")
        self.save_button.setToolTip("Write this picture on white, as PNG or PDF")
        self.save_button.clicked.connect(lambda: self._ask_and_save())
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        for widget in (self.said, self.picture, self.save_button):
            box.addWidget(widget)
        self._resized = RestingTimer(self, 200, self._draw_again)
        viewer.events.theme.connect(self._draw_again)
        self.hide()

    # -- what is asked -------------------------------------------------------------------------

    def ask(self, key: object, explain: Callable[[], VoxelExplanation | HybridVoxel]) -> None:
        """Explain a voxel in the background; nothing where the same was asked already.

        Parameters
        ----------
        key : object
            Of the question: which voxel of which result.
        explain : callable
            What answers it, called in a thread.
        """
        if key == self._key:
            return
        self._key, self.found = key, None
        self._say(_WAITING)
        self._submit(key, explain)

    def clear(self) -> None:
        """Nothing is asked, and what was is no more."""
        self._key, self.found = None, None
        self.runner.drop()
        self.picture.clear()
        self.hide()

    def wait(self, seconds: float = 60.0) -> bool:
        """Keep the window alive until the answer is there; for scripts and tests."""
        return self.runner.wait(seconds)

    def save(self, path: Path, *, overwrite: bool = False) -> Path:
        """Write the picture as PNG or PDF; see `save_voxel_picture`."""
        from ...layers.plots.voxel_plot import save_voxel_picture

        if self.found is None:
            raise SparseExplainError(
                "no voxel is explained", remedy="Click a voxel of a result, and wait for it"
            )
        return save_voxel_picture(self.found, path, overwrite=overwrite)

    # -- answers -------------------------------------------------------------------------------

    def _submit(self, key: object, explain: Callable[[], VoxelExplanation | HybridVoxel]) -> None:
        theme = get_theme(self._viewer.theme)
        colours = (theme.background.as_hex(), theme.text.as_hex())
        dark = theme.syntax_style != "default"
        width, ratio = max(self.width(), self.minimumWidth(), 240), self.devicePixelRatioF()
        self._width = width

        def answer() -> DrawnVoxel:
            # Half a second that nobody should wait for who looks at scans.
            from ...layers.plots.plot_theme import PlotTheme
            from ...layers.plots.voxel_plot import voxel_pixels

            found = explain()
            paper = PlotTheme.of_viewer(*colours, dark=dark)
            return DrawnVoxel(key, found, voxel_pixels(found, paper, width, ratio), ratio)

        self.runner.submit(answer)

    def _on_drawn(self, answer: DrawnVoxel) -> None:
        if answer.key != self._key:
            return  # another voxel was clicked meanwhile
        self.found = answer.found
        rows, columns = answer.pixels.shape[:2]
        image = QImage(
            answer.pixels.tobytes(), columns, rows, 4 * columns, QImage.Format.Format_RGBA8888
        )
        drawn = QPixmap.fromImage(image)  # a copy: the bytes may go
        drawn.setDevicePixelRatio(answer.ratio)
        self.picture.setPixmap(drawn)
        self.said.hide()
        self.picture.show()
        self.save_button.show()
        self.show()

    def _on_failed(self, error: SparseExplainError) -> None:
        self._say(f"✗ {error}")

    def _say(self, words: str) -> None:
        """Words in place of the picture, whose room stays: the tab does not jump at a click."""
        self.said.setText(words)
        self.said.show()
        self.picture.clear()
        self.save_button.hide()
        self.show()

    def resizeEvent(self, a0: Any) -> None:
        """Another width: the picture is drawn for it once it rests."""
        super().resizeEvent(a0)
        if self.found is not None and abs(self.width() - self._width) > _WIDTH_STEP:
            self._resized.restart()

    def _draw_again(self, _event: object = None) -> None:
        found = self.found
        if found is not None and self.isVisible():
            self._submit(self._key, lambda: found)

    def _ask_and_save(self) -> None:
        path = self._ask_file(save_place("voxel.png"))
        if not path:
            return
        try:
            self.save(with_ending(path, "png"), overwrite=True)  # the dialog has asked
        except SparseExplainError as error:
            show_error_dialog(error)

    def _ask_file(self, start: str) -> str:
        return QFileDialog.getSaveFileName(
            self, "Save the picture of this voxel", start, "Pictures (*.png *.pdf)"
        )[0]
