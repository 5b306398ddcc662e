"""`sparseexplain explore`: what a labelled folder holds, before any model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import progress_bar
from .options import Overwrite


def explore(
    places: Annotated[
        list[Path],
        typer.Argument(
            metavar="FOLDER | STUDY…",
            help="Folder of images and masks (images/, labels/), or of DICOM files with contours; "
            "or studies with masks, and folders of these.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Also write a page (.html, .pdf) and a table (.csv) in this folder."
        ),
    ] = None,
    scan: Annotated[
        str, typer.Option("--scan", help="Of studies: the scan to measure (flair, t1ce, …).")
    ] = "",
    overwrite: Overwrite = False,
) -> None:
    """Class balance, sizes, positions, outliers, duplicates, leaks and masks that do not fit."""
    from ..explanation.data_explorer.dataset import explore_work
    from ..explanation.data_explorer.dataset_text import dataset_csv, dataset_text
    from ..files.atomic_write import check_free, write_together

    names = ("data.html", "data.pdf", "data.csv")
    if out is not None:
        check_free([out / name for name in names], overwrite=overwrite)
    found = progress_bar.run(explore_work(*places, scan=scan), "exploring")
    print(dataset_text(found))
    if out is not None:
        from ..export.report.dataset_page import dataset_page_work
        from ..export.report.dataset_pdf import dataset_pdf_work

        out.mkdir(parents=True, exist_ok=True)
        contents: dict[str, str | bytes] = {
            names[0]: progress_bar.run(dataset_page_work(found), "page"),
            names[1]: progress_bar.run(dataset_pdf_work(found), "PDF"),
            names[2]: dataset_csv(found),
        }
        for path in write_together(out, contents, overwrite=overwrite):
            print(path)
