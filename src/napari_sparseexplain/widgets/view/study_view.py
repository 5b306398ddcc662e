"""Where the one view is in the active study, and how it goes to another slice, voxel or plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...layers.canvas.linked_cameras import spatial_axes
from ...layers.canvas.orientation_letters import OrientationLetters, Plane, show_plane
from ...layers.canvas.slice_title import shown_index
from ...layers.open_studies import layers_of
from ...layers.study_layers import METADATA_KEY
from ...review.review import Convention
from ...volumes import Study
from ..parts.preferences import preference
from ..window import WindowSignals
from .fitted_view import FittedView
from .modes import ViewModes
from .title_in_picture import TitleInPicture

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Layer


class StudyView:
    """What the workspace does with its view; its parts are made there."""

    viewer: Viewer
    study: Study | None
    signals: WindowSignals
    letters: OrientationLetters
    modes: ViewModes
    fitted: FittedView
    title: TitleInPicture

    def layers_of(self, study: Study) -> list[Layer]:
        """Layers of a study's volumes, in layer-list order."""
        return layers_of(self.viewer, study)

    def study_layer(self, role: str) -> Layer | None:
        """Layer of one role of the active study; None when it was removed."""
        if self.study is not None:
            for layer in self.layers_of(self.study):
                if layer.metadata[METADATA_KEY].role == role:
                    return layer
        return None

    @property
    def current_slice(self) -> int:
        """Slice of the active study in the picture (or last in it, in another plane)."""
        return 0 if self.study is None else shown_index(self.viewer, self.study.grid, 0)

    def go_to_slice(self, index: int) -> None:
        """Show a slice of the active study."""
        if self.study is not None:
            axis = self.viewer.dims.ndim - 3
            self.viewer.dims.set_point(axis, index * self.study.grid.spacing[0])

    def step_slice(self, by: int, axis: int | None = None) -> None:
        """Scroll, staying inside the study.

        Parameters
        ----------
        axis : int, optional
            0 S, 1 P, 2 L; the one through the picture when not given.
        """
        axes = spatial_axes(self.viewer)
        if self.study is None or axes is None:
            return
        grid, axis = self.study.grid, axes[0] if axis is None else axis
        index = shown_index(self.viewer, grid, axis) + by
        index = min(max(index, 0), grid.shape[axis] - 1)
        self.viewer.dims.set_point(self.viewer.dims.ndim - 3 + axis, index * grid.spacing[axis])

    def wheel_scrolls(self) -> bool:
        """Whether the plain wheel scrolls slices: a study is open and Preferences say so."""
        return self.study is not None and preference("view.wheel") == "slices"

    def go_to_voxel(self, index: tuple[int, int, int]) -> None:
        """Show the slices through a voxel of the active study, in every plane."""
        if self.study is not None:
            leading = self.viewer.dims.ndim - 3
            axes = tuple(range(leading, leading + 3))
            point = tuple(n * v for n, v in zip(index, self.study.grid.spacing, strict=True))
            self.viewer.dims.set_point(axes, point)

    def fit(self) -> None:
        """Fit the active study into the canvas, or into every cell of the grid."""
        self.fitted.fit()

    def set_plane(self, plane: Plane) -> None:
        """Axial, coronal or sagittal."""
        show_plane(self.viewer, plane)
        self.fit()
        self.signals.plane_changed.emit(plane)

    @property
    def convention(self) -> Convention:
        """Radiological: the patient's left on the right of the picture; or neurological."""
        return self.letters.convention

    def set_convention(self, convention: Convention) -> None:
        """Radiological or neurological, in every view."""
        self.letters.set_convention(convention)
        if self.modes.views is not None:
            self.modes.views.set_convention(convention)
        self.title.write()
        self.signals.convention_changed.emit(convention)

    def toggle_convention(self) -> None:
        """The other convention."""
        radiological = self.convention == "radiological"
        self.set_convention("neurological" if radiological else "radiological")

    def focus_picture(self) -> None:
        """Let the keys go to the picture."""
        self.modes.focus_picture()
