"""Windows to choose from, by modality: fixed ones for CT, shares of the tissue's values for MR.

A CT number means the same in every scanner, so its windows are numbers. MR values have no unit:
a preset is a pair of quantiles of the brain (of all voxels where there is skull), so that it shows
the same tissues in every scan.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from ...errors import StudyError
from ..volume import Volume, measured
from .intensity_window import (
    HIGH_QUANTILE,
    LOW_QUANTILE,
    bounded_white,
    display_limits,
    tissue_values,
)


@dataclass(frozen=True)
class WindowPreset:
    """A window by its name.

    Attributes
    ----------
    name : str
        For a person.
    level, width : float or None
        In the scan's own unit. None: quantiles decide.
    quantiles : pair of float or None
        Of the tissue's values, black and white.
    """

    name: str
    level: float | None = None
    width: float | None = None
    quantiles: tuple[float, float] | None = None


#: Opens a scan, and brings it back.
AUTO = WindowPreset("Auto")

#: From the lowest value to the highest.
FULL = WindowPreset("Full range", quantiles=(0.0, 1.0))

#: Level and width in Hounsfield units, as they are commonly set at the console.
CT_PRESETS = (
    WindowPreset("Brain", 40, 80),
    WindowPreset("Stroke", 35, 40),
    WindowPreset("Subdural", 75, 215),
    WindowPreset("Bone", 500, 2000),
    WindowPreset("Temporal bone", 600, 2800),
    WindowPreset("Lung", -600, 1500),
    WindowPreset("Mediastinum", 50, 350),
    WindowPreset("Abdomen", 50, 400),
    WindowPreset("Liver", 60, 160),
    WindowPreset("Angiography", 300, 600),
)

#: Of standardized uptake values, which mean the same in every scanner too.
PET_PRESETS = (
    WindowPreset("SUV 0 to 5", 2.5, 5),
    WindowPreset("SUV 0 to 10", 5, 10),
    WindowPreset("SUV 0 to 20", 10, 20),
)

_MR_PRESETS: dict[str, tuple[WindowPreset, ...]] = {
    "t1": (WindowPreset("Grey and white matter", quantiles=(0.15, 0.97)),),
    "t1ce": (
        WindowPreset("Grey and white matter", quantiles=(0.15, 0.97)),
        WindowPreset("Enhancement", quantiles=(0.5, 0.9995)),
    ),
    "t2": (
        WindowPreset("Grey and white matter", quantiles=(0.02, 0.9)),
        WindowPreset("Fluid and oedema", quantiles=(0.5, 0.9995)),
    ),
    "flair": (
        WindowPreset("Grey and white matter", quantiles=(0.1, 0.95)),
        WindowPreset("Oedema", quantiles=(0.5, 0.9995)),
    ),
    "dwi": (WindowPreset("Restricted diffusion", quantiles=(0.5, 0.9995)),),
    "adc": (
        WindowPreset("Low diffusion", quantiles=(0.0, 0.5)),
        WindowPreset("Oedema", quantiles=(0.3, 0.98)),
    ),
    "fa": (WindowPreset("White matter", 0.45, 0.7), WindowPreset("0 to 1", 0.5, 1.0)),
}
_SOFT = WindowPreset("Soft, no clipping of bright spots", quantiles=(LOW_QUANTILE, 1.0))
_HARD = WindowPreset("Hard", quantiles=(0.1, 0.95))

#: A slice of a stripped scan is tissue to this part at most.
_STRIPPED_PART = 0.8

_LIMITS: WeakKeyDictionary[Volume, dict[WindowPreset, tuple[float, float]]] = WeakKeyDictionary()
_SORTED_VALUES: WeakKeyDictionary[Volume, npt.NDArray[Any]] = WeakKeyDictionary()


def presets_for(volume: Volume, own: tuple[WindowPreset, ...] = ()) -> tuple[WindowPreset, ...]:
    """Windows to choose from for one scan, Auto first.

    Parameters
    ----------
    volume : Volume
        Its unit tells a CT, its role the MR sequence; for others there are Auto, soft, hard and
        the full range. The window in a DICOM header is among them.
    own : tuple of WindowPreset
        A person's own, from `parse_presets`; offered for CT, where numbers mean the same.
    """
    role = volume.role.partition(" (")[0]
    filed = _of_file(volume)
    if volume.unit == "HU" or role == "ct":
        chosen = (*CT_PRESETS, *own)
    elif volume.unit == "SUVbw":
        chosen = PET_PRESETS
    else:
        named = _MR_PRESETS.get(role, ())
        taken = {preset.quantiles for preset in named}  # one window under two names confuses
        chosen = (*named, *(p for p in (_SOFT, _HARD) if p.quantiles not in taken))
    return (AUTO, *filed, *chosen, FULL)


def preset_limits(volume: Volume, preset: WindowPreset) -> tuple[float, float]:
    """Values shown as black and as white, ``low < high``, in the scan's own unit.

    Kept while the volume is: to find which preset a window is asks for all of them.
    """
    known = _LIMITS.setdefault(volume, {})
    if preset not in known:
        known[preset] = _limits(volume, preset)
    return known[preset]


def _limits(volume: Volume, preset: WindowPreset) -> tuple[float, float]:
    if preset.level is not None and preset.width is not None:
        return preset.level - preset.width / 2, preset.level + preset.width / 2
    if preset.quantiles is None:
        return display_limits(volume)
    if preset == FULL:
        values = volume.spatial()
        values = values[volume.measured(values)]
        ends = (values.min(), values.max()) if values.size else (0.0, 1.0)
    else:
        values = _sorted_values(volume)
        # Of sorted values a quantile is a look-up.
        ends = (
            tuple(values[round(q * (values.size - 1))] for q in preset.quantiles)
            if values.size
            else (0.0, 1.0)
        )
    low, high = float(ends[0]), float(ends[1])
    return (low, high) if high > low else display_limits(volume)


def slice_limits(
    plane: npt.NDArray[Any], padding: tuple[float, float] | None = None
) -> tuple[float, float] | None:
    """Black and white for one slice alone: robust, over what is not background.

    Parameters
    ----------
    plane : ndarray, shape (rows, columns)
    padding : pair of float, optional
        As of `Volume.padding`.

    Returns
    -------
    pair of float, or None for a slice with one value only.
    """
    values = np.asarray(plane)[measured(np.asarray(plane), padding)]
    if values.size == 0:
        return None
    inside = values[values != values.min()]
    if inside.size == 0:
        return None
    low, high = (float(v) for v in np.quantile(inside, (LOW_QUANTILE, HIGH_QUANTILE)))
    if inside.size <= _STRIPPED_PART * values.size:  # else air is among them
        high = bounded_white(inside, high)
    low = min(low, max(float(values.min()), low - 0.1 * (high - low)))
    return (low, high) if high > low else None


def parse_presets(text: str) -> tuple[WindowPreset, ...]:
    """A person's own windows, written ``"Liver 60/160; Spine 300/1500"`` (level / width).

    Raises
    ------
    StudyError
        An entry is not a name with a level and a positive width.
    """
    number = r"[-+−]?\d+(?:\.\d+)?"
    found = []
    for entry in (part.strip() for part in re.split(r"[;\n]", text)):
        if not entry:
            continue
        match = re.fullmatch(rf"(.+?)[:\s]\s*({number})\s*/\s*({number})", entry)
        level, width = (float(match[k].replace("−", "-")) for k in (2, 3)) if match else (0.0, 0.0)
        if match is None or width <= 0:
            raise StudyError(
                f'"{entry}" is not a window',
                where="Preferences › Windows of your own",
                remedy="Write name level/width, with ; between: Liver 60/160; Lung −600/1500",
            )
        found.append(WindowPreset(match[1].strip(), level, width))
    return tuple(found)


def _of_file(volume: Volume) -> tuple[WindowPreset, ...]:
    """The window that a DICOM header asks for; the first where there are several."""
    level, width = (_first(volume.details.get(k)) for k in ("WindowCenter", "WindowWidth"))
    if level is None or width is None or width <= 0:
        return ()
    return (WindowPreset("As the file asks", level, width),)


def _first(value: Any) -> float | None:
    if isinstance(value, list | tuple):
        value = value[0] if value else None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None


def _sorted_values(volume: Volume) -> npt.NDArray[Any]:
    found = _SORTED_VALUES.get(volume)
    if found is None:
        found = np.sort(tissue_values(volume))
        _SORTED_VALUES[volume] = found
    return found
