"""What the Data tab asks of a set, without Qt: run it in a worker."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...files.atomic_write import write_atomically
from ...progress import Progress, Work

if TYPE_CHECKING:
    from ...explanation.data_explorer.data_item import DataItem
    from ...explanation.data_explorer.dataset import Dataset
    from ...explanation.data_explorer.slice_reader import SliceReader
    from ...volumes import Study

#: Files that a set can be written as, by ending.
KINDS = {"html": "HTML page", "pdf": "PDF", "csv": "table"}


class DataSession:
    """Explores sets, reads their slices, writes their pages."""

    def __init__(self) -> None:
        self._reader: SliceReader | None = None

    def explore_work(self, places: Sequence[Path], scan: str) -> Work[Dataset]:
        """All that is known of a set.

        Raises
        ------
        ReadError
            There is nothing that can be read.
        """
        yield Progress(0, 0, "Loading the explorer")
        from ...explanation.data_explorer.dataset import explore_work

        return (yield from explore_work(*places, scan=scan))

    def opened(self, item: DataItem) -> tuple[Study, int]:
        """What the window shows of a slice, and which slice of that.

        Raises
        ------
        SparseExplainError
            Gone or changed since it was measured.
        """
        from ...explanation.data_explorer.slice_reader import SliceReader

        self._reader = self._reader or SliceReader()
        return self._reader.study(item)

    def save_work(self, found: Dataset, path: Path) -> Work[Path]:
        """Write a set as what the ending of a path says: html, pdf or csv.

        Raises
        ------
        SparseExplainError
            The file cannot be written.
        """
        from ...explanation.data_explorer.dataset_text import dataset_csv

        content: str | bytes
        if path.suffix == ".csv":
            yield Progress(0, 0, "Writing the table")
            content = dataset_csv(found)
        elif path.suffix == ".pdf":
            from ...export.report.dataset_pdf import dataset_pdf_work

            content = yield from dataset_pdf_work(found)
        else:
            from ...export.report.dataset_page import dataset_page_work

            content = yield from dataset_page_work(found)
        return write_atomically(path, content, overwrite=True)  # the dialog has asked
