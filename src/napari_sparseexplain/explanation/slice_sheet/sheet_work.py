"""Running a sheet: part after part, each given away as soon as it is there."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...arguments import check_kind, shown
from ...errors import CancelledError, SparseExplainError, StudyError
from ...evidence import Explanation
from ...networks.device import choose_device
from ...progress import Progress, Work, drain
from ...volumes import Study
from ...volumes.captions import slice_caption
from ...volumes.frames import as_frame, looked_at, study_at_frame
from ..catalogue import Scans, explain_work, method_info
from ..class_regions import predicted_region
from ..subject import SCAN, as_study, slice_range
from ..target import Target
from .plan import SEGMENTATION, Choice, PlannedPart, plan_sheet
from .sheet import Against, SheetPart, SliceSheet
from .verdict import RANDOMISATION

if TYPE_CHECKING:
    from ...networks.bundle.model import Model
    from ..trust.table import Trust

#: How a model is loaded that was chosen.
Load = Callable[[Choice], "Model"]

#: Steps of one part in the progress of a sheet.
_FINE = 100


def slice_sheet_work(
    study: Study,
    index: int,
    *,
    models: Sequence[Model | str | Path] | None = None,
    target: Target | None = None,
    device: str | None = None,
    frame: tuple[int, ...] = (),
    load: Load | None = None,
) -> Work[SliceSheet]:
    """Explain one slice by all that fits; see `explain_slice`.

    The first step's ``preview`` is the `SheetPlan`, that of the step that ends a part the
    `SheetPart`: whoever shows them need not wait for the others. What cannot be made is said in its
    part; the others go on. Closing the generator cancels, between the parts and within them.

    Parameters
    ----------
    load : callable, optional
        Loads a chosen model, where models are kept elsewhere.

    Raises
    ------
    SparseExplainError
        The study has no such slice or frame, or no model fits at all.
    """
    span = slice_range(study, _whole(study, index))
    plan = plan_sheet(study, models, target)
    total = len(plan.parts) * _FINE
    yield Progress(0, total, "Choosing the models", plan)
    loaded = _Loaded(load or (lambda choice: _load(choice, device)))
    parts: list[SheetPart] = []
    for place, planned in enumerate(plan.parts):
        began = time.monotonic()
        work = _part(study, planned, loaded, plan.target, span, frame, parts)
        found = yield from _told(work, planned.title, place, total)
        found = replace(found, seconds=time.monotonic() - began)
        parts.append(found)
        yield Progress((place + 1) * _FINE, total, f"{planned.title} is done", found)
    explained = [part.explanation.target for part in parts if part.explanation and part.is_map]
    aim = "" if plan.target is None else plan.target.label
    return SliceSheet(study.name, span.start, (*explained, aim)[0], tuple(parts))


def randomisation_work(
    study: Study, sheet: SliceSheet, load: Load | None = None
) -> Work[SliceSheet]:
    """The test that a sheet leaves pending: each map again on weights drawn anew, in five stages.

    The ``preview`` of the step that ends a part is the new `SheetPart`.

    Raises
    ------
    SparseExplainError
        A model is not there any more.
    """
    from ..trust.map_figures import Effort
    from ..trust.table import trust_work
    from ..trust.verdicts import TrustRow

    maps = [(part, part.trust) for part in sheet.parts if part.is_map and part.trust is not None]
    loaded = _Loaded(load or (lambda choice: _load(choice, None)))
    total = max(len(maps), 1) * _FINE
    for place, (part, before) in enumerate(maps):
        explanation, choice = part.made()
        model = loaded.model(choice)
        effort = Effort(kinds=("randomisation",))
        work = trust_work(study, model, explanation, effort, count=1)
        try:
            found = yield from _told(work, part.title, place, total)
            trust = _joined(before, found, part.against)
        except CancelledError:
            raise
        except SparseExplainError as error:
            row = TrustRow(RANDOMISATION, None, sentence=str(error))
            trust = replace(before, rows=(*before.rows, row))
        new = replace(part, trust=trust)
        sheet = sheet.with_part(new)
        yield Progress((place + 1) * _FINE, total, f"{new.title} is done", new)
    return sheet


def explain_slice(
    study: Study | Scans,
    index: int,
    *,
    models: Sequence[Model | str | Path] | None = None,
    target: Target | str | int | None = None,
    device: str | None = None,
    frame: int | Sequence[int] | None = None,
    randomisation: bool = False,
) -> SliceSheet:
    """Explain one slice by everything that fits the study: mask, responses, components, two maps.

    Parameters
    ----------
    study : Study, or arrays as `explain` takes them
    index : int
        Slice of the study, counted from 0.
    models : sequence of Model, str or Path, optional
        Models to choose from, the first that fits first; the bundled ones when not given.
    target : Target, str or int, optional
        What the maps explain; the whole tumour, or the model's first class, when not given.
    device : str, optional
        See `explain`.
    frame : int or sequence of int, optional
        See `explain`.
    randomisation : bool
        Whether to make the maps on random weights as well: about seven times as many passes.

    Returns
    -------
    SliceSheet
        ``sheet["xrai"].explanation`` is a result like any other; ``print(sheet.text())`` is the
        verdict with its figures.

    Raises
    ------
    SparseExplainError
        The study has no such slice, or no model fits; the message says which scans are missing.

    Examples
    --------
    >>> import torch, numpy as np, napari_sparseexplain as se
    >>> study = se.study_of_arrays({"flair": np.random.default_rng(0).random((2, 32, 32))})
    >>> sheet = se.explain_slice(study, 1, models=["sum-seg"])
    >>> [part.name for part in sheet.parts]
    ['segmentation', 'responses', 'components', 'guided-integrated-gradients', 'xrai']
    """
    check_kind(models, _are_models, "models", "a list of names, folders or models")
    if device is not None:
        choose_device(device)
    scans = as_study(method_info(SEGMENTATION), study, (), None, array=SCAN)
    assert scans is not None  # the method takes a study
    points = as_frame(frame)
    study_at_frame(scans, frame)
    aim = target if target is None or isinstance(target, Target) else Target.parse(target)
    work = slice_sheet_work(scans, index, models=models, target=aim, device=device, frame=points)
    sheet = drain(work)
    if randomisation:
        sheet = drain(randomisation_work(scans, sheet, lambda choice: _load(choice, device)))
    return sheet


class _Loaded:
    """Models by what was given for them, each loaded once for all of its parts."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._known: dict[Any, Model] = {}

    def model(self, choice: Choice) -> Model:
        if choice.given not in self._known:
            self._known[choice.given] = self._load(choice).at_rest()
        return self._known[choice.given]


