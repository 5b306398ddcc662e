"""`sparseexplain voxel`: why one voxel of a diffusion scan was given its values."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..arguments import shown
from ..errors import SparseExplainError
from . import progress_bar
from .options import (
    ApplyTransforms,
    Labels,
    Overwrite,
    PatientAxes,
    Reference,
    Roles,
    StudyPath,
    parse_parameters,
    parse_roles,
)
from .told_study import told_study


def voxel(
    study_path: StudyPath,
    at: Annotated[str, typer.Option("--at", help="SLICE,ROW,COLUMN, counted from 0.")],
    out: Annotated[Path, typer.Option("--out", help="Picture to write (.png or .pdf).")],
    parameter: Annotated[
        list[str] | None,
        typer.Option("--set", help="NAME=VALUE of the method fingerprint. Repeat for more."),
    ] = None,
    reference: Reference = None,
    role: Roles = None,
    labels: Labels = "",
    patient_axes: PatientAxes = False,
    apply_transforms: ApplyTransforms = False,
    overwrite: Overwrite = False,
) -> None:
    """Explain one voxel by the method fingerprint: atoms, posterior, fit, what each shell told.

    Writes the picture, and beside it a JSON file of the same name with all numbers.
    """
    roles, parameters = parse_roles(role), parse_parameters(parameter)

    import json
    from inspect import signature

    from ..explanation.catalogue import method_info
    from ..explanation.microstructure.voxel_explanation import voxel_work
    from ..explanation.target import Target
    from ..files.atomic_write import check_free, write_atomically
    from ..layers.plots.picture_file import picture_kind
    from ..layers.plots.voxel_plot import PICTURE, save_voxel_picture

    values = method_info("fingerprint").checked(parameters)
    taken = signature(voxel_work).parameters
    if others := [name for name in parameters if name in values and name not in taken]:
        raise typer.BadParameter(f"{others[0]} says nothing of one voxel", param_hint="--set")
    given: dict[str, Any] = {name: value for name, value in values.items() if name in taken}
    try:
        index = Target.parse(f"voxel:{at}").index
    except SparseExplainError:
        index = None
    if index is None:
        raise typer.BadParameter(f"{shown(at)} is not SLICE,ROW,COLUMN", param_hint="--at")
    picture_kind(out, PICTURE)
    numbers = out.with_suffix(".json")
    check_free([out, numbers], overwrite=overwrite)
    study = told_study(
        study_path,
        reference=reference,
        patient_axes=patient_axes,
        roles=roles,
        label_numbering=labels,
        apply_transforms=apply_transforms,
    )
    found = progress_bar.run(voxel_work(study, index, **given), "voxel")
    print(save_voxel_picture(found, out, overwrite=overwrite))
    told = json.dumps(found.numbers(), indent=1, allow_nan=False)
    print(write_atomically(numbers, told + "\n", overwrite=overwrite))
    for k in range(found.populations):
        words = [
            f"{letter} {mean:.2f}" + (f" ± {sd:.2f}" if sd == sd else "") + unit
            for letter, unit, mean, sd in zip(
                "νrf", ("", " µm", ""), found.mean[k], found.sd[k], strict=True
            )
        ]
        print(f"population {k + 1}: {', '.join(words)}")
    print(f"entropy: {found.entropy:.1f} bit, misfit: {found.misfit:.2f} σ")
