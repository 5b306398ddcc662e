"""Standardized uptake values by body weight of a PET series (SUVbw), or what is missing for them.

SUVbw is the activity in a voxel over the activity that each gram of the body would have, were the
injected dose spread evenly [1]_. The dose is that at the time to which the images are corrected for
decay: the start of the series (DecayCorrection START), the injection (ADMIN), or that of each image
(NONE).

References
----------
.. [1] Quantitative Imaging Biomarkers Alliance (RSNA), FDG-PET/CT Profile, appendix G, and the
   vendor-neutral computation of SUVbw: weight · 1000 / decayed dose, and when the time of a series
   is to be trusted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from ..finding import Finding
from .files import read_header
from .stack import Stack
from .values import items, number, text, texts

#: Unit of the values.
SUVBW = "SUVbw"

#: Fewer becquerels were never injected: the field holds megabecquerels.
_LEAST_DOSE_BQ = 1e4

#: After so many half-lives nothing is left to measure: a date is wrong.
_MOST_HALF_LIVES = 20.0

_PHILIPS = (0x7053, "Philips PET Private Group")
_GE = (0x0009, "GEMS_PETD_01")


class MissingUptakeError(Exception):
    """What a series lacks, in words that name the tag."""


def with_uptake(stack: Stack, header: Dataset, name: str) -> tuple[Stack, str, tuple[Finding, ...]]:
    """A PET stack whose frames scale to SUVbw, its unit, and what a person must know.

    Parameters
    ----------
    stack : Stack
    header : Dataset
        Of its first file.
    name : str
        Of the series, for messages.

    Returns
    -------
    stack, unit, findings
        As it was, with the unit of its file, where SUVbw cannot be computed; the finding names the
        tag that is missing.
    """
    if text(header, "Modality") != "PT" or number(header, "SamplesPerPixel") not in (None, 1):
        return stack, "", ()
    paths = list(dict.fromkeys(frame.path for frame in stack.frames.flat))
    try:
        headers = {
            path: header if path == stack.first.path else read_header(path) for path in paths
        }
        found = dict(zip(paths, suv_factors(list(headers.values())), strict=True))
    except MissingUptakeError as missing:
        unit = {"BQML": "Bq/ml", "GML": "g/ml"}.get(text(header, "Units"), "")
        where = f"in {unit}" if unit else "as stored"
        return stack, unit, (
            Finding("warning", "no-suv", f"{name}: values stay {where}, since {missing}", name),
        )  # fmt: skip
    frames = stack.frames.copy()
    for place, frame in np.ndenumerate(frames):
        factor = found[frame.path]
        frames[place] = replace(
            frame, slope=frame.slope * factor, intercept=frame.intercept * factor
        )
    how = text(header, "DecayCorrection")
    said = f"decay correction {how}" if text(header, "Units") == "BQML" else "as its file says"
    finding = Finding(
        "info", "suv", f"{name}: values are SUVbw (g/ml by body weight), {said}", name
    )
    return replace(stack, frames=frames), SUVBW, (finding,)


def uptake_details(details: dict[str, Any], stack: Stack, scaled: Stack) -> None:
    """What to remember of the scaling: its lowest and highest factor; the file's window scaled."""
    pairs = zip(stack.frames.flat, scaled.frames.flat, strict=True)
    factors = [after.slope / before.slope for before, after in pairs]
    low, high = min(factors), max(factors)
    details["suv_factors"] = (low, high)
    for key in ("WindowCenter", "WindowWidth"):
        if isinstance(details.get(key), float):
            details[key] *= (low + high) / 2


def suv_factors(headers: Sequence[Dataset]) -> list[float]:
    """SUVbw of a rescaled value of 1, for each image of a series.

    Raises
    ------
    MissingUptakeError
        Names the tag that is missing or cannot be.
    """
    first = headers[0]
    units = text(first, "Units")
    to_becquerel = 1.0
    if units == "GML":
        kind = text(first, "SUVType") or "BW"
        if kind != "BW":
            raise MissingUptakeError(f"SUVType (0054,1006) is {kind}: they are not by body weight")
        return [1.0] * len(headers)
    if units == "CNTS":
        if factor := _private(first, _PHILIPS, 0x00):
            return [factor] * len(headers)
        found = _private(first, _PHILIPS, 0x09)
        if not found:
            raise MissingUptakeError(
                "Units (0054,1001) is CNTS and the scale factors of Philips (7053,1000) and "
                "(7053,1009) are missing"
            )
        to_becquerel = found
    elif units != "BQML":
        raise MissingUptakeError(f"Units (0054,1001) is {units}" if units else _absent("Units"))
    weight = _positive(first, "PatientWeight")
    tracers = items(first, "RadiopharmaceuticalInformationSequence")
    if not tracers:
        raise MissingUptakeError(_absent("RadiopharmaceuticalInformationSequence"))
    dose = _positive(tracers[0], "RadionuclideTotalDose")
    if dose < _LEAST_DOSE_BQ:
        raise MissingUptakeError(
            f"RadionuclideTotalDose (0018,1074) is {dose:g}, which cannot be becquerels"
        )
    how = text(first, "DecayCorrection")
    if how not in ("START", "ADMIN", "NONE"):
        raise MissingUptakeError(
            f"DecayCorrection (0054,1102) is {how}" if how else _absent("DecayCorrection")
        )
    corrected = texts(first, "CorrectedImage")
    for needed in ("ATTN",) if how == "NONE" else ("ATTN", "DECY"):
        if needed not in corrected:
            raise MissingUptakeError(f"CorrectedImage (0028,0051) does not hold {needed}")
    scale = to_becquerel * weight * 1000.0 / dose
    if how == "ADMIN":
        return [scale] * len(headers)
    half_life = _positive(tracers[0], "RadionuclideHalfLife")
    if how == "START":
        times = [_start_of_series(headers, half_life)] * len(headers)
    else:
        times = [_middle_of_image(header, half_life) for header in headers]
    return [scale / _left(time, tracers[0], half_life) for time in times]


