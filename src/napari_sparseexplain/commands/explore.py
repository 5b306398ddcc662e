"""`sparseexplain explore`: what a labelled folder holds, before any model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import progress_bar
from .options import Overwrite


def explore(
    folder: Annotated[
        Path,
        typer.Argument(
            help="Folder of images and masks (images/, labels/), or of DICOM files with contours."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Also write a page (.html) and a table (.csv) in this folder."),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Class balance, sizes, positions, outliers, duplicates, leaks and masks that do not fit."""
    from ..explanation.data_explorer.dataset import explore_work
    from ..explanation.data_explorer.dataset_text import dataset_csv, dataset_text
    from ..files.atomic_write import check_free, write_together

    names = ("data.html", "data.csv")
    if out is not None:
        check_free([out / name for name in names], overwrite=overwrite)
    found = progress_bar.run(explore_work(folder), "exploring")
    print(dataset_text(found))
    if out is not None:
        from ..export.report.dataset_page import dataset_page

        out.mkdir(parents=True, exist_ok=True)
        contents: dict[str, str] = {
            names[0]: dataset_page(found),
            names[1]: dataset_csv(found),
        }
        for path in write_together(out, contents, overwrite=overwrite):
            print(path)
