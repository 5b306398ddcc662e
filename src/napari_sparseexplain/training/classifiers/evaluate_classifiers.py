"""Tables of classifiers: accuracy beside what sees little of a picture, by class and view,
calibration, and what is left of it when the finding is blanked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ModelError, ParameterError
from ...evidence.tables import text_table
from ...files.atomic_write import write_together
from ...networks.bundle.loading import load_model
from ...networks.bundle.model import Model
from ...networks.modules.known_classifier import depth_of
from ...networks.running.axis_order import AS_SHOWN
from ...progress import Progress, Work
from .class_scores import (
    Reliability,
    accuracy_interval,
    confusion,
    f1_by_class,
    macro_f1,
    reliability,
)
from .class_slices import ClassSlices
from .classifier_numbers import PAPER_ROWS, PAPER_SETTINGS
from .confounders import BLANKED, BOXED, blanked_pictures
from .fed_pictures import FedPictures, has_mean_zero
from .plain_classifiers import plain_answers
from .train_classifier import class_probabilities

FILES = ("classifiers.txt", "classifiers.json")


@dataclass(frozen=True)
class ClassifierRow:
    """A classifier on the pictures to judge.

    Attributes
    ----------
    parameters, depth : int or None
        Weights, and layers with weights; None for what is no network.
    size_mb : float or None
        Of the weights in 32 bits.
    accuracy, low, high : float
        With the 95 % interval of pictures drawn anew.
    macro : float
        Mean F1 of the classes.
    classes : mapping of class to F1
    cells : mapping of (class, view) to (pictures, accuracy)
        By ``"class, view"``.
    table : tuple of tuple of int
        Pictures of each class (rows) that were called each class.
    calibration : Reliability or None
    blanked : mapping of str to (pictures, accuracy)
        With a part of each picture blanked, of the pictures that have the part; empty for what is
        no network.
    """

    name: str
    parameters: int | None
    depth: int | None
    size_mb: float | None
    accuracy: float
    low: float
    high: float
    macro: float
    classes: dict[str, float]
    cells: dict[str, tuple[int, float]]
    table: tuple[tuple[int, ...], ...]
    calibration: Reliability | None = None
    blanked: dict[str, tuple[int, float]] | None = None


@dataclass(frozen=True, eq=False)
class ClassifierEvaluation:
    """What `evaluate_classifiers` found.

    Attributes
    ----------
    rows : tuple of ClassifierRow
        Networks after what sees little of a picture.
    classes : tuple of str
    pictures : int
    how : str
        How the pictures to judge were chosen.
    """

    rows: tuple[ClassifierRow, ...]
    classes: tuple[str, ...]
    pictures: int
    how: str

    def text(self) -> str:
        """The tables, as they are printed."""
        networks = [row for row in self.rows if row.parameters is not None]
        cells = list(self.rows[0].cells) if self.rows else []
        head = ["classifier", "MB", "parameters", "depth", "accuracy", "95 %", "macro F1"]
        lines = [
            [
                row.name,
                "-" if row.size_mb is None else f"{row.size_mb:.1f}",
                "-" if row.parameters is None else f"{row.parameters:,}",
                "-" if row.depth is None else str(row.depth),
                f"{row.accuracy:.3f}", f"{row.low:.3f}-{row.high:.3f}", f"{row.macro:.3f}",
                *(f"{row.classes[name]:.3f}" for name in self.classes),
            ]
            for row in self.rows
        ]  # fmt: skip
        parts = [
            f"{self.pictures} pictures: {self.how}. Interval: pictures drawn anew; those of one "
            "patient resemble each other, so that the true one is wider. F1 of each class behind.",
            text_table([*head, *self.classes], lines),
            "Accuracy by class and view (pictures): one figure over all hides a cell that is "
            "mostly wrong.",
            text_table(
                ["class, view", "pictures", *(row.name for row in self.rows)],
                [
                    [
                        cell, str(self.rows[0].cells[cell][0]),
                        *(f"{row.cells[cell][1]:.3f}" for row in self.rows),
                    ]
                    for cell in cells
                ],
            ),
        ]  # fmt: skip
        for row in networks:
            parts.append(f"Called (columns) of each class (rows), {row.name}.")
            parts.append(
                text_table(
                    ["", *self.classes],
                    [
                        [name, *map(str, counts)]
                        for name, counts in zip(self.classes, row.table, strict=True)
                    ],
                )
            )
            if row.calibration is not None:
                sure = row.calibration
                parts.append(
                    f"Calibration of {row.name}: expected error {sure.error:.3f}. Accuracy by "
                    "confidence (pictures)."
                )
                parts.append(
                    text_table(
                        ["confidence", "accuracy", "pictures"],
                        [
                            [f"{c:.2f}", f"{a:.2f}", str(n)]
                            for c, a, n in zip(
                                sure.confidence, sure.accuracy, sure.counts, strict=True
                            )
                        ],
                    )
                )
        if networks:
            parts.append(
                "Accuracy with a part of each picture blanked (its mean): what of it needs the "
                "finding? Of the pictures that have the part: the box and what goes by it need one "
                "(or a mask), *as much elsewhere* a place of that size beside it."
            )
            counts = networks[0].blanked or {}
            parts.append(
                text_table(
                    ["blanked", "pictures", *(row.name for row in networks)],
                    [
                        [
                            what, str(count),
                            *(_share((row.blanked or {}).get(what)) for row in networks),
                        ]
                        for what, (count, _) in counts.items()
                    ],
                )
            )  # fmt: skip
        parts.append(paper_text())
        return "\n\n".join(parts)

    def save(self, folder: Path, *, overwrite: bool = False) -> list[Path]:
        """Write the tables as text and JSON."""
        values: dict[str, Any] = {
            "pictures": self.pictures,
            "how": self.how,
            "classes": list(self.classes),
            "rows": [asdict(row) for row in self.rows],
        }
        contents = (self.text() + "\n", json.dumps(values, indent=1, allow_nan=True) + "\n")
        folder.mkdir(parents=True, exist_ok=True)
        return write_together(folder, dict(zip(FILES, contents, strict=True)), overwrite=overwrite)


def paper_text() -> str:
    """The paper's two tables."""
    rows = [
        [
            row.title, f"{row.size_mb:g}", f"{row.parameters / 1e6:.1f} M", str(row.depth),
            "-" if row.tumour is None else f"{row.tumour:.3f}", f"{row.covid:.3f}",
        ]
        for row in PAPER_ROWS
    ]  # fmt: skip
    settings = ", ".join(f"{name} {value}" for name, value in PAPER_SETTINGS.items())
    return "\n\n".join(
        [
            "The paper, on slices drawn at random, so that patients stand on both sides (sizes "
            "and depths as its libraries give them).",
            text_table(
                ["classifier", "MB", "parameters", "depth", "tumours", "chest X-rays"], rows
            ),
            f"Its settings: {settings}.",
        ]
    )