def _left(time: datetime, tracer: Dataset, half_life: float) -> float:
    """The share of the injected activity that is left at a time."""
    injected = _moment(text(tracer, "RadiopharmaceuticalStartDateTime"))
    if injected is None:
        clock = text(tracer, "RadiopharmaceuticalStartTime")
        injected = _moment(f"{time:%Y%m%d}{clock}") if clock else None
        if injected is None:
            raise MissingUptakeError(_absent("RadiopharmaceuticalStartTime"))
        if injected > time:  # before midnight
            injected -= timedelta(days=1)
    lives = (time - injected).total_seconds() / half_life
    if not 0 <= lives <= _MOST_HALF_LIVES:
        raise MissingUptakeError(
            "RadiopharmaceuticalStartDateTime (0018,1078) does not lie before the acquisition"
        )
    return 2.0**-lives


def _start_of_series(headers: Sequence[Dataset], half_life: float) -> datetime:
    """When the series began.

    A series that was made anew later carries the time of that: its images tell then, each being
    so long after the start as its Frame Reference Time says.
    """
    acquired = [_acquired(header) for header in headers]
    earliest = min(acquired)
    told = _moment(text(headers[0], "SeriesDate") + text(headers[0], "SeriesTime"))
    if told is not None and told <= earliest:
        return told
    if (scanned := _ge_scan_time(headers[0])) is not None:
        return scanned
    header = headers[acquired.index(earliest)]
    reference = number(header, "FrameReferenceTime")
    if not reference or reference < 0:
        return earliest
    mean = _mean_of_frame(header, half_life)
    return earliest - timedelta(milliseconds=reference) + timedelta(seconds=mean)


def _middle_of_image(header: Dataset, half_life: float) -> datetime:
    """When the activity was what an image measured on average."""
    return _acquired(header) + timedelta(seconds=_mean_of_frame(header, half_life))


def _mean_of_frame(header: Dataset, half_life: float) -> float:
    """Seconds into a frame at which the activity is the frame's mean; 0 of unknown duration."""
    duration = (number(header, "ActualFrameDuration") or 0.0) / 1000.0
    if duration <= 0:
        return 0.0
    rate = math.log(2.0) / half_life
    decays = rate * duration
    return math.log(decays / -math.expm1(-decays)) / rate


def _acquired(header: Dataset) -> datetime:
    found = _moment(text(header, "AcquisitionDateTime")) or _moment(
        text(header, "AcquisitionDate") + text(header, "AcquisitionTime")
    )
    if found is None:
        missing = "AcquisitionDate" if not text(header, "AcquisitionDate") else "AcquisitionTime"
        raise MissingUptakeError(_absent(missing))
    return found


def _ge_scan_time(header: Dataset) -> datetime | None:
    group, creator = _GE
    try:
        return _moment(str(header.private_block(group, creator)[0x0D].value))
    except KeyError:
        return None


def _moment(told: str) -> datetime | None:
    """A date with a time, as DICOM writes them; None of anything else. Time zones are left out."""
    digits, _, part = told.partition("+")[0].partition("-")[0].replace(":", "").partition(".")
    try:
        moment = datetime.strptime(digits.ljust(14, "0")[:14], "%Y%m%d%H%M%S")
        return moment + timedelta(seconds=float(f"0.{part}")) if part else moment
    except ValueError:
        return None


def _positive(header: Dataset, keyword: str) -> float:
    found = number(header, keyword)
    if found is None or not math.isfinite(found) or found <= 0:
        raise MissingUptakeError(_absent(keyword))
    return found


def _private(header: Dataset, block: tuple[int, str], element: int) -> float | None:
    try:
        found = float(header.private_block(*block)[element].value)
    except (KeyError, TypeError, ValueError):
        return None
    return found if math.isfinite(found) and found > 0 else None


#: Tags by their keywords, as a person finds them in a viewer of headers.
_TAGS = {
    "Units": "(0054,1001)",
    "PatientWeight": "(0010,1030)",
    "RadiopharmaceuticalInformationSequence": "(0054,0016)",
    "RadionuclideTotalDose": "(0018,1074)",
    "RadionuclideHalfLife": "(0018,1075)",
    "RadiopharmaceuticalStartTime": "(0018,1072)",
    "DecayCorrection": "(0054,1102)",
    "AcquisitionDate": "(0008,0022)",
    "AcquisitionTime": "(0008,0032)",
}


def _absent(keyword: str) -> str:
    return f"{keyword} {_TAGS[keyword]} is missing"
