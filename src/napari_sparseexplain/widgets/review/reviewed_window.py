"""What a review reads of the window and puts back onto it: also the views, which no tab touches."""

from __future__ import annotations

from typing import Protocol

from ...layers.canvas.linked_cameras import LinkedCameras
from ...review.review import Convention
from ..view.fitted_view import FittedView
from ..view.modes import ViewModes
from ..view.view_window import ViewWindow


class ReviewedWindow(ViewWindow, Protocol):
    """The window as a review sees it."""

    @property
    def modes(self) -> ViewModes:
        """One view, side by side or three planes."""
        ...

    @property
    def fitted(self) -> FittedView:
        """Where the study fits the canvas."""
        ...

    @property
    def cameras(self) -> LinkedCameras:
        """The cameras of all views."""
        ...

    @property
    def busy(self) -> tuple[str, ...]:
        """Names of what is being computed now; a picture of it would show what was before."""
        ...

    def set_convention(self, convention: Convention) -> None:
        """Radiological or neurological, in every view."""
        ...
