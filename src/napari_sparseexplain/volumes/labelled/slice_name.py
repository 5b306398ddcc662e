"""What the name of a slice tells: whose it is, and which numbers only count.

A name is read from its end. What counts (`slice_3`, `frame01`, `ses-2`) and what a scan is called
(`flair`, `sax`, `ED`) comes off, again and again, since a cine counts slices within frames. A word
that counts has a separator, or the name's start, before it: the ``t`` of ``patient001`` is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_BETWEEN = r"[-_. ]"

#: Words before a number that counts series, images, slices, frames, visits.
_LONG = r"image|img|slice|frame|time|phase|series|session|ses|visit|run|echo|mpr"
_SHORT = r"im|sl|s|z|fr|f|t|tp|ph|i|se|mr"

_COUNTED = re.compile(rf"(?i)(?:^|{_BETWEEN}+)(?P<word>{_LONG}|{_SHORT}){_BETWEEN}*\d+$")

#: Names that only count: ``0012``, ``img_3``, ``IM-0001-0048``, ``012_3``.
_PART = rf"(?:{_LONG}|{_SHORT})?{_BETWEEN}*\d+"
_COUNTS = re.compile(rf"(?i){_PART}(?:{_BETWEEN}+{_PART})*")

#: What a scan is called, and which part of the heart's cycle it shows: of no patient.
_SCAN = (
    r"scan|picture|pic|mri?|ct|cine|sax?|lax|lge|axial|cor(?:onal)?|sag(?:ittal)?|ed|es|3d|4d|"
    r"t1w?|t1c|t1ce|t1gd|t2w?|t2f|t1n|flair|pd|dwi|adc|bold"
)
_CALLED = re.compile(rf"(?i){_BETWEEN}+(?:{_SCAN})$")
_SCAN_WORD = re.compile(rf"(?i)(?:^|{_BETWEEN})(?:{_SCAN})$")

#: In names as Sunnybrook's, ``SC-HF-I-01-IM-0001-0048``, all from here on counts images.
_IMAGE_PART = re.compile(r"(?i)^(.+?)[-_]im[-_.]?\d")

#: Words whose number is the patient's, wherever they stand.
_PATIENT = re.compile(
    rf"(?i)(?<![a-z])(?:(?:patient|pat|pt|pid|subject|subj|sub|case|volunteer){_BETWEEN}*\d+"
    r"|sub-[a-z0-9]+)"
)

_NUMBER = re.compile(rf"(.+?)({_BETWEEN}*)(\d+)$")


@dataclass(frozen=True)
class SliceName:
    """Whose slice a name may be of.

    Attributes
    ----------
    codes : tuple of str
        What may be the patient's code: the first is what is left without what counts; those after
        it lack one number more each. ``A0S9V9_0_3`` may be of ``A0S9V9_0`` or of ``A0S9V9``, and
        only the other names of the folder tell (`patients_of`).
    word : str
        Where the first code is a word and one number, ``SC-N-02``: the word, ``SC-N``, else empty.
        The number may be the patient's or count that patient's slices.
    """

    codes: tuple[str, ...]
    word: str = ""


def read_slice_name(stem: str) -> SliceName:
    """Take a name apart.

    Parameters
    ----------
    stem : str
        The name without ending.
    """
    if found := _IMAGE_PART.match(stem):
        return SliceName((found[1],))
    if found := _PATIENT.search(stem):
        before = stem[: found.start()].strip("-_. ")
        return SliceName((found[0] if only_counts(before) else stem[: found.end()],))
    code = _without_counters(stem)
    counted = code != stem and bool(re.search(r"\d", stem[len(code) :]))
    word = ""
    if found := _NUMBER.fullmatch(code):
        if _SCAN_WORD.search(found[1]):
            code = _without_counters(found[1])
        elif not _ends_in_code(found[1]):
            word = found[1]
        elif found[2] and not counted:
            code = _without_counters(found[1])
    codes = [code]
    while (found := _NUMBER.fullmatch(codes[-1])) and found[2] and _ends_in_code(found[1]):
        codes.append(_without_counters(found[1]))
    return SliceName(tuple(codes), word)


def patient_of(stem: str) -> str:
    """Whose slice a file is, by its name alone: what is left without what counts.

    Parameters
    ----------
    stem : str
        The name without ending.

    Examples
    --------
    >>> patient_of("SC-HF-I-01-IM-0001-0048"), patient_of("patient001_frame01_slice01")
    ('SC-HF-I-01', 'patient001')
    """
    return read_slice_name(stem).codes[0]


def names_patient(name: str) -> bool:
    """Whether a name has a word that says whose it is: ``patient012``, ``case_12_slice_3``.

    Examples
    --------
    >>> names_patient("patient012"), names_patient("glioma_012")
    (True, False)
    """
    return bool(_PATIENT.search(name))


def only_counts(stem: str) -> bool:
    """Whether a name holds nothing but numbers and what they count, so that it tells no patient.

    Examples
    --------
    >>> only_counts("IM-0001-0048"), only_counts("012_3"), only_counts("case_12_slice_3")
    (True, True, False)
    """
    return bool(_COUNTS.fullmatch(stem))


def group_of(patient: str) -> str:
    """The group in a patient's code: what is left of it without its number.

    Examples
    --------
    >>> group_of("SC-HF-NI-07"), group_of("SC-N-10")
    ('SC-HF-NI', 'SC-N')
    """
    return re.sub(r"[-_. ]*\d+$", "", patient) or patient


def _without_counters(name: str) -> str:
    """A name without the counters and words of a scan at its end; never nothing."""
    while True:
        if (found := _COUNTED.search(name)) and found.start():
            left = name[: found.start()]
            # ``cohort_s01`` may be subject 1, ``cohort_slice01`` is not.
            if re.search(r"\d", left) or re.fullmatch(_LONG, found["word"].lower()):
                name = left
                continue
        if found := _CALLED.search(name):
            name = name[: found.start()]
            continue
        return name


def _ends_in_code(name: str) -> bool:
    """Whether the last part of a name has a digit, so that a number after it is one more."""
    return bool(re.search(r"\d", re.split(_BETWEEN, name)[-1]))
