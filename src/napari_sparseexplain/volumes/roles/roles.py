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
from functools import lru_cache
from typing import Any, Literal

from ..readers import all_endings
from .contrast_words import contrast_in
from .decision import role_of_dicom, role_of_name
from .sequence_words import NOTHING, SequenceReading, sequence_words, spaced

#: Roles that a name or a header can give to a scan.
ROLES = (
    *("t1", "t1ce", "t2", "flair", "pd", "t2star", "swi", "dwi", "adc", "fa"),
    *("bold", "perfusion", "mra", "ct", "pet", "cine"),
)

#: Roles that a name can give to a label map.
LABEL_ROLES = ("seg", "brain_mask")

#: Endings that are taken off a name before it is read, besides those of what is read.
_MORE_ENDINGS = (".gz", ".nrrd", ".mgz")

_EDGE, _END = r"(?<![a-z0-9])", r"(?![a-z0-9])"


def _words(pattern: str, ending: str = "") -> re.Pattern[str]:
    return re.compile(f"{_EDGE}(?:{pattern}){ending}{_END}")


#: Several masks of one scan are numbered: "mask1", "seg2".
_NUMBER = r"\d{0,3}"


_GAP = r"[-_. ]?"

#: A name with one of these is a label map, whatever else it says.
_LABEL = _words(
    r"seg|segm|segs|segment|segmented|segmentation|segmentations|segmentierung|segmentacion|"
    r"segmentazione|segmentacao|dseg|mask|masks|msk|maske|masque|mascara|maschera|label|labels|"
    r"labelmap|lbl|roi|rois|voi|vois|annotation|annotations|annot|tumou?rmask|lesionmask|aseg|"
    r"aparc|parcellation|parc|delineation|gold[-_ .]?standard|ground[-_ .]?truth|groundtruth|"
    r"ot[-_ ]?multi[-_ ]?class|multi[-_ ]?class|o[-_. ]ot|glistr[-_ ]?boost|"
    r"(?:flair|t1|t1ce|t2|wmh|tumou?r|lesion|dkfz)[-_ ]?(?:seg|mask|roi)|lesion[-_ ]?map|标注|分割",
    _NUMBER,
)
#: With one of these it may be one; the voxels must agree.
_MAYBE_LABEL = _words(
    r"tumou?rs?|lesions?|lesiones|lasion(?:en)?|expert|experts|manual|contours?|outlines?|consensus|"
    r"staple|wt|tc|et|ncr|net|ed|gt|ot|truth|reference|wmh|o?edema|necrosis|cavity|infarct|"
    r"h(?:a)?ematoma|rater[-_ ]?\d*|reader[-_ ]?\d*|pred|preds|prediction|predictions|predicted|"
    r"atlas|regions?|gtv|ctv|ptv",
    _NUMBER,
)
_MASK_WORD = r"(?:masks?|msk|maske|masque|mascara|maschera)"
_SEG_WORD = r"(?:[ad]?seg|segm|segmentation|label|labels|roi)"
_BRAIN = (
    r"(?:brain|head|bet|skull[-_ ]?strip(?:ped|ping)?|hd[-_ ]?bet|synthstrip|robex|icv|tiv|"
    r"intracranial|cerveau|cerebro|cervello|cerebral|gehirn|hirn)"
)
#: A name with one of these, and with no word for a lesion, is a mask of the brain.
_BRAIN_MASK = _words(
    rf"{_BRAIN}{_GAP}(?:extraction{_GAP})?(?:{_MASK_WORD}|seg|segmentation)|"
    rf"{_MASK_WORD}{_GAP}(?:(?:of|du|de|del|dell){_GAP})?(?:the{_GAP})?{_BRAIN}",
    _NUMBER,
)
_TISSUE = (
    r"(?:wm|gm|csf|cgm|sgm|lcr|liquor|white[-_ ]?matter|gr[ae]y[-_ ]?matter|ventricles?|"
    r"parenchyma|cortex|tissues?|skull|scalp|bone)"
)
#: A mask of a healthy tissue is no truth about a lesion.
_TISSUE_MASK = _words(
    rf"{_TISSUE}{_GAP}(?:{_MASK_WORD}|{_SEG_WORD})|(?:{_MASK_WORD}|{_SEG_WORD}){_GAP}{_TISSUE}|"
    r"aseg|aparc|parcellation|parc|pveseg",
    _NUMBER,
)
#: Values of ``label`` of BIDS that are no lesion ("L" is one).
_BIDS_TISSUES = frozenset(
    {"bg", "gm", "wm", "csf", "b", "st", "nongm", "cgm", "sgm", "bs", "cbm", "ventricle"}
)
#: A word for a lesion: the mask is of it, whatever else the name says.
_LESION = re.compile(
    rf"{_EDGE}(?:brain)?(?:lesion|lasion|tumou?r|wmh|infarct|o?edema|necro|cavit|metasta)"
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
        One of `ROLES` or `LABEL_ROLES`, None when the name does not tell or tells two things, and
        for the mask of a healthy tissue.
    label : {"yes", "maybe", "no"}
        Whether the name is that of a label map; for "maybe" the voxels decide.
    scan_role : str or None
        For "maybe": the role if the voxels turn out to be those of a scan.
    words : SequenceReading
        The sequences that the name speaks of; `role_of_name` weighs them against the header.
    """

    role: str | None
    label: Literal["yes", "maybe", "no"] = "no"
    scan_role: str | None = None
    words: SequenceReading = NOTHING


@lru_cache(maxsize=1)
def _ending_pattern(endings: tuple[str, ...]) -> re.Pattern[str]:
    """One or more endings at the end of a name."""
    known = sorted({*endings, *_MORE_ENDINGS}, key=len, reverse=True)
    return re.compile(rf"(?:{'|'.join(map(re.escape, known))})+$", re.IGNORECASE)


def stem_of(name: str) -> str:
    """A file's name without its imaging endings: ``"a.dcm.png"`` and ``"a.nii.gz"`` are ``"a"``."""
    short = _ending_pattern(all_endings()).sub("", name)
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
    words = _bids_words(stem) if _BIDS.match(stem) else None
    if isinstance(words, NameReading):
        return words
    return _read_words(stem, words)


def is_tissue_mask(name: str) -> bool:
    """Whether a name is that of the mask of a healthy tissue (``wm_mask``), which is no truth."""
    reading = read_name(name)
    return reading.label == "yes" and reading.role is None


def role_from_dicom(details: Mapping[str, Any]) -> str | None:
    """Role of a series from its DICOM attributes; `role_of_dicom` also says why."""
    return role_of_dicom(details).role


_BIDS = re.compile(r"(?i)sub-[a-z0-9]+_")


def _bids_words(stem: str) -> SequenceReading | NameReading:
    """A BIDS name: ``key-value`` entities in any number, then a suffix."""
    *parts, suffix = stem.split("_")
    entities = dict(part.lower().split("-", 1) for part in parts if "-" in part)
    if suffix.lower() in _BIDS_LABEL_SUFFIXES:
        if entities.get("label") in _BIDS_TISSUES:
            return NameReading(None, "yes")
        if "brain" in (entities.get("desc"), entities.get("label")):
            return NameReading("brain_mask", "yes")
        if "label" in entities:
            return NameReading("seg", "yes")
        described = [entities["desc"]] if "desc" in entities else []
        return _read_words(
            "_".join([*(p for p in parts if "-" not in p), *described, suffix]), None
        )
    part = entities.get("part", "mag")
    if part != "mag":
        what = "a phase, real or imaginary image, not a magnitude"
        return SequenceReading(frozenset(), what, words=(f"part-{part}",))
    role = _BIDS_SUFFIX.get(suffix.lower())
    if role is None:
        # Only what the entities do not explain: `space-T1w` names a grid, not a modality.
        loose = "_".join([p for p in parts if "-" not in p] + [suffix])
        if _is_label_word(loose):
            return _read_words(loose, None)
        return sequence_words(loose, file_name=True)
    said: list[str] = [suffix]
    contrast = None
    for key in ("ce", "acq", "desc"):
        value = entities.get(key)
        if role != "t1" or value is None:
            continue
        contrast = contrast_in(f"t1 {value}").said
        if key == "ce" and contrast is None:
            contrast = "without" if _NO_AGENT.fullmatch(value) else "with"
        if contrast:
            said.append(f"{key}-{value}")
            break
    return SequenceReading(frozenset({role}), "", contrast, tuple(said))


_NO_AGENT = re.compile(r"(none|no|nil|without|pre|native|off|0)[a-z]*")


def _is_label_word(stem: str) -> bool:
    text = spaced(stem)
    return any(words.search(text) for words in (_BRAIN_MASK, _LABEL, _MAYBE_LABEL))


def _read_words(stem: str, words: SequenceReading | None) -> NameReading:
    """A name without grammar: the modality and label words in it."""
    text = spaced(stem)
    if words is None:
        if not _LESION.search(text):
            if _BRAIN_MASK.search(text):
                return NameReading("brain_mask", "yes")
            if _TISSUE_MASK.search(text):
                return NameReading(None, "yes")
        if _LABEL.search(text):
            return NameReading("seg", "yes")
        words = sequence_words(stem, file_name=True)
        if _MAYBE_LABEL.search(text):
            return NameReading("seg", "maybe", role_of_name(words, {}).role, words)
    return NameReading(role_of_name(words, {}).role, words=words)
