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

    Examples
    --------
    >>> import napari_sparseexplain as se
    >>> try:
    ...     se.open_study("no_such_folder")
    ... except se.SparseExplainError as error:
    ...     print(error)
    no_such_folder: there is no such file or folder. Check the path.
    """

    def __init__(
        self, what: str, *, where: str | Path | None = None, remedy: str | None = None
    ) -> None:
        self.what = what
        self.where = None if where is None else str(where)
        self.remedy = remedy
        head = f"{self.where}: {what}" if self.where else what
        super().__init__(f"{head}. {remedy}." if remedy else f"{head}.")


class ReadError(SparseExplainError, OSError):
    """A file or folder that could not be read as an image, mask or study.

    Also an ``OSError``, as what Python itself raises for a file that cannot be read.
    """


class ModelError(SparseExplainError):
    """A model bundle that is missing, damaged, or does not fit the study."""


class StudyError(SparseExplainError):
    """A study that lacks what was asked of it (a role, a mask, an overlap, a dimension)."""


class ParameterError(SparseExplainError, ValueError):
    """A parameter of a method that there is not, or a value that it cannot have.

    Also a ``ValueError``.
    """


class MissingNameError(StudyError, KeyError):
    """A volume of a study, or a map of an explanation, that is not there under this name.

    Also a ``KeyError``, as of any mapping.
    """

    def __str__(self) -> str:
        # A KeyError shows its message as a key: in quotes.
        return str(self.args[0])


class CancelledError(SparseExplainError):
    """The person pressed Cancel; what was there before is still there."""


#: Errors that a decoder did not mean to raise: damaged bytes led it astray.
_ASTRAY = (
    TypeError,
    AttributeError,
    LookupError,
    AssertionError,
    ArithmeticError,
    NameError,
    RecursionError,
    StopIteration,
)


def reason_of(error: BaseException) -> str:
    """Why a file could not be read, in at most a line, from an error of the library that read it.

    Where the library says what is wrong with the file, in its words; where it only fell over it,
    that the file is damaged.
    """
    if isinstance(error, MemoryError):
        return "it needs more memory than this machine can give"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if isinstance(error, _ASTRAY) or not lines:
        return "the file is damaged"
    return lines[0][:200]