def evaluate_classifiers(
    judged: ClassSlices,
    training: ClassSlices | None,
    models: Sequence[str | Path | Model],
    *,
    how: str,
    device: str = "auto",
) -> Work[ClassifierEvaluation]:
    """Every network beside the plain classifiers, which are fitted on the training pictures.

    Parameters
    ----------
    judged : ClassSlices
        Pictures that no network was trained on. Each network is fed them by its own card
        (`FedPictures`), whatever size they were read at.
    training : ClassSlices or None
        Without them there are no plain classifiers.
    models : sequence of str, Path or Model
    how : str
        How the pictures to judge were chosen, in words.

    Raises
    ------
    ModelError
        A model classifies other classes, or does not take single slices.
    ParameterError
        There are no pictures.
    """
    if not len(judged):
        raise ParameterError("there is no picture to judge", remedy="Give a larger folder")
    rows = []
    if training is not None:
        yield Progress(0, len(models) + 1, "fitting what sees little of a picture")
        for name, answer in plain_answers(training, judged).items():
            rows.append(_row(name, answer, judged))
    pictures = FedPictures(judged)
    for place, given in enumerate(models, 1):
        model = given if isinstance(given, Model) else load_model(given, device=device)
        order = check_classifier(model, judged)
        yield Progress(place, len(models) + 1, f"running {model.name}")
        fed = yield from pictures.of(model.card)
        found = class_probabilities(model.network, fed.values)[:, order]
        right = found.argmax(axis=1) == fed.targets
        blanked: dict[str, tuple[int, float]] = {}
        boxed = np.array([fed.boxes(index).any() for index in range(len(fed))])
        for what in BLANKED:
            part = blanked_pictures(fed, what, mean_zero=has_mean_zero(model.card))
            hits = right[part.rows]
            if what != BLANKED[0] and len(part.rows):
                answer = class_probabilities(model.network, part.values[part.rows])[:, order]
                hits = answer.argmax(axis=1) == fed.targets[part.rows]
            blanked[what] = _accuracy(hits)
            if what == BLANKED[0] and 0 < boxed.sum() < len(fed):
                blanked[BOXED] = _accuracy(right[boxed])
            yield Progress(place, len(models) + 1, f"{model.name}: {what} blanked")
        rows.append(_row(model.name, found.argmax(axis=1), judged, model, found, blanked))
    return ClassifierEvaluation(tuple(rows), judged.classes, len(judged), how)


