"""What a method is, for a form, a command line and a person: no torch is loaded for it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal, get_args

from ..arguments import shown
from ..errors import ParameterError
from ..families import resolve

if TYPE_CHECKING:
    from ..progress import Work
    from .method_result import MethodResult

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
    former : tuple of str
        Names that it had in earlier versions: taken for one release, with a warning, and always
        understood in records.
    before : float, int, bool, str or None
        What a record stands for that was written before there was this parameter, where that is
        not the default.
    in_records : tuple of (name, value, value)
        What an older record calls it: a name and a value there, and the value that this is here.
    """

    name: str
    default: ParameterValue
    tooltip: str
    title: str = ""
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    unit: str = ""
    before: ParameterValue | None = None
    former: tuple[str, ...] = ()
    in_records: tuple[tuple[str, ParameterValue, ParameterValue], ...] = ()

    def checked(self, value: Any) -> ParameterValue:
        """``value`` in the parameter's type.

        Raises
        ------
        ParameterError
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
        wanted = "a whole number" if kind is int else "a number"
        try:
            number = float(value)
            # Whole numbers stay what they are: a float holds those to 2**53 alone.
            exact = int(value if isinstance(value, Integral) else number) if kind is int else 0
        except (TypeError, ValueError, OverflowError) as error:
            raise self._refusal(value, wanted) from error
        whole = isinstance(value, Integral) or number == exact
        if isinstance(value, bool) or (kind is int and not whole):
            raise self._refusal(value, wanted)
        # Written so that NaN, which compares false with everything, is refused too.
        if not (
            (self.low is None or number >= self.low) and (self.high is None or number <= self.high)
        ):
            low = "-inf" if self.low is None else f"{self.low:g}"
            high = "inf" if self.high is None else f"{self.high:g}"
            raise self._refusal(value, f"between {low} and {high}")
        return exact if kind is int else number

    def _refusal(self, value: Any, wanted: str) -> ParameterError:
        return ParameterError(
            f"the parameter {self.name!r} cannot be {shown(value)}",
            remedy=f"It must be {wanted} (default {self.default!r})",
        )


#: Arguments of `explain` and of a method's function, which no parameter can be called.
RESERVED = frozenset(
    {"study", "model", "method", "target", "slices", "device", "roles", "normalisation", "frame"}
)

#: Where the network runs: at the pixel size it was trained at, or at the study's own pixels.
RESOLUTION = Parameter(
    "resolution",
    "model",
    "Pixel size the network sees: the one it was trained at, or the study's own",
    choices=("model", "native"),
)

#: Needs a network with learned thresholds where it is not 1.
ALPHA = Parameter(
    "alpha",
    1.0,
    "Factor on every learned threshold: 1 is the trained network, 0 its linear part",
    title="α",
    low=0.0,
    high=1.0,
)

#: What a value of a heat map is: a share of the change of score, or the slope of the score.
HeatMeaning = Literal["contribution", "gradient"]

#: Letters of a title that fit the head of a column and a cell.
SHORT = 16


@dataclass(frozen=True, kw_only=True)
class MethodInfo:
    """One method of a family.

    Attributes
    ----------
    name : str
        As in ``se.explain(study, model, name)`` and in file names.
    title, summary : str
        For a person: a name, and one sentence on what it shows.
    short : str
        A title of at most `SHORT` letters, where ``title`` is longer.
    aliases : tuple of str
        Short names that people type.
    work : str or callable
        The function, or a text ``"package.module:function"`` so that torch is loaded when it is
        first run, with the signature
        ``work(study, model, *, target, slices, **parameters) -> Work[MethodResult]``.
    heat : {"contribution", "gradient"} or None
        What a value of its heat map is, on which the scores of trust depend: a share of the change
        of score, or how the score moves with the pixel. None of a method that makes no heat map.
    parameters : tuple of Parameter
        What can be set. A ``seed`` among them is that of everything random.
    tasks, architectures : tuple of str
        What a model must be; empty: any.
    target : {"none", "optional", "required"}
        Whether a `Target` is used.
    takes_study : bool
        Off for a method that looks at the model alone: its maps lie on no study, and no scan is
        named in its record.
    takes_slices : bool
        Off for a method that does not ask which slices: its record names none.
    takes_model : bool
        Off for a method that looks at the scans alone: its function is given None in place of a
        model, and its record names none.
    takes_device : bool
        On for a method without a model that runs on a device all the same: its function is given
        the name, as ``"auto"``, by the keyword ``device``, and says in its result where it ran.

    Raises
    ------
    ValueError
        Something is missing, or means nothing.
    """

    name: str
    title: str
    summary: str
    work: str | Callable[..., Work[MethodResult]]
    heat: HeatMeaning | None
    short: str = ""
    aliases: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    tasks: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    target: str = "none"
    takes_study: bool = True
    takes_slices: bool = True
    takes_model: bool = True
    takes_device: bool = False

    def __post_init__(self) -> None:
        lacks = [name for name in ("name", "title", "summary", "work") if not getattr(self, name)]
        if lacks:
            raise ValueError(f"the method {self.name!r} lacks {', '.join(lacks)}")
        if len(self.short_title) > SHORT:
            raise ValueError(
                f"the method {self.name!r} needs a short title of at most {SHORT} letters"
            )
        if self.heat not in (None, *get_args(HeatMeaning)):
            raise ValueError(f"the heat of the method {self.name!r} cannot be {self.heat!r}")
        if self.target not in ("none", "optional", "required"):
            raise ValueError(f"the target of the method {self.name!r} cannot be {self.target!r}")
        if self.takes_model and self.takes_device:
            raise ValueError(f"the device of the method {self.name!r} is that of its model")
        if not self.takes_model and not self.takes_study:
            raise ValueError(f"the method {self.name!r} looks at nothing: no study and no model")
        if not self.takes_model and (self.heat or self.tasks or self.architectures):
            raise ValueError(
                f"the method {self.name!r} takes no model, so it can name neither tasks nor "
                "architectures, and make no heat map, which says where a model looked"
            )
        names = [parameter.name for parameter in self.parameters]
        doubled = sorted({name for name in names if names.count(name) > 1})
        reserved = sorted(RESERVED & set(names))
        if doubled or reserved:
            raise ValueError(
                f"the parameter {(doubled + reserved)[0]!r} of the method {self.name!r} is "
                + ("there twice" if doubled else "a word of explain itself")
            )

    @property
    def short_title(self) -> str:
        """A title that fits the head of a column."""
        return self.short or self.title

    def function(self) -> Callable[..., Work[MethodResult]]:
        """What runs it; loads its module."""
        return resolve(self.work) if isinstance(self.work, str) else self.work

    def in_present_names(self, given: Mapping[str, Any], *, warn: bool = False) -> dict[str, Any]:
        """Values by the names that the parameters have now; see `Parameter.former`.

        Raises
        ------
        ParameterError
            One is given by both names.
        """
        present = {former: p.name for p in self.parameters for former in p.former}
        for name in given:
            if warn and name in present:
                warnings.warn(
                    f"the parameter {name!r} of {self.name!r} is called {present[name]!r} now; the "
                    "former name goes with the next release",
                    FutureWarning,
                    stacklevel=2,
                )
        found: dict[str, Any] = {}
        for name, value in given.items():
            now = present.get(name, name)
            if now in found:
                former = next(n for n in given if present.get(n) == now)
                raise ParameterError(
                    f"{former!r} and {now!r} are one parameter", remedy=f"Give {now!r} alone"
                )
            found[now] = value
        return found

    def checked(self, given: Mapping[str, Any]) -> dict[str, ParameterValue]:
        """Every parameter with its value: those given, checked, and the defaults.

        Raises
        ------
        ParameterError
            A name that the method does not have (the message lists those it has), or a value
            that a parameter refuses.
        """
        given = self.in_present_names(given, warn=True)
        known = {p.name: p for p in self.parameters}
        for name in given:
            if name not in known:
                have = ", ".join(known) or "none"
                raise ParameterError(
                    f"the method {self.name!r} has no parameter {name!r}",
                    remedy=f"Its parameters are: {have}",
                )
        return {
            name: p.checked(given[name]) if name in given else p.default
            for name, p in known.items()
        }
