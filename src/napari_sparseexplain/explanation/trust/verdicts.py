"""The rows of a table of trust: each figure with its verdict, and why.

Three things make a map fail: it does not add up to what it explains; it finds the target no
better than the outlines of the image do; or it stays the same when the network has forgotten all.
Everything else is a figure to compare, without a threshold that could be defended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...evidence.attribution_scores import LOCALISATION, Localisation
from ..attribution.frame import GAP_LIMIT
from ..attribution.gap_advice import MORE_STEPS
from .map_figures import ALL_FIGURES
from .weight_randomisation import SURVIVES, Randomisation

#: The score that decides whether a map finds the target: it looks at ranks alone, so a blurred
#: map and a sharp one are judged alike.
DECIDING = "AUPRC"

GAP = "completeness error"


@dataclass(frozen=True)
class TrustRow:
    """One figure.

    Attributes
    ----------
    name : str
    value : float or None
        None where it does not apply.
    random, edge : float or None
        The same figure of random maps and of the image's edges, where they have one.
    failed : bool
        Shown in red.
    sentence : str
        Why it failed, or why it does not apply.
    """

    name: str
    value: float | None
    random: float | None = None
    edge: float | None = None
    failed: bool = False
    sentence: str = ""


def trust_rows(
    located: Localisation | None,
    figures: Mapping[str, float | None],
    randomisation: Randomisation | None = None,
    advice: str = MORE_STEPS,
) -> tuple[TrustRow, ...]:
    """The rows of what was measured, each with its verdict.

    Parameters
    ----------
    located : Localisation or None
        Against the reference segmentation; None where there is none.
    figures : mapping
        By the names of `map_figures.ALL_FIGURES`; only those there are get a row.
    advice : str
        What would close a completeness error: see `gap_advice`.
    """
    rows = []
    for name in ALL_FIGURES:
        if name in figures:
            value = figures[name]
            if name == GAP:
                rows.append(_gap_row(value, advice))
            elif name == "parameter randomisation":
                rows.append(_randomised_row(value, randomisation))
            else:
                missing = "" if value is not None else "Does not apply to these slices."
                rows.append(TrustRow(name, value, sentence=missing))
    if located is None:
        said = "Does not apply: there is no reference segmentation of the target."
        return (*rows, *(TrustRow(name, None, sentence=said) for name in LOCALISATION))
    return (*rows, *(_localisation_row(name, located) for name in LOCALISATION))


def _gap_row(gap: float | None, advice: str) -> TrustRow:
    if gap is None:
        return TrustRow(
            GAP, None, sentence="Does not apply: the map does not claim to add up to a score."
        )
    if gap <= GAP_LIMIT:
        return TrustRow(GAP, gap)
    return TrustRow(
        GAP,
        gap,
        failed=True,
        sentence=f"The map leaves {gap:.0%} of the change of score unexplained "
        f"(at most {GAP_LIMIT:.0%} is fine). {advice}",
    )


def _randomised_row(value: float | None, randomisation: Randomisation | None) -> TrustRow:
    name = "parameter randomisation"
    if randomisation is not None and not randomisation.stages:
        said = "Does not apply: the model shows no weights that could be drawn anew."
        return TrustRow(name, None, sentence=said)
    if value is None:
        return TrustRow(
            name,
            None,
            sentence="The network with random weights answers nothing, so its map is constant and "
            "ranks nothing: it did not survive.",
        )
    if abs(value) < SURVIVES:
        return TrustRow(name, value)
    stages = "" if randomisation is None else f" after {len(randomisation.stages)} stages"
    return TrustRow(
        name,
        value,
        failed=True,
        sentence=f"With every weight random{stages} the map still ranks the target's pixels alike "
        f"(ρ = {value:.2f}): it shows the image, not what the network learned.",
    )


def _localisation_row(name: str, located: Localisation) -> TrustRow:
    value, chance, edge = located.map[name], located.random[name], located.edge[name]
    if value is None:
        return TrustRow(
            name,
            None,
            chance,
            edge,
            sentence="Does not apply: the map is constant, or the mask empty, on every slice.",
        )
    if name != DECIDING:
        return TrustRow(name, value, chance, edge)
    for other, what in ((chance, "a random map"), (edge, "the outlines of the image")):
        if other is not None and value <= other:
            return TrustRow(
                name,
                value,
                chance,
                edge,
                failed=True,
                sentence=f"The map finds the target no better than {what} "
                f"({value:.3f} to {other:.3f}).",
            )
    return TrustRow(name, value, chance, edge)
