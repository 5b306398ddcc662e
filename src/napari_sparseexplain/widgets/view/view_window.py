"""What the parts of the view (title, keys, jumps, planes) ask of the window beyond `Window`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ...review.review import Convention
from ..window import Window

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget


class ViewWindow(Window, Protocol):
    """The window as the parts of its view see it."""

    @property
    def convention(self) -> Convention:
        """Radiological: the patient's left on the right of the picture; or neurological."""
        ...

    @property
    def picture(self) -> QWidget:
        """The widget that the picture is drawn on: napari's canvas, or that of the cells."""
        ...

    def toggle_convention(self) -> None:
        """The other convention."""
        ...

    def step_slice(self, by: int, axis: int | None = None) -> None:
        """Scroll, staying inside the study; through the picture when no axis is given."""
        ...

    def wheel_scrolls(self) -> bool:
        """Whether the plain wheel scrolls slices."""
        ...

    def go_to_voxel(self, index: tuple[int, int, int]) -> None:
        """Show the slices through a voxel of the active study, in every plane."""
        ...

    def click(self, index: tuple[int, int, int]) -> None:
        """As if a voxel of the active study were clicked."""
        ...

    def fit(self) -> None:
        """Fit the active study into the canvas, or into every cell of the grid."""
        ...

    def show_keys(self) -> None:
        """The sheet of keys and mouse."""
        ...
