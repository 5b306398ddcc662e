"""Hanging protocols: what stands in which cell, told by what it is, and when that fits.

As in DICOM's hanging protocols [1]_ a protocol says for which studies it is meant and names what
each cell shows by its kind, never by the name of a layer; so it fits studies that were not there
when it was written. Of several that fit the one is chosen that asks for more.

References
----------
.. [1] DICOM PS3.3, Hanging Protocol Information Object Definition: its definition, image sets and
   display modules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

from ...files.plain_data import AtMost, Between, Matches
from ...volumes.reading_order import role_title

#: What can stand in a cell.
ContentKind = Literal["scan", "reference segmentation", "estimate", "map", "output"]

#: A person's word for a kind of map.
_MAP_WORDS = {
    "heatmap": "heat map",
    "signal": "signal",
    "component": "component",
    "response": "response",
    "parameter map": "parameter map",
    "colours": "map in colours",
    "": "map",
}

_Short = Annotated[str, AtMost(80)]
_Few = Annotated[tuple[_Short, ...], AtMost(32)]


@dataclass(frozen=True)
class Content:
    """One thing that stands in a cell.

    Attributes
    ----------
    kind : str
        ``"scan"``: by its role in ``name``, or the scan that a study is opened with.
        ``"reference segmentation"``: the study's mask, or the one whose role is ``name``.
        ``"estimate"``: the mask that a method found. ``"map"``: a map of a result whose kind is
        ``name`` (`evidence.MapKind`), or any. ``"output"``: the map called ``name``.
    name : str
    family : str
        Whose result; that of any family where it is empty. Of several the latest.
    study : {"current", "prior"}
        Of the active study, or of another one that is open: the one that was opened last.
    drawn : {"", "fill", "outline", "both"}
        How a mask is drawn; empty: as it is.
    """

    kind: ContentKind
    name: _Short = ""
    family: _Short = ""
    study: Literal["current", "prior"] = "current"
    drawn: Literal["", "fill", "outline", "both"] = ""

    def __post_init__(self) -> None:
        """Refuse what could never be found."""
        if self.kind == "output" and not self.name:
            raise ValueError("an output is found by its name, and none is given")
        if self.kind in ("scan", "reference segmentation") and self.family:
            raise ValueError(f"a {self.kind} comes from no family")
        if self.kind == "map" and self.name not in _MAP_WORDS:
            raise ValueError(f"{self.name!r} is no kind of map; an output has a name of its own")
        if self.drawn and self.kind not in ("reference segmentation", "estimate"):
            raise ValueError("only masks are drawn as outlines")

    @property
    def words(self) -> str:
        """What it is, for a person."""
        if self.kind == "scan":
            said = role_title(self.name) if self.name else "scan"
        elif self.kind == "map":
            said = _MAP_WORDS[self.name]
        elif self.kind == "output":
            said = f"output “{self.name}”"
        else:
            said = f"{self.kind} “{self.name}”" if self.name else self.kind
        of = f" of {self.family.capitalize()}" if self.family else ""
        return f"{said}{of}" + (" of the prior study" if self.study == "prior" else "")


@dataclass(frozen=True)
class Situation:
    """What there is to show.

    Attributes
    ----------
    modalities, roles : frozenset of str
        Of the active study; modalities as DICOM calls them (``"MR"``).
    families : frozenset of str
        With a result of that study; after a run, the one that ran alone.
    studies : int
        Open ones.
    """

    modalities: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    families: frozenset[str] = frozenset()
    studies: int = 1


@dataclass(frozen=True)
class When:
    """For which studies a protocol is meant; what is empty is not asked.

    Attributes
    ----------
    modalities : tuple of str
        The study has one of these, as DICOM calls them.
    roles : tuple of str
        The study has all of these.
    families : tuple of str
        One of these has a result.
    studies : int
        At least so many are open.
    """

    modalities: _Few = ()
    roles: _Few = ()
    families: _Few = ()
    studies: Annotated[int, Between(1, 16)] = 1

    def missing(self, situation: Situation) -> str:
        """Why a situation is not one of these; empty where it is."""
        if self.studies > situation.studies:
            return f"needs {self.studies} open studies"
        if self.modalities and not situation.modalities.intersection(self.modalities):
            return "is for " + " or ".join(self.modalities)
        if absent := [role for role in self.roles if role not in situation.roles]:
            return "needs " + ", ".join(role_title(role) for role in absent)
        if self.families and not situation.families.intersection(self.families):
            return "needs a result of " + " or ".join(f.capitalize() for f in self.families)
        return ""

    def score(self, situation: Situation) -> float | None:
        """How near it is: what it asks for counts, one each; None where it does not fit."""
        if self.missing(situation):
            return None
        asked = (self.modalities, self.roles, self.families, self.studies > 1)
        # More roles are nearer, but never as much as another thing that is asked.
        return sum(map(bool, asked)) + len(self.roles) / 100


@dataclass(frozen=True)
class HangingProtocol:
    """What stands in which cell, and when.

    Attributes
    ----------
    name : str
        That of its file.
    title : str
        For a person.
    when : When
    cells : tuple of tuple of Content
        Bottom first; in reading order.
    rows, columns : int
        Of the layout; 0: as many in a row as make the pictures largest.
    one_large : bool
        The first cell large, the others beside it.
    row_each_study : bool
        The cells are a row, once for each open study; ``rows`` and ``columns`` follow from that.
    """

    name: Annotated[str, Matches(r"[a-z0-9][a-z0-9-]{0,63}", "small letters, digits and -")]
    title: Annotated[str, Matches(r"\S[^\n\r\t]{0,79}", "one line of up to 80 characters")]
    when: When
    cells: Annotated[tuple[Annotated[tuple[Content, ...], AtMost(8)], ...], AtMost(30)]
    rows: Annotated[int, Between(0, 12)] = 0
    columns: Annotated[int, Between(0, 12)] = 0
    one_large: bool = False
    row_each_study: bool = False

    def __post_init__(self) -> None:
        """Refuse cells without contents, and places for fewer cells than there are."""
        if not self.cells or not all(self.cells):
            raise ValueError("every cell must show something")
        if bool(self.rows) != bool(self.columns):
            raise ValueError("rows and columns belong together: give both, or neither")
        if self.rows and self.rows * self.columns < len(self.cells) and not self.row_each_study:
            raise ValueError(
                f"{len(self.cells)} cells have no room in {self.rows} × {self.columns}"
            )


def best_protocol(
    protocols: Iterable[HangingProtocol],
    situation: Situation,
    filled: Callable[[HangingProtocol], float] = lambda protocol: 0.0,
) -> HangingProtocol | None:
    """The one that fits best; None where none does.

    Parameters
    ----------
    protocols : iterable of HangingProtocol
        Of equals the first.
    situation : Situation
    filled : callable
        Share of the cells that can be filled: of those that ask for as much, what shows more.
    """
    scored = [(p.when.score(situation), p) for p in protocols]
    fitting = [((score, filled(p)), p) for score, p in scored if score is not None]
    return max(fitting, key=lambda pair: pair[0], default=((0.0, 0.0), None))[1]
