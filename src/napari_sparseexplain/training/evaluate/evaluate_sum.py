"""Evaluation of the SUM paper's networks: its Tables 1 and 2, and the response rows of 3 and 4.

Scores are micro averages (all pixels together) over the slices that show a lesion, at the
network's own 128² pixels as in the paper; beside them stand what the paper does not give:
scores on the scan's own voxels, over whole volumes, slice by slice, and of a rule without learning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ...errors import ModelError, ReadError
from ...evidence.largest_component import largest_component
from ...evidence.scores import Counts, dice, segmentation_scores, slice_dice
from ...explanation.class_maps import class_maps
from ...explanation.proxy.responses import model_responses_work
from ...networks.bundle.card_file import CARD_FILE
from ...networks.bundle.catalogue import BUNDLES, models
from ...networks.bundle.loading import load_model
from ...networks.bundle.model import Model
from ...networks.running.inference import predict_array
from ...progress import Progress, Result, Work
from .evaluation_cases import INPUTS, Case, case_paths, open_cases
from .intensity_rule import READINGS, intensity_rule
from .paper_numbers import LINEARISABLE, SEGMENTERS
from .recipe_summary import recipe_summary
from .sum_evaluation import CaseScores, Run, SumEvaluation

#: Standard deviation of the blur in the network's pixels, and of the noise in units of (0, 1).
BLUR_SIGMA = 1.0
NOISE_SIGMA = 0.1

THRESHOLD = 0.5


@dataclass
class _Tally:
    """What is being counted for one run of one network (or for the rule)."""

    counts: dict[str, Counts] = field(default_factory=dict)
    slice_scores: list[npt.NDArray[np.float64]] = field(default_factory=list)
    cases: list[CaseScores] = field(default_factory=list)

    def add(self, condition: str, predicted: npt.NDArray[np.bool_], case: Case) -> None:
        """Count lesion slices under a condition."""
        lesion = case.y.any(axis=(1, 2))
        found = Counts.of(predicted[lesion], case.y[lesion])
        self.counts[condition] = self.counts.get(condition, Counts()) + found
        if condition == "clean":
            self.slice_scores.append(slice_dice(predicted, case.y)[0])

    def close(
        self,
        case: Case,
        predicted: npt.NDArray[np.bool_],
        native: npt.NDArray[np.bool_] | None,
    ) -> None:
        """Note a case's scores."""
        lesion = case.y.any(axis=(1, 2))
        whole: Mapping[str, float | None] = {}
        piece = None
        if native is not None and case.native_y is not None:
            whole = segmentation_scores(native, case.native_y, case.voxel_ml)
            piece = dice(largest_component(native), case.native_y)
        self.cases.append(
            CaseScores(
                case.name,
                Counts.of(predicted[lesion], case.y[lesion]).dice,
                Counts.of(predicted, case.y).dice,
                dict(whole),
                piece,
            )
        )


@dataclass
class _Noise:
    """Squared errors of noisy and of denoised slices."""

    before: float = 0.0
    after: float = 0.0
    pixels: int = 0

    def decibels(self) -> tuple[float, float]:
        """Peak signal to noise (the range is 1) before and after."""
        errors = np.array([self.before, self.after]) / self.pixels
        before, after = -10 * np.log10(errors)
        return float(before), float(after)


