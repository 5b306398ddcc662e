"""`sparseexplain export-dicom`: a saved explanation as DICOM objects beside the scan's images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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


def export_dicom(
    result: Annotated[Path, typer.Argument(help="Folder that `sparseexplain explain` wrote.")],
    study_path: Annotated[
        Path, typer.Option("--study", help="The DICOM study that was explained.")
    ],
    out: Out,
    name: Annotated[
        list[str] | None,
        typer.Option("--name", help="Which explanation of the folder; all if left out."),
    ] = None,
    maps: Annotated[
        list[str] | None, typer.Option("--map", help="Which map; all if left out.")
    ] = None,
    picture: Annotated[
        list[Path] | None,
        typer.Option("--picture", help="PNG to write as Secondary Capture. Repeat for more."),
    ] = None,
    picture_shows_identity: Annotated[
        bool,
        typer.Option(
            "--picture-shows-identity", help="The pictures have the patient's name drawn in them."
        ),
    ] = False,
    keep_identity: Annotated[
        bool, typer.Option("--keep-identity", help="Keep names, numbers, dates and UIDs.")
    ] = False,
    uid_key: UidKey = None,
    reference: Reference = None,
    role: Roles = None,
    labels: Labels = "",
    patient_axes: PatientAxes = False,
    apply_transforms: ApplyTransforms = False,
    overwrite: Overwrite = False,
) -> None:
    """Write a saved explanation as DICOM: masks as SEG, values as Parametric Map.

    De-identified unless told otherwise. Needs the DICOM study that was explained.
    """
    roles = parse_roles(role)

    from ..errors import SparseExplainError
    from ..evidence.store import explanation_names, load_explanation
    from ..export.dicom.objects import export_several_dicom_work
    from ..files.atomic_write import check_writable
    from ..volumes import open_study

    check_writable(out)
    identity = deidentification(uid_key, keep_identity=keep_identity)
    names = name or explanation_names(result)
    explanations = [load_explanation(result, each) for each in names]
    study = open_study(
        study_path,
        reference=reference,
        patient_axes=patient_axes,
        roles=roles,
        label_numbering=labels,
        apply_transforms=apply_transforms,
    )
    pictures = [_picture(path, picture_shows_identity) for path in picture or []]
    if pictures and len(explanations) > 1:
        raise SparseExplainError(
            f"the folder holds {len(explanations)} explanations, and a picture shows one",
            where=result,
            remedy="Say which one with --name",
        )
    work = export_several_dicom_work(
        explanations,
        study,
        out,
        maps=maps,
        pictures=pictures,
        identity=identity,
        overwrite=overwrite,
    )
    exported = progress_bar.run(work, "export")
    for path in exported.files:
        print(path)
    for note in exported.notes:
        print(f"note: {note}")


def _picture(path: Path, shows_identity: bool):
    import numpy as np
    from PIL import Image, UnidentifiedImageError

    from ..errors import ReadError
    from ..export.dicom.objects import CapturedPicture

    try:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"), dtype=np.uint8)
    except (OSError, UnidentifiedImageError) as error:
        raise ReadError(
            f"the picture cannot be read ({error})", where=path, remedy="Give a PNG file"
        ) from error
    return CapturedPicture(path.stem, pixels, shows_identity=shows_identity)
