"""The JSON beside a NIfTI (BIDS, dcm2niix): how the scan was acquired, by DICOM keyword.

BIDS gives times in seconds [1]_; DICOM, and what is kept of a volume, in milliseconds.

References
----------
.. [1] Brain Imaging Data Structure specification 1.10, Magnetic Resonance Imaging, metadata
   fields ``EchoTime``, ``RepetitionTime``, ``InversionTime``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...errors import ReadError
from ...files.json_file import read_json
from ...files.regular_file import is_regular
from ..roles.roles import stem_of

_SECONDS = ("EchoTime", "RepetitionTime", "InversionTime")
_TEXTS = (
    *("Modality", "SeriesDescription", "ProtocolName", "ScanningSequence", "SequenceVariant"),
    *("ContrastBolusAgent", "ContrastBolusIngredient", "AcquisitionContrast", "MRAcquisitionType"),
)
_NUMBERS = ("FlipAngle", "MagneticFieldStrength", "DiffusionBValue")

#: No echo is a second long: such a file gives milliseconds after all.
_LONGEST_ECHO_S = 1.0


def sidecar_details(path: Path) -> dict[str, Any]:
    """What the JSON of the same name says of a scan; empty when there is none.

    Parameters
    ----------
    path : Path
        The NIfTI file.

    Returns
    -------
    dict
        By DICOM keyword, times in ms. A file that cannot be read, or holds something else, tells
        nothing: the scan is still what its own file says.
    """
    beside = path.with_name(f"{stem_of(path.name)}.json")
    if not is_regular(beside):
        return {}
    try:
        values = read_json(beside, problem="the JSON cannot be read", remedy="Write it again")
    except ReadError:
        return {}
    if not isinstance(values, dict):
        return {}
    found: dict[str, Any] = {k: v for k in _TEXTS if isinstance(v := values.get(k), str) and v}
    for keyword in ("ScanningSequence", "SequenceVariant", "ImageType"):
        if isinstance(several := values.get(keyword), list):
            found[keyword] = tuple(str(part) for part in several)
    found |= _numbers(values, _NUMBERS)
    times = _numbers(values, _SECONDS)
    factor = 1.0 if times.get("EchoTime", 0.0) >= _LONGEST_ECHO_S else 1000.0
    return found | {k: round(v * factor, 4) for k, v in times.items()}


def _numbers(values: dict[str, Any], keywords: tuple[str, ...]) -> dict[str, float]:
    """The values of these fields that are numbers (true and false are none)."""
    return {
        keyword: float(value)
        for keyword in keywords
        if isinstance(value := values.get(keyword), int | float) and not isinstance(value, bool)
    }
