"""Undo and redo for annotations, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

from .annotation import Annotation

Annotations = tuple[Annotation, ...]

#: Steps that can be undone.
DEPTH = 100


@dataclass(frozen=True)
class AnnotationHistory:
    """The annotations now, what they were before, and what was undone.

    Every change gives a new history, so that one held elsewhere stays as it was.
    """

    present: Annotations = ()
    past: tuple[Annotations, ...] = ()
    future: tuple[Annotations, ...] = ()

    def change(self, annotations: Annotations) -> AnnotationHistory:
        """The history after a person's change; what had been undone is gone."""
        if annotations == self.present:
            return self
        return AnnotationHistory(annotations, (*self.past, self.present)[-DEPTH:])

    def add(self, annotation: Annotation) -> AnnotationHistory:
        """The history after one more annotation."""
        return self.change((*self.present, annotation))

    def remove(self, place: int) -> AnnotationHistory:
        """The history after the annotation at ``place`` was removed."""
        return self.change((*self.present[:place], *self.present[place + 1 :]))

    def undo(self) -> AnnotationHistory:
        """One step back; the same when there is none."""
        if not self.past:
            return self
        return AnnotationHistory(self.past[-1], self.past[:-1], (self.present, *self.future))

    def redo(self) -> AnnotationHistory:
        """One undone step forward again; the same when there is none."""
        if not self.future:
            return self
        return AnnotationHistory(self.future[0], (*self.past, self.present), self.future[1:])
