"""What of the window is worth keeping now, also while the picture itself is none to be kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ...errors import SparseExplainError
from ...review.default_review import default_reading
from ...review.reading import Reading
from ...volumes import Study
from .study_marks import OWN, Marks


class KeptReading:
    """The reading of the window as it is, or as it was with what is marked now.

    Parameters
    ----------
    read : callable
        The window's reading; raises `SparseExplainError` where there is none.
    """

    def __init__(self, read: Callable[[], Reading]) -> None:
        self._read = read
        self._pictured: Reading | None = None

    def state(self, study: Study | None, marks: Marks) -> Reading | None:
        """What is worth keeping of a study; None where nothing is."""
        if study is None or marks.empty or study.path is None:
            self._pictured = None
            return None
        try:
            self._pictured = self._read()
        except SparseExplainError:
            # In 3-D, or while a slice is computed, the picture is none to be kept: the one before
            # is, or the study as it opens, with what is marked now.
            before = self._pictured
            if before is None or before.studies.get(OWN) is not study:
                try:
                    before = default_reading(study)
                except SparseExplainError:
                    return None  # its files are gone, or it has no scan
            return before.with_review(
                replace(
                    before.review,
                    annotations=marks.annotations,
                    key_slices=marks.key_slices,
                    code=marks.code,
                )
            )
        return self._pictured
