"""The rows of a table of trust: each figure with its verdict, and why.

Three things make a map fail: it does not add up to what it explains; it finds the target no
better than a map that knows nothing of what the network learned; or it stays the same when the
network has forgotten all.
Everything else is a figure to compare, without a threshold that could be defended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

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
        Why it failed, why it does not apply, or what it beats.
    centre, untrained : float or None
        The same figure of a Gaussian at the centre of the head, and of the same method's map of the
        network with random weights, where they have one.
    """

    name: str
    value: float | None
    random: float | None = None
    edge: float | None = None
    failed: bool = False
    sentence: str = ""
    centre: float | None = None
    untrained: float | None = None

    @property
    def references(self) -> dict[str, float]:
        """What the figure stands beside, in words, where it was measured."""
        known = {
            "a random map": self.random,
            "the outlines of the image": self.edge,
            "a Gaussian at the centre of the head": self.centre,
            "the same method on random weights": self.untrained,
        }
        return {name: value for name, value in known.items() if value is not None}


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
    row = TrustRow(
        name,
        located.map[name],
        located.random[name],
        located.edge[name],
        centre=located.centre.get(name),
        untrained=located.untrained.get(name),
    )
    if row.value is None:
        said = "Does not apply: the map is constant, or the mask empty, on every slice."
        return replace(row, sentence=said)
    if name != DECIDING or not row.references:
        return row
    beaten = {what: other for what, other in row.references.items() if row.value > other}
    missed = {what: other for what, other in row.references.items() if what not in beaten}
    if missed:
        said = f"The map finds the target no better than {_listed(missed)}; its own: "
        return replace(row, failed=True, sentence=f"{said}{row.value:.3f}.")
    return replace(row, sentence=f"Beats all of {_listed(beaten)}.")


def _listed(others: Mapping[str, float]) -> str:
    *first, last = [f"{what} ({value:.3f})" for what, value in others.items()]
    return f"{', '.join(first)} and {last}" if first else last
