"""Which bundled model to take when a person names none: the first that fits. Loads no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import ModelError
from ..networks.bundle.catalogue import models
from ..networks.bundle.model_card import ModelCard
from ..volumes import Study
from ..volumes.labels.tumour import WHOLE_TUMOUR
from .catalogue import method_info
from .class_regions import has_class
from .method import MethodInfo
from .target import Target

#: The best of those that take FLAIR alone, over nine real tumours that none of them had seen
#: (docs/sum.md).
FIRST_MODEL = "sum-seg"

#: Those that come first; the last two tell the parts of a tumour apart.
PREFERRED = (FIRST_MODEL, "unet-classes", "jf-ml-ista")


def default_model(study: Study, methods: Iterable[str], target: Target | str | None = None) -> str:
    """Name of a bundled model that takes the study's scans, runs the methods, knows the target.

    Raises
    ------
    ModelError
        None of those that ship does; the message says what each would need. Or a method takes none.
    """
    wanted = [method_info(name) for name in methods]
    if without := [info.name for info in wanted if not info.takes_model]:
        raise ModelError(
            f"the method {without[0]!r} runs without a model, so there is none to choose for it",
            where=study.name,
            remedy="Leave the model out, or leave this method out",
        )
    aim = Target.parse(target) if isinstance(target, str) else target
    cards = models()
    order = [name for name in PREFERRED if name in cards]
    order += [name for name in cards if name not in order]
    reasons = {}
    for name in order:
        why = unfit(cards[name], wanted, study, aim)
        if not why:
            return name
        reasons[name] = why
    said = "; ".join(f"{name} {why}" for name, why in reasons.items()) or "none ships"
    raise ModelError(
        f"no bundled model fits ({said})",
        where=study.name,
        remedy="Give one with --model, or the scan's role with --role",
    )


def unfit(
    card: ModelCard, methods: Iterable[MethodInfo], study: Study, target: Target | None = None
) -> str:
    """Why a model is not one for a study, some methods and a target; empty where it is."""
    for info in methods:
        other_task = info.tasks and card.task not in info.tasks
        if other_task or (info.architectures and card.architecture not in info.architectures):
            return f"does no {info.name}"
    if lacking := [role for role in card.inputs.roles if role not in study]:
        return "needs " + ", ".join(lacking)
    return "" if target is None or _knows(card, target, study) else f"knows no {target.label}"


def _knows(card: ModelCard, target: Target, study: Study) -> bool:
    if target.kind == "probability":
        return card.task == "classification" and has_class(card, target.name)
    name = target.name.partition("@")[0]
    if not name:
        return True
    if target.kind == "region" and name in study.labels:
        name = WHOLE_TUMOUR
    return has_class(card, name)
