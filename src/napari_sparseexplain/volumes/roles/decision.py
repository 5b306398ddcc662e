"""Which role a scan has, and why: what its header says of the physics, and what its names say.

Echo, repetition and inversion time, diffusion weighting and contrast agent come from a DICOM
header or the JSON beside a NIfTI; words from the series description or the file's name. Where the
two disagree the role is left open and both reasons are given: a network that gets the wrong scan
says nothing about it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .contrast_words import Contrast, contrast_in
from .sequence_timing import STIR, TimingReading, parts, timing_of
from .sequence_words import SequenceReading, sequence_words

#: Image types of which the sequence's weighting tells nothing: phase, field and mixed maps.
_NOT_MAGNITUDE = {"P", "PHASE", "R", "REAL", "I", "IMAGINARY", "B0", "VELOCITY", "MIXED"}

#: Image types of maps that were computed from a scan and have no role.
_COMPUTED = {
    **{"T1_MAP": "T1", "T2_MAP": "T2", "T2_STAR_MAP": "T2*", "R2_MAP": "R2", "R1_MAP": "R1"},
    **{"T2STAR_MAP": "T2*", "T2*_MAP": "T2*", "R2_STAR_MAP": "R2*", "R2STAR_MAP": "R2*"},
    **{"EXP_ADC": "exponential ADC", "EADC": "exponential ADC", "SUBTRACTION": "difference"},
    **{"SUB": "difference"},
    **{"RCBV": "perfusion", "RCBF": "perfusion", "MTT": "perfusion", "TTP": "perfusion"},
}

#: AcquisitionContrast of enhanced MR objects (DICOM PS3.3 C.8.13.3).
_ACQUISITION_CONTRAST = {
    "T1": "t1",
    "T2": "t2",
    "T2_STAR": "t2star",
    "PROTON_DENSITY": "pd",
    "FLUID_ATTENUATED": "flair",
    "DIFFUSION": "dwi",
    "PERFUSION": "perfusion",
    "TOF": "mra",
}

#: Roles whose timing is known well enough to contradict a name.
_TIMED = frozenset({"t1", "t2", "flair", "pd", "dwi"})

#: What stands in the place of an agent where none was given.
_NO_AGENT = re.compile(
    r"(?i)(no|none|n|n/?a|nil|null|-+|false|not given|native|nativ|plain|"
    r"0+([.,]0*)?\s*(ml|cc|mmol|mg)?)\W*"
)

#: What stands there where nobody noted it: it tells neither.
_UNKNOWN_AGENT = re.compile(r"(?i)(unknown|unk|undefined|unspecified|unbekannt|inconnu|\?+)\W*")


@dataclass(frozen=True)
class RoleDecision:
    """A role and the reasons for it.

    Attributes
    ----------
    role : str or None
        None when nothing tells it, when two things fit, or when the reasons disagree.
    why : str
        The reasons, in words; of closed lists of words and numbers only, never a whole
        description.
    disagree : bool
        Whether it was left open because the reasons contradict each other.
    """

    role: str | None
    why: str = ""
    disagree: bool = False


@dataclass(frozen=True)
class _Said:
    """What one text says, and which text it is."""

    source: str
    words: SequenceReading = field(default_factory=lambda: SequenceReading(frozenset()))

    def as_text(self) -> str:
        words = self.words.words or (self.words.contrast_word,)
        return f"{self.source} says {', '.join(repr(word) for word in words)}"


def role_of_dicom(details: Mapping[str, Any]) -> RoleDecision:
    """Role of a series from its DICOM attributes.

    Parameters
    ----------
    details : mapping
        By DICOM keyword: ``Modality``, ``SeriesDescription``, ``ProtocolName``,
        ``AcquisitionContrast``, ``ContrastBolusAgent``, ``RepetitionTime``, ``EchoTime``,
        ``InversionTime`` (ms), ``FlipAngle`` (degrees), ``ScanningSequence``,
        ``SequenceVariant``, ``ImageType`` (or ``image_type``), ``DiffusionBValue``. Any may be
        absent.
    """
    modality = str(details.get("Modality") or "").upper()
    texts = [
        ("the series description", str(details.get("SeriesDescription") or "")),
        ("the protocol's name", str(details.get("ProtocolName") or "")),
    ]
    said = [_Said(source, sequence_words(text)) for source, text in texts if text]
    if reason := _planning(details, said):
        return RoleDecision(None, reason)
    if modality == "CT":
        return RoleDecision("ct", "the header's modality is CT")
    if modality in ("PT", "PET"):
        return RoleDecision("pet", "the header's modality is PET")
    if modality not in ("MR", ""):
        return RoleDecision(None, f"the header's modality is {modality}")
    return _decided(said, details)


def role_of_name(words: SequenceReading, details: Mapping[str, Any]) -> RoleDecision:
    """Role of a file by its name, and by what the JSON beside it says.

    Parameters
    ----------
    words : SequenceReading
        What the name says.
    details : mapping
        As of `role_of_dicom`; empty when there is no JSON.
    """
    said = [_Said("its name", words)] if words.words else []
    for source, keyword in (
        ("the description in its JSON", "SeriesDescription"),
        ("the protocol in its JSON", "ProtocolName"),
    ):
        if text := str(details.get(keyword) or ""):
            said.append(_Said(source, sequence_words(text)))
    if reason := _planning(details, said):
        return RoleDecision(None, reason)
    return _decided(said, details)


def _planning(details: Mapping[str, Any], said: Sequence[_Said]) -> str:
    """Why the scan is one that others are planned on, empty when it is not."""
    if "LOCALIZER" in _image_type(details):
        return "its image type is LOCALIZER: made to plan other scans"
    first = next((s for s in said if s.words.words), None)
    if first and first.words.no_scan == "made to plan other scans":
        return f"{first.as_text()}: made to plan other scans"
    return ""


def _image_type(details: Mapping[str, Any]) -> set[str]:
    """Its words, and its values as they stand with underscores: ``"T1 MAP"`` is ``T1_MAP``."""
    told = details.get("ImageType") or details.get("image_type")
    values = re.split(r"[\\,]", told) if isinstance(told, str) else [str(v) for v in told or ()]
    return parts(told) | {re.sub(r"\s+", "_", value.strip().upper()) for value in values}


def _decided(said: Sequence[_Said], details: Mapping[str, Any]) -> RoleDecision:
    image_type = _image_type(details)
    if computed := next((k for k in _COMPUTED if k in image_type), None):
        return RoleDecision(None, f"its image type is {computed}: a computed map, not a scan")
    for role in ("adc", "fa"):
        if role.upper() in image_type:
            return RoleDecision(role, f"its image type is {role.upper()}")
    if odd := image_type & _NOT_MAGNITUDE:
        return RoleDecision(None, f"its image type is {sorted(odd)[0]}, not a magnitude")
    named = next((s for s in said if s.words.found or s.words.no_scan), None)
    if named and named.words.no_scan:
        return RoleDecision(None, f"{named.as_text()}: {named.words.no_scan}")
    timing = timing_of(details)
    if named is None:
        acquired = str(details.get("AcquisitionContrast") or "").upper()
        if acquired in _ACQUISITION_CONTRAST:
            named = _Said(
                "the header's acquisition contrast",
                SequenceReading(frozenset({_ACQUISITION_CONTRAST[acquired]}), words=(acquired,)),
            )
    if named is None and timing.role == STIR:
        return RoleDecision(None, f"{timing.times} are those of a STIR, which has no role")
    if named is None and timing.role is None:
        return RoleDecision(None, "neither its name nor its header tells the sequence")
    decision = _sequence(named, timing)
    if decision.role != "t1":
        return decision
    return _with_agent(decision, said, details)


def _sequence(named: _Said | None, timing: TimingReading) -> RoleDecision:
    """The sequence by name and timing, before a contrast agent is asked for."""
    by_time = f"{timing.times} {'are' if ' and ' in timing.times else 'is'} that of {timing.role}"
    by_time = by_time.replace("are that", "are those").replace(f"of {STIR}", "of a STIR")
    if named is None:
        return RoleDecision(timing.role, by_time)
    found = named.words.found
    if len(found) > 1:
        fit = found & (timing.fits if timing.role not in found else {timing.role})
        if timing.role and len(fit) == 1:
            return RoleDecision(next(iter(fit)), f"{named.as_text()}; {by_time}")
        listed = " and ".join(sorted(found))
        return RoleDecision(None, f"{named.as_text()}, which fits {listed}")
    role = next(iter(found))
    if timing.role is None:
        return RoleDecision(role, named.as_text())
    if role in timing.fits:
        agree = timing.role == role
        return RoleDecision(role, f"{named.as_text()}; {by_time}" if agree else named.as_text())
    if role in _TIMED:
        return RoleDecision(None, f"{named.as_text()}, but {by_time}", disagree=True)
    return RoleDecision(role, named.as_text())


def _with_agent(
    decision: RoleDecision, said: Sequence[_Said], details: Mapping[str, Any]
) -> RoleDecision:
    """``t1`` or ``t1ce``: by the words of every text and by the agent that the header records."""
    reasons: dict[Contrast, str] = {}
    for text in said:
        # A protocol often bears the name of the whole examination: the first text counts.
        if text.words.contrast and text.source != "the protocol's name":
            reasons.setdefault(text.words.contrast, text.as_text())
    if not reasons:
        described = any(t.words.found for t in said if t.source != "the protocol's name")
        for text in said:
            # A protocol of an examination with and without tells nothing of one scan of it.
            if text.words.contrast and not (described and text.words.contrast == "both"):
                reasons.setdefault(text.words.contrast, text.as_text())
    agent = agent_in(details)
    if agent == "with":
        reasons.setdefault("with", "the header records a contrast agent")
    elif agent == "without":
        reasons.setdefault("without", "the header says that no contrast agent was given")
    if "both" in reasons:
        return RoleDecision(
            None,
            f"{reasons['both']}: with and without contrast agent, so t1 or t1ce",
            disagree=True,
        )
    if len(reasons) == 2:
        return RoleDecision(None, f"{reasons['without']}, but {reasons['with']}", disagree=True)
    if "with" in reasons:
        return RoleDecision("t1ce", _joined(decision.why, reasons["with"]))
    return RoleDecision("t1", _joined(decision.why, reasons.get("without", "")))


def _joined(why: str, more: str) -> str:
    return why if not more or more in why else f"{why}; {more}"


def agent_in(details: Mapping[str, Any]) -> Contrast | None:
    """Whether a header records a contrast agent (some exports write "NO" or "NONE" there).

    An agent of which 0 ml were given is one that the protocol foresaw: it tells nothing.
    """
    if details.get("ContrastBolusVolume") == 0:
        return None
    for keyword in ("ContrastBolusAgent", "ContrastBolusIngredient"):
        agent = str(details.get(keyword) or "").strip()
        if not agent or _UNKNOWN_AGENT.fullmatch(agent):
            continue
        if _NO_AGENT.fullmatch(agent) or contrast_in(agent).said == "without":
            return "without"
        return "with"
    return None
