"""The panel *Training* below the picture: a training that runs or has ended, as its log says."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import signals_blocked

from ...errors import SparseExplainError
from ...training.fit.training_folder import FollowedTraining, read_training, read_watched
from ..parts.elided_label import ElidedLabel
from ..parts.work_runner import LatestRunner
from ..parts.wrapped_label import wrapped_label
from ..window import Window
from .themed_canvas import ThemedCanvas

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.lines import Line2D

#: Milliseconds between two looks at a log.
_POLL = 1500

_INVITATION = (
    "Choose the folder of a training (BUNDLE/training): its curves stand here and go on while it "
    "runs, with what every layer held for one watched slice after each epoch."
)
#: Epochs that a sentence names.
_LISTED = 8

_NO_MAPS = "This recipe keeps no maps of a watched slice; those of the left ventricle do."


class TrainingPanel(QWidget):
    """A folder, curves that go on, a slider over epochs, the layers of the watched slice.

    Attributes
    ----------
    found : FollowedTraining or None
        As read last.
    maps : dict of str to ndarray
        Of the epoch at the slider, by layer.

    Signals
    -------
    seen(): it came into sight.
    """

    seen = Signal()

    def __init__(self, window: Window) -> None:
        super().__init__()
        self.setWindowTitle("Training")
        self.found: FollowedTraining | None = None
        self.maps: dict[str, np.ndarray] = {}
        self._path = ""
        self._cursors: list[Line2D] = []
        self.folder = QLineEdit()
        self.folder.setPlaceholderText("Folder of a training")
        self.folder.setAccessibleName("Folder of a training")
        self.folder.returnPressed.connect(lambda: self.open_folder(self.folder.text()))
        self.choose = QPushButton("Choose…")
        self.choose.setToolTip("A bundle's folder, its folder training/, or any with log.jsonl")
        self.choose.clicked.connect(self._choose)
        self.layer = QComboBox()
        self.layer.setAccessibleName("Layers of the watched slice")
        self.layer.setToolTip("Every layer's rms, or single maps of one, the same at every epoch")
        self.layer.setMinimumContentsLength(12)
        self.layer.currentIndexChanged.connect(lambda _: self._draw_maps())
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName("Epoch")
        self.slider.setToolTip("Epoch of the watched slice's layers; at its end it follows")
        self.slider.valueChanged.connect(lambda _: self._on_slider())
        self.said = ElidedLabel(mode=Qt.TextElideMode.ElideRight)
        self._pictured = False
        self.warning = wrapped_label()
        self.warning.hide()
        self.lost = wrapped_label()
        self.lost.hide()
        self.hint = QLabel(_INVITATION)
        self.hint.setWordWrap(True)
        self.hint.setEnabled(False)
        self.curves = ThemedCanvas(window.viewer, self._draw_curves)
        self.pictures = ThemedCanvas(window.viewer, self._draw_maps, to_size=True)
        self._lay_out()
        self.reader, self.maps_reader = LatestRunner(self), LatestRunner(self)
        self.reader.succeeded.connect(self._on_read)
        self.reader.failed.connect(self._on_failed)
        self.maps_reader.succeeded.connect(self._on_maps)
        self.maps_reader.failed.connect(self._on_no_maps)
        self._poll = QTimer(self)
        self._poll.setInterval(_POLL)
        self._poll.timeout.connect(self._look_on)
        self._show_parts()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        for widget in (QLabel("Training"), self.folder, self.choose, self.layer):
            top.addWidget(widget, 2 if widget is self.folder else 0)
        self._foot = QWidget()
        foot = QHBoxLayout(self._foot)
        foot.setContentsMargins(0, 0, 0, 0)
        foot.addWidget(QLabel("Epoch"))
        foot.addWidget(self.slider, 1)
        foot.addWidget(self.said, 4)
        plots = QHBoxLayout()
        plots.addWidget(self.curves, 1)
        plots.addWidget(self.pictures, 1)
        box = QVBoxLayout(self)
        box.setContentsMargins(4, 0, 4, 2)
        box.setSpacing(3)
        box.addLayout(top)
        box.addWidget(self.hint)
        box.addWidget(self.lost)
        box.addWidget(self.warning)
        box.addLayout(plots, 1)
        box.addWidget(self._foot)

    # -- what a script can call ----------------------------------------------------------------

    def open_folder(self, folder: str | Path) -> None:
        """Follow the training of a folder."""
        self._path = str(folder).strip()
        self.folder.setText(self._path)
        self.found, self.maps = None, {}
        if self._path:
            self._read()
        else:
            self.close_folder()

    def close_folder(self) -> None:
        """Follow nothing."""
        self._poll.stop()
        for runner in (self.reader, self.maps_reader):
            runner.drop()
        self._path, self.found, self.maps = "", None, {}
        self.folder.clear()
        self._say(_INVITATION)

    def look(self) -> None:
        """Read on; a reading that is under way may have begun before what is looked for."""
        if self._path:
            self._read()

    def _look_on(self) -> None:
        """Once in a while: not where the last look still goes on."""
        if not self.reader.busy:
            self.look()

    def go_to_epoch(self, epoch: int) -> None:
        """Show the watched slice as it was after an epoch, or after the last one before it."""
        if self.found is not None:
            before = [i for i, number in enumerate(self.found.watched) if number <= epoch]
            self.slider.setValue(before[-1] if before else 0)

    @property
    def epoch(self) -> int:
        """The epoch at the slider; 0 without watched maps."""
        epochs = [] if self.found is None else list(self.found.watched)
        return epochs[min(self.slider.value(), len(epochs) - 1)] if epochs else 0

    @property
    def computing(self) -> bool:
        """Whether a folder or maps are being read."""
        return self.reader.busy or self.maps_reader.busy

    def wait(self, seconds: float = 60.0) -> bool:
        """Until what was asked for is read."""
        return self.reader.wait(seconds) and self.maps_reader.wait(seconds)

    def stop(self) -> None:
        """The window is closing."""
        self._poll.stop()
        for runner in (self.reader, self.maps_reader):
            runner.drop()

    # -- reading -------------------------------------------------------------------------------

    def _choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of a training", self._path)
        if folder:
            self.open_folder(folder)

    def _read(self) -> None:
        path, known = self._path, self.found
        self.reader.submit(lambda: (path, read_training(path, known)))

    def _on_read(self, told: tuple[str, FollowedTraining]) -> None:
        path, found = told
        if path != self._path:
            return
        if self.isVisible():
            self._poll.start()
        if found is self.found:
            return
        first, before = self.found is None, self.found
        at_end = first or self.slider.value() == self.slider.maximum()
        self.found = found
        self._show_parts()
        self._draw_curves()
        last = max(len(found.watched) - 1, 0)
        with signals_blocked(self.slider):
            self.slider.setRange(0, last)
            if at_end:
                self.slider.setValue(last)
        self.slider.setEnabled(last > 0)
        if not found.watched:
            self._say_epoch()
        elif at_end or before is None or before.watched != found.watched:
            self._ask_maps()

    def _on_failed(self, error: SparseExplainError) -> None:
        """What stood there before is of a training that can be read no more."""
        self.found, self.maps = None, {}
        self._say(str(error))
        # One that has just begun has no entry yet, and will have one.
        if self.isVisible() and self._path:
            self._poll.start()

    def _ask_maps(self) -> None:
        if self.found is not None and self.found.watched:
            path = self.found.watched[self.epoch]
            self.maps_reader.submit(partial(_with_path, path))

    def _on_maps(self, told: tuple[Path, dict[str, np.ndarray]]) -> None:
        path, self.maps = told
        if self.found is None or path not in self.found.watched.values():
            return
        names = ["", *self.maps]
        if names != [self.layer.itemData(i) for i in range(self.layer.count())]:
            chosen = self.layer.currentData()
            with signals_blocked(self.layer):
                self.layer.clear()
                for name in names:
                    self.layer.addItem(name or "All layers, rms", name)
                self.layer.setCurrentIndex(max(self.layer.findData(chosen), 0))
        self.warning.hide()
        self._draw_maps()
        self._say_epoch()

    def _on_slider(self) -> None:
        self._ask_maps()

    def _on_no_maps(self, error: SparseExplainError) -> None:
        """What stood there is of another epoch."""
        self.maps = {}
        if self._pictured:
            from ...layers.plots.plot_theme import clear

            clear(self.pictures.figure, self.pictures.theme)
            self.pictures.redraw()
            self._pictured = False
        self._move_cursors()
        self.said.setText("")
        self.warning.setText(f"Epoch {self.epoch}: {error}")
        self.warning.show()

    # -- drawing -------------------------------------------------------------------------------

    def _draw_curves(self) -> None:
        if self.found is None:
            return
        from ...layers.plots.training_plot import draw_training

        self._cursors = draw_training(self.curves.figure, self.found, self.curves.theme)
        self.lost.setText(self._lost_words(self.found))
        self.lost.setVisible(bool(self.lost.text()))
        self._move_cursors()

    @staticmethod
    def _lost_words(found: FollowedTraining) -> str:
        """Where a loss or score is no number: such a training is mostly lost from there on."""
        from ...layers.plots.training_plot import not_finite

        places = not_finite(found, found.names)
        if not places:
            return ""
        unit = "epoch" if found.by_epoch else "step"
        listed = ", ".join(f"{place:g}" for place in places[:_LISTED])
        more = f" and {len(places) - _LISTED} more" if len(places) > _LISTED else ""
        return (
            f"Not a finite number (NaN or infinite), marked red: {unit}{'s' * (len(places) > 1)} "
            f"{listed}{more}."
        )

    def _move_cursors(self) -> None:
        for cursor in self._cursors:
            cursor.set_xdata([self.epoch or float("nan")] * 2)
        self.curves.redraw()

    def _draw_maps(self) -> None:
        if not self.maps:
            return
        from ...layers.plots.training_plot import draw_watched

        layer = self.layer.currentData() or ""
        draw_watched(self.pictures.figure, self.maps, self.pictures.theme, layer)
        self._pictured = True
        self.pictures.redraw()

    def _say_epoch(self) -> None:
        """The entry of the epoch at the slider, in words; of the last one without maps."""
        found = self.found
        if found is None:
            return
        self._move_cursors()
        entry = found.entry_of(self.epoch) if found.watched else found.entries[-1]
        unit = "epoch" if "epoch" in entry else "step"
        words = [f"{unit} {entry.get(unit, self.epoch):g}"]
        words += [
            f"{name} {entry[name]:.3g}"
            for name in sorted(entry, key=_told_first)
            if name not in ("step", "epoch")
        ]
        text = " · ".join(words)
        self.said.setText(text if found.watched else f"{_NO_MAPS} {text}")
        self.said.setToolTip(text)

    def _say(self, words: str) -> None:
        """Words in the place of the plots."""
        self.hint.setText(words)
        self._show_parts()

    def _show_parts(self) -> None:
        read = self.found is not None
        watched = self.found is not None and bool(self.found.watched)
        self.hint.setVisible(not read)
        if not read:
            self.lost.hide()
            self.warning.hide()
        self.hint.setEnabled(bool(self._path))
        self.curves.setVisible(read)
        self.pictures.setVisible(watched)
        self._foot.setVisible(read)
        self.layer.setVisible(watched)

    # -- sight ---------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """Somebody looks: follow on."""
        self.seen.emit()
        if self._path:
            self.look()
            self._poll.start()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks: nothing is read."""
        self._poll.stop()
        super().hideEvent(event)


def _told_first(name: str) -> int:
    """Accuracy and Dice beside each other, before all else."""
    order = ("accuracy", "micro dice", "dice", "loss", "learning rate")
    return next((place for place, word in enumerate(order) if word in name.lower()), len(order))


def _with_path(path: Path) -> tuple[Path, dict[str, Any]]:
    return path, read_watched(path)
