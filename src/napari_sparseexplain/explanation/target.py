"""What an explanation explains: the scalar that a method differentiates or masks against."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral
from typing import Literal

from ..arguments import is_number, shown
from ..errors import ParameterError, SparseExplainError
from ..volumes.captions import voxel_caption

TargetKind = Literal["class", "probability", "region", "voxel"]

_VOXEL = re.compile(r"^(?:voxel[:\s]*)?\(?\s*(\d+)\s*[,\s]\s*(\d+)\s*[,\s]\s*(\d+)\s*\)?$")


#: Digits of a voxel's place; of thousands Python itself makes no number.
_MOST_DIGITS = 9


@dataclass(frozen=True)
class Target:
    """The scalar that an explanation explains.

    Make one with `of_class`, `region`, `voxel` or `parse`, not by hand.

    Attributes
    ----------
    kind : {"class", "probability", "region", "voxel"}
        ``"class"``: a class's logit for the whole image. ``"probability"``: a classifier's
        probability of it, after its output layer, which other classes' logits move, too.
        ``"region"``: a class's logit summed over the fixed predicted mask of a class or union of
        classes (``WT``), or over a label volume of that role. ``"voxel"``: a logit at one voxel.
    name : str
        Class, union or label role; for a voxel the class whose logit is meant, empty for the
        model's only or strongest one.
    index : tuple of int or None
        Voxel (slice, row, column) in display order.

    Examples
    --------
    >>> import napari_sparseexplain as se
    >>> se.Target.parse("WT").label, se.Target.of_class(1).kind
    ('WT', 'class')
    >>> se.Target.voxel((70, 120, 98)).label
    'slice 71, row 121, column 99'
    """

    kind: TargetKind
    name: str = ""
    index: tuple[int, int, int] | None = None

    @classmethod
    def of_class(cls, name: str | int) -> Target:
        """The score of one class, by name or label value."""
        return cls("class", _named(name, "class"))

    @classmethod
    def probability(cls, name: str | int) -> Target:
        """A classifier's probability of one class, by name or label value."""
        return cls("probability", _named(name, "class"))

    @classmethod
    def region(cls, name: str) -> Target:
        """The logit over the predicted mask of a class or union (``"WT"``), or a drawn one."""
        return cls("region", _named(name, "region"))

    @classmethod
    def voxel(cls, index: tuple[int, int, int], name: str | int = "") -> Target:
        """The logit at one voxel (slice, row, column) of the study's grid.

        Raises
        ------
        SparseExplainError
            ``index`` is not three non-negative whole numbers.
        """
        several = isinstance(index, Iterable) and not isinstance(index, str | bytes)
        values = tuple(index) if several else ()
        if len(values) != 3 or not all(_is_place(v) for v in values):
            said = f"({', '.join(map(shown, values[:4]))})" if several else shown(index)
            raise SparseExplainError(
                f"a voxel is three whole numbers from 0 (slice, row, column), not {said}",
                remedy="Give it as Target.voxel((s, p, l)), on the command line as voxel:S,P,L",
            )
        if not isinstance(name, str | Integral):
            raise ParameterError(
                f"a class cannot be {shown(name)}", remedy="Give its name, or its label value"
            )
        called = name if isinstance(name, str) else shown(int(name))
        return cls("voxel", called, (int(values[0]), int(values[1]), int(values[2])))

    @classmethod
    def parse(cls, text: str | int) -> Target:
        """Read what a person types.

        ``WT`` (also ``region:WT``), ``oedema`` and ``edema`` are regions, and so is ``2``, as text
        or as a number: the class of this label value over its predicted mask. ``class:edema`` or
        ``class:2`` is a class's logit over the whole image, ``probability:2`` its probability,
        ``voxel:80,120,90`` or ``80,120,90`` a voxel, counted from 0.

        Raises
        ------
        SparseExplainError
            The text is none of these.
        """
        if isinstance(text, bool) or not isinstance(text, str | Integral) or _below_zero(text):
            raise SparseExplainError(
                f"the target {shown(text)} is not understood",
                remedy="Give a class or region by name, such as WT, or a class's label value",
            )
        stripped = shown(text) if isinstance(text, Integral) else str(text).strip()
        if found := _VOXEL.match(stripped):
            if any(len(digits) > _MOST_DIGITS for digits in found.groups()):
                raise SparseExplainError(
                    f"no study has a voxel {shown(stripped)}",
                    remedy="Give slice, row and column, counted from 0",
                )
            s, p, l = (int(v) for v in found.groups())  # noqa: E741
            return cls.voxel((s, p, l))
        head, colon, tail = stripped.partition(":")
        if not colon:
            return cls.region(stripped)
        if head == "class":
            return cls.of_class(tail.strip())
        if head == "probability":
            return cls.probability(tail.strip())
        if head == "region":
            return cls.region(tail.strip())
        raise SparseExplainError(
            f"the target {shown(text)} is not understood",
            remedy="Use a region such as WT, or class:NAME, or voxel:SLICE,ROW,COLUMN, counted "
            "from 0",
        )

    @property
    def label(self) -> str:
        """Short name for titles and file names; slice, row and column are counted from 1."""
        if self.kind == "voxel" and self.index is not None:
            place = voxel_caption(self.index)
            return f"{self.name} at {place}" if self.name else place
        return f"probability of {self.name}" if self.kind == "probability" else self.name


def _below_zero(text: str | int) -> bool:
    return not isinstance(text, str) and text < 0


def _is_place(value: object) -> bool:
    """Whether it is a whole number from 0, as a number of any type."""
    return is_number(value) and value >= 0 and int(value) == value  # pyright: ignore


def _named(given: object, kind: str) -> str:
    if isinstance(given, bool) or not isinstance(given, str | Integral):
        raise ParameterError(
            f"a {kind} cannot be {shown(given)}", remedy="Give its name, for example WT"
        )
    name = given if isinstance(given, str) else shown(int(given))
    if not name.strip():
        raise SparseExplainError(
            f"a {kind} target needs a name", remedy="Give a class or region, for example WT"
        )
    return name.strip()
