"""`sparseexplain decompose`: a scan as the sum of what explains it, with or without a network."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..explanation.components.methods import (
    FILTERS,
    LEARN,
    POSITIVE,
    SPARSITY,
    TOLERANCE,
    WIDTH,
)
from ..explanation.method import Parameter
from ..sparse.pursuit_settings import PursuitSettings
from . import progress_bar
from .options import (
    Device,
    Identify,
    Labels,
    Out,
    Overwrite,
    Roles,
    Slices,
    StudyPath,
    parse_roles,
    parse_slices,
)
from .told_study import told_study

if TYPE_CHECKING:
    from ..evidence import Explanation
    from ..explanation.components.image_pursuit import ImageDecomposition
    from ..export.privacy.policy import ExportPolicy
    from ..volumes import Study

#: What a pursuit writes beside its maps, after its name.
_BESIDE = ("trace.csv", "codes.json", "dictionary.npz")

_DEFAULT = PursuitSettings()
_POSITIVE = _DEFAULT.prox == "relu"


def _said(parameter: Parameter) -> str:
    """What a parameter of the methods does, as the help of an option."""
    return f"{parameter.tooltip}."


class Pursuit(StrEnum):
    """The pursuits of `sparse/`."""

    ISTA = "ista"
    FISTA = "fista"
    ML_ISTA = "ml-ista"
    ADMM = "admm"
    JF_ML_ISTA = "jf-ml-ista"


def decompose(
    study_path: StudyPath,
    out: Out,
    method: Annotated[Pursuit, typer.Option("--method", help="The pursuit.")] = Pursuit.FISTA,
    model: Annotated[
        str | None,
        typer.Option("--model", help="A trained model instead: its classes' components."),
    ] = None,
    filters: Annotated[str, typer.Option("--filters", help=_said(FILTERS))] = _DEFAULT.filters,
    dictionary: Annotated[
        Path | None, typer.Option("--dictionary", help=".npz with phi (and layer_1, …).")
    ] = None,
    learn: Annotated[bool, typer.Option("--learn", help=_said(LEARN))] = _DEFAULT.learn,
    width: Annotated[int, typer.Option("--width", min=1, help=_said(WIDTH))] = _DEFAULT.width,
    atoms: Annotated[int | None, typer.Option("--atoms", min=1, help="How many atoms.")] = None,
    sparsity: Annotated[float, typer.Option("--lambda", help=_said(SPARSITY))] = _DEFAULT.sparsity,
    iterations: Annotated[
        int | None, typer.Option("--iterations", min=1, help="At most; jf-ml-ista: rounds.")
    ] = None,
    tolerance: Annotated[
        float, typer.Option("--tolerance", min=0.0, help=_said(TOLERANCE))
    ] = _DEFAULT.tolerance,
    positive: Annotated[bool, typer.Option("--positive", help=_said(POSITIVE))] = _POSITIVE,
    seed: Annotated[int, typer.Option("--seed", help="Of --learn.")] = _DEFAULT.seed,
    slices: Slices = None,
    device: Device = "auto",
    role: Roles = None,
    labels: Labels = "",
    identify: Identify = False,
    overwrite: Overwrite = False,
) -> None:
    """Decompose scans or pictures into sparse codes of a dictionary, or of a model's classes.

    Writes reconstruction, residual and the codes' sum (NIfTI on the input's grid; for pictures PNG
    too), the trace, a table of the codes, the dictionary and provenance.json.
    """
    chosen, roles = parse_slices(slices), parse_roles(role)

    from ..evidence.store import check_place
    from ..explanation.catalogue import explain_work, slice_range
    from ..export.explanation_export import export_explanation
    from ..export.privacy.output_check import released_together
    from ..files.atomic_write import check_free

    beside = [out / f"{method.value}_{name}" for name in _BESIDE] if model is None else []
    check_free(beside, overwrite=overwrite)
    check_place(out, method.value if model is None else "components", overwrite=overwrite)
    study = told_study(study_path, roles=roles, label_numbering=labels)
    if study[study.reference].source.format == "image":
        name = method.value if model is None else "components"
        check_free(sorted(out.glob(f"{name}_*.png")), overwrite=overwrite)
    found = None
    if model is not None:
        from ..networks.bundle.loading import load_model

        work = explain_work(study, load_model(model), "components", slices=chosen, device=device)
        result = progress_bar.run(work, "components")
    else:
        from ..explanation.components.image_pursuit import decompose_study
        from ..sparse.dictionary_file import read_dictionary

        settings = PursuitSettings(
            method=method.value,
            sparsity=sparsity,
            filters=filters,
            width=width,
            atoms=atoms,
            iterations=iterations,
            tolerance=tolerance,
            prox="relu" if positive else "soft",
            learn=learn,
            seed=seed,
        )
        given = None if dictionary is None else read_dictionary(dictionary)
        found = progress_bar.run(
            decompose_study(study, settings, slices=slice_range(study, chosen), dictionary=given),
            method.value,
        )
        result = found.explanation
    written = export_explanation(result, study, out, identify=identify, overwrite=overwrite)
    for path in written.files:
        print(path)
    with released_together(out, written.policy, overwrite=overwrite) as temporary:
        made: list[Path] = []
        if found is not None:
            made += _save_pursuit(found, temporary, method.value, written.policy)
        if study[study.reference].source.format == "image":
            made += _save_pictures(result, written.explanation, study, temporary)
    for path in made:
        print(out / path.name)
    for name, value in result.scores.items():
        print(f"{name}: {'not applicable' if value is None else f'{value:.4g}'}")
    for note in (*result.notes, *written.notes):
        print(f"note: {note}")


def _save_pursuit(
    found: ImageDecomposition, folder: Path, method: str, policy: ExportPolicy
) -> list[Path]:
    """The trace of the pursuit, a table of the codes, and the dictionary."""
    import numpy as np

    from ..sparse.pursuit_trace import write_traces

    trace, codes, atoms = (folder / f"{method}_{name}" for name in _BESIDE)
    write_traces({policy.words(k, "a trace"): rows for k, rows in found.traces.items()}, trace)
    table = json.dumps(policy.values(found.atoms, "the table of codes"), indent=1)
    codes.write_text(table + "\n", encoding="utf-8")
    arrays = {policy.words(k, "the dictionary"): v for k, v in found.dictionary.items()}
    np.savez(atoms, **arrays)  # pyright: ignore[reportArgumentType]
    return [trace, codes, atoms]


def _save_pictures(
    result: Explanation, public: Explanation, study: Study, folder: Path
) -> list[Path]:
    """Components of a picture as pictures."""
    from ..volumes.pictures.writer import write_picture

    files = []
    for item, named in zip(result.maps, public.maps, strict=True):
        like = item.name.rpartition("-")[2]
        if item.kind != "component" or like not in study:
            continue
        for i, plane in enumerate(item.data):
            page = f"_{result.slices.start + i}" if study.grid.shape[0] > 1 else ""
            path = folder / f"{result.method}_{named.name.replace(' ', '-')}{page}.png"
            files.append(write_picture(path, plane, study[like], signed=item.signed))
    return files