def evaluate_sum_work(
    data: str | Path,
    *,
    runs: str | Path | None = None,
    seed: int = 0,
    device: str = "auto",
    label_numbering: str = "",
) -> Work[SumEvaluation]:
    """Evaluate the networks of the SUM paper.

    Parameters
    ----------
    data : str or Path
        A study with a mask, a folder of such studies, or an ``.npz`` of phantom slices.
    runs : str or Path, optional
        A folder of bundles ``<name>-<seed>``; the shipped bundles, one run each, when not given.
    seed : int
        Of the added noise; every network gets the same.
    device : str
        As in `networks.device.choose_device`.
    label_numbering : str, optional
        What the labels of the masks stand for; see `volumes.open_study`.

    Raises
    ------
    SparseExplainError
        No data, no bundles, or a case that cannot be used.
    """
    paths = case_paths(data)
    found = _runs(runs, device)
    segmenters = [run for run in found if run[0] in SEGMENTERS]
    filters = [run for run in found if run[0] in LINEARISABLE]
    tallies = [_Tally() for _ in segmenters]
    noises = [_Noise() for _ in filters]
    rules = {name: _Tally() for name in READINGS}
    skipped: list[str] = []
    groups: list[npt.NDArray[np.int64]] = []
    total = len(paths) * len(segmenters) + len(filters)
    done = 0
    for number, case in enumerate(open_cases(paths, skipped, label_numbering)):
        if not case.y.any():
            skipped.append(f"Left out: {case.name} shows no lesion, so it has no Dice.")
            continue
        groups.append(_case_groups(case, len(groups)))
        inputs = _conditions(case, np.random.default_rng([seed, number]))
        _tally_rules(rules, case, inputs)
        for tally, (name, run_seed, model) in zip(tallies, segmenters, strict=True):
            message = f"{case.name}: {SEGMENTERS[name]}" + (f", run {run_seed}" if run_seed else "")
            yield Progress(done, total, message)
            work = _tally_network(tally, case, inputs, model)
            yield from _counted(work, done, total, message)
            done += 1
        for noise, (name, _, model) in zip(noises, filters, strict=True):
            if name == "sum-denoise":
                work = _tally_denoiser(noise, case, inputs["noise"], model)
                yield from _counted(work, done, total, f"{case.name}: {LINEARISABLE[name]}")
    if not groups:
        raise ReadError(
            "nothing could be evaluated" + (f" ({skipped[0]})" if skipped else ""),
            where=data,
            remedy="Give studies with a FLAIR scan and a mask of its lesion",
        )
    responses = []
    for (name, run_seed, model), noise in zip(filters, noises, strict=True):
        message = f"Impulse responses of {LINEARISABLE[name]}"
        yield Progress(done, total, message)
        work = model_responses_work(model)
        answer = yield from _counted(work, done, total, message)
        ranges = {key: answer.shift[0].span(key) for key in answer.shift[0].metrics}
        metrics = answer.metrics().as_dict()
        psnr = noise.decibels() if noise.pixels else None
        responses.append(Run(name, run_seed, metrics=metrics, ranges=ranges, psnr=psnr))
        done += 1
    tallied = [
        Run(name, run_seed, tally.counts, np.concatenate(tally.slice_scores), tally.cases)
        for tally, (name, run_seed, _) in zip(tallies, segmenters, strict=True)
    ]
    tallied += [
        Run(name, "", rule.counts, np.concatenate(rule.slice_scores), rule.cases)
        for name, rule in rules.items()
        if rule.cases
    ]
    return SumEvaluation(
        data=str(Path(data).name),
        seed=seed,
        segmenters=tuple(tallied),
        responses=tuple(responses),
        groups=np.concatenate(groups),
        notes=tuple(skipped),
        recipes=recipe_summary({m.card.title: m.card for _, _, m in found}),
        models={
            f"{name}-{run_seed}" if run_seed else name: m.card.weights_sha256
            for name, run_seed, m in found
        },
    )


def _runs(runs: str | Path | None, device: str) -> list[tuple[str, str, Model]]:
    """(name, seed, model) of every bundle to evaluate; the seed is empty for shipped ones."""
    known = {**SEGMENTERS, **LINEARISABLE}
    if runs is None:
        names = [name for name in known if name in models()]
        if not names:
            raise ModelError(
                "no network of the SUM paper ships with this installation",
                where=BUNDLES,
                remedy="Train some (sparseexplain train) and give their folder with --runs",
            )
        return [(name, "", _checked(load_model(name, device))) for name in names]
    folder = Path(runs)
    found = []
    for path in sorted(folder.glob(f"*/{CARD_FILE}")):
        name, _, run_seed = path.parent.name.rpartition("-")
        if name in known and run_seed.isdigit():
            found.append((name, run_seed, _checked(load_model(path.parent, device))))
    if not found:
        raise ModelError(
            "no bundles NAME-SEED lie in this folder",
            where=folder,
            remedy="Name each bundle's folder after its recipe and seed, as sum-rec-0; the names "
            "are " + ", ".join(known),
        )
    order = list(known)
    return sorted(found, key=lambda run: (order.index(run[0]), int(run[1])))


