"""The one kind of error a person can cause: what was found, where, and what to do."""

from __future__ import annotations

from pathlib import Path


class SparseExplainError(Exception):
    """An input that cannot be used, said so that a person can mend it.

    The command line prints it as one line and exits with status 1; the widgets show it as
    a napari notification. It never stands for a programming mistake.

    Parameters
    ----------
    what : str
        What was found, one sentence without a full stop.
    where : str or Path, optional
        The file, folder, role or parameter concerned.
    remedy : str, optional
        What the person can do about it, one sentence without a full stop.
    """

    def __init__(
        self, what: str, *, where: str | Path | None = None, remedy: str | None = None
    ) -> None:
        self.what = what
        self.where = None if where is None else str(where)
        self.remedy = remedy
        head = f"{self.where}: {what}" if self.where else what
        super().__init__(f"{head}. {remedy}." if remedy else f"{head}.")


class ReadError(SparseExplainError):
    """A file or folder that could not be read as an image, mask or study."""


class ModelError(SparseExplainError):
    """A model bundle that is missing, damaged, or does not fit the study."""


class StudyError(SparseExplainError):
    """A study that lacks what was asked of it (a role, a mask, an overlap, a dimension)."""


class CancelledError(SparseExplainError):
    """The person pressed Cancel; what was there before is still there."""
