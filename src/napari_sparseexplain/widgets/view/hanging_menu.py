"""The list of hanging protocols: apply one, save what stands side by side as one, delete one."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QInputDialog, QMenu, QMessageBox

from ...errors import ParameterError, SparseExplainError
from ...layers.cells.grid_view import Layout
from ...layers.cells.hanging_files import (
    all_protocols,
    delete_protocol,
    name_for,
    own_protocols,
    save_protocol,
    shipped_protocols,
)
from ...layers.cells.hanging_protocol import HangingProtocol, best_protocol
from ...layers.cells.hung_cells import HungCells, hung, protocol_of, situation_of
from ...layers.mask_style import set_mask_style
from ..parts.notices import show_error_dialog
from ..parts.preferences import preference, set_preference

if TYPE_CHECKING:
    from qtpy.QtGui import QAction

    from ...volumes import Study
    from ..window import Window


class HangingMenu(QMenu):
    """Hanging protocols that fit the study, then the others, and what can be done with them.

    Parameters
    ----------
    window : Window
    parent : QMenu
    """

    def __init__(self, window: Window, parent: QMenu) -> None:
        super().__init__("Hanging protocols", parent)
        self._window = window
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self.fill)
        window.signals.result_shown.connect(self._on_result)

    def fill(self) -> None:
        """List what there is now."""
        self.clear()
        study = self._window.study
        protocols = all_protocols()
        if study is not None:
            situation = situation_of(self._window.viewer.layers, study, self._window.studies)
            fitting = [p for p in protocols if p.when.score(situation) is not None]
            fitting.sort(key=lambda p: p.when.score(situation) or 0.0, reverse=True)
            for protocol in fitting:
                self._entry(protocol, "")
            others = [p for p in protocols if p not in fitting]
            if fitting and others:
                self.addSeparator()
            for protocol in others:
                self._entry(protocol, protocol.when.missing(situation))
        own, wrong = own_protocols()
        for error in wrong:
            action: QAction = self.addAction(f"⚠ {Path(error.where or '').name} cannot be used")
            action.setToolTip(str(error))
            action.triggered.connect(lambda _checked=False, error=error: show_error_dialog(error))
        self.addSeparator()
        saving: QAction = self.addAction("Save as…")
        saving.setToolTip("Keep what stands side by side now under a name")
        saving.setEnabled(self._window.grid_view.active)
        saving.triggered.connect(lambda _checked=False: self._ask_and_save())
        deleting = QMenu("Delete", self)
        deleting.setEnabled(bool(own))
        for protocol in own:
            gone: QAction = deleting.addAction(protocol.title.replace("&", "&&"))
            gone.triggered.connect(partial(self._on_delete, protocol))
        self.addMenu(deleting)
        after: QAction = self.addAction("Apply after each run")
        after.setToolTip("Lay the pictures out by the protocol that fits a new result best")
        after.setCheckable(True)
        after.setChecked(preference("view.hang_after_run"))
        after.triggered.connect(lambda on: set_preference("view.hang_after_run", on))

    def apply(self, protocol: HangingProtocol) -> HungCells:
        """Let the pictures stand as a protocol says; cells that cannot be filled say why.

        Raises
        ------
        SparseExplainError
            No study is open, or nothing of the protocol is there; the picture stays as it is.
        """
        study = self._window.needed_study()
        found = hung(protocol, list(self._window.viewer.layers), study, self._window.studies)
        if not found.filled:
            raise ParameterError(
                f"nothing of “{protocol.title}” is there ({'; '.join(dict.fromkeys(found.told))})",
                where=study.name,
                remedy="Choose another hanging protocol, or run what it shows first",
            )
        for layer, style in found.drawn:
            set_mask_style(layer, style)
        rows, columns = protocol.rows, protocol.columns
        if found.columns:
            rows, columns = len(found.cells) // found.columns, found.columns
        view = self._window.grid_view
        view.set_layout(Layout(rows, columns, protocol.one_large))
        view.show_cells(found.cells, told=found.told)
        if found.notes:
            self._window.show_message(" ".join(f"{note}." for note in found.notes))
        return found

    def save_as(self, title: str, *, overwrite: bool = False) -> HangingProtocol:
        """Keep what stands side by side under a name.

        Raises
        ------
        SparseExplainError
            Nothing stands side by side that a protocol can name, the name is none, one of it is
            there and ``overwrite`` is off, or the file cannot be written.
        """
        study, view = self._window.needed_study(), self._window.grid_view
        protocol, left_out = protocol_of(
            name_for(title), title, view.cells, view.layout, study, list(self._window.viewer.layers)
        )
        save_protocol(protocol, overwrite=overwrite)
        said = f"Saved as hanging protocol “{protocol.title}”."
        if left_out:
            said += f" {left_out} of its layers belong to no study and are not part of it."
        self._window.show_message(said)
        return protocol

    def _entry(self, protocol: HangingProtocol, missing: str) -> None:
        action: QAction = self.addAction(protocol.title.replace("&", "&&"))
        contents = (" + ".join(content.words for content in cell) for cell in protocol.cells)
        lines = [f"{number}: {words}" for number, words in enumerate(contents, 1)]
        if missing:
            lines.insert(0, f"It {missing}.")
        action.setToolTip("\n".join(lines))
        action.triggered.connect(partial(self._on_apply, protocol))

    def _on_apply(self, protocol: HangingProtocol, _checked: bool = False) -> None:
        try:
            self.apply(protocol)
        except SparseExplainError as error:
            show_error_dialog(error)

    def _on_delete(self, protocol: HangingProtocol, _checked: bool = False) -> None:
        try:
            delete_protocol(protocol.name)
        except SparseExplainError as error:
            show_error_dialog(error)

    def _ask_and_save(self) -> None:
        title, given = QInputDialog.getText(
            self, "Hanging protocol", "Name of what stands side by side:"
        )
        if not given:
            return
        try:
            name = name_for(title)
            there = {p.name: p.title for p in (*own_protocols()[0], *shipped_protocols())}
            if name in there and not self._replaces(there[name]):
                return
            self.save_as(title, overwrite=True)
        except SparseExplainError as error:
            show_error_dialog(error)

    def _replaces(self, title: str) -> bool:
        """Whether a person wants another one in the place of the one that is there."""
        asked = f"“{title}” is there already. Let this one take its place?"
        answer = QMessageBox.question(self, "Hanging protocol", asked)
        return answer == QMessageBox.StandardButton.Yes

    def _on_result(self, family: str) -> None:
        """A run ended: what fits its result best, where a person wants that."""
        study = self._window.study
        if study is None or not preference("view.hang_after_run"):
            return
        chosen = self.after_run(study, family)
        if chosen is not None:
            self._on_apply(chosen)

    def after_run(self, study: Study, family: str) -> HangingProtocol | None:
        """The protocol that is meant for results of a family and shows most of this one."""
        layers, studies = list(self._window.viewer.layers), self._window.studies
        meant = [p for p in all_protocols() if family in p.when.families]
        return best_protocol(
            meant,
            situation_of(layers, study, studies, family),
            lambda protocol: hung(protocol, layers, study, studies).filled,
        )
