"""What a method is, for a form, a command line and a person: no torch is loaded for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import SparseExplainError

ParameterValue = float | int | bool | str


@dataclass(frozen=True)
class Parameter:
    """One parameter of a method.

    Attributes
    ----------
    name : str
        Keyword of the method's function.
    default : float, int, bool or str
        Its value when not given; its type is the parameter's type.
    tooltip : str
        What it does, one sentence.
    title : str
        For a form; the name when empty.
    choices : tuple of str
        The values allowed, for a text.
    low, high : float or None
        Limits of a number, inclusive.
    unit : str
        Unit of a number.
    """

    name: str
    default: ParameterValue
    tooltip: str
    title: str = ""
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    unit: str = ""

    def checked(self, value: Any) -> ParameterValue:
        """``value`` in the parameter's type.

        Raises
        ------
        SparseExplainError
            Wrong type, not among the choices, or outside the limits.
        """
        kind = type(self.default)
        if kind is bool:
            if not isinstance(value, bool):
                raise self._refusal(value, "true or false")
            return value
        if kind is str:
            if not isinstance(value, str) or (self.choices and value not in self.choices):
                raise self._refusal(value, "one of " + ", ".join(self.choices or ("text",)))
            return value
        try:
            number = float(value)
        except (TypeError, ValueError) as error:
            raise self._refusal(value, "a number") from error
        if isinstance(value, bool) or (kind is int and number != int(number)):
            raise self._refusal(value, "a whole number" if kind is int else "a number")
        # Written so that NaN, which compares false with everything, is refused too.
        if not (
            (self.low is None or number >= self.low) and (self.high is None or number <= self.high)
        ):
            low = "-inf" if self.low is None else f"{self.low:g}"
            high = "inf" if self.high is None else f"{self.high:g}"
            raise self._refusal(value, f"between {low} and {high}")
        return kind(number)

    def _refusal(self, value: Any, wanted: str) -> SparseExplainError:
        return SparseExplainError(
            f"the parameter {self.name!r} cannot be {value!r}",
            remedy=f"It must be {wanted} (default {self.default!r})",
        )


#: Where the network runs: at the pixel size it was trained at, or at the study's own pixels.
RESOLUTION = Parameter(
    "resolution",
    "model",
    "Pixel size the network sees: the one it was trained at, or the study's own",
    choices=("model", "native"),
)


@dataclass(frozen=True)
class MethodInfo:
    """One method of the catalogue.

    Attributes
    ----------
    name : str
        As in ``se.explain(study, model, name)`` and in file names.
    title, summary : str
        For a person: a name, and one sentence on what it shows.
    home : str
        ``"module:function"`` below `explanation`; loaded when first run. The function has the
        signature ``work(study, model, *, target, slices, **parameters) -> Work[MethodResult]``.
    parameters : tuple of Parameter
        What can be set.
    tasks, architectures : tuple of str
        What a model must be; empty: any.
    target : {"none", "optional", "required"}
        Whether a `Target` is used.
    takes_study : bool
        Off for a method that looks at the model alone: its maps lie on no study, and no scan is
        named in its record.
    takes_slices : bool
        Off for a method that does not ask which slices: its record names none.
    """

    name: str
    title: str
    summary: str
    home: str
    parameters: tuple[Parameter, ...] = ()
    tasks: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    target: str = "none"
    takes_study: bool = True
    takes_slices: bool = True

    def checked(self, given: Mapping[str, Any]) -> dict[str, ParameterValue]:
        """Every parameter with its value: those given, checked, and the defaults.

        Raises
        ------
        SparseExplainError
            A name that the method does not have (the message lists those it has), or a value
            that a parameter refuses.
        """
        known = {p.name: p for p in self.parameters}
        for name in given:
            if name not in known:
                have = ", ".join(known) or "none"
                raise SparseExplainError(
                    f"the method {self.name!r} has no parameter {name!r}",
                    remedy=f"Its parameters are: {have}",
                )
        return {
            name: p.checked(given[name]) if name in given else p.default
            for name, p in known.items()
        }
