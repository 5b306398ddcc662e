"""What a record says of its run, every field checked: a file of it may have been edited by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from ..errors import ParameterError, ReadError
from ..evidence import Provenance
from ..files.plain_data import Between, from_plain, shown_location, to_plain
from .method import MethodInfo, ParameterValue
from .method_result import FROM_FILE
from .target import Target, TargetKind

#: No study has as many slices, rows, columns or frames.
_MOST = 10_000_000

_FILES = f"parameters.{FROM_FILE}"

_REMEDY = "Restore the file, or run the method in its own tab"

_Index = Annotated[int, Between(0, _MOST)]


@dataclass(frozen=True)
class _NotedTarget:
    """A `Target` as it is noted."""

    kind: TargetKind
    name: str = ""
    index: tuple[_Index, _Index, _Index] | None = None

    def __post_init__(self) -> None:
        if (self.index is None) == (self.kind == "voxel"):
            raise ValueError("a voxel has an index, and nothing else has one")
        if self.kind != "voxel" and not self.name.strip():
            raise ValueError(f"a {self.kind} has a name")


@dataclass(frozen=True)
class _Noted:
    """What every method notes beside its own parameters."""

    slices: tuple[_Index, _Index] | None = None
    target: _NotedTarget | None = None
    frame: tuple[_Index, ...] | None = None


@dataclass(frozen=True)
class RecordPlace:
    """Where a record stands, for errors.

    Attributes
    ----------
    file : str or Path
    field : str
        The field of the file that holds the record; empty: the record is all of it.
    """

    file: str | Path = "record"
    field: str = ""

    def of(self, name: str) -> str:
        """The place of one of the record's fields."""
        return f"{self.field}.{name}" if self.field else name


@dataclass(frozen=True)
class NotedRun:
    """A record of which every field that a run needs is sound.

    Attributes
    ----------
    record : Provenance
    parameters : mapping
        By the names that they had when it was noted.
    slices : slice or None
    target : Target or None
    frame : tuple of int
        Empty where none was chosen.
    files : tuple of str
        What was given by files of a person's own, which a record does not hold.
    place : RecordPlace
    """

    record: Provenance
    parameters: Mapping[str, Any]
    slices: slice | None
    target: Target | None
    frame: tuple[int, ...]
    files: tuple[str, ...]
    place: RecordPlace

    def checked(self, info: MethodInfo) -> dict[str, ParameterValue]:
        """The method's own parameters as they are called now; what was None was left to it.

        Raises
        ------
        ReadError
            One has a value that it cannot have.
        """
        noted = info.in_present_names(self.parameters)
        values: dict[str, ParameterValue] = {}
        for parameter in info.parameters:
            was = (new for name, old, new in parameter.in_records if noted.get(name) == old)
            if (value := noted.get(parameter.name, next(was, parameter.before))) is None:
                continue
            try:
                values[parameter.name] = parameter.checked(value)
            except ParameterError as error:
                field = shown_location(self.place.of(f"parameters.{parameter.name}"))
                raise ReadError(
                    f"the record is damaged: the field {field} cannot be {value!r:.60}",
                    where=self.place.file,
                    remedy=error.remedy,
                ) from error
        return values


def noted_run(record: Mapping[str, Any], place: RecordPlace | None = None) -> NotedRun:
    """What a record says, checked.

    Parameters
    ----------
    record : mapping
        As `Provenance.to_json`.
    place : RecordPlace, optional
        Where it stands.

    Raises
    ------
    ReadError
        A field is missing, unknown, of a wrong kind or beyond its limits; names it.
    """
    place = place or RecordPlace()
    known = _part(Provenance, record, place, place.field)
    noted = known.parameters
    found = _aim(noted, place)
    given = _part(Mapping[str, str], noted.get(FROM_FILE, {}), place, place.of(_FILES))
    span = None if found.slices is None else slice(*found.slices)
    aim = _target(found.target)
    return NotedRun(known, noted, span, aim, found.frame or (), tuple(given), place)


def _aim(parameters: Mapping[str, Any], place: RecordPlace) -> _Noted:
    """Slices, target and frame among the parameters of a record."""
    names = ("slices", "target", "frame")
    noted = {name: parameters[name] for name in names if name in parameters}
    return _part(_Noted, noted, place, place.of("parameters"))


def noted_target(parameters: Mapping[str, Any]) -> Target | None:
    """The target among the parameters of a record; None where there is none.

    Raises
    ------
    ReadError
        It is damaged; names the field.
    """
    only = {name: value for name, value in parameters.items() if name == "target"}
    return _target(_aim(only, RecordPlace()).target)


def _target(noted: _NotedTarget | None) -> Target | None:
    return None if noted is None else Target(noted.kind, noted.name, noted.index)


def _part(kind: Any, values: Any, place: RecordPlace, at: str) -> Any:
    try:
        return from_plain(kind, to_plain(values), str(place.file), place=at, remedy=_REMEDY)
    except ReadError as error:
        said = error.what
    except (TypeError, ValueError) as error:  # made in Python, of what no file can hold
        said = f"the field {shown_location(at or 'the whole')} cannot be saved ({error})"
    raise ReadError(f"the record is damaged: {said}", where=place.file, remedy=_REMEDY)
