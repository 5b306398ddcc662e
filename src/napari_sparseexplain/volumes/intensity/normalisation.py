"""How the intensities of a scan are made a network's input: by name, with parameters.

Each scan (channel) by itself, its limits measured on the whole volume, so that a slice looks the
same alone and among others (but for the region ``"slice"``, in which every slice has limits of its
own, so that it looks the same in any volume):

=============  =============================================  =================================
name           value                                          measured over
=============  =============================================  =================================
`brain-range`  clip((x - low) / (high - low), 0, 1)           where it is fed: low is the 0.2 %
                                                              quantile, high - low is 3 times
                                                              (median - low)
`z-score`      (x - mean) / standard deviation                ``region``
`percentile`   clip((x - p_low) / (p_high - p_low), 0, 1)     ``region``
`window`       clip((x - centre) / width + 1/2, 0, 1)         nothing [1]_
`unit`         x, which must lie in (0, 1)                    nothing
`none`         x                                              nothing
=============  =============================================  =================================

NaN and infinite values take no part in what is measured, and are fed as 0. So is what a DICOM
file calls padding (but by `unit` and `none`; `normalised_slices`), and all that lies outside of the
part that is fed (``inputs.mask`` of a model's card).

References
----------
.. [1] DICOM PS3.3 C.11.2.1.3.2, the function LINEAR_EXACT.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from ...arguments import shown
from ...errors import ParameterError, StudyError
from .brain_range import brain_range, z_score_range

#: Of what a percentile or a z-score is measured over: where the network is fed the scan; all of the
#: scan; what is not background; the brain (the study's own mask of it, else the brain found); each
#: slice by itself.
REGIONS = ("fed", "whole", "non-zero", "mask", "slice")

#: Percentiles where none are said.
PERCENTILES = (1.0, 99.0)

#: Parameters by name of the normalisation.
_TAKEN: Mapping[str, tuple[str, ...]] = {
    "brain-range": (),
    "z-score": ("region",),
    "percentile": ("region", "low", "high"),
    "window": ("centre", "width"),
    "unit": (),
    "none": (),
}

#: The names there are.
NORMALISATIONS = tuple(_TAKEN)

#: Those of which every value lies in (0, 1).
BOUNDED = ("brain-range", "percentile", "window", "unit")


@dataclass(frozen=True)
class Normalisation:
    """A normalisation with its parameters.

    Attributes
    ----------
    name : str
        One of `NORMALISATIONS`.
    region : {"fed", "whole", "non-zero", "mask", "slice"}
        Of ``"z-score"`` and ``"percentile"``: the voxels that are measured; ``"fed"`` when not
        given.
    low, high : float
        Of ``"percentile"``: the percentiles (0 to 100) that become 0 and 1; `PERCENTILES` when not
        given.
    centre, width : float
        Of ``"window"``: in the scan's own unit (HU); needed.

    Raises
    ------
    ParameterError
        No such name, a parameter that it does not take or that is missing, a value out of range.

    Examples
    --------
    >>> Normalisation("window", centre=40, width=80).limits_of_window
    (0.0, 80.0)
    >>> Normalisation("z-score").plain
    'z-score'
    """

    name: str
    region: str = ""
    low: float | None = None
    high: float | None = None
    centre: float | None = None
    width: float | None = None

    def __post_init__(self) -> None:
        taken = _TAKEN.get(self.name) if isinstance(self.name, str) else None
        if taken is None:
            raise ParameterError(
                f"there is no normalisation {shown(self.name)}",
                remedy="Give one of " + ", ".join(NORMALISATIONS),
            )
        given = [f.name for f in fields(self)[1:] if not _is_left_out(getattr(self, f.name))]
        if strange := [name for name in given if name not in taken]:
            raise self._fault(f"takes no {strange[0]}", taken)
        if self.name == "window" and (missing := [n for n in taken if n not in given]):
            raise self._fault(f"needs {' and '.join(missing)}", taken)
        if "region" in taken and _is_left_out(self.region):
            object.__setattr__(self, "region", "fed")
        if self.name == "percentile":
            for field, default in zip(("low", "high"), PERCENTILES, strict=True):
                if getattr(self, field) is None:
                    object.__setattr__(self, field, default)
        self._check_values(taken)

    def _check_values(self, taken: tuple[str, ...]) -> None:
        if "region" in taken and not (isinstance(self.region, str) and self.region in REGIONS):
            raise self._fault(f"has no region {shown(self.region)}", REGIONS)
        for name in ("low", "high", "centre", "width"):
            value = getattr(self, name)
            if value is None:
                continue
            number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
            # Also refuses NaN, which compares false with everything.
            if not (number and abs(value) <= float(np.finfo(np.float32).max)):
                raise self._fault(f"needs a number for {name}, and {shown(value)} is none", taken)
            object.__setattr__(self, name, float(value))
        if self.low is not None and self.high is not None and not 0 <= self.low < self.high <= 100:
            raise self._fault("needs percentiles with 0 ≤ low < high ≤ 100", taken)
        if self.width is not None and self.width <= 0:
            raise self._fault("needs a width above 0", taken)
        if self.name == "window":
            low, high = (np.float32(limit) for limit in self.limits_of_window)
            if not low < high or not np.isfinite(float(high) - float(low)):
                raise self._fault("needs a width that differs from 0 at its centre", taken)

    def _fault(self, what: str, there: tuple[str, ...]) -> ParameterError:
        remedy = f"It takes {', '.join(there)}" if there else "It takes no parameter"
        return ParameterError(f"the normalisation {self.name!r} {what}", remedy=remedy)

    @classmethod
    def of(cls, given: Normalisation | str | Mapping[str, Any]) -> Normalisation:
        """From a name, or from a mapping as it stands in a card (`plain`).

        Raises
        ------
        ParameterError
        """
        if isinstance(given, Normalisation):
            return given
        if isinstance(given, str):
            return cls(given)
        known = {field.name for field in fields(cls)}
        if not isinstance(given, Mapping) or "name" not in given or not set(given) <= known:
            raise ParameterError(
                f"{shown(given)} is no normalisation",
                remedy='Give a name, or {"name": "window", "centre": 40, "width": 80}',
            )
        return cls(**given)

    @property
    def plain(self) -> str | dict[str, Any]:
        """As it stands in a card and in a record: the name, and with it what was chosen."""
        chosen = {
            f.name: value
            for f in fields(self)[1:]
            if (value := getattr(self, f.name)) not in (None, "")
        }
        if self.name == "z-score" and self.region == "fed":
            return self.name  # as cards of before say it
        return {"name": self.name, **chosen} if chosen else self.name

    @property
    def words(self) -> str:
        """For a person: ``"window (centre 40, width 80)"``."""
        plain = self.plain
        if isinstance(plain, str):
            return plain
        said = (f"{k} {v:g}" if isinstance(v, float) else f"{k} {v}" for k, v in plain.items())
        return f"{self.name} ({', '.join(list(said)[1:])})"

    @property
    def bounded(self) -> bool:
        """Whether every value lies in (0, 1)."""
        return self.name in BOUNDED

    @property
    def measured(self) -> bool:
        """Whether it depends on what a scan holds."""
        return self.name in ("brain-range", "z-score", "percentile")

    @property
    def by_slice(self) -> bool:
        """Whether every slice has limits of its own."""
        return self.region == "slice"

    def apply_by_slice(
        self, slices: npt.NDArray[Any]
    ) -> tuple[npt.NDArray[np.float32], tuple[int, ...]]:
        """Slices (N, rows, columns), each normalised by what it holds itself.

        Returns
        -------
        normalised : ndarray of float32, same shape
        constant : tuple of int
            Slices without contrast, which are fed as 0.
        """
        made = np.zeros(slices.shape, dtype=np.float32)
        constant = []
        for index, plane in enumerate(slices):
            try:
                limits = self.limits(plane, np.ones(plane.shape, dtype=np.bool_))
            except StudyError:  # nothing to measure in this slice; the others are fed
                constant.append(index)
                continue
            made[index] = self.apply(plane, *limits)
        return made, tuple(constant)

    @property
    def limits_of_window(self) -> tuple[float, float]:
        """Intensities that a window makes 0 and 1."""
        assert self.centre is not None
        assert self.width is not None
        return self.centre - self.width / 2, self.centre + self.width / 2

    def limits(
        self, array: npt.NDArray[Any], region: npt.NDArray[np.bool_], *, where: str | None = None
    ) -> tuple[float, float]:
        """Intensities that become 0 and 1; (0, 1) where nothing is changed.

        Parameters
        ----------
        array : ndarray
            A scan.
        region : ndarray of bool, same shape
            Over which it is measured; of no account for what is not `measured`.
        where : str, optional
            The scan's role, for the error message.

        Raises
        ------
        StudyError
            Nothing to measure: no finite voxel in the region, or no contrast.
        """
        if self.name == "window":
            return self.limits_of_window
        if self.name == "brain-range":
            return brain_range(array, region, where=where)
        if self.name == "z-score":
            return z_score_range(array, region, where=where)
        if self.name == "percentile":
            assert self.low is not None
            assert self.high is not None
            return percentile_range(array, region, self.low, self.high, where=where)
        return 0.0, 1.0

    def apply(self, values: npt.NDArray[Any], low: float, high: float) -> npt.NDArray[np.float32]:
        """The values normalised by limits; NaN and infinite ones become 0.

        Parameters
        ----------
        values : ndarray
        low, high : float
            From `limits`.
        """
        given = np.asarray(values, dtype=np.float32)
        finite = np.isfinite(given)
        if self.name in ("unit", "none"):
            return np.where(finite, given, np.float32(0.0))
        scaled = (given - np.float32(low)) / np.float32(high - low)
        if self.bounded:
            scaled = np.clip(scaled, 0.0, 1.0)
        return np.where(finite, scaled, np.float32(0.0)).astype(np.float32, copy=False)


def percentile_range(
    array: npt.NDArray[Any],
    region: npt.NDArray[np.bool_],
    low: float,
    high: float,
    *,
    where: str | None = None,
) -> tuple[float, float]:
    """Two percentiles of the finite values in a region, interpolated linearly.

    Raises
    ------
    StudyError
        The region is empty, or both percentiles are one value.
    """
    values = np.asarray(array)[np.asarray(region, dtype=bool)]
    values = values[np.isfinite(values)]
    if not values.size:
        raise StudyError(
            "there is no voxel to take percentiles of",
            where=where,
            remedy="Check that the volume is a scan, and that its mask is not empty",
        )
    first, last = (float(v) for v in np.percentile(values, (low, high)))
    if not last > first:
        raise StudyError(
            f"its percentiles {low:g} and {high:g} are one value, so the scan cannot be normalised",
            where=where,
            remedy="Check that the volume is a scan and not a constant or empty image",
        )
    return first, last


def _is_left_out(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value)
