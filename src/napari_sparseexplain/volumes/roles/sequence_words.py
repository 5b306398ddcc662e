"""Which sequences a text names, and what kinds of image it names that have no role.

A series description or the name of a file is read word by word. What only *resembles* a scan of a
sequence (a map of T1 times, a phase image, a subtraction) is told apart from it here, and so is
the name of a scan that another one was registered to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .contrast_words import Contrast, contrast_in, folded

_EDGE, _END = r"(?<![a-z0-9])", r"(?![a-z0-9])"
_GAP = r"[-_. ]?"


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(f"{_EDGE}(?:{pattern}){_END}")


_CONTRAST_END = rf"{_GAP}(?:c|ce|cegd|w?ce|gd|gad|gado|gadolinium|post\w*|contrast\w*|km|pre|n)"

#: Sequences by role, in the words of manufacturers and of several languages.
_FAMILIES: dict[str, re.Pattern[str]] = {
    "t1": _words(
        rf"t1|t1w|t1wi|t1n|t1ffe|t1tfe|t1weighted|t1gewichtet|t1mprage|t1se|t1tse|t1fse|"
        rf"t1{_CONTRAST_END}|"
        rf"t1wi?{_CONTRAST_END}|t1mpr|t1fl2d|t1fl3d"
    ),
    "t2": _words(r"t2|t2w|t2wi|t2tse|t2fse|t2weighted|t2gewichtet|t2frfse|t2propeller|t2blade"),
    "flair": _words(
        rf"flair|flairw|t2f|t2flair|t2wflair|fla|dark{_GAP}fluid|dark{_GAP}fl|da{_GAP}fl|"
        rf"fluid{_GAP}(?:attenuated|suppressed)(?:{_GAP}inversion{_GAP}recovery)?"
    ),
    "t2star": re.compile(
        rf"{_EDGE}(?:t2star|t2starw|t2sw|t2s|t2\*w?|hemo|t2ffe|t2{_GAP}ffe|t2{_GAP}gre|gre{_GAP}t2|"
        rf"t2w?{_GAP}fl[23]d|medic){_END}|{_EDGE}t2{_GAP}(?:star|\*)"
    ),
    "pd": _words(rf"pd|pdw|pdwi|proton{_GAP}(?:density|dichte)(?:{_GAP}weighted)?"),
    "swi": _words(r"swi|swan|swip|swibold|venobold|susceptibility|ven[-_ ]?bold"),
    "adc": _words(
        rf"adc|adcmap|dadc|apparent{_GAP}diffusion(?:{_GAP}coefficients?)?|average{_GAP}dc|"
        rf"coefficient{_GAP}(?:apparent{_GAP})?de{_GAP}diffusion(?:{_GAP}apparent)?|"
        rf"(?:scheinbarer{_GAP})?diffusionskoeffizient|coeficiente{_GAP}de{_GAP}difus\w+(?:{_GAP}"
        rf"aparente)?"
    ),
    "fa": _words(rf"fa|famap|fractional{_GAP}anisotropy|fraktionelle{_GAP}anisotropie"),
    "dwi": _words(
        rf"dwi|dti|dki|dmri|diff|diffusion|diffusionsw\w*|tracew|trace|isodwi|dw|ep2d{_GAP}diff|"
        rf"b{_GAP}=?{_GAP}[1-9][0-9]{{2,3}}t?|hardi|noddi|difusion|diffusione"
    ),
    "bold": _words(r"bold|fmri|func|functional|rsfmri|rest(?:ing)?[-_ ]?state"),
    "perfusion": _words(rf"asl|pcasl|pasl|dsc|dce|perf|perfusion|perfusione|ep2d{_GAP}perf"),
    "mra": _words(r"mra|tof|angio|angiography|angiographie"),
    "cine": _words(rf"cine|cineloop|sax|short{_GAP}axis|kurzachse|kurze{_GAP}achse|petit{_GAP}axe"),
    "ct": _words(r"ct|cta|cect|ncct|nect|tdm"),
    "pet": _words(r"pet|fdg|flt|fet|suv"),
}

#: Sequences that are run with T1 weighting unless a text says otherwise.
_T1_SEQUENCES = _words(
    r"mprage|mp-rage|spgr|fspgr|efgre3d|bravo|fsbravo|tfe|3dtfe|vibe|irspgr|ir-fspgr|ir-tfe"
)
_GRADIENT_ECHO = _words(rf"gre|gradient{_GAP}echo|ffe")

#: What a field of displacements is.
VECTORS = "a field of displacements, not a scan"

#: Images that no network takes for a scan of the sequence they name, with what they are.
_NO_SCAN: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            rf"{_EDGE}(?:q?t1|q?t2|q?t2star|q?t2\*|q?t2s|q?r1|q?r2|q?r2star|r2\*|r2s|pd|b1|b0|mtr|"
            rf"mwf|tau|m0|rho){_GAP}(?:(?:w|nativ|native|time|star|\*|relaxation|relax|values?|pre|"
            rf"post|2d|3d|gre|tse|brain){_GAP})?(?:maps?|mapping|mapit|images|karte|carte|mappa|mapa|"
            rf"マップ)(?![a-z])|{_EDGE}(?:q|quantitative|quant){_GAP}(?:t1|t2|t2star|pd){_END}|"
            rf"{_EDGE}(?:qt1|qt2|r1|r2|r2star|r2s|molli|shmolli|sasha|mtsat|mtr|unit1|qsm|chimap|"
            rf"relaxometry|relaxation|synthetic{_GAP}maps?|t1rho|t2{_GAP}prep{_GAP}map){_END}|"
            rf"{_EDGE}r2\*|"
            rf"{_EDGE}(?:maps?|mapping|mapa|mapas|mappa|mappe|mapeo|karte|carte|cartes|"
            rf"cartographie|cartografia|kartierung){_GAP}(?:(?:of|de|di|del|du|en){_GAP})?"
            rf"(?:t1|t2\*?|r1|r2\*?)(?![a-z0-9])"
        ),
        "a map of measured tissue values, not a weighted scan",
    ),
    (
        _words(
            rf"eadc|e{_GAP}adc|exp[-_. ]{{0,2}}adc|adc[-_. ]{{0,2}}exp|"
            rf"exponential{_GAP}(?:adc|apparent{_GAP}diffusion(?:{_GAP}coefficient)?)|exponential"
        ),
        "an exponential ADC image",
    ),
    (
        _words(
            rf"(?:dti|dki|dwi|diff|diffusion)[-_. ](?:[a-z]+[-_. ])?(?:md|rd|ad|tr|l[123]|v[123]|"
            rf"mode|mo|s0|evals?|evecs?|eigen\w*|tensor)|(?:mean|radial|axial){_GAP}diffusivity|"
            rf"col(?:ou?r)?{_GAP}fa|fa{_GAP}col(?:ou?r)?"
        ),
        "a map computed from a diffusion scan",
    ),
    (
        _words(
            rf"r?cbv|r?cbf|mtt|tmax|ttp|ktrans|perf{_GAP}maps?|aif|gbp|pbp|"
            rf"relcbv|relcbf|relmtt"
        ),
        "a map computed from a perfusion series",
    ),
    (
        re.compile(
            rf"{_EDGE}part-(?:phase|imag|real)"
            rf"|{_EDGE}(?<!in-)(?<!in_)(?<!in )(?<!inn)(?<!opp-)(?<!opp_)(?<!opp )(?<!opposed )"
            rf"(?<!opposed-)(?<!opposed_)(?<!of-)(?<!of_)(?<!of )(?<!arterial )(?<!venous )"
            rf"(?<!portal )(?<!late )(?<!delayed )(?<!arterial_)(?<!venous_)(?<!portal_)"
            rf"(?<!delayed_)(?:phase|pha|phasen\w*|imaginary|(?:ph|imag|real)(?=[-_. ]*$)|"
            rf"phase{_GAP}(?:map|image)s?|pha{_GAP}images?){_END}(?!{_GAP}(?:contrast|encod|sensitive"
            rf"|[0-9]))"
        ),
        "a phase, real or imaginary image, not a magnitude",
    ),
    (
        _words(rf"field{_GAP}?map\w*|fmap|phasediff|magnitude[12]|epi{_GAP}ref|sbref|topup"),
        "made for correcting other scans",
    ),
    (
        re.compile(
            rf"[-_. ]sub(?=[-_. ]*$|[-_. ](?:ax|axial|cor|sag|tra|mip){_END})"
            rf"|{_EDGE}sub[_ ](?=(?:t1|t2|flair|mprage|vibe))"
            rf"|{_EDGE}(?:difference|subtraction|subtracted|subtraktion|soustraction|sottrazione){_END}"
        ),
        "a difference of two scans",
    ),
    (
        _words(
            r"warp|warpfield|[01]?warp|inversewarp|invwarp|1inversewarp|disp|displacement|ddf|dvf|"
            r"deformation(?:[-_ ]?field)?|flow|jacobian|vectorfield|vector[-_ ]field"
        ),
        VECTORS,
    ),
    (_words(r"stir"), "a STIR sequence, which has no role of its own"),
)

#: Siemens' name of an inversion recovery that is a STIR unless it is said to darken fluid.
_TIRM = _words(r"tirm")

#: Scans made to plan others.
_SCOUT = re.compile(
    rf"{_EDGE}(?:scout|scouts|localizer|localiser|localizers|localisers|lokalizer|lokalisator|"
    rf"localizador|localizzatore|reperage|centrage|loc|locs|aahscout|aahead{_GAP}scout|survey|surview|"
    rf"topogram|topogramm|scanogram|scanograma|scout{_GAP}view|smartbrain|"
    rf"(?:3|three|tri){_GAP}(?:plane|pl|plan){_GAP}(?:loc\w*|survey|scout)?|planscan|plan{_GAP}scan|"
    rf"calibration|asset{_GAP}cal\w*|cal{_GAP}scan){_END}|定位"
)

#: A word of registration and what it registers to: the grid of the image, not the image.
_TARGET = (
    r"(?:t1(?:w|ce|c|gd|n|post)?|t2(?:w|f|star)?|flair|pd|swi|dwi|adc|ct|pet|mni\w*|atlas|template|"
    r"common|standard|native|sri\w*|icbm\w*|talairach|subject|orig\w*|ref\w*|anat\w*|mprage|dti|"
    r"bold|fixed)"
)
_REGISTERED = (
    r"(?:co)?reg(?:ist(?:er(?:ed)?|ration))?|coreg(?:istered)?|aligned|align|warped|rigid|affine|"
    r"resampled|rsl|rsp|resliced|recale(?:e|es)?|registriert|registrad[oa]|registrat[oa]|"
    r"transformed|xfm|moved|mapped|norm(?:alized|alised)?|flirt|ants|bbr"
)
#: Prepositions that tell the grid only behind the name of a sequence: "T2_auf_FLAIR".
_ONTO = r"on|over|auf|sur|sobre|su|til"
_TO_TARGET = re.compile(
    rf"[-_. ](?:(?:{_REGISTERED})[-_. ]?)?(?:to|2|onto|into|wrt)[-_. ]?{_TARGET}(?![a-z0-9])"
    rf"|[-_. ](?:to|onto|into|wrt)[-_. ]+[a-z0-9]+"
    rf"|[-_. ](?:{_REGISTERED})[-_. ]?(?:to|2|onto|into|with|on|in)?[-_. ]?{_TARGET}(?![a-z0-9])"
    rf"|[-_. ]in[-_. ]?{_TARGET}(?:[-_. ]?space|[-_. ]?grid)?(?![a-z0-9])"
    rf"|[-_. ]{_TARGET}space(?![a-z0-9])"
    rf"|[-_. ](?:space|res|grid)-{_TARGET}(?![a-z0-9])"
    rf"|[-_. ](?:(?:{_REGISTERED})[-_. ]?)?(?:{_ONTO})[-_. ]?{_TARGET}(?![a-z0-9])"
    rf"|(?<=[0-9w])to[-_. ]?{_TARGET}(?![a-z0-9])"
    rf"|(?<=[a-z0-9])2{_TARGET}(?![a-z0-9])"
)
#: What cannot be anything else, whatever stands before it.
_SAYS_WHERE = re.compile(r"(?:to|onto|into|wrt)[-_. ]|to(?=[a-z])|in[-_. ]?|space")
#: The same at the beginning of a name, where the image is named behind it.
_LEADING_TARGET = re.compile(
    rf"^(?:{_REGISTERED})[-_. ]?(?:to|2|onto|into)[-_. ]?{_TARGET}(?![a-z0-9])"
    rf"|^(?:to|onto|{_ONTO})[-_. ]?{_TARGET}(?=[-_. ])"
    rf"|^in[-_. ]?{_TARGET}[-_. ]?space(?![a-z0-9])"
)


@dataclass(frozen=True)
class SequenceReading:
    """What a text says of an image.

    Attributes
    ----------
    found : frozenset of str
        Roles that it names; two when it names two sequences (GE's "T1 FLAIR").
    no_scan : str
        What it is when it is no scan of a sequence ("a map of measured tissue values …").
    contrast : {"with", "without", "both"} or None
    words : tuple of str
        The words that say it, for a person.
    contrast_word : str
        The word that tells the contrast; among ``words`` where a T1 is named.
    """

    found: frozenset[str]
    no_scan: str = ""
    contrast: Contrast | None = None
    words: tuple[str, ...] = ()
    contrast_word: str = ""


#: What a text says that says nothing.
NOTHING = SequenceReading(frozenset())


def spaced(text: str) -> str:
    """Folded, with ``camelCase`` taken apart so that its words are words."""
    apart = folded(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", text))
    return re.sub(rf"{_EDGE}([23]d)(?=[a-z])", r"\1_", apart)  # 3DT1, 3DFLAIR


def sequence_words(text: str, *, file_name: bool = False) -> SequenceReading:
    """Sequences and kinds of image that a text names.

    Parameters
    ----------
    text : str
        In any case.
    file_name : bool
        Whether it is the name of a file, in which a grid may be named (``space-T1w``); in a
        description SPACE is a sequence.
    """
    plain = spaced(text)
    plain = _without_target(plain, file_name=file_name)
    found: dict[str, str] = {}
    for role, pattern in _FAMILIES.items():
        if match := pattern.search(plain):
            found[role] = match[0].strip(" _-.")
    _settle(found, plain)
    contrast = contrast_in(plain)
    words = list(found.values())
    no_scan = ""
    for pattern, what in _NO_SCAN:
        if match := pattern.search(plain):
            no_scan = what
            words.append(match[0].strip(" _-."))
            break
    if not no_scan and "flair" not in found and (match := _TIRM.search(plain)):
        no_scan = "a TIRM sequence without dark fluid, a STIR, which has no role of its own"
        words.append(match[0].strip(" _-."))
    if not no_scan and (match := _SCOUT.search(plain)):
        no_scan = "made to plan other scans"
        words.append(match[0].strip(" _-."))
    if contrast.said and "t1" in found and contrast.word not in words:
        words.append(contrast.word)
    return SequenceReading(frozenset(found), no_scan, contrast.said, tuple(words), contrast.word)


def scout_word(text: str) -> str:
    """The word of a text that says that the image was made to plan others, empty when none does."""
    match = _SCOUT.search(spaced(text))
    return match[0].strip(" _-.") if match else ""


def _without_target(plain: str, *, file_name: bool) -> str:
    """The text without what names the scan that the image was registered to."""
    plain = _LEADING_TARGET.sub(" ", plain)
    match = _TO_TARGET.search(plain)
    if match is None or (not file_name and "space" in match[0] and "in" not in match[0]):
        return plain
    before, behind = plain[: match.start()], plain[match.end() :]
    named = any(pattern.search(before) for pattern in (*_FAMILIES.values(), _T1_SEQUENCES))
    if not named and not _SAYS_WHERE.search(match[0]):
        return plain  # "study_2_flair", "reg_flair": the image itself
    return before if named else f"{before} {behind}"


def _settle(found: dict[str, str], plain: str) -> None:
    """Take out of what was found what only qualifies another word."""
    if "flair" in found or "t2star" in found or "adc" in found or "swi" in found:
        found.pop("t2", None)  # T2-FLAIR and T2* are one sequence each
    if "swi" in found:
        found.pop("t2star", None)
    if {"adc", "fa"} & found.keys():
        found.pop("dwi", None)  # maps made from the diffusion scan
    if {"dwi", "adc", "perfusion", "bold"} & found.keys():
        found.pop("t2", None)  # their weighting is not what they are
        found.pop("t2star", None)
    if found.keys() == {"swi", "bold"}:
        found.pop("bold")  # Siemens' former name of it, "VenBOLD"
    if {"perfusion", "mra"} & found.keys():
        found.pop("t1", None)
    if found.keys() >= {"ct", "mra"}:
        found.pop("mra")
    if len(found) > 1:
        found.pop("cine", None)  # how it was acquired, beside what it is
    if not found:
        if match := _T1_SEQUENCES.search(plain):
            found["t1"] = match[0]
        elif match := _GRADIENT_ECHO.search(plain):
            found["t2star"] = match[0]
    elif found.keys() == {"t2"} and (match := _GRADIENT_ECHO.search(plain)):
        found.clear()
        found["t2star"] = match[0]
