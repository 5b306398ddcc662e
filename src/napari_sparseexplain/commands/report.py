"""`sparseexplain report`: pictures and a PDF of a review, or of a study with its explanations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import progress_bar
from .options import (
    Out,
    Overwrite,
    PatientAxes,
    Reference,
    Roles,
    UidKey,
    deidentification,
    parse_roles,
)

if TYPE_CHECKING:
    from ..review.reading import Reading


def report(
    path: Annotated[
        Path, typer.Argument(help="A saved review's folder, or a study (scan or folder).")
    ],
    out: Out,
    explanations: Annotated[
        list[Path] | None,
        typer.Option("--explanations", help="Output folder of `explain`. Repeat for more."),
    ] = None,
    study: Annotated[
        list[str] | None,
        typer.Option("--study", help="KEY=PATH: where a moved study of the review is now."),
    ] = None,
    elsewhere: Annotated[
        bool,
        typer.Option(
            "--elsewhere",
            help="Also read maps that the review names outside of its folder. Trust who made it.",
        ),
    ] = False,
    every: Annotated[
        int | None, typer.Option("--every", min=1, help="Every n-th slice, not the key slices.")
    ] = None,
    width: Annotated[int, typer.Option("--width", help="Pixels of a picture.")] = 1600,
    height: Annotated[int, typer.Option("--height", help="Pixels of a picture.")] = 1400,
    dpi: Annotated[float, typer.Option("--dpi", help="Pixels an inch of a picture.")] = 96.0,
    neurological: Annotated[
        bool, typer.Option("--neurological", help="Patient's left on the left.")
    ] = False,
    identify: Annotated[
        bool, typer.Option("--identify", help="Write names as they are (off: de-identified).")
    ] = False,
    dicom: Annotated[
        bool,
        typer.Option("--dicom", help="The pictures as DICOM Secondary Captures, too."),
    ] = False,
    uid_key: UidKey = None,
    reference: Reference = None,
    role: Roles = None,
    patient_axes: PatientAxes = False,
    overwrite: Overwrite = False,
) -> None:
    """Write report.pdf, a table of what was marked, and a picture (PNG, JSON) of every key slice.

    Of a review: as it was saved. Of a study: its scans, or each explanation over them, on the
    largest slice of the lesion. Nothing identifying is written unless asked for. Research only.
    """
    roles = parse_roles(role)
    moved = _moved(study)

    from dataclasses import replace

    from ..export.compositor import PictureSize
    from ..export.measurements import measurement_file
    from ..export.picture_series import every_slice, export_slices
    from ..export.report import write_report
    from ..review.default_review import default_reading
    from ..review.explanation_folder import load_explanations
    from ..review.store import is_review, restore_review
    from ..volumes import open_study
    from ..whole_file import refuse_existing

    size, file = PictureSize(width, height, dpi), out / "report.pdf"
    refuse_existing(file, overwrite)
    refuse_existing(measurement_file(file), overwrite)
    if is_review(path):
        reading: Reading = restore_review(path, moved=moved, elsewhere=elsewhere)
    else:
        opened = open_study(path, reference=reference, patient_axes=patient_axes, roles=roles)
        for finding in opened.findings:
            typer.echo(f"{finding.level}: {finding.message}", err=True)
        reading = default_reading(opened, load_explanations(explanations or [], opened))
    for finding in reading.findings:
        typer.echo(f"{finding.level}: {finding.message}", err=True)
    if neurological:
        reading = reading.with_review(replace(reading.review, convention="neurological"))
    slices = reading.review.key_slices if every is None else every_slice(reading, every)
    if dicom:
        from ..export.dicom_pictures import export_pictures_dicom

        # First: a study that did not come from DICOM is then refused before anything is written.
        captures = export_pictures_dicom(
            reading,
            out / "dicom",
            slices,
            size,
            identity=deidentification(uid_key, keep_identity=identify),
            overwrite=overwrite,
        )
        exported = progress_bar.run(captures, "DICOM")
        for written in exported.files:
            print(written)
        for said in exported.notes:
            print(f"note: {said}")
    work = export_slices(
        reading, out / "pictures", slices, size, identify=identify, overwrite=overwrite
    )
    for written in progress_bar.run(work, "pictures"):
        if written.suffix == ".png":
            print(written)
    done = write_report(reading, file, slices, identify=identify, overwrite=overwrite)
    print(progress_bar.run(done, "report"))
    if reading.review.annotations:
        print(measurement_file(file))


def _moved(given: list[str] | None) -> dict[str, str]:
    """``["study=/new/place"]`` as a mapping."""
    moved = {}
    for item in given or []:
        key, sign, place = item.partition("=")
        if not (sign and key and place):
            raise typer.BadParameter(f"{item!r} is not KEY=PATH", param_hint="--study")
        moved[key] = place
    return moved
