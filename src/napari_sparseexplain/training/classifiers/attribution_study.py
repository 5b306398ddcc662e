"""The attribution study: do the maps of several methods point at what the classifiers should see?

Every picture × model × method is one record, written when it is done, so that a study that was
stopped at any moment goes on. Beside the methods stand maps that know nothing of the network:
random values, the picture's edges, a Gaussian at the centre of the head; and each method on a
network of random weights.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ...errors import CancelledError, ModelError, ParameterError, SparseExplainError
from ...evidence.attribution_scores import (
    centre_map,
    edges_of_channels,
    localisation_figures,
    random_map,
)
from ...explanation.attribution.class_activation import default_layer
from ...explanation.catalogue import method_info
from ...explanation.target import Target
from ...explanation.trust.explained_slices import ExplainedSlices, explained_slices
from ...explanation.trust.insertion_deletion import insertion_deletion
from ...explanation.trust.map_figures import Effort, Heat, information_curves
from ...explanation.trust.performance_information_curve import InformationCurve
from ...explanation.trust.road import road
from ...explanation.trust.weight_randomisation import untrained
from ...networks.bundle.model import Model
from ...networks.bundle.model_card import in_unit_range
from ...progress import Progress, Work
from ...volumes import study_of_arrays
from ...volumes.labelled.class_image import ClassImage
from ...works_in_threads import Start, works_in_threads
from .class_slices import ClassSlices
from .evaluate_classifiers import check_classifier
from .fed_pictures import FedPictures
from .study_records import (
    BLIND,
    EDGES,
    HEAD,
    ON_RANDOM,
    RECORDS,
    RecordStream,
    StudyRecord,
    file_digest,
    keep_map,
    keep_notes,
    resume,
)
from .train_classifier import class_probabilities

#: Points of a curve that are kept.
_POINTS = 101


def head_centre_map(picture: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """A Gaussian at the centre of what is bright: a blind guess; see `centre_map`.

    Parameters
    ----------
    picture : ndarray, shape (H, W)
    """
    return centre_map(picture > picture.min() + 0.15 * float(picture.max() - picture.min()))


def study_pictures(slices: ClassSlices, count: int, seed: int = 0) -> npt.NDArray[np.intp]:
    """As many pictures of each class as can be, drawn at random: their rows.

    Of those with a box or a mask, against which a map can be scored; of all where none has one.
    """
    generator = np.random.default_rng(seed)
    boxed = [i for i in range(len(slices)) if slices.boxes(i).any()] or list(range(len(slices)))
    by_class = [
        list(generator.permutation([i for i in boxed if slices.targets[i] == c]))
        for c in range(len(slices.classes))
    ]
    chosen: list[int] = []
    while len(chosen) < min(count, len(boxed)):
        for rows in by_class:
            if rows and len(chosen) < count:
                chosen.append(int(rows.pop()))
    return np.asarray(sorted(chosen), dtype=np.intp)


def attribution_study(
    slices: ClassSlices,
    models: Sequence[Model],
    methods: Sequence[str],
    folder: Path,
    *,
    parameters: Mapping[str, Any] | None = None,
    seed: int = 0,
    notes: Sequence[str] = (),
) -> Work[list[StudyRecord]]:
    """Every picture × model × method, each written when it is done.

    Parameters
    ----------
    slices : ClassSlices
        Pictures that no model was trained on; each model is fed them by its own card. Without
        boxes and masks there are the figures that ask the network alone.
    models : sequence of Model
        Classifiers of these classes; of one name once.
    methods : sequence of str
        Names of the catalogue.
    folder : Path
        Records, maps and what was asked; a study that lies there goes on, and further models and
        methods join it.
    parameters : mapping, optional
        Given to every method that has a parameter of the name.
    notes : sequence of str
        What a person must know of the pictures; kept with the study (`read_notes`).

    Raises
    ------
    ModelError
        A model tells other classes apart, or two have one name.
    ParameterError
        There is no picture, the folder holds a study of other pictures or another seed, or a method
        or a parameter is not known.
    """
    if not len(slices):
        raise ParameterError("there is no picture to explain", remedy="Give a larger folder")
    if len({model.name for model in models}) < len(models):
        raise ModelError("two of the models have one name", remedy="Rename the card of one of them")
    for model in models:
        check_classifier(model, slices)
    names = list(dict.fromkeys(method_info(name).name for name in methods))
    given = {name: _own(name, parameters or {}) for name in names}
    if strange := [n for n in parameters or {} if not any(n in own for own in given.values())]:
        raise ParameterError(
            f"none of the methods has a parameter {strange[0]!r}",
            remedy="They have " + ", ".join(sorted({n for own in given.values() for n in own})),
        )
    pictures = FedPictures(slices)
    fed = {}
    for model in models:
        fed[model.name] = yield from pictures.of(model.card)
    files = tuple(file_digest(image) for image in slices.images)
    found = resume(folder, _of_what(slices, files, models, fed, given, seed))
    keep_notes(folder, notes)
    total = len(slices) * len(models) * (2 * len(names) + len(BLIND))
    wanted = (*names, *BLIND, *(name + ON_RANDOM for name in names))
    threads = _threads(models)
    with (folder / RECORDS).open("a", encoding="utf-8") as stream:
        records = RecordStream(found, stream, total)
        study = _Study(files, given, folder, records, seed)
        with _one_thread_each(threads):
            yield from works_in_threads(_pieces(study, fed, models, wanted, threads), threads)
    yield Progress(total, total, "done")
    places = {
        (file, model.name, method): (n, k, m)
        for n, model in enumerate(models)
        for k, file in enumerate(files)
        for m, method in enumerate(wanted)
    }
    return sorted((r for r in records.all if r.key in places), key=lambda r: places[r.key])


def _threads(models: Sequence[Model]) -> int:
    """As many pictures at a time as torch has threads; a GPU takes one after the other."""
    on_cpu = all(model.device.type == "cpu" for model in models)
    return torch.get_num_threads() if on_cpu else 1


@contextmanager
def _one_thread_each(threads: int) -> Iterator[None]:
    """Threads that each compute a picture do not each start as many again."""
    before = torch.get_num_threads()
    if threads > 1:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@dataclass(frozen=True, eq=False)
class _Study:
    """What all records of a study have in common.

    Attributes
    ----------
    files : tuple of str
        Digests of the pictures.
    given : mapping of method to its parameters
    """

    files: tuple[str, ...]
    given: Mapping[str, Mapping[str, Any]]
    folder: Path
    records: RecordStream
    seed: int


def _pieces(
    study: _Study,
    fed: Mapping[str, ClassSlices],
    models: Sequence[Model],
    wanted: Sequence[str],
    threads: int,
) -> Iterator[Start]:
    """A piece of work for each picture and model whose records are not all there."""
    done = study.records.keys()
    for model in models:
        slices = fed[model.name]
        blank = untrained(model.network, seed=study.seed)
        # Methods hang on a network what it is to tell them: each thread has its own.
        own = [
            (replace(model, network=deepcopy(model.network)), deepcopy(blank))
            for _ in range(threads)
        ] if threads > 1 else [(model, blank)]  # fmt: skip
        answers = class_probabilities(model.network, slices.values)
        called = [list(model.card.classes.values())[k] for k in answers.argmax(axis=1)]
        for index, file in enumerate(study.files):
            missing = [m for m in wanted if (file, model.name, m) not in done]
            if missing:
                yield partial(_piece, study, slices, index, missing, called[index], own)


def _piece(
    study: _Study,
    slices: ClassSlices,
    index: int,
    methods: Sequence[str],
    called: str,
    own: Sequence[tuple[Model, nn.Module | None]],
    number: int,
) -> Work[None]:
    """The records of a picture and a model, in thread ``number``."""
    model, blank = own[number]
    part = yield from _part(slices, index, model)
    for method in methods:
        what = f"{slices.images[index].name}, {model.name}, {method}"
        work = _record(study, part, slices, index, method, blank)
        record = yield from _counted(work, study.records, what)
        study.records.add(replace(record, predicted=called))


def _counted(work: Work[StudyRecord], records: RecordStream, what: str) -> Work[StudyRecord]:
    """Progress of one record as progress of the study."""
    yield Progress(len(records.all), records.total, what)
    while True:
        try:
            step = next(work)
        except StopIteration as end:
            return end.value
        yield Progress(len(records.all), records.total, f"{what}: {step.message}")


def _own(method: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Every parameter of a method: those given, and the defaults."""
    info = method_info(method)
    return info.checked({p.name: parameters[p.name] for p in info.parameters
                         if p.name in parameters})  # fmt: skip


