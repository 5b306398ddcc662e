"""What is run for a sheet: which model fits the study for which part. Loads no torch.

Parts come in the order in which a person can use them and from cheap to dear: the mask, what the
model's linear part does, what each class contributed, then the two maps that take hundreds of
passes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import ModelError
from ...networks.bundle.catalogue import models as bundled_models
from ...networks.bundle.model_card import ModelCard
from ...volumes import Study
from ...volumes.labels.tumour import WHOLE_TUMOUR
from ..catalogue import method_info
from ..class_regions import has_class
from ..method import ParameterValue
from ..model_choice import PREFERRED, unfit
from ..target import Target

if TYPE_CHECKING:
    from ...networks.bundle.model import Model


SEGMENTATION, RESPONSES, COMPONENTS = "segmentation", "responses", "components"
GUIDED, XRAI = "guided-integrated-gradients", "xrai"

#: Parts of a sheet, in the order in which they are run.
PARTS = (SEGMENTATION, RESPONSES, COMPONENTS, GUIDED, XRAI)

#: Those that say where the model looked, which the verdict is about.
MAPS = (GUIDED, XRAI)

#: Where a default would take long for what it gives here. Guided IG: an expected error of 10 % of
#: the map's norm in place of 5 %, of at most 64 steps. Chosen by looking at one slice of
#: one real scan (docs/explain-slice.md).
DEFAULTS: Mapping[str, Mapping[str, ParameterValue]] = {
    GUIDED: {"n_steps": 64, "tolerance": 0.1},
    XRAI: {"n_steps": 64},
    RESPONSES: {"phases": False},
}


@dataclass(frozen=True, eq=False)
class Choice:
    """A model that may be taken.

    Attributes
    ----------
    given : Model, str or Path
        What loads it.
    card : ModelCard
    """

    given: Model | str | Path
    card: ModelCard


@dataclass(frozen=True, eq=False)
class PlannedPart:
    """One part of a sheet.

    Attributes
    ----------
    name : str
        One of `PARTS`; also the method.
    title : str
        For a person.
    choice : Choice or None
        The model; None where none fits.
    values : mapping
        Parameters of the method that are not its defaults.
    why_not : str
        Why it is not run.
    """

    name: str
    title: str
    choice: Choice | None
    values: Mapping[str, ParameterValue] = field(default_factory=dict)
    why_not: str = ""


@dataclass(frozen=True, eq=False)
class SheetPlan:
    """What is run on one slice.

    Attributes
    ----------
    parts : tuple of PlannedPart
        All of `PARTS`, those that cannot be run with the reason.
    target : Target or None
        What the maps explain; None: the likeliest class of a classifier, which it says itself.
    """

    parts: tuple[PlannedPart, ...]
    target: Target | None

    @property
    def explained(self) -> Choice:
        """The model that the maps explain."""
        found = next(part.choice for part in self.parts if part.name == XRAI)
        assert found is not None  # a plan without it is never made
        return found


def plan_sheet(
    study: Study,
    models: Sequence[Model | str | Path] | None = None,
    target: Target | None = None,
) -> SheetPlan:
    """Which model fits the study for which part.

    The first model that segments, and whose scans the study has, is segmented with, explained, and
    asked for its responses; without any, the first classifier is explained. Components are those of
    the first model that has any.

    Parameters
    ----------
    models : sequence of Model, str or Path, optional
        Those to choose from, in this order; the bundled ones when not given, the best of those
        that take few scans first (`model_choice.PREFERRED`).
    target : Target, optional
        What the maps explain: the whole tumour, or the model's first class that is no background,
        when not given.

    Raises
    ------
    ModelError
        None of the models fits; the message says what each needs.
    """
    choices = _choices(models)
    masked, no_mask = _first(choices, SEGMENTATION, study, target)
    explained, no_map = (masked, no_mask) if masked else _first(choices, XRAI, study, target)
    if explained is None:
        raise ModelError(
            f"no model fits this study ({no_map or no_mask or 'none ships'})",
            where=study.name,
            remedy="Add the missing scans, give one the right role in the Study tab (--role), or "
            "choose another model or target",
        )
    parts_of, no_parts = _first(choices, COMPONENTS, study, None)
    found = {
        SEGMENTATION: (masked, no_mask),
        RESPONSES: (explained, ""),
        COMPONENTS: (parts_of, no_parts),
        GUIDED: (explained, ""),
        XRAI: (explained, ""),
    }
    parts = tuple(
        PlannedPart(
            name,
            method_info(name).short_title,
            found[name][0],
            DEFAULTS.get(name, {}),
            "" if found[name][0] else _said(found[name][1]),
        )
        for name in PARTS
    )
    return SheetPlan(parts, target or _usual_target(explained.card))


def _choices(models: Sequence[Model | str | Path] | None) -> list[Choice]:
    cards = bundled_models()
    if models is None:
        order = [name for name in PREFERRED if name in cards]
        order += [name for name in cards if name not in order]
        return [Choice(name, cards[name]) for name in order]
    found = []
    for given in models:
        if isinstance(given, str) and given in cards:
            found.append(Choice(given, cards[given]))
            continue
        from ...networks.bundle.loading import load_model

        loaded = load_model(given) if isinstance(given, str | Path) else given
        found.append(Choice(given, loaded.card))
    return found


def _first(
    choices: Sequence[Choice], method: str, study: Study, target: Target | None
) -> tuple[Choice | None, str]:
    """The first that fits, or what each would need; models that need the same are said once."""
    said: dict[str, str] = {}
    for choice in choices:
        why = unfit(choice.card, [method_info(method)], study, target)
        if not why:
            return choice, ""
        if not why.startswith("does no"):
            said.setdefault(why, choice.card.name)
    return None, "; ".join(f"{name} {why}" for why, name in said.items())


def _said(lacking: str) -> str:
    """Why no model is there for a part."""
    return f"no model fits ({lacking})" if lacking else "none of the models is for it"


def _usual_target(card: ModelCard) -> Target | None:
    if card.task == "classification":
        return None
    if has_class(card, WHOLE_TUMOUR):
        return Target.region(WHOLE_TUMOUR)
    names = [name for value, name in card.classes.items() if str(value) != "0"]
    return Target.region(names[0]) if names else None