def _load(choice: Choice, device: str | None) -> Model:
    from ...networks.bundle.loading import load_model
    from ...networks.bundle.model import Model

    if isinstance(choice.given, Model):
        return choice.given if device is None else choice.given.on(device)
    return load_model(choice.given, device=device or "auto")


def _are_models(given: object) -> bool:
    """Whether it is a sequence of what stands for models, or None; a text is one name."""
    from ...networks.bundle.model import Model

    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        return given is None
    return all(isinstance(m, Model | str | Path) for m in given)


def _whole(study: Study, index: object) -> int:
    if isinstance(index, bool) or not isinstance(index, Integral):
        raise StudyError(
            f"one slice is explained, and {shown(index)} is none",
            where=study.name,
            remedy=f"Give its number, from 0 to {study.grid.shape[0] - 1}",
        )
    return int(index)


def _told(work: Work[Any], title: str, place: int, total: int) -> Work[Any]:
    """The steps of a part as steps of the sheet, none back: a method may begin a second round."""
    done = place * _FINE
    while True:
        try:
            step = next(work)
        except StopIteration as end:
            return end.value
        share = step.done / step.total if step.total else 0.0
        done = max(done, place * _FINE + round(min(share, 1.0) * (_FINE - 1)))
        yield Progress(done, total, f"{title}: {step.message}")


def _part(
    study: Study,
    planned: PlannedPart,
    loaded: _Loaded,
    target: Target | None,
    span: slice,
    frame: tuple[int, ...],
    before: Sequence[SheetPart],
) -> Work[SheetPart]:
    empty = SheetPart(planned.name, planned.title)
    if planned.choice is None:
        return replace(empty, why_not=planned.why_not)
    part = replace(empty, choice=planned.choice)
    info = method_info(planned.name)
    values: dict[str, Any] = dict(planned.values)
    try:
        yield Progress(0, 0, "loading the model")
        model = loaded.model(planned.choice)
        if info.target == "required" and target is None:
            target = yield from _likeliest_class(study, model, span, frame)
        found = yield from explain_work(
            study if info.takes_study else None,
            model,
            planned.name,
            target=target if info.target == "required" else None,
            slices=span if info.takes_slices else None,
            frame=frame if info.takes_study and frame else None,
            **values,
        )
    except CancelledError:
        raise
    except SparseExplainError as error:
        return replace(part, why_not=error.what)
    part = replace(part, explanation=found)
    if not part.is_map:
        return part
    yield Progress(0, 0, f"comparing {slice_caption(span)} with the mask")
    return _judged(study, part, model, before)


def _judged(study: Study, part: SheetPart, model: Model, before: Sequence[SheetPart]) -> SheetPart:
    """A map with what can be said of it at once."""
    from ..trust.explained_slices import true_region
    from ..trust.table import explained_target, trust_of

    explanation, _ = part.made()
    seen = looked_at(study, explanation.frame)
    try:
        target = explained_target(explanation)
        truth = true_region(seen, target, explanation.slices)
        against: Against = "reference"
        if truth is None:
            truth = _estimate(before, model, target)
            against = "" if truth is None else "estimate"
        trust = trust_of(study, explanation, model, truth=truth)
    except CancelledError:
        raise
    except SparseExplainError as error:
        # The map is there and stays; only what is said of it cannot be.
        return replace(part, why_not=str(error))
    return replace(part, trust=trust, against=against)


def _estimate(
    before: Sequence[SheetPart], model: Model, target: Target
) -> npt.NDArray[np.bool_] | None:
    """The mask of the target that the model itself predicted, of the sheet's first part."""
    found: Explanation | None = None
    for part in before:
        if part.name == SEGMENTATION and part.model == model.card.name:
            found = part.explanation
    if found is None or target.kind == "voxel":
        return None
    return predicted_region(model.card, np.asarray(found["mask"].data), target.name)


def _joined(before: Trust, found: Trust, against: str) -> Trust:
    """The table with what random weights say. Compared with the model's own estimate, the rows of
    places stay: the new table has none of them."""
    if against == "reference":
        return found
    rows = {row.name: row for row in found.rows if row.name.startswith(RANDOMISATION)}
    return replace(before, rows=(*before.rows, *rows.values()), notes=found.notes)


def _likeliest_class(
    study: Study, model: Model, span: slice, frame: tuple[int, ...]
) -> Work[Target]:
    """The class that a classifier gives the slice."""
    import torch

    from ...networks.running.preparation import prepare
    from ..network_logits import network_images, network_logits

    yield Progress(0, 0, "asking the classifier")
    prepared = prepare(study, model.card, span, frame=frame or None)
    with torch.no_grad():
        images = network_images(model, prepared.array[:1])
        best = int(network_logits(model, images, 1.0, False)[0].argmax())
    return Target.of_class(list(model.card.classes.values())[best])
