"""Evaluation of JF-ML-ISTA and what stands beside it: Tables II and III of its paper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...errors import ModelError, ReadError, SparseExplainError, StudyError
from ...evidence.largest_component import in_largest_component
from ...explanation.class_maps import class_maps, network_classes, shown_pixels
from ...explanation.components.slice_decomposition import decompose_slices
from ...explanation.components.sparse_parameters import ParameterRow, class_names, parameter_table
from ...networks.bundle.card_file import CARD_FILE
from ...networks.bundle.catalogue import BUNDLES, models
from ...networks.bundle.loading import load_model
from ...networks.bundle.model import Model
from ...networks.bundle.model_card import Inputs, ModelCard
from ...networks.running.inference import predict_array
from ...networks.running.preparation import Prepared, prepare
from ...progress import Progress, Work
from ...volumes.labels.reference_mask import reference_mask
from ...volumes.labels.tumour import REGIONS, WHOLE_TUMOUR
from ...volumes.opening.open_study import open_study
from ..fit.phantom_slices import PhantomSlices
from ..fit.train_class_network import CLASS_RECIPES
from ..tumour_classes import REGION_CHANNELS, TUMOUR_CLASSES, class_channels
from .class_evaluation import ClassEvaluation, RegionScores
from .evaluation_cases import case_paths
from .intensity_rule import intensity_rule, rule_threshold
from .recipe_summary import recipe_summary

#: Every n-th tumour slice of a subject is decomposed for the evidence: neighbours are alike.
EVIDENCE_EVERY = 4

_RULE = "rule"


@dataclass(frozen=True, eq=False)
class _ClassCase:
    """One subject: input (N, roles, H, W) in (0, 1) and label values on the study's pixels.

    The labels are in the program's own numbering; ``regions`` are those that they tell apart.
    """

    name: str
    x: npt.NDArray[np.float32]
    truth: npt.NDArray[np.uint8]
    prepared: Prepared | None
    bright: float
    regions: tuple[str, ...] = REGIONS
    said: str = ""

    @property
    def inside(self) -> npt.NDArray[np.bool_]:
        """The brain, where every class counts: around it every network is right."""
        if self.prepared is None:
            return shown_pixels(self.x)
        inside = self.prepared.inside
        return np.ones(self.truth.shape, dtype=np.bool_) if inside is None else inside


def evaluate_class_networks(
    data: str | Path,
    *,
    runs: str | Path | None = None,
    device: str = "auto",
    label_numbering: str = "",
) -> Work[ClassEvaluation]:
    """Dice of ET, WT and TC, evidence of the components, thresholds and step sizes.

    Parameters
    ----------
    data : str or Path
        A study with a mask, a folder of such studies, or an ``.npz`` of phantom slices.
    runs : str or Path, optional
        A folder of bundles ``<name>-<seed>``; the shipped bundles when not given.
    label_numbering : str, optional
        What the labels of the masks stand for, where their names do not tell it; see
        `volumes.open_study`.

    Raises
    ------
    SparseExplainError
        No data, no bundles, or none that can be used.
    """
    paths = case_paths(data)
    found = class_bundles(runs, device)
    inputs = found[0][2].card.inputs
    scores = {(name, seed): RegionScores() for name, seed, _ in found}
    pieces = {(name, seed): RegionScores() for name, seed, _ in found}
    rule = RegionScores()
    evidence: dict[tuple[str, str], list[dict[str, float]]] = {}
    skipped: list[str] = []
    total, done = len(paths) * len(found), 0
    for path in paths:
        for case in _cases(path, inputs, skipped, label_numbering, alone=len(paths) == 1):
            wt = intensity_rule(
                case.x[:, -1], case.bright, volume=case.prepared is not None
            ).astype(np.uint8)
            if case.prepared is not None:
                wt = (case.prepared.to_study(wt.astype(np.float32)) >= 0.5).astype(np.uint8)
            rule.add(case.name, 2 * wt, case.truth, regions=(WHOLE_TUMOUR,))
            for name, seed, model in found:
                message = f"{case.name}: {model.card.title}"
                yield Progress(done, total, message)
                labels = yield from _labels(model, case, done, total, message)
                scores[name, seed].add(case.name, labels, case.truth, case.regions)
                if case.regions == REGIONS:
                    scores[name, seed].confuse(case.name, labels, case.truth, case.inside)
                if case.prepared is not None:  # slices of a phantom are no volume
                    largest = in_largest_component(labels)
                    pieces[name, seed].add(case.name, largest, case.truth, case.regions)
                told = case.prepared is not None and case.regions == REGIONS
                if model.card.architecture == "jf-ml-ista" and told:
                    values = yield from _evidence(model, case, done, total, message)
                    evidence.setdefault((name, seed), []).append(values)
                done += 1
    if not rule.cases:
        raise ReadError(
            "nothing could be evaluated" + (f" ({skipped[0]})" if skipped else ""),
            where=data,
            remedy=f"Give studies with {', '.join(inputs.roles)} and a mask of the tumour",
        )
    parameters: dict[tuple[str, str], list[ParameterRow]] = {
        (name, seed): parameter_table(model)
        for name, seed, model in found
        if model.card.architecture == "jf-ml-ista"
    }
    titles = {name: model.card.title for name, _, model in found}
    titles[_RULE] = "Rule: FLAIR > 1.3 × brain median, largest component"
    return ClassEvaluation(
        data=Path(data).name,
        runs={**scores, (_RULE, ""): rule},
        titles=titles,
        parameters=parameters,
        evidence={key: _means(values) for key, values in evidence.items()},
        notes=tuple(skipped),
        recipes=recipe_summary({model.card.title: model.card for _, _, model in found}),
        pieces={key: run for key, run in pieces.items() if run.cases},
    )


def class_bundles(runs: str | Path | None, device: str) -> list[tuple[str, str, Model]]:
    """(name, seed, model) of every bundle with the four tumour classes.

    Raises
    ------
    ModelError
        There is none, or they take unlike inputs.
    """
    found = []
    if runs is None:
        names = [name for name in CLASS_RECIPES if name in models()]
        found = [(name, "", load_model(name, device)) for name in names]
    else:
        for path in sorted(Path(runs).glob(f"*/{CARD_FILE}")):
            name, _, seed = path.parent.name.rpartition("-")
            if name in CLASS_RECIPES and seed.isdigit():
                found.append((name, seed, load_model(path.parent, device)))
        order = list(CLASS_RECIPES)
        found.sort(key=lambda run: (order.index(run[0]), int(run[1])))
    if not found:
        raise ModelError(
            "no bundles of networks with tumour classes lie here",
            where=BUNDLES if runs is None else runs,
            remedy="Train some (sparseexplain train jf-ml-ista) and name each folder NAME-SEED, "
            "NAME one of " + ", ".join(CLASS_RECIPES),
        )
    for _, _, model in found:
        if list(model.card.classes) != [str(v) for v in TUMOUR_CLASSES]:
            raise ModelError(
                "the model tells other classes apart: " + ", ".join(model.card.classes.values()),
                where=model.path or model.card.name,
                remedy="Leave this bundle out",
            )
        if model.card.inputs != found[0][2].card.inputs:
            raise ModelError(
                "the models take unlike inputs, so they cannot be compared",
                where=model.path or model.card.name,
                remedy="Evaluate them one by one",
            )
    return found


def _cases(
    path: Path, inputs: Inputs, skipped: list[str], label_numbering: str, *, alone: bool
) -> Iterator[_ClassCase]:
    try:
        if path.suffix == ".npz":
            yield from _slice_cases(path, inputs)
        else:
            case = _study_case(path, inputs, label_numbering)
            if case.regions != REGIONS:
                skipped.append(f"{case.name}: {case.said}")
            yield case
    except SparseExplainError as error:
        if alone:
            raise
        skipped.append(f"Left out: {error}")


def _slice_cases(path: Path, inputs: Inputs) -> Iterator[_ClassCase]:
    """Every phantom of a file of slices is one subject."""
    slices = PhantomSlices.load(path)
    missing = [role for role in inputs.roles if role not in slices.roles]
    if missing or abs(slices.spacing_mm - inputs.spacing_mm) > 0.01:
        raise StudyError(
            f"the slices are of {', '.join(slices.roles)} at {slices.spacing_mm:g} mm, and "
            f"{', '.join(inputs.roles)} at {inputs.spacing_mm:g} mm are needed",
            where=path,
            remedy="Render them again with these",
        )
    order = [slices.roles.index(role) for role in inputs.roles]
    for phantom in np.unique(slices.geometry):
        rows = slices.geometry == phantom
        x = slices.x[rows][:, order].astype(np.float32) / np.float32(255)
        yield _ClassCase(f"phantom {phantom}", x, slices.y[rows], None, rule_threshold(None))


def _study_case(path: Path, inputs: Inputs, label_numbering: str) -> _ClassCase:
    study = open_study(path, label_numbering=label_numbering)
    span = slice(0, study.grid.shape[0])
    truth = reference_mask(study, span)
    if truth is None:
        raise StudyError(
            "the study has no mask of the role seg",
            where=path,
            remedy="Put the reference segmentation into the study's folder, named …seg.nii.gz",
        )
    classes = {str(value): name for value, name in TUMOUR_CLASSES.items()}
    card = ModelCard("evaluation", "Evaluation", "unet", {}, "segmentation", inputs, classes)
    prepared = prepare(study, card, span)
    bright = rule_threshold(prepared.ranges[inputs.roles[-1]])
    regions = tuple(region for region in REGIONS if truth.region(region) is not None)
    if not regions:
        raise StudyError(truth.note, where=path, remedy="Say it with --labels")
    labels = truth.own_labels()
    return _ClassCase(study.name, prepared.array, labels, prepared, bright, regions, truth.note)


def _labels(
    model: Model, case: _ClassCase, done: int, total: int, message: str
) -> Work[npt.NDArray[np.uint8]]:
    """The network's label values on the study's pixels, in pieces of a few slices.

    Of phantom slices, which have no study, on the network's: the brain is what they show.
    """
    found = np.zeros(case.truth.shape, dtype=np.uint8)
    piece = 8
    for start in range(0, len(case.x), piece):
        part = case.x[start : start + piece]
        if not part.any():
            continue
        work = predict_array(model, part)
        try:
            while True:
                next(work)
        except StopIteration as end:
            mask = end.value.mask
        if case.prepared is None:
            labels = network_classes(model.card, mask, shown_pixels(part))
        else:
            labels = class_maps(model, case.prepared.part(start, start + piece), mask).labels
        found[start : start + piece] = labels
        yield Progress(done, total, message)
    return found


def _evidence(
    model: Model, case: _ClassCase, done: int, total: int, message: str
) -> Work[dict[str, float]]:
    """In-class energy and residual over some tumour slices, on the network's pixels."""
    assert case.prepared is not None
    channels_true = class_channels(case.truth)
    truth = np.stack(
        [
            case.prepared.to_network((channels_true == channel).astype(np.float32))
            for channel in range(len(TUMOUR_CLASSES))
        ]
    ).argmax(axis=0)
    rows = np.flatnonzero((truth > 0).any(axis=(1, 2)))[::EVIDENCE_EVERY]
    names = class_names(model)
    energy = np.zeros((len(names), len(names)))
    left = power = 0.0
    area = np.zeros(len(names))
    regions: dict[str, np.ndarray] = {}
    for n in rows:
        found = decompose_slices(model, case.x[n : n + 1])
        strength = np.square(found.components[0]).sum(axis=1)
        inside = case.x[n].any(axis=0)
        for c in range(len(names)):
            here = (truth[n] == c) & inside
            area[c] += int(here.sum())
            energy[:, c] += strength[:, here].sum(axis=1)
        left += float(np.square(found.residual).sum())
        power += float(np.square(found.input).sum())
        for without in range(-1, len(names)):
            channels = found.class_channels(() if without < 0 else (without,))[0]
            counts = regions.setdefault(str(without), np.zeros((len(REGIONS), 3)))
            for r, region in enumerate(REGIONS):
                a, b = _in_region(channels, region) & inside, _in_region(truth[n], region)
                counts[r] += [(a & b).sum(), a.sum(), b.sum()]
        yield Progress(done, total, message)
    values: dict[str, float] = {}
    for c, name in enumerate(names):
        if energy[c].sum() > 0:
            values[f"in-class energy, {name}"] = float(energy[c, c] / energy[c].sum())
        values[f"area share, {name}"] = float(area[c] / max(1.0, area.sum()))
    values["residual, share of the norm"] = float(np.sqrt(left / power)) if power > 0 else 0.0
    for c, name in enumerate(names):
        for r, region in enumerate(REGIONS):
            before, after = regions["-1"][r], regions[str(c)][r]
            if before[2] > 0:
                lost = 2 * before[0] / (before[1] + before[2]) - 2 * after[0] / (
                    after[1] + after[2]
                )
                values[f"Dice {region} lost without {name}"] = float(lost)
    return values


def _in_region(channels: npt.NDArray[np.integer], region: str) -> npt.NDArray[np.bool_]:
    return np.isin(channels, REGION_CHANNELS[region])


def _means(values: list[dict[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for each in values for name in each)
    return {name: float(np.mean([v[name] for v in values if name in v])) for name in names}
