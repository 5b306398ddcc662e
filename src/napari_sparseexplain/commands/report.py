"""`sparseexplain report`: pictures and a PDF of a review, or of a study with its explanations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import progress_bar
from .options import (
    ApplyTransforms,
    Labels,
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
    from collections.abc import Sequence

    from ..export.dicom.deidentification import Deidentification
    from ..export.pictures.compositor import PictureSize
    from ..review.reading import Reading
    from ..review.review import KeySlice


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
        typer.Option(
            "--dicom",
            help="DICOM objects, too: the pictures, the measurements (SR), the views (GSPS).",
        ),
    ] = False,
    uid_key: UidKey = None,
    reference: Reference = None,
    role: Roles = None,
    labels: Labels = "",
    patient_axes: PatientAxes = False,
    apply_transforms: ApplyTransforms = False,
    overwrite: Overwrite = False,
) -> None:
    """Write report.pdf, a table of what was marked, and a picture (PNG, JSON) of every key slice.

    Of a review: as it was saved. Of a study: its scans, or each explanation over them, on the
    largest slice of the lesion. Nothing identifying is written unless asked for. Research only.
    """
    roles = parse_roles(role)
    moved = _moved(study)

    from dataclasses import replace

    from ..export.pictures.compositor import PictureSize
    from ..export.pictures.picture_series import capture_name, every_slice, picture_name
    from ..export.report.measurements import measurement_file
    from ..files.atomic_write import check_free, remove_file
    from ..review.default_review import default_reading
    from ..review.explanation_folder import load_explanations
    from ..review.store import is_review, restore_review
    from ..volumes import open_study

    size, file = PictureSize(width, height, dpi), out / "report.pdf"
    check_free([file, measurement_file(file)], overwrite=overwrite)
    if is_review(path):
        reading: Reading = restore_review(path, moved=moved, elsewhere=elsewhere)
    else:
        opened = open_study(
            path,
            reference=reference,
            patient_axes=patient_axes,
            roles=roles,
            label_numbering=labels,
            apply_transforms=apply_transforms,
        )
        for finding in opened.findings:
            typer.echo(f"{finding.level}: {finding.words()}", err=True)
        reading = default_reading(opened, load_explanations(explanations or [], opened))
    for finding in reading.findings:
        typer.echo(f"{finding.level}: {finding.words()}", err=True)
    if neurological:
        reading = reading.with_review(replace(reading.review, convention="neurological"))
    slices = reading.review.key_slices if every is None else every_slice(reading, every)
    names = [picture_name(place, key) for place, key in enumerate(slices)]
    planned = [out / "pictures" / name for name in names]
    planned += [path.with_suffix(".json") for path in planned]
    if dicom:
        from ..export.dicom.reading_measurements import report_names
        from ..export.dicom.reading_views import view_names

        beside = (*report_names(reading).values(), *view_names(reading).values())
        planned += [out / "dicom" / capture_name(place, key) for place, key in enumerate(slices)]
        planned += [out / "dicom" / name for name in beside]
    check_free(planned, overwrite=overwrite)
    made, notes = _write(
        reading,
        file,
        slices,
        size,
        identity=deidentification(uid_key, keep_identity=identify) if dicom else None,
        identify=identify,
        overwrite=overwrite,
    )
    if not reading.review.annotations:
        remove_file(measurement_file(file))
    for written in made:
        if written.suffix != ".json":
            print(out / written)
    for said in notes:
        print(f"note: {said}")


def _write(
    reading: Reading,
    file: Path,
    slices: Sequence[KeySlice],
    size: PictureSize,
    *,
    identity: Deidentification | None,
    identify: bool,
    overwrite: bool,
) -> tuple[list[Path], tuple[str, ...]]:
    """Write all, or nothing: whatever fails or is cancelled, no half of a report is left."""
    from ..export.pictures.picture_series import export_slices
    from ..export.privacy.policy import policy_for
    from ..export.report.document import write_report
    from ..files.atomic_write import moved_together, remove_empty

    policy = policy_for(reading.studies.values(), identify=identify)
    notes: tuple[str, ...] = ()
    missing = [place for place in (file.parent, *file.parent.parents) if not place.exists()]
    try:
        with moved_together(file.parent, overwrite=overwrite) as making:
            if identity is not None:
                from ..export.dicom.pictures import export_pictures_dicom

                captures = export_pictures_dicom(
                    reading, making / "dicom", slices, size, identity=identity
                )
                notes = progress_bar.run(captures, "DICOM").notes
                notes += _beside_pictures(reading, making / "dicom", identity)
            pictures = export_slices(reading, making / "pictures", slices, size, policy=policy)
            progress_bar.run(pictures, "pictures")
            pages = write_report(reading, making / file.name, slices, policy=policy)
            progress_bar.run(pages, "report")
            made = [p.relative_to(making) for p in sorted(making.rglob("*")) if p.is_file()]
    except BaseException:
        remove_empty(missing[::-1])
        raise
    return made, tuple(dict.fromkeys((*notes, *policy.notes())))


def _beside_pictures(reading: Reading, folder: Path, identity: Deidentification) -> tuple[str, ...]:
    """Measurements and views as DICOM objects; what a person must know of them."""
    from ..export.dicom.reading_measurements import export_measurements_dicom
    from ..export.dicom.reading_views import export_views_dicom

    measured = progress_bar.run(
        export_measurements_dicom(reading, folder, identity=identity), "measurements"
    )
    views = progress_bar.run(export_views_dicom(reading, folder, identity=identity), "views")
    return (*measured.notes, *views.notes)


def _moved(given: list[str] | None) -> dict[str, str]:
    """``["study=/new/place"]`` as a mapping."""
    moved = {}
    for item in given or []:
        key, sign, place = item.partition("=")
        if not (sign and key and place):
            raise typer.BadParameter(f"{item!r} is not KEY=PATH", param_hint="--study")
        moved[key] = place
    return moved
