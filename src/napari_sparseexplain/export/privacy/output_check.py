"""The last look: every text of what was made, before it gets its final name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import SparseExplainError
from ...files.atomic_write import moved_together
from .file_texts import HEADER_BYTES, SaidText, texts_of
from .identity import Found
from .policy import ExportPolicy


@contextmanager
def released_together(
    folder: Path, policy: ExportPolicy, *, overwrite: bool = True
) -> Iterator[Path]:
    """A hidden folder whose files are searched and then moved to ``folder``, all or none.

    As `moved_together`, with the check between.

    Raises
    ------
    SparseExplainError
        A file holds what tells who was examined, or the folder cannot be written.
    """
    with moved_together(folder, overwrite=overwrite) as temporary:
        yield temporary
        check_folder(temporary, policy)


def check_folder(folder: Path, policy: ExportPolicy) -> None:
    """Search all files below a folder.

    Raises
    ------
    SparseExplainError
        One holds what tells who was examined. Names the file, what of it, and where the value was
        told, and not the value.
    """
    if policy.identify:
        return
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            check_content(path.name, _read(path), policy)


def _read(path: Path) -> bytes:
    with open(path, "rb") as stream:
        return stream.read(HEADER_BYTES if path.name.endswith((".nii", ".nii.gz")) else -1)


def check_content(name: str, content: bytes, policy: ExportPolicy) -> None:
    """Search a file that is still in memory; see `check_folder`."""
    if not policy.identify:
        check_texts(name, texts_of(name, content), policy)


def check_texts(name: str, texts: Iterable[SaidText], policy: ExportPolicy) -> None:
    """Search texts of which a file is made; see `check_folder`."""
    if policy.identify:
        return
    for where, said in texts:
        for found in policy.identity.in_output(said, policy.allowed):
            if found.refuses:
                raise _refusal(name, where, found)


def _refusal(name: str, where: str, found: Found) -> SparseExplainError:
    return SparseExplainError(
        f"{where} of {name} would tell who was examined: it holds the {found.keyword} of the "
        "files, so nothing was written",
        where="export",
        remedy="Change the words that hold it, or write names as they are (--identify)",
    )
