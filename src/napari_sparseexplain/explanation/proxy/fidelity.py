"""How faithfully a proxy stands for the network it was distilled from.

Beyond the SUM paper, which names the approximation of trained U-Nets by SUMs as future work
(Section 6). What a proxy shows is about the other network only as far as the two agree, so
the agreement is measured beside the accuracy, and below a stated floor nothing is interpreted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ModelError
from ...evidence import ExplanationMap
from ...evidence.scores import Counts
from ...networks.bundle.loading import load_model
from ...networks.bundle.model import Model
from ...networks.bundle.model_card import ModelCard
from ...networks.running.inference import predict_array
from ...networks.running.preparation import Resolution, prepare
from ...progress import Progress, Work
from ...volumes import Study
from ..class_maps import class_maps, class_report
from ..method_result import MethodResult
from ..segmentation import true_mask
from ..target import Target

#: Dice to the teacher below which a proxy is not interpreted, unless its card states another.
FIDELITY_FLOOR = 0.85


@dataclass(frozen=True)
class Fidelity:
    """Agreement of a proxy with its teacher, beside the accuracy of both.

    Attributes
    ----------
    dice_to_teacher : float or None
        Micro Dice of the two masks; None when both are empty.
    proxy_accuracy, teacher_accuracy : float or None
        Micro Dice of each against the reference segmentation; None without one.
    signal_correlation : float or None
        Pearson correlation of the signals before the output layer; None when one is constant.
    """

    dice_to_teacher: float | None
    proxy_accuracy: float | None = None
    teacher_accuracy: float | None = None
    signal_correlation: float | None = None

    def as_scores(self) -> dict[str, float | None]:
        """Names for a person."""
        return {
            "fidelity (Dice to the teacher)": self.dice_to_teacher,
            "proxy's accuracy (Dice)": self.proxy_accuracy,
            "teacher's accuracy (Dice)": self.teacher_accuracy,
            "correlation of the signals": self.signal_correlation,
        }

    def is_enough(self, floor: float = FIDELITY_FLOOR) -> bool:
        """Whether the proxy may be interpreted in the teacher's place."""
        return self.dice_to_teacher is not None and self.dice_to_teacher >= floor


def fidelity_of(
    proxy_mask: npt.NDArray[Any],
    teacher_mask: npt.NDArray[Any],
    *,
    true: npt.NDArray[Any] | None = None,
    proxy_signal: npt.NDArray[Any] | None = None,
    teacher_signal: npt.NDArray[Any] | None = None,
) -> Fidelity:
    """Agreement of two masks (anything but 0 is in) and, when given, of the signals behind them."""
    correlation = None
    if proxy_signal is not None and teacher_signal is not None:
        a, b = (np.asarray(s, dtype=np.float64).ravel() for s in (proxy_signal, teacher_signal))
        if a.std() > 0 and b.std() > 0:
            correlation = float(np.corrcoef(a, b)[0, 1])
    return Fidelity(
        Counts.of(proxy_mask, teacher_mask).dice,
        None if true is None else Counts.of(proxy_mask, true).dice,
        None if true is None else Counts.of(teacher_mask, true).dice,
        correlation,
    )


def stated_fidelity(card: ModelCard) -> tuple[float, float] | None:
    """Fidelity and floor that a proxy's card states; None for a model that stands for itself."""
    entry = card.metrics.get("fidelity")
    if not isinstance(entry, dict) or "dice_to_teacher" not in entry:
        return None
    value = entry["dice_to_teacher"]
    return float(0.0 if value is None else value), float(entry.get("floor", FIDELITY_FLOOR))


def require_faithful(card: ModelCard) -> None:
    """Refuse to interpret a proxy that does not stand for its teacher.

    Raises
    ------
    ModelError
        The card states a fidelity below its floor.
    """
    stated = stated_fidelity(card)
    if stated is not None and stated[0] < stated[1]:
        teacher = card.training.get("teacher", "its teacher")
        raise ModelError(
            f"this proxy agrees with {teacher} to a Dice of {stated[0]:.2f} only, below the "
            f"{stated[1]:.2f} at which it may be interpreted in its place",
            where=card.name,
            remedy="Distil for longer or with more maps; its masks can still be looked at",
        )


def fidelity_work(
    study: Study,
    model: Model,
    *,
    target: Target | None,
    slices: slice,
    teacher: str,
    floor: float,
    resolution: Resolution,
) -> Work[MethodResult]:
    """The method ``fidelity``: a proxy and its teacher on a study, and where they differ.

    Returns
    -------
    MethodResult
        Maps ``proxy-mask``, ``teacher-mask`` and ``disagreement`` (1: proxy alone, 2: teacher
        alone). A note says whether the proxy may be interpreted on this study.

    Raises
    ------
    ModelError
        No teacher is known, or it takes other inputs.
    """
    named = teacher or str(model.card.training.get("teacher", ""))
    if not named:
        raise ModelError(
            "the model's card names no teacher",
            where=model.card.name,
            remedy="Say which network it stands for, with the parameter teacher",
        )
    master = load_model(named).on(model.device)
    noted = str(model.card.training.get("teacher weights", ""))
    if noted and not teacher and master.card.weights_sha256 != noted:
        raise ModelError(
            f"the model {named!r} has other weights ({master.card.weights_sha256[:12]}…) than the "
            f"teacher of this proxy ({noted[:12]}…)",
            where=model.card.name,
            remedy="Give the teacher's own folder with the parameter teacher",
        )
    yield Progress(0, 0, "Preparing the slices")
    masks, signals, notes = [], [], []
    for each in (model, master):
        prepared = prepare(study, each.card, slices, resolution=resolution)
        notes += [note for note in prepared.notes if note not in notes]
        found = yield from predict_array(each, prepared.array)
        mapped = class_maps(each, prepared, found.mask)
        masks.append(mapped.labels)
        _, said = class_report(prepared, mapped.labels, mapped.classes, mapped.dropped)
        notes += [f"{each.card.title}: {sentence}" for sentence in said]
        signals.append(prepared.to_study(found.signal))
    true, _ = true_mask(study, slices)
    alike = signals[0].shape == signals[1].shape
    agreement = fidelity_of(
        masks[0],
        masks[1],
        true=true,
        proxy_signal=signals[0] if alike else None,
        teacher_signal=signals[1] if alike else None,
    )
    differs = (masks[0] != 0).astype(np.uint8) * (masks[1] == 0)
    differs += 2 * ((masks[0] == 0) & (masks[1] != 0)).astype(np.uint8)
    verdict = "may" if agreement.is_enough(floor) else "may not"
    notes.append(
        f"On these slices the proxy {verdict} be interpreted in the place of "
        f"{master.card.title} (floor: Dice {floor:.2f})."
    )
    sides = ((model, masks[0], "proxy-mask"), (master, masks[1], "teacher-mask"))
    maps = [
        ExplanationMap(
            name,
            mask,
            "segmentation",
            f"{each.card.title} mask",
            classes={int(v): n for v, n in each.card.classes.items() if int(v) != 0},
        )
        for each, mask, name in sides
    ]
    kinds = {1: f"{model.card.title} alone", 2: f"{master.card.title} alone"}
    maps.append(
        ExplanationMap("disagreement", differs, "segmentation", "Disagreement", classes=kinds)
    )
    return MethodResult(
        tuple(maps),
        agreement.as_scores(),
        tuple(notes),
        region=prepared.region,
        decided={"teacher": named},
    )
