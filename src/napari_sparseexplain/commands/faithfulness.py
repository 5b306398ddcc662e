"""`sparseexplain faithfulness`: how far to trust the maps of several methods, in one table."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ReadError, SparseExplainError
from . import progress_bar
from .options import (
    Device,
    Identify,
    Labels,
    ModelName,
    Overwrite,
    Reference,
    Roles,
    Slices,
    parse_parameters,
    parse_roles,
    parse_slices,
)

if TYPE_CHECKING:
    from ..volumes import Study


def faithfulness(
    data: Annotated[Path, typer.Argument(help="Study, or a folder of studies.")],
    methods: Annotated[
        str, typer.Option("--methods", help="Names with commas between; see `methods`.")
    ],
    target: Annotated[
        str,
        typer.Option(
            "--target", help="WT, TC, ET, a class, or voxel:SLICE,ROW,COLUMN, counted from 0."
        ),
    ],
    model: ModelName = None,
    slices: Slices = None,
    count: Annotated[
        int, typer.Option("--count", min=1, help="At most so many slices of a study.")
    ] = 8,
    scores: Annotated[
        str | None,
        typer.Option(
            "--scores",
            help="Of insertion-deletion, pic, infidelity, max-sensitivity, randomisation, with "
            "commas between; all if left out. Scores against the mask cost nothing.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of noise, random maps and weights.")] = 0,
    card: Annotated[
        Path | None,
        typer.Option("--card", help="Card (JSON) of a TorchScript or .pt2 file or MONAI bundle."),
    ] = None,
    device: Device = "auto",
    parameter: Annotated[
        list[str] | None,
        typer.Option("--set", help="NAME=VALUE for the methods that have it. Repeat for more."),
    ] = None,
    reference: Reference = None,
    role: Roles = None,
    labels: Labels = "",
    identify: Identify = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Also write the table as text and JSON here.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Score attribution methods on a study or a folder: a table of methods and scores.

    Each is beside a random map, the edges of the image, a Gaussian at the centre of the head and,
    with the score randomisation, itself on random weights; what fails is marked ! and explained.
    """
    chosen_slices, parameters = parse_slices(slices), parse_parameters(parameter)
    roles = parse_roles(role)

    from ..explanation.model_choice import default_model
    from ..explanation.target import Target
    from ..explanation.trust.faithfulness import FILES, faithfulness_work
    from ..explanation.trust.map_figures import KINDS, Effort
    from ..export.privacy.policy import ExportPolicy
    from ..files.atomic_write import check_free
    from ..networks.bundle.loading import load_model
    from ..review.study_reference import study_code, study_reference
    from ..volumes import open_study

    effort = Effort(
        kinds=KINDS if scores is None else tuple(s.strip() for s in scores.split(",") if s.strip()),
        seed=seed,
    )

    if out is not None:
        check_free([out / name for name in FILES], overwrite=overwrite)
    paths = _study_paths(data)

    def studies() -> Iterator[Study]:
        for path in paths:
            try:
                study = open_study(path, reference=reference, roles=roles, label_numbering=labels)
            except SparseExplainError as error:
                if len(paths) == 1:
                    raise
                typer.echo(f"{path.name} was left out: {error}", err=True)
                continue
            for finding in study.warnings:
                typer.echo(f"{study.name}: {finding.words()}", err=True)
            if out is not None and not identify:
                policy.know(study)
                codes.setdefault(study.name, study_code(study_reference(study)))
            yield study

    policy, codes = ExportPolicy(identify), dict[str, str]()
    names = [name.strip() for name in methods.split(",") if name.strip()]
    aim = Target.parse(target)
    found = studies()
    if model is None:
        # One model for the whole table: that of the first study.
        first = next(found, None)
        if first is not None:
            found = chain([first], found)
            model = default_model(first, names, aim)
            typer.echo(f"model: {model} (--model takes another)", err=True)
    if model is None:
        raise ReadError("no study could be opened", where=data, remedy="See what was said above")
    work = faithfulness_work(
        found,
        load_model(model, device, card=card),
        names,
        aim,
        slices=chosen_slices,
        count=count,
        parameters=parameters,
        effort=effort,
    )
    result = progress_bar.run(work, "faithfulness")
    print(result.text(), end="")
    if out is not None:
        if not identify:
            for name, code in codes.items():
                typer.echo(f"in the files {code} stands for {name}", err=True)
            result = result.called(codes, lambda said: policy.words(said, "a note of the table"))
        for path in result.save(out, overwrite=overwrite):
            print(path)


def _study_paths(data: Path) -> list[Path]:
    """One path a study: the folder's own, or those in it; of other formats than NIfTI itself."""
    from ..training.evaluate.evaluation_cases import case_paths

    try:
        found = [path for path in case_paths(data) if path.suffix != ".npz"]
    except ReadError:
        # A DICOM folder or a picture is one study; what is none is refused when it is opened.
        found = []
    return found or [data]