def _of_what(
    slices: ClassSlices,
    files: Sequence[str],
    models: Sequence[Model],
    fed: Mapping[str, ClassSlices],
    given: Mapping[str, Mapping[str, Any]],
    seed: int,
) -> dict[str, Any]:
    """What tells this study from others: its pictures, models, methods and seed."""
    shapes = [[image.label, image.boxes, _mask_digest(image)] for image in slices.images]
    text = json.dumps([sorted(slices.classes), list(files), shapes])
    return {
        "pictures": hashlib.sha256(text.encode()).hexdigest(),
        "models": {
            model.name: {
                "weights": model.card.weights_sha256,
                "fed": fed[model.name].checksum(),
                "layer": default_layer(model.network),
            }
            for model in models
        },
        "methods": {name: dict(values) for name, values in given.items()},
        "seed": seed,
    }


def _mask_digest(image: ClassImage) -> str:
    return "" if image.mask is None else file_digest(replace(image, path=image.mask))


def _part(slices: ClassSlices, index: int, model: Model) -> Work[ExplainedSlices]:
    """The picture as the network is fed it, with its box."""
    card = model.card
    # It is normalised and masked already.
    way = "unit" if in_unit_range(card) else "none"
    inputs = replace(card.inputs, normalisation=way, mask="none", orientation="")
    plain = replace(model, card=replace(card, inputs=inputs))
    picture = slices.values[index].astype(np.float32)[None]
    study = study_of_arrays(
        {card.inputs.roles[0]: picture},
        spacing=(1.0, card.inputs.spacing_mm, card.inputs.spacing_mm),
        name=slices.images[index].name,
    )
    name = card_class(model, slices.images[index].label)
    found = yield from explained_slices(
        study, plain, Target.parse(f"class:{name}"), slice(0, 1), resolution="native"
    )
    return replace(found, truth=slices.boxes(index)[None])


