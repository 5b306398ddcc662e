"""Study: what was found, the role of each volume, orientation, spacing, resampling done."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
)

from ...errors import SparseExplainError
from ...layers.canvas.orientation_letters import PLANES, Plane
from ...layers.open_studies import study_at
from ...layers.study_layers import LayerTuple, ordered_roles, role_title, study_layers
from ...progress import Progress, Work
from ...volumes import Finding, Study
from ...volumes.readers import dialog_filter
from ..explain_tab import ExplainTab
from ..parts.notices import show_error_dialog, show_finding
from ..parts.study_choice import StudyChoice
from ..parts.wrapped_label import wrapped_label
from .label_numbering_choice import LabelNumberingChoice
from .volume_row import VolumeRow

if TYPE_CHECKING:
    from ..window import Window

_SIGNS = {"warning": ("⚠", "#E69F00"), "info": ("ℹ", "#56B4E9")}


@dataclass(eq=False)
class _Replaced:
    """The study that one being opened is to replace, as it is now: its roles may be edited."""

    study: Study


@dataclass(frozen=True, eq=False)
class _Opened:
    """A study that was read, and the one whose place it takes, if it was opened for that."""

    study: Study
    layers: list[LayerTuple]
    replaces: _Replaced | None


def _open_work(
    path: Path,
    reference: str | None,
    patient_axes: bool,
    roles: dict[str, str] | None,
    replaces: _Replaced | None,
    apply_transforms: bool,
) -> Work[_Opened]:
    """Read a study and make its layers, away from the window's thread."""
    from ...volumes.opening.open_study import open_study_work

    study = yield from open_study_work(
        path,
        reference=reference,
        patient_axes=patient_axes,
        roles=roles,
        roles_of=None if replaces is None else replaces.study,
        apply_transforms=apply_transforms,
    )
    yield Progress(0, 0, "Preparing the layers")
    return _Opened(study, study_layers(study), replaces)