def _checked(model: Model) -> Model:
    """Refuse a network that was not trained on the paper's kind of input."""
    if model.card.inputs != INPUTS:
        raise ModelError(
            "the network takes other inputs than the paper's (FLAIR, 128² pixels of 1.875 mm)",
            where=model.path or model.card.name,
            remedy="Leave this bundle out of the folder",
        )
    return model


def _case_groups(case: Case, number: int) -> npt.NDArray[np.int64]:
    """A patient number for every lesion slice, different between cases."""
    return case.groups[case.y.any(axis=(1, 2))] + (number << 32)


def _conditions(case: Case, rng: np.random.Generator) -> dict[str, npt.NDArray[np.float32]]:
    """The network's input as it is, blurred, and with noise (Table 2)."""
    blurred = np.empty_like(case.x)
    sigma = (0.0, 0.0, BLUR_SIGMA, BLUR_SIGMA)
    ndimage.gaussian_filter(case.x, sigma, output=blurred, mode="nearest")
    noise = rng.standard_normal(case.x.shape, dtype=np.float32)
    noise *= np.float32(NOISE_SIGMA)
    noise += case.x
    return {"clean": case.x, "blur": blurred, "noise": noise}


def _tally_rules(
    tallies: Mapping[str, _Tally], case: Case, inputs: Mapping[str, npt.NDArray[np.float32]]
) -> None:
    """Both readings of the rule; slices of phantoms are no neighbours, so there only the second."""
    for name, tally in tallies.items():
        volume = name == "rule-3d"
        if volume and not case.is_volume:
            continue
        masks = {
            condition: intensity_rule(x[:, 0], case.bright, volume=volume)
            for condition, x in inputs.items()
        }
        for condition, mask in masks.items():
            tally.add(condition, mask, case)
        native = None
        if case.native_x is not None:
            native = intensity_rule(case.native_x, case.bright, volume=volume)
        tally.close(case, masks["clean"], native)


def _tally_network(
    tally: _Tally, case: Case, inputs: Mapping[str, npt.NDArray[np.float32]], model: Model
) -> Work[None]:
    """Run one network on all slices as they are, and on the lesion slices when corrupted."""
    lesion = case.y.any(axis=(1, 2))
    found = yield from predict_array(model, inputs["clean"])
    predicted = (found.mask[:, 0] >= THRESHOLD) & case.inside
    tally.add("clean", predicted, case)
    native = None
    if case.prepared is not None:
        native = class_maps(model, case.prepared, found.mask, THRESHOLD).labels != 0
    tally.close(case, predicted, native)
    for condition, x in inputs.items():
        if condition == "clean":
            continue
        corrupted = np.zeros_like(predicted)
        answer = yield from predict_array(model, x[lesion])
        corrupted[lesion] = (answer.mask[:, 0] >= THRESHOLD) & case.inside[lesion]
        tally.add(condition, corrupted, case)


def _tally_denoiser(
    noise: _Noise, case: Case, noisy: npt.NDArray[np.float32], model: Model
) -> Work[None]:
    """Run a denoiser on the lesion slices with noise."""
    lesion = case.y.any(axis=(1, 2))
    found = yield from predict_array(model, noisy[lesion])
    clean = case.x[lesion]
    noise.before += float(((noisy[lesion] - clean) ** 2).sum(dtype=np.float64))
    noise.after += float(((found.mask - clean) ** 2).sum(dtype=np.float64))
    noise.pixels += clean.size


def _counted(work: Work[Result], done: int, total: int, message: str) -> Work[Result]:
    """Inner work, whose steps are told as those of the whole evaluation."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value
        yield Progress(done, total, message)