def card_class(model: Model, label: str) -> str:
    """The class as the model's card writes it."""
    return next(n for n in model.card.classes.values() if n.strip().lower() == label.lower())


def _record(
    study: _Study,
    part: ExplainedSlices,
    slices: ClassSlices,
    index: int,
    method: str,
    blank: nn.Module | None,
) -> Work[StudyRecord]:
    image, box = slices.images[index], slices.boxes(index)
    model, seed = part.model, study.seed
    name = method.removesuffix(ON_RANDOM)
    given = study.given.get(name, {})
    record = StudyRecord(
        image.name, image.label, "", model.name, method, prevalence=float(box.mean()),
        file=study.files[index], layer=_layer(model.network, given),
    )  # fmt: skip
    picture = slices.values[index].astype(np.float64)
    try:
        if method in BLIND:
            heat = _blind(method, picture, seed + index)
        elif method.endswith(ON_RANDOM) and blank is None:
            return replace(record, fault="the network shows no weights that could be drawn anew")
        else:
            network = blank if method.endswith(ON_RANDOM) else None
            told = yield from part.explain(name, given, network=network)
            heat = Heat.of(told, model.card.inputs.roles)
    except CancelledError:
        raise
    except SparseExplainError as error:
        return replace(record, fault=str(error))
    values = heat.values[0]
    figures: dict[str, float | None] = dict(
        localisation_figures(np.abs(values) if heat.signed else values, box)
    )
    curves: dict[str, tuple[float, ...]] = {}
    if not method.endswith(ON_RANDOM):
        more = yield from _asked(part, heat, seed)
        figures |= more[0]
        curves = more[1]
        keep_map(study.folder, record, values)
    return replace(record, figures=figures, curves=curves)


def _layer(network: nn.Module, given: Mapping[str, Any]) -> str:
    """The layer that a method looks at; empty of one that looks at none."""
    if "layer" not in given:
        return ""
    return str(given["layer"]) or default_layer(network) or "the last convolution"


def _blind(method: str, picture: npt.NDArray[np.float64], seed: int) -> Heat:
    if method == EDGES:
        values = edges_of_channels(picture[None])
    elif method == HEAD:
        values = head_centre_map(picture)
    else:
        values = random_map(picture.shape, seed, picture != 0)
    return Heat(values[None], signed=False)


def _asked(
    part: ExplainedSlices, heat: Heat, seed: int
) -> Work[tuple[dict[str, float | None], dict[str, tuple[float, ...]]]]:
    """What asks the network: insertion, deletion, ROAD, both information curves."""

    def probability(images: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        return part.answers(0, np.asarray(images, dtype=np.float32))[0]

    image, values = part.images[0], heat.values[0]
    both = yield from insertion_deletion(
        probability, image, values, signed=heat.signed, steps=20, batch=16, seed=seed, scaled=False
    )
    removed = yield from road(probability, image, values, signed=heat.signed, seed=seed)
    shown = yield from information_curves(part, 0, values, heat.signed, Effort(seed=seed))
    figures: dict[str, float | None] = {**both.figures(), **removed}
    curves: dict[str, tuple[float, ...]] = {}
    for name, curve in shown.items():
        figures[name] = curve.auc if isinstance(curve, InformationCurve) else None
        if isinstance(curve, InformationCurve):
            places = np.linspace(0, 1, _POINTS)
            at = np.interp(places, curve.information, curve.answer)
            curves[name] = tuple(round(float(v), 4) for v in at)
    return figures, curves