class StudyTab(ExplainTab):
    """Open a study, see what was found, mend what was told wrongly.

    Signals
    -------
    opened(Study, list, Study or None): a study was read, with its layers; whose place it takes.
    edited(Study, Study): a study, and the same one with other roles or labels.
    close_pressed(Study): a study is to be closed.
    """

    name = "study"
    title = "Study"
    opened = Signal(object, object, object)
    edited = Signal(object, object)
    close_pressed = Signal(object)

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._viewer = window.viewer
        self.rows: dict[str, VolumeRow] = {}
        self._opening: _Replaced | None = None
        self._plane_buttons: dict[str, QPushButton] = {}

        self.choice = StudyChoice(window)
        self.what.addRow("Active", self.choice)
        self.reference = QComboBox()
        self.reference.setToolTip("The scan to whose grid the others are resampled")
        self.reference.activated.connect(self._on_reference)
        self.what.addRow("Reference", self.reference)
        self.numbering = LabelNumberingChoice()
        self.numbering.chosen.connect(self._on_numbering)
        self.what.addRow("Labels", self.numbering)

        self.open_file = self.run_bar.add_button("Open file…", "A NIfTI, DICOM or picture file")
        self.open_folder = self.run_bar.add_button(
            "Open folder…", "A folder of a study (BraTS, BIDS, DICOM, any names)"
        )
        self.close_button = self.run_bar.add_button(
            "Close", "Close the active study and all its results"
        )
        self.close_button.clicked.connect(self._close)
        self.open_file.clicked.connect(self._choose_file)
        self.open_folder.clicked.connect(self._choose_folder)
        self.extras.addLayout(self._view_row())

        self.results.hide()
        self._volumes = QVBoxLayout()
        self._volumes.setSpacing(2)
        self.results_box.addLayout(self._volumes)
        self.patient_axes = QPushButton("Resample to patient axes")
        self.patient_axes.setToolTip(
            "The slices are tilted against the patient's axes. Resampling straightens them; the "
            "files stay unchanged."
        )
        self.patient_axes.clicked.connect(self._resample_to_patient_axes)
        self.results_box.addWidget(self.patient_axes)
        self.transforms = QPushButton("Apply transforms")
        self.transforms.setToolTip(
            "Files beside the scans say how they were registered (ITK or FSL). Applying them "
            "moves every scan to the reference; the files stay unchanged."
        )
        self.transforms.clicked.connect(self._apply_transforms)
        self.results_box.addWidget(self.transforms)
        self.findings = wrapped_label()
        self.results_box.addWidget(self.findings)

        self.runner.succeeded.connect(self._on_opened)
        window.signals.study_changed.connect(self.show_study)
        window.signals.study_replaced.connect(self._on_study_replaced)
        window.signals.study_closed.connect(self._on_study_closed)
        window.signals.plane_changed.connect(
            lambda plane: self._plane_buttons[plane].setChecked(True)
        )
        self.show_study(window.study)

    def what_header(self) -> str:
        """Part one is the study itself."""
        return "Study"

    def results_header(self) -> str:
        """Part three is what was found."""
        return "What was found"

    def open_path(
        self,
        path: str | Path,
        *,
        reference: str | None = None,
        patient_axes: bool = False,
        roles: dict[str, str] | None = None,
        replaces: Study | None = None,
        apply_transforms: bool = False,
    ) -> None:
        """Open a study in the background; its layers come when it was read.

        One that is open already is shown again, with what was found in it; where it is asked for
        with other choices it is opened anew in its own place.

        Parameters
        ----------
        replaces : Study, optional
            The same study as it lies in the viewer: its volumes keep their roles, and its layers
            make way for the new ones once they are read.
        apply_transforms : bool
            As of `open_study`; a study that is opened anew keeps what was applied.
        """
        place = Path(path).expanduser()
        if replaces is None and (there := study_at(self._viewer, place)) is not None:
            if reference is None and roles is None and not (patient_axes or apply_transforms):
                self._window.activate(there)
                self.run_bar.show_message(open_already(there))
                return
            replaces = there
        former = None if replaces is None else _Replaced(replaces)
        moved = apply_transforms or (replaces is not None and _has(replaces, "transforms-applied"))
        if self.runner.start(
            lambda: _open_work(place, reference, patient_axes, roles, former, moved)
        ):
            self._opening = former
        elif replaces is not None and replaces is self._window.study:
            # Refused: the form shows again what is.
            self.reference.setCurrentIndex(self.reference.findData(replaces.reference))

    def show_study(self, study: Study | None) -> None:
        """Fill the form."""
        self._clear_rows()
        self.run_bar.disable(() if study is not None else {self.close_button})
        self.reference.clear()
        self.reference.setEnabled(study is not None and len(study.images) > 1)
        self.what.setRowVisible(self.numbering, self.numbering.show_study(study))
        oblique = study is not None and study.grid.is_oblique and study.path is not None
        self.patient_axes.setVisible(oblique)
        self.transforms.setVisible(
            study is not None and study.path is not None and _has(study, "transforms-found")
        )
        if study is None:
            self.findings.setText(
                "Open a study, drop one on the picture, or try File › Open Sample."
            )
            return
        for role in study.images:
            self.reference.addItem(role_title(role), role)
        self.reference.setCurrentIndex(self.reference.findData(study.reference))
        for role in ordered_roles(study):
            row = VolumeRow(study, study[role])
            row.shown.connect(self._on_shown)
            row.role_edited.connect(self._on_role)
            self.rows[role] = row
            self._volumes.addWidget(row)
        self.findings.setText("<br>".join(_finding_html(f) for f in _notable(study)))
        self.follow_layers()

    def follow_layers(self) -> None:
        """Let the check boxes follow the layers' own eyes."""
        for role, row in self.rows.items():
            layer = self._window.study_layer(role)
            row.setEnabled(layer is not None)
            row.set_shown(layer is not None and layer.visible)

    def _view_row(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(4)
        self.planes = QButtonGroup(self)
        for plane in PLANES:
            button = QPushButton(plane.capitalize())
            button.setCheckable(True)
            button.setChecked(plane == "axial")
            button.clicked.connect(partial(self._show_plane, plane))
            self.planes.addButton(button)
            self._plane_buttons[plane] = button
            line.addWidget(button)
        line.addStretch(1)
        self.side_by_side = QPushButton("Side by side")
        self.side_by_side.setToolTip("All volumes of the study in a grid, on the same slice")
        self.side_by_side.setCheckable(True)
        self.side_by_side.clicked.connect(self._on_side_by_side)
        self._window.signals.grid_changed.connect(self.side_by_side.setChecked)
        line.addWidget(self.side_by_side)
        return line

    def _show_plane(self, plane: Plane, _checked: bool = False) -> None:
        self._window.set_plane(plane)

    def _clear_rows(self) -> None:
        for row in self.rows.values():
            self._volumes.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows = {}

    def _choose_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open a scan", "", dialog_filter())
        if path:
            self.open_path(path)

    def _choose_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Open a study's folder")
        if path:
            self.open_path(path)

    def _close(self) -> None:
        if (study := self._window.study) is not None:
            self.run_bar.show_message(f"Closed {study.name}.")
            with self.run_bar.keeping():
                self.close_pressed.emit(study)

    def _on_opened(self, opened: _Opened) -> None:
        study = opened.study
        replaced = None if opened.replaces is None else opened.replaces.study
        self.run_bar.show_message(f"Opened {study.name}.", of=study)
        self.opened.emit(study, opened.layers, replaced)
        for finding in study.warnings:
            show_finding(finding)

    def _on_study_replaced(self, old: Study, new: Study) -> None:
        """The study that is being opened anew had its roles edited meanwhile."""
        if self._opening is not None and self._opening.study is old:
            self._opening.study = new

    def _on_study_closed(self, study: Study, _reopened: bool) -> None:
        """It is no more: to open it anew is no longer wanted."""
        if self._opening is not None and self._opening.study is study:
            self._opening = None
            self.runner.cancel()

    def _on_shown(self, role: str, on: bool) -> None:
        layer = self._window.study_layer(role)
        if layer is None:
            return
        grid = self._window.grid_view
        if grid.active:
            grid.add([layer]) if on else grid.discard([layer])
        else:
            layer.visible = on

    def _on_role(self, old: str, new: str) -> None:
        study = self._window.study
        if study is None:
            return
        try:
            edited = study.with_role(old, new)
        except SparseExplainError as error:
            self.rows[old].reset_role()
            show_error_dialog(error)
            return
        self.edited.emit(study, edited)

    def _on_numbering(self, name: str) -> None:
        study = self._window.study
        if study is not None:
            self.edited.emit(study, study.with_label_numbering(name))

    def _on_reference(self) -> None:
        study, role = self._window.study, self.reference.currentData()
        if study is not None and study.path is not None and role != study.reference:
            self.open_path(study.path, reference=role, replaces=study)

    def _resample_to_patient_axes(self) -> None:
        study = self._window.study
        if study is not None and study.path is not None:
            self.open_path(
                study.path,
                reference=study.reference,
                patient_axes=True,
                replaces=study,
            )

    def _apply_transforms(self) -> None:
        study = self._window.study
        if study is not None and study.path is not None:
            self.open_path(
                study.path,
                reference=study.reference,
                patient_axes=_has(study, "patient-axes"),
                replaces=study,
                apply_transforms=True,
            )

    def _on_side_by_side(self, on: bool) -> None:
        if not on:
            self._window.grid_view.leave()
            return
        study = self._window.study
        layers = [] if study is None else self._window.layers_of(study)
        self._window.grid_view.show(layers)


def open_already(study: Study) -> str:
    """What is said where a study is opened that is open."""
    return f"{study.name} is open already. To read its files anew, close it first."


def _has(study: Study, code: str) -> bool:
    return any(finding.code == code for finding in study.findings)


def _notable(study: Study) -> list[Finding]:
    """Warnings first."""
    return sorted(study.findings, key=lambda finding: finding.level != "warning")


def _finding_html(finding: Finding) -> str:
    sign, colour = _SIGNS[finding.level]
    where = f"<b>{finding.where}</b> " if finding.where else ""
    return f'<span style="color:{colour}">{sign}</span> {where}{finding.message}'
