"""`sparseexplain register`: a prior laid over the current study, with its transform and checks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from . import progress_bar
from .options import Out, Overwrite


def register(
    prior: Annotated[Path, typer.Argument(help="The earlier study: scan or folder.")],
    current: Annotated[Path, typer.Argument(help="The study on whose grid it is laid.")],
    out: Out,
    scan: Annotated[
        str, typer.Option("--scan", help="Role of the current scan; the first shown if left out.")
    ] = "",
    prior_scan: Annotated[
        str, typer.Option("--prior-scan", help="Role of the prior's scan; of one kind if left out.")
    ] = "",
    transform: Annotated[
        Path | None,
        typer.Option(
            "--transform",
            help="A transform from the prior to the current scan (ITK, FSL), instead of a "
            "registration.",
        ),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Register an earlier study rigidly to the current one. Research only.

    Writes prior_to_current.tfm (ITK), the prior's scans and masks on the current grid, a check
    picture, and registration.json with the errors.
    """
    from ..export.pictures.prior_check import prior_check_picture
    from ..files.atomic_write import check_free, write_atomically
    from ..volumes import open_study
    from ..volumes.comparison.made_pictures import made_picture_work
    from ..volumes.nifti.writer import write_nifti
    from ..volumes.reading_order import first_shown
    from ..volumes.registration.placement import (
        on_current_grid,
        placed_by_file,
        placed_by_registration,
    )
    from ..volumes.registration.register_rigid import register_rigid_work
    from ..volumes.registration.rigid_motion import itk_text
    from ..volumes.study_identity import pair_notes
    from ..volumes.visits import same_kind

    now, before = open_study(current), open_study(prior)
    role = scan or first_shown(now)
    prior_role = prior_scan or same_kind(role, before)
    fixed, moving = now[role], before[prior_role]
    fixed_file = now.originals.get(role, fixed)
    moving_file = before.originals.get(prior_role, moving)
    roles = (prior_role, *(r for r in (*before.images, *before.labels) if r != prior_role))
    names = {r: f"prior_{_plain(r)}.nii.gz" for r in roles}
    files = ["prior_to_current.tfm", "registration.json", "check.png", *names.values()]
    check_free([out / name for name in files], overwrite=overwrite)
    notes = list(pair_notes(now, before))
    facts: dict[str, object] = {"current_scan": role, "prior_scan": prior_role}
    if transform is None:
        found = progress_bar.run(register_rigid_work(fixed_file, moving_file), "register")
        placed = placed_by_registration(found)
        said, notes = found.words(), [*notes, *found.notes]
        facts |= {
            "both_ways_mm": found.both_ways_mm,
            "moved_mm": found.moved_mm,
            "turned_degrees": found.turned_degrees,
            "mutual_information": [found.information_before, found.information_after],
            "overlap": found.overlap,
        }
    else:
        placed, more = placed_by_file(transform, fixed_file, moving_file)
        said, notes = "placed by a transform file", [*notes, *more]
    laid = on_current_grid(before, roles, now.grid, placed)
    like = replace(fixed, data=fixed.spatial(), leading=(), frame=())
    board = progress_bar.run(made_picture_work("checkerboard", like, laid[prior_role]), "check")
    edges = progress_bar.run(made_picture_work("edges", like, laid[prior_role]), "check")
    picture = prior_check_picture(like, board, edges, placed.caption(), warns=bool(notes))
    facts |= {
        "prior_to_current_ras_mm": placed.matrix.tolist(),
        "edges": edges.words,
        "notes": notes,
    }
    out.mkdir(parents=True, exist_ok=True)
    for r, name in names.items():
        write_nifti(out / name, laid[r].spatial(), like, overwrite=overwrite)
    write_atomically(out / "check.png", picture, overwrite=overwrite)
    write_atomically(out / "prior_to_current.tfm", itk_text(placed.matrix), overwrite=overwrite)
    write_atomically(out / "registration.json", json.dumps(facts, indent=2), overwrite=overwrite)
    print(said[:1].upper() + said[1:])
    print(edges.words)
    for note in notes:
        print(f"note: {note}")
    print(out)


def _plain(role: str) -> str:
    """A role as part of a file's name."""
    return "".join(c if c.isalnum() else "_" for c in role).strip("_") or "scan"
