"""Which modality a file is, read from its name or from its DICOM header; never guessed.

Names are read by rule: a BIDS name by its entities [1]_, any other name by the words in it
(BraTS 2018-2021 ``_t1ce``, BraTS 2023 ``-t1c``, ``T1POST``, ``study1_FLAIR`` …). A name in which
two modalities fit is not decided here: the caller keeps the file's own name as its role and says
so.

References
----------
.. [1] K. J. Gorgolewski et al., The brain imaging data structure, Scientific Data 3:160044, 2016.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

#: Roles that a name or a header can give to a scan.
ROLES = (
    *("t1", "t1ce", "t2", "flair", "pd", "t2star", "swi", "dwi", "adc", "fa"),
    *("bold", "perfusion", "mra", "ct", "pet"),
)

#: Roles that a name can give to a label map.
LABEL_ROLES = ("seg", "brain_mask")

#: Endings that are taken off a name before it is read.
_ENDINGS = re.compile(r"(\.(nii|gz|hdr|img|nrrd|mgz|dcm|ima|png|jpe?g|tiff?|bmp))+$", re.IGNORECASE)

_EDGE, _END = r"(?<![a-z0-9])", r"(?![a-z0-9])"


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(f"{_EDGE}(?:{pattern}){_END}")


_GAP = r"[-_. ]?"
_CONTRAST = (
    r"ce|gd|gad|gado|gadolinium|gadovist|dotarem|post|postgd|postcontrast|post[-_ ]contrast|"
    r"contrast|enhanced|contrast[-_ ]?enhanced|km|wce|with[-_ ]contrast"
)
_T1CE = _words(
    rf"t1w?{_GAP}(?:c|ce|cegd|w?ce|gd|gad|gado|gadolinium|post|postgd|postcontrast|"
    rf"post{_GAP}contrast|contrast|enhanced|km|c\+|\+c)|t1\+c|ce{_GAP}t1w?|gd{_GAP}t1w?|"
    rf"post{_GAP}t1w?|post{_GAP}contrast{_GAP}t1w?"
)
_T1_PLAIN = _words(rf"t1n|t1{_GAP}native|t1{_GAP}pre|pre{_GAP}t1w?|t1w?{_GAP}pre{_GAP}contrast")
_T1 = _words(r"t1|t1w|t1n|t1weighted|t1mprage|mprage|spgr|fspgr|bravo|t1se|t1tse|t1fse")
_AGENT = _words(_CONTRAST)
_NO_AGENT = _words(
    rf"pre|precontrast|pre{_GAP}contrast|no{_GAP}contrast|noncontrast|non{_GAP}contrast|"
    rf"without{_GAP}contrast|unenhanced|ohne{_GAP}km"
)
_POST_OPERATION = _words(
    rf"post{_GAP}(?:op|operative|surgery|surgical|treatment|rt|proc|processed|processing)"
)

#: Words of every family but T1, which the agent decides.
_FAMILIES: dict[str, re.Pattern[str]] = {
    "flair": _words(rf"flair|t2f|t2{_GAP}flair|dark{_GAP}fluid"),
    "t2star": _words(r"t2star|t2s|t2starw|gre|hemo"),
    "t2": _words(r"t2|t2w|t2tse|t2fse|t2weighted|t2frfse"),
    "pd": _words(r"pd|pdw|protondensity"),
    "swi": _words(r"swi|swan"),
    "adc": _words(r"adc|adcmap"),
    "fa": _words(r"fa|famap"),
    "dwi": _words(r"dwi|dti|dmri|diff|diffusion|tracew|trace|b[1-9][0-9]{2,3}"),
    "bold": _words(r"bold|fmri|func|functional"),
    "perfusion": _words(r"asl|dsc|perf|perfusion"),
    "mra": _words(r"mra|tof"),
    "ct": _words(r"ct|cta|cect|ncct"),
    "pet": _words(r"pet|fdg"),
}

#: A name with one of these is a label map, whatever else it says.
_LABEL = _words(
    r"seg|segm|segmentation|segmentations|dseg|mask|masks|label|labels|labelmap|roi|rois|"
    r"annotation|annotations|tumou?rmask|lesionmask|aseg|aparc|parcellation"
)
#: With one of these it may be one; the voxels must agree.
_MAYBE_LABEL = _words(
    r"tumou?r|lesions?|expert|manual|contours?|consensus|wt|tc|et|gt|ground[-_ ]?truth|truth"
)
_BRAIN_MASK = _words(
    rf"brain{_GAP}mask|head{_GAP}mask|bet{_GAP}mask|brainmask|skullstrip{_GAP}mask"
)

_BIDS_SUFFIX: dict[str, str] = {
    "t1w": "t1",
    "t2w": "t2",
    "flair": "flair",
    "pdw": "pd",
    "t2starw": "t2star",
    "swi": "swi",
    "dwi": "dwi",
    "adc": "adc",
    "fa": "fa",
    "bold": "bold",
    "asl": "perfusion",
    "angio": "mra",
    "pet": "pet",
    "ct": "ct",
}
_BIDS_LABEL_SUFFIXES = ("mask", "dseg", "roi", "seg")


@dataclass(frozen=True)
class NameReading:
    """What a file's name says.

    Attributes
    ----------
    role : str or None
        One of `ROLES` or `LABEL_ROLES`, None when the name does not tell or tells two things.
    label : {"yes", "maybe", "no"}
        Whether the name is that of a label map; for "maybe" the voxels decide.
    scan_role : str or None
        For "maybe": the role if the voxels turn out to be those of a scan.
    """

    role: str | None
    label: Literal["yes", "maybe", "no"] = "no"
    scan_role: str | None = None


def stem_of(name: str) -> str:
    """A file's name without its imaging endings: ``"a.dcm.png"`` and ``"a.nii.gz"`` are ``"a"``."""
    short = _ENDINGS.sub("", name)
    return short or name


