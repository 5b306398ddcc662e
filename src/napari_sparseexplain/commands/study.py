"""`sparseexplain study`: what was found in a file or folder."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from .options import ApplyTransforms, Labels, PatientAxes, Reference, Roles, StudyPath, parse_roles


def describe(
    path: StudyPath,
    reference: Reference = None,
    role: Roles = None,
    labels: Labels = "",
    patient_axes: PatientAxes = False,
    apply_transforms: ApplyTransforms = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Say what a study holds: roles, grids, resampling done, and what a person must know."""
    from ..volumes import Study, open_study

    study: Study = open_study(
        path,
        reference=reference,
        patient_axes=patient_axes,
        roles=parse_roles(role),
        label_numbering=labels,
        apply_transforms=apply_transforms,
    )
    volumes = {**study.images, **study.labels}
    if as_json:
        rows = {
            name: {
                "kind": volume.kind,
                "shape": list(volume.data.shape),
                "leading": list(volume.leading),
                "dtype": str(volume.data.dtype),
                "files": [str(p) for p in volume.source.paths[:1]]
                or [name for name in (volume.source.locator,) if name],
                "description": volume.source.description,
                "why": volume.why,
            }
            for name, volume in volumes.items()
        }
        answer = {
            "name": study.name,
            "reference": study.reference,
            "shape": list(study.grid.shape),
            "spacing_mm": list(study.grid.spacing),
            "affine": study.grid.affine.tolist(),
            "volumes": rows,
            "findings": [vars(finding) for finding in study.findings],
        }
        print(json.dumps(answer, indent=2))
        return
    unit = "mm" if study.grid.calibrated else "pixels"
    spacing = " × ".join(f"{v:.3g}" for v in study.grid.spacing)
    shape = " × ".join(map(str, study.grid.shape))
    print(f"{study.name}: {shape} (slices, rows, columns), {spacing} {unit}")
    print(f"  grid of {study.reference}")
    width = max((len(name) for name in volumes), default=0)
    for name, volume in volumes.items():
        size = " × ".join(map(str, volume.data.shape))
        if volume.leading:
            size += f" ({', '.join(volume.leading)} first)"
        print(
            f"  {name:<{width}}  {volume.kind:<5}  {size}  {volume.data.dtype}  "
            f"{volume.source.description}"
        )
        if volume.why:
            print(f"  {'':<{width}}  why: {volume.why}")
    for finding in study.findings:
        print(f"  {finding.level}: {finding.words()}")