def check_classifier(model: Model, slices: ClassSlices) -> list[int]:
    """Refuse a model of other classes or no single slices; the outputs in the order of the classes.

    Raises
    ------
    ModelError
    """
    card = model.card
    names = [name.strip().lower() for name in card.classes.values()]
    wrong = ""
    if card.task != "classification":
        wrong = f"it is for {card.task}"
    elif len(card.inputs.roles) != 1 or card.inputs.spatial_dims != 2:
        wrong = "it does not take single slices of one scan"
    elif set(names) != {name.lower() for name in slices.classes}:
        wrong = (
            f"it tells {', '.join(card.classes.values())} apart, and the pictures are of "
            f"{', '.join(slices.classes)}"
        )
    elif card.inputs.axis_order.plane != AS_SHOWN:
        wrong = (
            f"it takes slices in the orientation {card.inputs.orientation}, and pictures do not "
            "tell theirs"
        )
    if wrong:
        raise ModelError(
            wrong,
            where=model.name,
            remedy="Choose a classifier of these classes, or correct the names in its card",
        )
    return [names.index(name.lower()) for name in slices.classes]


def _row(
    name: str,
    answer: npt.NDArray[Any],
    judged: ClassSlices,
    model: Model | None = None,
    found: npt.NDArray[np.float32] | None = None,
    blanked: dict[str, tuple[int, float]] | None = None,
) -> ClassifierRow:
    count = len(judged.classes)
    right = np.asarray(answer) == judged.targets
    low, high = accuracy_interval(right)
    runs: dict[str, list[bool]] = {}
    for image, hit in zip(judged.images, right, strict=True):
        runs.setdefault(", ".join(filter(None, image.run)), []).append(bool(hit))
    weights = None if model is None else sum(p.numel() for p in model.network.parameters())
    table = confusion(np.asarray(answer), judged.targets, count)
    return ClassifierRow(
        name,
        weights,
        None if model is None else depth_of(model.network),
        None if weights is None else weights * 4 / 1e6,
        float(right.mean()),
        low,
        high,
        macro_f1(np.asarray(answer), judged.targets, count),
        dict(
            zip(
                judged.classes,
                map(float, f1_by_class(np.asarray(answer), judged.targets, count)),
                strict=True,
            )
        ),
        {run: (len(hits), float(np.mean(hits))) for run, hits in sorted(runs.items())},
        tuple(tuple(int(v) for v in line) for line in table),
        None if found is None else reliability(found, judged.targets),
        blanked,
    )


def _accuracy(hits: npt.NDArray[np.bool_]) -> tuple[int, float]:
    """Pictures, and the share that is right; 0 of none."""
    return len(hits), float(hits.mean()) if len(hits) else 0.0


def _share(found: tuple[int, float] | None) -> str:
    return f"{found[1]:.3f}" if found is not None and found[0] else "-"