def read_name(name: str) -> NameReading:
    """Role of a file from its name (not its folder).

    Parameters
    ----------
    name : str
        File name, with or without ending.

    Returns
    -------
    NameReading
    """
    stem = stem_of(name)
    if re.match(r"(?i)sub-[a-z0-9]+_", stem):
        return _read_bids(stem)
    return _read_words(_spaced(stem))


def _read_bids(stem: str) -> NameReading:
    """A BIDS name: ``key-value`` entities in any number, then a suffix."""
    *parts, suffix = stem.split("_")
    entities = dict(part.lower().split("-", 1) for part in parts if "-" in part)
    suffix = suffix.lower()
    if suffix in _BIDS_LABEL_SUFFIXES:
        is_brain = "brain" in (entities.get("desc"), entities.get("label"))
        return NameReading("brain_mask" if is_brain else "seg", "yes")
    role = _BIDS_SUFFIX.get(suffix)
    if role is None:
        # Only what the entities do not explain: `space-T1w` names a grid, not a modality.
        loose = "_".join([p for p in parts if "-" not in p] + [suffix])
        return _read_words(_spaced(loose))
    if role == "t1" and "ce" in entities:
        return NameReading("t1ce")
    return NameReading(role)


def _spaced(text: str) -> str:
    """Lower case, with ``camelCase`` taken apart so that its words are words."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", text).lower()


def _read_words(text: str) -> NameReading:
    """A name without grammar: the modality and label words in it."""
    if _BRAIN_MASK.search(text):
        return NameReading("brain_mask", "yes")
    if _LABEL.search(text):
        return NameReading("seg", "yes")
    scan_role = modality_in(text)
    if _MAYBE_LABEL.search(text):
        return NameReading("seg", "maybe", scan_role)
    return NameReading(scan_role)


def modality_in(text: str) -> str | None:
    """Role of the one modality that lower-case ``text`` names; None for none or for two."""
    # In "t1_to_flair" and "t1_in_flair_space" what follows names the grid, not the scan.
    text = re.split(r"(?<=[a-z0-9])[-_ ]+(?:to|in|onto|space)[-_ ]+", text)[0]
    found = {role for role, words in _FAMILIES.items() if words.search(text)}
    if "flair" in found:
        found.discard("t2")  # T2-FLAIR is one sequence
    if "t2star" in found:
        found.discard("t2")
    if found & {"adc", "fa"}:
        found.discard("dwi")  # maps made from the diffusion scan
    t1 = _t1_role(text)
    if t1 is not None:
        found.add(t1)
    return found.pop() if len(found) == 1 else None


def _t1_role(text: str) -> str | None:
    """``"t1ce"`` when a contrast agent is named beside T1, ``"t1"`` for T1 alone, else None."""
    text = _POST_OPERATION.sub(" ", text)
    if _NO_AGENT.search(text) or _T1_PLAIN.search(text):
        return "t1" if _T1.search(text) or _T1_PLAIN.search(text) else None
    if _T1CE.search(text):
        return "t1ce"
    if not _T1.search(text):
        return None
    return "t1ce" if _AGENT.search(text) else "t1"


# Sequence timing, in milliseconds, when the description does not tell. The bounds are wide on
# purpose and leave gaps between them: a scan in a gap stays without a role.
#: An inversion time this long, with a long echo, nulls fluid and not fat or white matter.
FLAIR_MIN_TI, FLAIR_MIN_TE, FLAIR_MIN_TR = 1500.0, 60.0, 4000.0
#: Spin echo: T1 weighting needs both times short, T2 weighting both long.
T1_MAX_TE, T1_MAX_TR, T1_MAX_TR_INVERSION = 30.0, 1000.0, 3000.0
T2_MIN_TE, T2_MIN_TR = 70.0, 2000.0
#: Spoiled gradient echo with a short repetition is T1-weighted from about this flip angle on.
T1_MIN_FLIP = 8.0
T1_GRADIENT_MAX_TE = 8.0


#: Image types of which the sequence's weighting tells nothing: phase, field and mixed maps.
_NOT_MAGNITUDE = {"P", "PHASE", "R", "REAL", "I", "IMAGINARY", "B0", "VELOCITY", "MIXED"}

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


def role_from_dicom(details: Mapping[str, Any]) -> str | None:
    """Role of a series from its DICOM attributes.

    The SeriesDescription (then the ProtocolName, then the AcquisitionContrast of an enhanced
    object) decides when it names exactly one modality; a ContrastBolusAgent turns T1 into T1ce.
    Phase, field and other maps get no role. Only when no text tells are the kind of sequence and
    its repetition, echo and inversion time used, with bounds that leave gaps (``FLAIR_MIN_TI`` …
    in this file); the weighting that they stand for is textbook MR physics [2]_.

    Parameters
    ----------
    details : mapping
        By DICOM keyword: ``Modality``, ``SeriesDescription``, ``ProtocolName``,
        ``AcquisitionContrast``, ``ContrastBolusAgent``, ``RepetitionTime``, ``EchoTime``,
        ``InversionTime`` (ms), ``FlipAngle`` (degrees), ``ScanningSequence``,
        ``SequenceVariant``, ``ImageType`` (or ``image_type``), ``DiffusionBValue``. Any may be
        absent.

    Returns
    -------
    str or None
        One of `ROLES`, None when it is not told.

    References
    ----------
    .. [2] M. A. Bernstein, K. F. King, X. J. Zhou, Handbook of MRI Pulse Sequences, Elsevier,
       2004, chapters 14 (spin echo, gradient echo) and 6 (inversion pulses).
    """
    modality = str(details.get("Modality") or "").upper()
    if modality == "CT":
        return "ct"
    if modality in ("PT", "PET"):
        return "pet"
    if modality not in ("MR", ""):
        return None
    image_type = _parts(details.get("ImageType") or details.get("image_type"))
    if "ADC" in image_type:
        return "adc"
    if "FA" in image_type:
        return "fa"
    if image_type & _NOT_MAGNITUDE:
        return None
    role = None
    for keyword in ("SeriesDescription", "ProtocolName"):
        role = modality_in(_spaced(str(details.get(keyword) or "")))
        if role is not None:
            break
    if role is None:
        role = _ACQUISITION_CONTRAST.get(str(details.get("AcquisitionContrast") or "").upper())
    if role is None:
        role = _role_from_timing(details)
    if role == "t1" and _has_agent(details):
        return "t1ce"
    return role


def _parts(value: Any) -> set[str]:
    """The words of a multi-valued attribute, which may come as one text: ``"GR\\IR"``."""
    if value is None:
        return set()
    texts = [value] if isinstance(value, str) else [str(part) for part in value]
    return {word for text in texts for word in re.split(r"[^A-Z0-9_]+", text.upper()) if word}


def _has_agent(details: Mapping[str, Any]) -> bool:
    """Whether a contrast agent is recorded (some exports write "NO" or "NONE" there)."""
    agent = str(details.get("ContrastBolusAgent") or "").strip().lower()
    if agent in ("", "no", "none", "n", "0"):
        return False
    text = _spaced(str(details.get("SeriesDescription") or ""))
    return not _NO_AGENT.search(text)


def _number(details: Mapping[str, Any], keyword: str) -> float | None:
    try:
        return float(details[keyword])
    except (KeyError, TypeError, ValueError):
        return None  # absent or not a number: the attribute tells nothing


def _role_from_timing(details: Mapping[str, Any]) -> str | None:
    """Weighting from TR, TE, TI and flip angle; None in the gaps."""
    if (_number(details, "DiffusionBValue") or 0.0) > 0:
        return "dwi"
    repetition, echo = _number(details, "RepetitionTime"), _number(details, "EchoTime")
    if repetition is None or echo is None:
        return None
    inversion = _number(details, "InversionTime") or 0.0
    sequence = _parts(details.get("ScanningSequence"))
    if inversion >= FLAIR_MIN_TI:
        long_enough = echo >= FLAIR_MIN_TE and repetition >= FLAIR_MIN_TR
        return "flair" if long_enough else None
    if "EP" in sequence:
        return None  # echo-planar: diffusion, perfusion or BOLD, not told by timing
    if inversion > 0:  # inversion-prepared gradient echo, as in MPRAGE
        return "t1" if echo <= T1_MAX_TE and repetition <= T1_MAX_TR_INVERSION else None
    if "GR" in sequence and "SE" not in sequence:
        # Without spoiling (as in balanced SSFP) the contrast is not that of T1.
        spoiled = "SP" in _parts(details.get("SequenceVariant"))
        flip = _number(details, "FlipAngle") or 0.0
        is_t1 = spoiled and echo <= T1_GRADIENT_MAX_TE and flip >= T1_MIN_FLIP
        return "t1" if is_t1 and repetition <= T1_MAX_TR else None
    if "SE" not in sequence:
        return None
    if echo <= T1_MAX_TE and repetition <= T1_MAX_TR:
        return "t1"
    if echo >= T2_MIN_TE and repetition >= T2_MIN_TR:
        return "t2"
    return None
