"""`sparseexplain lesions`: the connected components of a mask, measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import StudyError
from . import progress_bar
from .options import (
    ApplyTransforms,
    Overwrite,
    PatientAxes,
    Roles,
    StudyPath,
    UidKey,
    deidentification,
    parse_roles,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    from ..evidence.provenance import Provenance
    from ..volumes import Study


def lesions(
    path: StudyPath,
    mask: Annotated[
        str,
        typer.Option(
            "--mask",
            help="Role of a mask of the study (seg), or an output folder of `explain`; the "
            "study's own lesion mask if left out.",
        ),
    ] = "",
    reference: Annotated[
        str, typer.Option("--reference", help="Role of the true mask, for Dice.")
    ] = "",
    earlier: Annotated[
        list[str] | None,
        typer.Option(
            "--earlier",
            help="Role of the mask of an earlier time point, so that numbers persist. Repeat in "
            "the order of time.",
        ),
    ] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="Also write the table here.")] = None,
    dicom: Annotated[
        Path | None,
        typer.Option("--dicom", help="Also write the table here, as a DICOM structured report."),
    ] = None,
    keep_identity: Annotated[
        bool, typer.Option("--keep-identity", help="Keep names, numbers and UIDs in it.")
    ] = False,
    uid_key: UidKey = None,
    role: Roles = None,
    patient_axes: PatientAxes = False,
    apply_transforms: ApplyTransforms = False,
    overwrite: Overwrite = False,
) -> None:
    """Volume, RANO diameters, place and values of every lesion of a mask. Research only."""
    from ..evidence.lesions.study_lesions import study_lesions_work
    from ..evidence.lesions.table import lesion_table, summary
    from ..evidence.tables import text_table
    from ..files.atomic_write import check_free, write_atomically
    from ..volumes import open_study

    check_free([path for path in (csv, dicom) if path is not None], overwrite=overwrite)
    study = open_study(
        path,
        patient_axes=patient_axes,
        roles=parse_roles(role),
        apply_transforms=apply_transforms,
    )
    marked, maps, name, provenance = _mask(study, mask)
    found = progress_bar.run(
        study_lesions_work(
            study,
            marked,
            maps=maps,
            reference=_mask_of(study, reference) if reference else None,
            earlier=[_mask_of(study, name) for name in earlier or []],
        ),
        "lesions",
    )
    calibrated = study.grid.calibrated
    table = lesion_table(found.lesions, calibrated=calibrated)
    print(summary(found.lesions, calibrated=calibrated))
    if found.dice is not None:
        print(f"Dice of the whole mask with {reference}: {found.dice:.3f}")
    if found.gone:
        print("Gone since the mask before: " + ", ".join(map(str, found.gone)))
    for note in found.notes:
        print(f"note: {note}")
    if found.lesions:
        print(text_table([column.title for column in table.columns], table.shown()))
    if csv is not None:
        print(write_atomically(csv, table.csv(), overwrite=overwrite))
    if dicom is not None:
        from ..export.dicom.lesion_groups import LesionMask
        from ..export.dicom.reading_measurements import export_lesions_dicom

        done = export_lesions_dicom(
            study,
            LesionMask(name, marked, provenance, maps),
            dicom,
            identity=deidentification(uid_key, keep_identity=keep_identity),
            overwrite=overwrite,
        )
        print(dicom)
        for note in done.notes:
            print(f"note: {note}")


def _mask(
    study: Study, given: str
) -> tuple[npt.NDArray[Any], dict[str, npt.NDArray[Any]], str, Provenance | None]:
    """The mask that was asked for, the maps that came with it, its name, how it was estimated."""
    from ..evidence.lesions.study_lesions import explained_mask, measured_maps
    from ..review.explanation_folder import load_explanations
    from ..volumes.reading_order import role_title
    from ..volumes.roles.label_roles import lesion_role

    if given in study.labels or not given:
        role = given or lesion_role(study)
        return _mask_of(study, role), {}, role_title(role), None
    if not Path(given).is_dir():
        return _mask_of(study, given), {}, role_title(given), None
    loaded = list(load_explanations([given], study).values())
    maps: dict[str, npt.NDArray[Any]] = {}
    for explanation in loaded:
        maps |= measured_maps(explanation, study)
    with_mask = [e for e in loaded if any(m.kind == "segmentation" for m in e.maps)]
    chosen = (with_mask or loaded)[0]
    name = " ".join(part for part in (chosen.method, chosen.target) if part)
    return explained_mask(chosen, study), maps, f"Mask ({name})", chosen.provenance


def _mask_of(study: Study, role: str) -> npt.NDArray[Any]:
    if role not in study.labels:
        have = ", ".join(study.labels) or "no mask"
        raise StudyError(
            f"the study has no mask {role!r} (there is {have})" if role
            else f"nothing says which mask is that of the lesions (there is {have})",
            where=study.name,
            remedy="Name one with --mask, or the output folder of `explain`",
        )  # fmt: skip
    return study.labels[role].spatial()
