"""What a tab or a panel may ask of the window that it stands in, and what the window tells it.

Tabs and panels know nothing else of the window, and nothing of each other: what one has to tell
another is a signal that the window connects, or a verb here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from qtpy.QtCore import QObject, Signal

from ..layers.canvas.orientation_letters import Plane
from ..layers.cells.grid_view import GridView
from ..layers.study_layers import LayerTuple
from ..review.reading import Reading
from ..volumes import Study
from .review.study_marks import Marks

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Layer


class WindowSignals(QObject):
    """What a window tells its tabs and panels.

    Signals
    -------
    study_changed(Study or None): another study is active, or the active one was edited.
    study_replaced(Study, Study): a study after an edit of its roles stands for the one before.
    study_closing(Study): a study is about to go; all of it is still in the picture.
    study_closed(Study, bool): a study goes; whether for the same one opened anew, on another grid.
    voxel_clicked(tuple): (slice, row, column) of the active study.
    slice_changed(int): the slice of the active study in the picture, once scrolling rests.
    grid_changed(bool): whether pictures stand side by side.
    plane_changed(str): axial, coronal or sagittal.
    convention_changed(str): radiological or neurological.
    window_changed(): window or level of a layer in the picture, once the hand rests.
    result_shown(str): a run ended, and its result is in the picture; the name of its tab.
    closing(): a person closes the window, and may still say no.
    """

    study_changed = Signal(object)
    study_replaced = Signal(object, object)
    study_closing = Signal(object)
    study_closed = Signal(object, bool)
    voxel_clicked = Signal(tuple)
    slice_changed = Signal(int)
    grid_changed = Signal(bool)
    plane_changed = Signal(str)
    convention_changed = Signal(str)
    window_changed = Signal()
    result_shown = Signal(str)
    closing = Signal()


class Window(Protocol):
    """The window as its tabs and panels see it."""

    @property
    def signals(self) -> WindowSignals:
        """What it tells; a parent of timers too, since it ends with the window."""
        ...

    @property
    def viewer(self) -> Viewer:
        """napari's viewer."""
        ...

    @property
    def grid_view(self) -> GridView:
        """Shows layers side by side, each in a cell."""
        ...

    @property
    def study(self) -> Study | None:
        """The active study."""
        ...

    @property
    def studies(self) -> list[Study]:
        """Open studies, in the order they came."""
        ...

    @property
    def current_slice(self) -> int:
        """Slice of the active study in the picture."""
        ...

    def needed_study(self) -> Study:
        """The active study; `SparseExplainError` where none is open."""
        ...

    def activate(self, study: Study) -> None:
        """Make an open study the active one."""
        ...

    def show_study(self, study: Study, layers: Sequence[LayerTuple] | None = None) -> None:
        """Add a study's layers and make it the active one; what was loaded before stays."""
        ...

    def close_study(self, study: Study, *, into: Study | None = None) -> None:
        """Close a study with everything found in it; ``into`` then has its layers."""
        ...

    def layers_of(self, study: Study) -> list[Layer]:
        """Layers of a study's volumes, in layer-list order."""
        ...

    def study_layer(self, role: str) -> Layer | None:
        """Layer of one role of the active study; None when it was removed."""
        ...

    def go_to_slice(self, index: int) -> None:
        """Show a slice of the active study."""
        ...

    def go_to_voxel(self, index: tuple[int, int, int]) -> None:
        """Show the slices through a voxel of the active study, in every plane."""
        ...

    def set_plane(self, plane: Plane) -> None:
        """Axial, coronal or sagittal."""
        ...

    def focus_picture(self) -> None:
        """Let the keys go to the picture."""
        ...

    def show_message(self, words: str) -> None:
        """Say something of a study that was opened, chosen or closed, once, in the Study tab."""
        ...

    def reading(self, marks: Marks) -> Reading:
        """What is on the screen with what was marked; `SparseExplainError` where that is none."""
        ...

    def show_reading(
        self,
        reading: Reading,
        layers: Mapping[str, Sequence[LayerTuple]] | None = None,
        mark: Callable[[Marks], None] = lambda marks: None,
    ) -> Marks:
        """Put a saved reading on the screen; see `put_on_window`."""
        ...
