"""A finished sheet: its parts, each a result like any other, and what is said of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from ...errors import MissingNameError
from ...evidence import Explanation
from ..trust.table import Trust
from .plan import SEGMENTATION, Choice
from .verdict import SheetVerdict, map_verdict, mask_line, others_line, sheet_verdict

#: What the maps were compared with.
Against = Literal["", "reference", "estimate"]


@dataclass(frozen=True, eq=False)
class SheetPart:
    """One part.

    Attributes
    ----------
    name, title : str
        See `plan.PlannedPart`.
    choice : Choice or None
        The model; None where none fits.
    explanation : Explanation or None
        None where it could not be made; ``why_not`` then says why.
    trust : Trust or None
        Of a heat map: its figures.
    against : {"", "reference", "estimate"}
        Whether a map was compared with the study's own segmentation, or, where there is none, with
        the mask that the model itself predicted.
    why_not : str
        Why there is no result, or no trust.
    seconds : float
        What it took.
    """

    name: str
    title: str
    choice: Choice | None = None
    explanation: Explanation | None = None
    trust: Trust | None = None
    against: Against = ""
    why_not: str = ""
    seconds: float = 0.0

    @property
    def model(self) -> str:
        """Name of the model; empty where none fits."""
        return "" if self.choice is None else self.choice.card.name

    @property
    def line(self) -> str:
        """What is said of it: the figures, or why there are none."""
        card = None if self.choice is None else self.choice.card
        head = self.title if card is None else f"{self.title} by {card.title or card.name}"
        if self.explanation is None:
            return f"{head}: not made: {self.why_not}"
        if self.is_map:
            judged = map_verdict(self.trust, self.against, self.why_not)
            return f"{head}: {judged.state}. {judged.figures}"
        said = mask_line if self.name == SEGMENTATION else others_line
        return f"{head}: {said(self.name, self.explanation)}"

    def made(self) -> tuple[Explanation, Choice]:
        """The result, and the model that made it.

        Raises
        ------
        ValueError
            There is none.
        """
        if self.explanation is None or self.choice is None:
            raise ValueError(f"{self.name} was not made: {self.why_not}")
        return self.explanation, self.choice

    @property
    def is_map(self) -> bool:
        """Whether it says where the model looked."""
        return self.explanation is not None and any(
            item.kind == "heatmap" for item in self.explanation.maps
        )


@dataclass(frozen=True, eq=False)
class SliceSheet:
    """Everything found on one slice.

    Attributes
    ----------
    study_name : str
    index : int
        Slice of the study, counted from 0.
    target : str
        What the maps explain.
    parts : tuple of SheetPart
        In the order in which they were run.
    """

    study_name: str
    index: int
    target: str
    parts: tuple[SheetPart, ...]

    def __repr__(self) -> str:
        there = [part.name for part in self.parts if part.explanation is not None]
        return f"<SliceSheet of slice {self.index + 1}: {', '.join(there) or 'nothing'}>"

    def __getitem__(self, name: str) -> SheetPart:
        """The part called ``name``; MissingNameError tells what there is."""
        for part in self.parts:
            if part.name == name:
                return part
        raise MissingNameError(
            f"the sheet has no part {name!r}",
            where="explain_slice",
            remedy="It has " + ", ".join(part.name for part in self.parts),
        )

    @property
    def explanations(self) -> Mapping[str, Explanation]:
        """The results by the names of their parts."""
        return {p.name: p.explanation for p in self.parts if p.explanation is not None}

    @property
    def verdict(self) -> SheetVerdict:
        """What the figures say, and no more."""
        judged = [
            map_verdict(part.trust, part.against, part.why_not)
            for part in self.parts
            if part.is_map
        ]
        return sheet_verdict(judged, [part.line for part in self.parts])

    def with_part(self, new: SheetPart) -> SliceSheet:
        """The same with another part of a name."""
        parts = tuple(new if part.name == new.name else part for part in self.parts)
        return replace(self, parts=parts)

    def text(self) -> str:
        """The verdict, then a line a part."""
        verdict = self.verdict
        head = f"Slice {self.index + 1}" + (f", target {self.target}" if self.target else "")
        return "\n".join([head, verdict.headline, "", *verdict.lines, "", verdict.limits]) + "\n"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values: the words, and every figure that they stand on."""
        verdict = self.verdict
        return {
            "slice": self.index,
            "target": self.target,
            "verdict": {"headline": verdict.headline, "limits": verdict.limits},
            "parts": [
                {
                    "name": part.name,
                    "model": part.model,
                    "line": part.line,
                    "against": part.against,
                    "seconds": round(part.seconds, 2),
                    "trust": None if part.trust is None else part.trust.to_json(),
                }
                for part in self.parts
            ],
        }
