"""What a sheet says of its maps, in plain words, with the figures that it stands on.

A map *fails* where a row of its table of trust does, and for no other reason: its completeness
error is above `GAP_LIMIT` (10 %); its AUPRC does not beat a random map, the outlines of the image
and a Gaussian at the centre of the head, and, once weights were drawn anew, itself on random
weights; or it has |ρ| of at least `SURVIVES` (0.5) with the map of a network whose weights are all
random (Adebayo et al. 2018). See `trust.verdicts` and docs/attribution.md. A map that fails none of
these is not called right: it is said which tests were made, and which are still pending.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...evidence import Explanation
from ..attribution.frame import GAP_LIMIT
from ..trust.table import Trust
from ..trust.verdicts import DECIDING, GAP, TrustRow
from ..trust.weight_randomisation import SURVIVES

State = Literal["fails", "no test failed so far", "no test failed", "not judged"]

RANDOMISATION = "parameter randomisation"

#: What no figure says.
LIMITS = (
    "The tests say which maps to distrust. A map that failed none may still be wrong; "
    "research use only."
)

_OWN = "against the model's own estimate, on which every map of this target lies"


@dataclass(frozen=True)
class MapVerdict:
    """What is said of one map.

    Attributes
    ----------
    state : str
    figures : str
        In one sentence or several.
    pending : bool
        Whether parameter randomisation is still to be made.
    """

    state: State
    figures: str
    pending: bool


@dataclass(frozen=True)
class SheetVerdict:
    """What is said of a sheet.

    Attributes
    ----------
    headline : str
    lines : tuple of str
        One a part.
    limits : str
        What must stand beside it.
    failed : bool
        Whether any map failed a test.
    pending : bool
        Whether parameter randomisation is still to be made for any map.
    """

    headline: str
    lines: tuple[str, ...]
    limits: str
    failed: bool
    pending: bool


def map_verdict(trust: Trust | None, against: str, why_not: str = "") -> MapVerdict:
    """The state of a map, and its figures.

    Parameters
    ----------
    against : {"", "reference", "estimate"}
        What AUPRC was taken against.
    why_not : str
        Why there is no table.
    """
    if trust is None:
        return MapVerdict("not judged", f"{why_not or 'No figure could be taken.'}", False)
    rows = {row.name: row for row in trust.rows}
    drawn_anew = RANDOMISATION in rows
    parts = [_gap_words(rows.get(GAP)), _place_words(rows.get(DECIDING), against)]
    parts.append(
        _randomised_words(rows[RANDOMISATION]) if drawn_anew else f"{RANDOMISATION} pending"
    )
    figures = "; ".join(part for part in parts if part)
    why = " ".join(row.sentence for row in trust.rows if row.failed)
    said = f"{figures[:1].upper()}{figures[1:]}." + (f" {why}" if why else "")
    measured = [rows.get(name) for name in (GAP, DECIDING, RANDOMISATION)]
    if any(row.failed for row in trust.rows):
        state: State = "fails"
    elif not any(row is not None and row.value is not None for row in measured):
        state = "not judged"
    else:
        state = "no test failed" if drawn_anew else "no test failed so far"
    return MapVerdict(state, said, not drawn_anew)


def _gap_words(row: TrustRow | None) -> str:
    if row is None or row.value is None:
        return "it does not claim to add up, so no completeness error"
    return f"completeness error {row.value:.1%} (fails above {GAP_LIMIT:.0%})"


def _place_words(row: TrustRow | None, against: str) -> str:
    if row is None or row.value is None:
        if against == "reference":
            return "AUPRC does not apply: the reference holds none of the target on this slice"
        return "AUPRC does not apply: no mask to compare with on this slice"
    beside = [
        f"{words} {value:.2f}"
        for words, value in (
            ("edge map", row.edge),
            ("random map", row.random),
            ("head centre", row.centre),
            ("random weights", row.untrained),
        )
        if value is not None
    ]
    against = _OWN if against == "estimate" else "against the reference"
    return f"AUPRC {against} {row.value:.2f} ({', '.join(beside)})"


def _randomised_words(row: TrustRow) -> str:
    if row.value is None:
        return f"{RANDOMISATION} has no value: {row.sentence.rstrip('.')}"
    return f"ρ with random weights {row.value:.2f} (fails from {SURVIVES:.1f}, whatever its sign)"


def sheet_verdict(maps: Sequence[MapVerdict], lines: Sequence[str]) -> SheetVerdict:
    """One line for all maps: how many failed a test, and what is pending."""
    pending = any(one.pending for one in maps)
    failed = sum(one.state == "fails" for one in maps)
    judged = sum(one.state != "not judged" for one in maps)
    if not maps:
        head = "No map to judge."
    elif not judged:
        head = "No map could be judged."
    elif failed:
        head = f"{_of(failed, len(maps))} {'fails' if failed == 1 else 'fail'} a test."
    else:
        head = f"{_none_of(judged, len(maps))} failed a test that was made."
    if pending:
        head += f" {RANDOMISATION.capitalize()} is pending."
    return SheetVerdict(head, tuple(lines), LIMITS, bool(failed), pending)


def _of(count: int, total: int) -> str:
    return (
        ("The map" if total == 1 else "Both maps") if count == total else f"{count} of {total} maps"
    )


def _none_of(judged: int, total: int) -> str:
    none = {1: "The one map that could be judged has not", 2: "Neither map has"}
    if judged == total == 1:
        return "The map has not"
    return none.get(judged, f"None of {judged} maps has")


def mask_line(_name: str, explanation: Explanation) -> str:
    """What is said of a mask: its Dice, without a word that the figure does not say."""
    value = explanation.scores.get("dice")
    if value is not None:
        return f"Dice {value:.2f} against the reference on this slice."
    if "dice" in explanation.scores:
        return "Dice does not apply: neither mask nor reference holds anything on this slice."
    return "no reference segmentation to score it with."


def others_line(name: str, explanation: Explanation) -> str:
    """What is said of what makes no claim about where the model looked."""
    if name == "responses":
        return "of the linear part alone; the same for every scan."
    scores = explanation.scores
    said = []
    if (value := scores.get("Dice WT")) is not None:
        said.append(f"Dice WT {value:.2f} against the reference on this slice")
    if (left := scores.get("residual, share of the norm")) is not None:
        said.append(f"{left:.0%} of the scans' norm is explained by no class")
    return ("; ".join(said) or "no figures") + "."
