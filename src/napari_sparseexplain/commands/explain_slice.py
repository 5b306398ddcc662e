"""`sparseexplain explain-slice`: everything that fits one slice, as a sheet."""

from __future__ import annotations

from typing import Annotated

import typer

from . import progress_bar
from .options import (
    ApplyTransforms,
    Device,
    Frame,
    Identify,
    Labels,
    ModelNames,
    Out,
    Overwrite,
    PatientAxes,
    Reference,
    Roles,
    StudyPath,
    TargetText,
    parse_frame,
    parse_roles,
)
from .told_study import told_study


def explain_slice(
    study_path: StudyPath,
    index: Annotated[int, typer.Option("--slice", min=0, help="Slice, counted from 0.")],
    out: Out,
    models: ModelNames = None,
    target: TargetText = None,
    frame: Frame = None,
    device: Device = "auto",
    randomisation: Annotated[
        bool,
        typer.Option(
            "--randomisation",
            help="Also make the maps of random weights: about seven times as many passes.",
        ),
    ] = False,
    reference: Reference = None,
    role: Roles = None,
    labels: Labels = "",
    patient_axes: PatientAxes = False,
    apply_transforms: ApplyTransforms = False,
    identify: Identify = False,
    overwrite: Overwrite = False,
) -> None:
    """Explain one slice by all that fits: mask, responses, components, two maps, and a verdict.

    Writes the results, one picture (sheet.png, sheet.json) and one page (sheet.pdf).
    """
    roles, points = parse_roles(role), parse_frame(frame)

    from ..explanation.slice_sheet.sheet_work import randomisation_work, slice_sheet_work
    from ..explanation.target import Target
    from ..export.report.slice_sheet import PAGE, PICTURE, RECORD, slice_sheet_files
    from ..files.atomic_write import check_free

    check_free([out / name for name in (PICTURE, RECORD, PAGE)], overwrite=overwrite)
    aim = None if target is None else Target.parse(target)
    study = told_study(
        study_path,
        reference=reference,
        patient_axes=patient_axes,
        roles=roles,
        label_numbering=labels,
        apply_transforms=apply_transforms,
    )
    work = slice_sheet_work(study, index, models=models, target=aim, device=device, frame=points)
    sheet = progress_bar.run(work, "explain-slice")
    if randomisation:
        sheet = progress_bar.run(randomisation_work(study, sheet), "randomisation")
    files = slice_sheet_files(sheet, study, out, identify=identify, overwrite=overwrite)
    written = progress_bar.run(files, "writing")
    for path in written.files:
        print(path)
    print(sheet.text())
    took = ", ".join(f"{part.title} {part.seconds:.1f}" for part in sheet.parts)
    print(f"seconds: {took}")
    for note in written.notes:
        print(f"note: {note}")
