"""What echo, repetition and inversion time say of a scan's weighting, with gaps left on purpose.

The bounds leave gaps between them: a scan in a gap tells nothing, and its name decides. The
weighting that they stand for is textbook MR physics [1]_.

References
----------
.. [1] M. A. Bernstein, K. F. King, X. J. Zhou, Handbook of MRI Pulse Sequences, Elsevier, 2004,
   chapters 14 (spin echo, gradient echo) and 6 (inversion pulses).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: An inversion time this long, with a long echo, nulls fluid and not fat or white matter (ms).
FLAIR_MIN_TI, FLAIR_MIN_TE, FLAIR_MIN_TR = 1500.0, 60.0, 4000.0
#: An inversion time this short nulls fat (ms): a STIR, which is neither a T2 nor a FLAIR.
STIR_MIN_TI, STIR_MAX_TI, STIR_MIN_TE, STIR_MIN_TR = 80.0, 300.0, 20.0, 1500.0
#: The weighting of a STIR, which is no role.
STIR = "stir"
#: Spin echo: T1 weighting needs both times short, T2 weighting both long (ms).
T1_MAX_TE, T1_MAX_TR, T1_MAX_TR_INVERSION = 30.0, 1000.0, 3000.0
T2_MIN_TE, T2_MIN_TR = 70.0, 2000.0
#: Spoiled gradient echo with a short repetition is T1-weighted from about this flip angle on.
T1_MIN_FLIP = 8.0
T1_GRADIENT_MAX_TE = 8.0


@dataclass(frozen=True)
class TimingReading:
    """What the timing says.

    Attributes
    ----------
    role : str or None
        The weighting, `STIR` among them; None in the gaps.
    fits : frozenset of str
        Roles that such a timing does not contradict; empty when it tells nothing.
    times : str
        The times themselves, for a person.
    """

    role: str | None = None
    fits: frozenset[str] = frozenset()
    times: str = ""


def timing_of(details: Mapping[str, Any]) -> TimingReading:
    """Weighting from b-value, TR, TE, TI and flip angle.

    Parameters
    ----------
    details : mapping
        By DICOM keyword, times in ms, angles in degrees. Any may be absent.
    """
    b_value = number(details, "DiffusionBValue") or 0.0
    if b_value > 0:
        fits = frozenset({"dwi", "adc", "fa"})
        return TimingReading("dwi", fits, f"a diffusion weighting of b = {b_value:g} s/mm²")
    repetition, echo = number(details, "RepetitionTime"), number(details, "EchoTime")
    if repetition is None or echo is None:
        return TimingReading()
    inversion = number(details, "InversionTime") or 0.0
    sequence = parts(details.get("ScanningSequence"))
    flip = number(details, "FlipAngle") or 0.0
    times = f"TE {echo:g} ms and TR {repetition:g} ms"
    if inversion > 0:
        times = f"TE {echo:g} ms, TR {repetition:g} ms and TI {inversion:g} ms"
    short = STIR_MIN_TI <= inversion <= STIR_MAX_TI
    if short and echo >= STIR_MIN_TE and repetition >= STIR_MIN_TR and not sequence & {"EP", "GR"}:
        return TimingReading(STIR, frozenset({STIR}), times)
    role = _weighting(details, repetition, echo, inversion, flip, sequence)
    if role is None:
        return TimingReading(None, frozenset(), times)
    fits = {"t1": {"t1", "mra", "perfusion", "t2star", "swi"}, "t2": {"t2"}, "flair": {"flair"}}[
        role
    ]
    if role == "t2" and inversion == 0:
        # Some exports leave the inversion time out, and the two differ in nothing else.
        fits = {*fits, "flair"}
    if role == "t2":
        fits = {
            *fits,
            "dwi",
            "adc",
            "perfusion",
            "bold",
        }  # with one echo-planar read-out or another
    return TimingReading(role, frozenset(fits), times)


def _weighting(
    details: Mapping[str, Any],
    repetition: float,
    echo: float,
    inversion: float,
    flip: float,
    sequence: set[str],
) -> str | None:
    if inversion >= FLAIR_MIN_TI:
        long_enough = echo >= FLAIR_MIN_TE and repetition >= FLAIR_MIN_TR
        return "flair" if long_enough else None
    if "EP" in sequence:
        return None  # echo-planar: diffusion, perfusion or BOLD, not told by timing
    if inversion > 0:  # inversion-prepared gradient echo, as in MPRAGE
        return "t1" if echo <= T1_MAX_TE and repetition <= T1_MAX_TR_INVERSION else None
    if "GR" in sequence and "SE" not in sequence:
        # Without spoiling (as in balanced SSFP) the contrast is not that of T1.
        spoiled = "SP" in parts(details.get("SequenceVariant"))
        is_t1 = spoiled and echo <= T1_GRADIENT_MAX_TE and flip >= T1_MIN_FLIP
        return "t1" if is_t1 and repetition <= T1_MAX_TR else None
    if "SE" not in sequence:
        return None
    if echo <= T1_MAX_TE and repetition <= T1_MAX_TR:
        return "t1"
    if echo >= T2_MIN_TE and repetition >= T2_MIN_TR:
        # With an inversion pulse whose time is not told it may be either.
        return None if "IR" in sequence else "t2"
    return None


def parts(value: Any) -> set[str]:
    """The words of a multi-valued attribute, which may come as one text: ``"GR\\IR"``."""
    if value is None:
        return set()
    texts = [value] if isinstance(value, str) else [str(part) for part in value]
    return {word for text in texts for word in re.split(r"[^A-Z0-9_]+", text.upper()) if word}


def number(details: Mapping[str, Any], keyword: str) -> float | None:
    """A detail as a number; None when it is absent or none."""
    try:
        return float(details[keyword])
    except (KeyError, TypeError, ValueError):
        return None
