"""One volume of a study: shown or not, its role, its file and how it lies."""

from __future__ import annotations

import nibabel as nib
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from ...layers.study_layers import role_title
from ...volumes import Study, Volume
from ...volumes.roles.roles import LABEL_ROLES, ROLES
from ..parts.elided_label import ElidedLabel

#: Pixels that the longest role and the arrow need.
_ROLE_WIDTH = 118


class VolumeRow(QWidget):
    """Two short lines, so that nothing is cut off in a narrow dock.

    Signals
    -------
    shown(str, bool): role, whether to show; role_edited(str, str): old and new role.
    """

    shown = Signal(str, bool)
    role_edited = Signal(str, str)

    def __init__(self, study: Study, volume: Volume, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.role = volume.role
        self.check = QCheckBox()
        self.check.setToolTip("Show or hide")
        self.check.toggled.connect(lambda on: self.shown.emit(self.role, on))
        self.combo = QComboBox()
        self.combo.setFixedWidth(_ROLE_WIDTH)
        why = f"Why: {volume.why}.\n" if volume.why else ""
        self.combo.setToolTip(f"{why}What this volume is. Choose another role if this is wrong.")
        known = LABEL_ROLES if volume.kind == "label" else ROLES
        for role in dict.fromkeys((volume.role, *known)):
            self.combo.addItem(role_title(role), role)
        self.combo.activated.connect(self._on_activated)
        file = ElidedLabel(file_name(volume), Qt.TextElideMode.ElideLeft)
        source = volume.source
        told = [str(p) for p in source.paths[:3]] or [source.locator or "In memory"]
        file.setToolTip("\n".join(told))
        first = QHBoxLayout()
        first.setSpacing(4)
        first.addWidget(self.check)
        first.addWidget(self.combo)
        first.addWidget(file, 1)
        text = geometry_text(volume) + resampling_text(study, volume.role) + why_text(volume)
        second = ElidedLabel(text, Qt.TextElideMode.ElideRight)
        second.setEnabled(False)
        second.setContentsMargins(20, 0, 0, 0)
        second.setToolTip(details_text(study, volume))
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 2)
        box.setSpacing(0)
        box.addLayout(first)
        box.addWidget(second)
        self.second: QLabel = second

    def set_shown(self, on: bool) -> None:
        """Follow the layer without answering it."""
        self.check.blockSignals(True)
        self.check.setChecked(on)
        self.check.blockSignals(False)

    def reset_role(self) -> None:
        """Back to the role that the volume has."""
        self.combo.setCurrentIndex(self.combo.findData(self.role))

    def _on_activated(self) -> None:
        new = self.combo.currentData()
        if new != self.role:
            self.role_edited.emit(self.role, new)


def file_name(volume: Volume) -> str:
    """The file's name, or the folder's and the number of files of a DICOM series."""
    paths = volume.source.paths
    if len(paths) > 1:
        return volume.source.description or f"{paths[0].parent.name} ({len(paths)} files)"
    known = volume.source.description or volume.source.locator
    return paths[0].name if paths else known or "in memory"


def geometry_text(volume: Volume) -> str:
    """Size, spacing and orientation as on file, short."""
    source = volume.source
    size = "×".join(str(n) for n in source.shape)
    if volume.leading:
        counts = "×".join(str(n) for n in volume.data.shape[: len(volume.leading)])
        size += f" × {counts} {', '.join(volume.leading)}"
    lengths = (source.affine[:3, :3] ** 2).sum(axis=0) ** 0.5
    spacing = "×".join(f"{v:.2f}".rstrip("0").rstrip(".") for v in lengths)
    unit = "mm" if volume.grid.calibrated else "px"
    codes = "".join(nib.aff2axcodes(source.affine)) if volume.grid.oriented else "no orientation"
    return f"{size} · {spacing} {unit} · {codes}"


def resampling_text(study: Study, role: str) -> str:
    """Whether the volume was resampled, short."""
    done = study.resamplings.get(role)
    return "" if done is None else f" · resampled ({done.interpolation})"


def why_text(volume: Volume) -> str:
    """Why the volume has its role, short."""
    return f" · {volume.why}" if volume.why else ""


def details_text(study: Study, volume: Volume) -> str:
    """Everything known, for the tooltip."""
    lines = [geometry_text(volume)]
    if volume.why:
        lines.append(f"Role {role_title(volume.role)}: {volume.why}")
    done = study.resamplings.get(volume.role)
    if done is not None:
        lines.append(
            f"Resampled to the grid of {role_title(done.reference)} by {done.interpolation} "
            "interpolation"
        )
    lines += [f"{key}: {value}" for key, value in volume.details.items() if key != "map"]
    return "\n".join(lines)
