"""What a person marks in the open study: key slices and annotations, with their lists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QInputDialog, QVBoxLayout, QWidget

from ...errors import SparseExplainError
from ...layers.annotation_layers import AnnotationLayers
from ...layers.annotation_shapes import Tool
from ...layers.canvas.frame_in_picture import frame_in_picture, go_to_frame
from ...layers.canvas.slice_title import shown_index
from ...layers.viewer_panels import viewer_plane
from ...review.annotation import Annotation
from ...review.annotation_history import AnnotationHistory
from ...review.frames import key_slice_label
from ...review.review import KeySlice
from ...volumes import Study
from ...volumes.edge_letters import PLANES, Plane
from ..explain_tab import section_header
from .annotation_panel import AnnotationPanel, annotation_line
from .key_slice_panel import KeySlicePanel
from .mark_keys import MarkKeys
from .study_marks import OWN

if TYPE_CHECKING:
    from ..window import Window


class ReviewMarks(QWidget):
    """Key slices and annotations of every open study; those of the active one are shown.

    Signals
    -------
    said(str): what a person must know.
    changed(): a mark of the active study came, went or is another one.

    Attributes
    ----------
    ask_words : callable
        Asks for the words of a text; an empty answer takes the text back.
    """

    said = Signal(str)
    changed = Signal()

    def __init__(self, window: Window) -> None:
        super().__init__()
        self._window = window
        self._study: Study | None = None
        self._marks: dict[int, tuple[AnnotationHistory, tuple[KeySlice, ...]]] = {}
        self.ask_words: Callable[[str], str] = self._ask_label
        self.drawing = AnnotationLayers(cast(Any, window.viewer))
        self.drawing.on_change = self._on_drawn_change
        self.drawing.on_drawn = self._on_drawn
        self.keys = KeySlicePanel()
        self.annotating = AnnotationPanel()
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        box.addWidget(section_header("Key slices"))
        box.addWidget(self.keys)
        box.addWidget(section_header("Annotations"))
        box.addWidget(self.annotating)
        self.keys.marked.connect(self.mark_key_slice)
        self.keys.removed.connect(self.remove_key_slice)
        self.keys.sorted.connect(self.sort_key_slices)
        self.keys.stepped.connect(self.step_key_slice)
        self.keys.table.jumped.connect(self.go_to_key_slice)
        self.keys.table.edited.connect(self.write_note)
        self.annotating.tool_chosen.connect(lambda tool: self.draw(tool or None))
        self.annotating.edit_chosen.connect(self.edit_drawn)
        self.annotating.undo.connect(self.undo)
        self.annotating.redo.connect(self.redo)
        self.annotating.removed.connect(self.remove_annotation)
        self.annotating.table.jumped.connect(self.go_to_annotation)
        self.annotating.table.edited.connect(self.write_label)
        # After a list was used the keys of the picture work again, as printed on their sheet.
        for table in (self.keys.table, self.annotating.table):
            table.jumped.connect(lambda _: window.focus_picture())
            table.edited.connect(lambda *_: window.focus_picture())
        window.signals.grid_changed.connect(self._on_grid)
        self.hands = MarkKeys(cast(Any, window.viewer), self, self)
        self._show()

    @property
    def empty(self) -> bool:
        """Whether nothing was marked in the active study."""
        return not (self.annotations or self.key_slices)

    # -- which study -----------------------------------------------------------------------------

    def follow(self, study: Study | None) -> None:
        """Another study is active."""
        if study is not self._study:
            self._study = study
            self._show()

    def replace_study(self, old: Study, new: Study) -> None:
        """A study after an edit of its roles."""
        if id(old) in self._marks:
            self._marks[id(new)] = self._marks.pop(id(old))
        if self._study is old:
            self.follow(new)

    def close_study(self, study: Study) -> bool:
        """Let go of what was marked in a study; whether there was anything."""
        history, keys = self._marks.pop(id(study), (AnnotationHistory(), ()))
        if self._study is study:
            self.follow(None)
        return bool(history.present or keys)

    def put(self, annotations: tuple[Annotation, ...], keys: tuple[KeySlice, ...]) -> None:
        """Marks of a restored review, instead of those of the active study."""
        self._marks[id(self._study)] = (AnnotationHistory(annotations), keys)
        self._show()

    # -- marks -----------------------------------------------------------------------------------

    @property
    def history(self) -> AnnotationHistory:
        """Annotations of the active study, and what can be undone."""
        return self._of_study()[0]

    @property
    def annotations(self) -> tuple[Annotation, ...]:
        """Annotations of the active study."""
        return self.history.present

    @property
    def key_slices(self) -> tuple[KeySlice, ...]:
        """Key slices of the active study, in the order of the list."""
        return self._of_study()[1]

    def mark_key_slice(self, note: str = "") -> None:
        """Make the slice in the picture a key slice."""
        study, place = self._study, self._place()
        if study is None or place is None:
            return
        key = KeySlice(OWN, *place[:2], note, place[2])
        if any((k.plane, k.index, k.leading) == place for k in self.key_slices):
            self.said.emit(f"{key_slice_label(study, key)} is a key slice already.")
            return
        self._set_keys((*self.key_slices, key))
        # What *Remove* takes is the slice just marked, not one that was jumped to before.
        self.keys.table.selectRow(len(self.key_slices) - 1)

    def remove_key_slice(self, place: int) -> None:
        """Take one off the list."""
        if 0 <= place < len(self.key_slices):
            keys = self.key_slices
            self._set_keys((*keys[:place], *keys[place + 1 :]))

    def sort_key_slices(self) -> None:
        """Order them by plane, and upwards, backwards or to the left."""
        planes = list(PLANES)
        self._set_keys(
            tuple(
                sorted(self.key_slices, key=lambda k: (planes.index(k.plane), k.index, k.leading))
            )
        )

    def write_note(self, place: int, note: str) -> None:
        """Change the note of a key slice."""
        keys = list(self.key_slices)
        if 0 <= place < len(keys):
            keys[place] = replace(keys[place], note=note)
            self._set_keys(tuple(keys))

    def go_to_key_slice(self, place: int) -> None:
        """Show a key slice."""
        if 0 <= place < len(self.key_slices):
            key = self.key_slices[place]
            self._go_to(key.plane, key.index, key.leading)
            self.keys.table.selectRow(place)

    def step_key_slice(self, step: int) -> None:
        """The key slice after (1) or before (-1) the one in the list or in the picture."""
        count = len(self.key_slices)
        if not count:
            return
        here = self._place()
        now = None
        if here is not None:
            keys = enumerate(self.key_slices)
            now = next((i for i, k in keys if (k.plane, k.index) == here[:2]
                        and k.leading in ((), here[2])), None)  # fmt: skip
        if now is None:
            now = self.keys.table.chosen if self.keys.table.chosen >= 0 else (-1 if step > 0 else 0)
        self.go_to_key_slice((now + step) % count)

    def draw(self, tool: Tool | None) -> None:
        """Draw an annotation with the mouse; None ends it."""
        if self._study is not None and tool is not None:
            # In the grid every layer has a cell of its own: drawing needs the single view.
            self._window.grid_view.leave()
        self.drawing.draw(tool)
        self.annotating.show_tool(self.drawing.tool)

    def add_annotation(self, annotation: Annotation) -> None:
        """Add one, as if it were drawn."""
        self._set_history(self.history.add(replace(annotation, study=OWN)))

    def add_annotations(self, annotations: tuple[Annotation, ...]) -> None:
        """Add several, one after the other."""
        for annotation in annotations:
            self.add_annotation(annotation)

    def remove_annotation(self, place: int) -> None:
        """Delete one."""
        if 0 <= place < len(self.annotations):
            self._set_history(self.history.remove(place))

    def delete_chosen(self) -> None:
        """Delete the mark that is chosen in the list; the one drawn last is."""
        place = self.annotating.table.chosen
        if 0 <= place < len(self.annotations):
            item, study = self.annotations[place], self._study
            self.remove_annotation(place)
            calibrated = study is None or study.grid.calibrated
            words = annotation_line(item, calibrated, study=study)
            self.said.emit(f"Deleted: {words}. Ctrl+Z brings it back.")

    def write_label(self, place: int, text: str) -> None:
        """Change the words of an annotation."""
        items = list(self.annotations)
        if 0 <= place < len(items) and items[place].text != text:
            items[place] = replace(items[place], text=text)
            self._set_history(self.history.change(tuple(items)))

    def go_to_annotation(self, place: int) -> None:
        """Show the slice of an annotation."""
        if 0 <= place < len(self.annotations):
            item = self.annotations[place]
            self._go_to(item.plane, item.index, item.leading)
            self.drawing.select(place)

    def undo(self) -> None:
        """Take the last change of annotations back."""
        self._set_history(self.history.undo())

    def redo(self) -> None:
        """Do again what was undone."""
        self._set_history(self.history.redo())

    def _of_study(self) -> tuple[AnnotationHistory, tuple[KeySlice, ...]]:
        return self._marks.get(id(self._study), (AnnotationHistory(), ()))

    def _set_history(self, history: AnnotationHistory) -> None:
        if self._study is not None:
            self._marks[id(self._study)] = (history, self.key_slices)
            self._show()
            self.changed.emit()

    def _set_keys(self, keys: tuple[KeySlice, ...]) -> None:
        if self._study is not None:
            self._marks[id(self._study)] = (self.history, keys)
            self.keys.show_key_slices(keys, self._study)
            self.changed.emit()

    def _show(self) -> None:
        """Lists and layers anew."""
        self.drawing.show(self.annotations, self._study, OWN)
        self._show_lists()

    def _show_lists(self) -> None:
        history = self.history
        calibrated = self._study is None or self._study.grid.calibrated
        self.annotating.show_annotations(
            history.present,
            calibrated=calibrated,
            study=self._study,
            undo=bool(history.past),
            redo=bool(history.future),
        )
        self.annotating.show_tool(self.drawing.tool)
        self.keys.show_key_slices(self.key_slices, self._study)

    def _on_drawn_change(self, annotations: tuple[Annotation, ...]) -> None:
        """A person drew, moved or removed something; the layers show it already."""
        if self._study is not None:
            history = self.history.change(annotations)
            self._marks[id(self._study)] = (history, self.key_slices)
            self._show_lists()
            self.changed.emit()

    def _on_drawn(self, place: int) -> None:
        """Words belong to a text at once; other marks may get some in the list."""
        self.annotating.show_tool(None)
        if self.annotations[place].kind == "text":
            words = self.ask_words("Words at this place")
            if words:
                self.write_label(place, words)
            else:
                self._set_history(self.history.undo())
        self.annotating.table.selectRow(place)

    def edit_drawn(self) -> None:
        """Move and reshape what is drawn, with napari's own hands."""
        self._window.grid_view.leave()
        self.drawing.edit()
        self.annotating.show_tool(None)

    def _on_grid(self, active: bool) -> None:
        if not active:
            for layer in self.drawing.layers:
                layer.visible = True

    def _place(self) -> tuple[Plane, int, tuple[int, ...]] | None:
        """Plane, slice and frame in the picture."""
        study, viewer = self._study, cast(Any, self._window.viewer)
        if study is None:
            return None
        try:
            plane = viewer_plane(viewer)
        except SparseExplainError as error:
            self.said.emit(str(error))
            return None
        leading, _ = frame_in_picture(viewer, study)
        return plane, shown_index(viewer, study.grid, PLANES[plane][0]), leading

    def _go_to(self, plane: Plane, index: int, leading: tuple[int, ...]) -> None:
        study = self._study
        if study is None:
            return
        here = self._place()
        if here is None or here[0] != plane:
            self._window.set_plane(plane)
        go_to_frame(cast(Any, self._window.viewer), leading)
        axis = PLANES[plane][0]
        dims = self._window.viewer.dims
        dims.set_point(dims.ndim - 3 + axis, index * study.grid.spacing[axis])

    def _ask_label(self, question: str) -> str:
        words, accepted = QInputDialog.getText(self, "Review", question)
        return words.strip() if accepted else ""
