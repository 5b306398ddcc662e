"""`sparseexplain explain` and the matched-filter demonstration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import progress_bar
from .options import (
    ApplyTransforms,
    Device,
    Frame,
    Identify,
    Labels,
    ModelName,
    Out,
    Overwrite,
    PatientAxes,
    Reference,
    Roles,
    Slices,
    StudyPath,
    TargetText,
    parse_frame,
    parse_parameters,
    parse_roles,
    parse_slices,
)
from .told_study import told_study


def explain(
    study_path: StudyPath,
    method: Annotated[str, typer.Option("--method", help="See `sparseexplain methods`.")],
    out: Out,
    model: ModelName = None,
    target: TargetText = None,
    slices: Slices = None,
    frame: Frame = None,
    card: Annotated[
        Path | None,
        typer.Option("--card", help="Card (JSON) of a TorchScript or .pt2 file or MONAI bundle."),
    ] = None,
    device: Device = "auto",
    parameter: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE of the method. Repeat for more.")
    ] = None,
    reference: Reference = None,
    role: Roles = None,
    labels: Labels = "",
    patient_axes: PatientAxes = False,
    apply_transforms: ApplyTransforms = False,
    identify: Identify = False,
    overwrite: Overwrite = False,
) -> None:
    """Run one method on one study, of a model where it takes one, and write what it found.

    Maps are NIfTI on the input's own grid, beside one provenance.json.
    """
    chosen_slices, parameters = parse_slices(slices), parse_parameters(parameter)
    roles, points = parse_roles(role), parse_frame(frame)

    from ..evidence.store import check_place
    from ..explanation.catalogue import explain_work, method_info, refuse_model
    from ..explanation.model_choice import default_model
    from ..explanation.target import Target
    from ..export.explanation_export import export_explanation
    from ..networks.bundle.loading import load_model

    aim = None if target is None else Target.parse(target)
    info = method_info(method)
    if not info.takes_model:
        refuse_model(info, model or card)
    label = "" if aim is None else aim.label
    check_place(out, info.name, label, overwrite=overwrite, frame=points)
    study = told_study(
        study_path,
        reference=reference,
        patient_axes=patient_axes,
        roles=roles,
        label_numbering=labels,
        apply_transforms=apply_transforms,
    )
    if model is None and info.takes_model:
        model = default_model(study, [method], aim)
        typer.echo(f"model: {model} (--model takes another)", err=True)
    work = explain_work(
        study,
        None if model is None else load_model(model, card=card),
        method,
        target=aim,
        slices=chosen_slices,
        device=device,
        frame=points,
        **parameters,
    )
    result = progress_bar.run(work, method)
    written = export_explanation(result, study, out, identify=identify, overwrite=overwrite)
    for path in written.files:
        print(path)
    for name, value in result.scores.items():
        print(f"{name}: {'not applicable' if value is None else f'{value:.4g}'}")
    for note in (*result.notes, *written.notes):
        print(f"note: {note}")


def matched_filter(
    out: Out,
    seed: Annotated[int, typer.Option("--seed", help="First seed.")] = 0,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="How many seeds.")] = 3,
    overwrite: Overwrite = False,
) -> None:
    """Train the 1-D matched-filter demonstration (SUM paper, Appendix I) and draw its figure."""
    from ..files.atomic_write import check_free
    from ..layers.plots.matched_filter_plot import matched_filter_file, save_matched_filter_figure
    from ..training.evaluate.matched_filter_demo import matched_filter_demo

    check_free([matched_filter_file(out)], overwrite=overwrite)
    result = progress_bar.run(
        matched_filter_demo(seeds=tuple(range(seed, seed + seeds))), "matched filter"
    )
    print(result.table())
    print(save_matched_filter_figure(result, out, overwrite=overwrite))
