"""Whether a text says that a contrast agent was given: in the words of many languages.

A word for the agent alone says that it was given; a denial beside it says that it was not. A text
that says both (an order "with and without") tells nothing of one scan.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

Contrast = Literal["with", "without", "both"]

_EDGE, _END = r"(?<![a-z0-9])", r"(?![a-z0-9])"
_GAP = r"[-_. ]*"

#: What the agent is called.
_AGENT = (
    r"contrast(?:e|o|ed|ad[oa]|at[oa])?|contrast[-_ ]?(?:agent|medium|media)|kontras\w+|tehoste\w*|"
    r"gadolinium|gadolinio|gado|gad|gd(?:[-_ ]?dtpa)?|km|k\.m|mdc|m\.d\.c|pdc|p\.d\.c|civ|kl|"
    r"gadovist|dotarem|magnevist|prohance|multihance|omniscan|clariscan|vueway|elucirem|"
    r"primovist|eovist|artirem|gadavist|inj(?:ection|ected|ekt\w*|ecte)?|inyeccion|iniezione"
)
#: … and in one or two letters, which must stand alone: "sinc" is no denial.
_SHORT = r"iv|i\.v\.?|ivc|c|ce"
#: A plus or minus sign behind one of these tells the contrast: "C-", "Gd (+)".
_SIGNED = r"(?:c|ce|gd|gad|gado|km|mdc|iv|contrast|kontrast|造影剤?|增强|增強)"
_MINUS = r"[-−–]"
_PLANE = r"(?:ax|axial|tra|trans\w*|tr|sag|sagit\w*|cor|coron\w*|obl\w*|iso|mpr|3d|2d|fs|fat\w*)"
#: Words that stand between a preposition and the agent: "sans injection de produit de contraste".
_FILLER = (
    r"(?:(?:iv|i\.v\.|the|any|of|an?|de|del|dell|della|di|du|der|den|do|da|le|la|il|el|un|d|l|"
    r"produit|produto|mezzo|mezzi|medio|meio|agent|injection|injecao|inyeccion|iniezione|"
    r"administra[ct]ion|administrazione|somministrazione|application|"
    r"aplicacion|gabe|srodka|paramagnetic\w*)[-_ ']+){0,4}"
)

_ANY_AGENT = rf"(?:{_GAP}{_FILLER}(?:{_AGENT})|(?:[-_. ]+|(?<=/)){_FILLER}(?:{_SHORT}))"

_DENIAL = (
    r"without|w/out|w[-_ ]?out|w/o|w\\o|w[-_ ]o|w\.o\.?|wo|sans|ohne|o\.|sin|s/|senza|zonder|"
    r"utan|uten|uden|ilman|sem|bez|fara|no|non|not|kein(?:e|en)?|nicht|minus|zero|lacking"
)
_BEFORE = (
    r"pre|before|avant|vor|antes?(?:[-_ ]de)?|prima(?:[-_ ]di)?|voor|innan|fore|for|przed|pred|"
    r"prije|inainte|ennen|do"
)
_GIVEN = (
    r"with|w/|w|avec|mit|m\.|con|c/|com|met|med|post|after|apres|nach|n\.|despues(?:[-_ ]de)?|"
    r"dopo|na|efter|etter|po|z|pos"
)

#: Denials that need no agent beside them when they end the text.
_ALONE = r"without|w/out|w/o|w\\o|w[-_]o|wo|sans|ohne|sin|senza|zonder|utan|uten|sem|bez"

#: Words of the contrast itself, which a denial may stand before: enhanced, enhancement.
_ENHANCED = r"enhanced|enhancement|enh|verstarkt|rehausse"

#: "con" is the agent in English only: elsewhere it is "with".
_CON = rf"con(?!{_GAP}(?:{_AGENT}|{_SHORT}))"

#: A denial behind the agent.
_BEHIND = (
    r"(?:oncesi|nelkul\w*|elott\w*|none|no|neg(?:ative)?|without|off|nein|non|free|frei|yok|0|"
    r"nej|nei)"
)

#: Denials in scripts without spaces between words.
_WITHOUT_OTHER_SCRIPTS = (
    r"平扫|平掃|単純|(?:非|未|不|无|無)(?:造影|增强|增強|強化|强化|对比剂|對比劑)|"
    r"(?:造影剤?|增强|增強|增影|强化|強化|注射|对比剂|對比劑|gd|gad|ce)\s*(?:前|なし|無し|无し|無|せず|不用|未使用)|"
    r"비조영|조영[가-힣\s]{0,8}?(?:전|없이|없음|안\s*함)(?![가-힣])|"
    r"(?<!\w)(?:без|до)\s*(?:контраст\w*|ку(?!\w))|нативн\w*"
)

_WITHOUT = re.compile(
    rf"{_EDGE}o{_GAP}km{_END}|{_WITHOUT_OTHER_SCRIPTS}"
    rf"|{_EDGE}(?:{_DENIAL}|pre){_GAP}{_CON}{_END}"
    rf"|{_EDGE}(?:{_DENIAL})(?:{_ANY_AGENT}|{_GAP}(?:{_ENHANCED})|ce|gd){_END}"
    rf"|{_EDGE}(?:{_BEFORE}){_ANY_AGENT}{_END}"
    rf"|{_EDGE}(?:{_ALONE})[-_. ]*$"
    rf"|{_EDGE}(?:{_ALONE})(?=[-_. ,&+/]+(?:and|et|und|y|e|en|&|with|avec|mit|con|post)\b)"
    rf"|{_EDGE}(?:ce|gd|gad|contrast|km|mdc|kontras\w+?){_GAP}[-=:(]?{_GAP}{_BEHIND}{_END}"
    # A minus sign right behind (C-, CE-, C-AX, Gd (-)) or, after a gap, right before it (T1 -C).
    rf"|{_EDGE}{_SIGNED}{_MINUS}(?=_|[^-_a-z0-9]|$)"
    rf"|{_EDGE}c{_MINUS}[-_]*{_PLANE}{_END}"  # "Gd-tra" joins the two, "C-tra" denies
    rf"|{_EDGE}{_SIGNED}\s+{_MINUS}\s*(?:$|\))"
    rf"|{_EDGE}{_SIGNED}{_GAP}\(\s*{_MINUS}\s*\)"
    rf"|(?<=[ _(]){_MINUS}(?:{_SIGNED}|k){_END}"
    rf"|{_EDGE}(?:noncontrast|noncon|precontrast|pregad|pregd|pregado|prekm|prec|nongd|noce|nogd|"
    rf"unenhanced|nonenhanced|nce|plain|nativ|nativo|nativa|natif|basale|blanco|pre|"
    rf"t1n|t1wn|pr[eé]inj\w*){_END}"
    rf"|kontras\w*siz\w*|ukontrastert"
)
_WITH = re.compile(
    rf"{_EDGE}(?:{_GIVEN}){_ANY_AGENT}{_END}"
    rf"|{_EDGE}(?:with|avec|mit)[-_. ]*$"
    rf"|{_EDGE}(?:(?:w/|w|with|post|after){_GAP}{_CON}|[mn]{_GAP}km){_END}"
    rf"|\+{_GAP}(?:c|k|ce|gd|gad|gado|gadolinium|km|mdc|contrast\w*|kontrast\w*){_END}"
    rf"|{_EDGE}{_SIGNED}{_GAP}\(?\s*\+"
    rf"|{_EDGE}(?:ce|gd|gad|gado|gadolinium|gadolinio|gadovist|gadavist|dotarem|magnevist|"
    rf"prohance|multihance|omniscan|clariscan|vueway|elucirem|primovist|eovist|artirem|post|"
    rf"postgd|postgad|postgado|postkm|postcontrast|postc|postinj\w*|contrast(?:e|o|ed|ad[oa]|at[oa])?|"
    rf"kontras\w+|tehoste\w*|{_ENHANCED}|km|mdc|wce|inj|injection|injected|injecte|inyeccion|pos|"
    rf"t1(?:w|wi)?[-_. ]?(?:c|ce|gd|gad|gado|post|km|cegd|wce)|dyn(?:amic)?ce|dce|"
    rf"(?:arterial|venous|portal|late|delayed)[-_ ]phase){_END}"
    rf"|造影|增强|增強|强化|強化|注射[后後]|对比剂|對比劑|조영|"
    rf"(?<!\w)(?:с|после)\s*(?:контраст\w*|ку(?!\w))|kontrastli\w*"
)

#: An order for both: "W WO", "with and without".
_BOTH = re.compile(
    rf"{_EDGE}(?:w|with|avec|mit|con|com|met)[-_ /&+,]*(?:and|et|und|y|e|en)?[-_ /]*"
    rf"(?:{_ALONE}){_END}"
    rf"|{_EDGE}(?:{_ALONE})[-_ /&+,]+(?:(?:and|et|und|y|e|en)?[-_ /&+,]*"
    rf"(?:with|w/|w|avec|mit|com|met)|(?:y|e)[-_ ]+con){_END}"
    rf"|{_SIGNED}{_GAP}(?:\+\s*/\s*{_MINUS}|{_MINUS}\s*/\s*\+)"
    r"|前[后後]|전\s*후"
)
#: What is denied in "without fat saturation" or added in "with motion correction".
_OTHER_THINGS = re.compile(
    rf"{_EDGE}(?:{_DENIAL}|with|w/|w|avec|mit|con){_GAP}"
    rf"(?:fs|fat[-_ ]?sat\w*|fatsat|fat|mt|mtc|sat|motion|moco|norm|filter|gating|gap|pat|"
    rf"correction|distortion|navigator|blade|propeller|skull|eyes?|marker){_END}"
)
#: Before and after an operation or a treatment, which is not before and after the agent.
_TREATMENT = re.compile(
    rf"{_EDGE}(?:pre|post|vor|nach|avant|apres){_GAP}(?:op|operative|operation|surgery|surgical|"
    rf"treatment|therapy|rt|xrt|crt|chemo\w*|radio\w*|biopsy|proc|processed|processing|"
    rf"process|resection|contour\w*|label\w*|mortem|natal|ictal|stroke){_END}"
)
#: The sequence and its agent in one word.
_ONE_WORD = re.compile(rf"{_EDGE}t1(?:c|ce|gd|gado){_END}")


@dataclass(frozen=True)
class ContrastReading:
    """What a text says of a contrast agent.

    Attributes
    ----------
    said : {"with", "without", "both"} or None
        None when it says nothing.
    word : str
        The word that says it.
    """

    said: Contrast | None
    word: str = ""


#: Letters that Unicode does not take apart into a letter and its mark.
_STROKES = {"ø": "o", "ı": "i", "ł": "l", "đ": "d"}


def folded(text: str) -> str:
    """Lower case without accents and full-width forms; letters of other scripts stay."""
    plain = unicodedata.normalize("NFKC", text).lower()
    return "".join(
        part[0] if len(part := unicodedata.normalize("NFD", letter)) > 1 and part[0] < "\x7f"
        else _STROKES.get(letter, letter)
        for letter in plain
    )  # fmt: skip


def contrast_in(text: str) -> ContrastReading:
    """Whether a text says that a contrast agent was given.

    Parameters
    ----------
    text : str
        A series description or the name of a file, in any case.
    """
    rest = _OTHER_THINGS.sub(" ", _TREATMENT.sub(" ", folded(text)))
    if order := _BOTH.search(rest):
        return ContrastReading("both", order[0].strip(" _."))
    denied = _WITHOUT.search(rest)
    given = _WITH.search(_WITHOUT.sub(" ", rest))
    if denied and given and denied[0].strip(" _.-") == "pre" and _ONE_WORD.search(rest):
        denied = None  # "pre_t1ce": before a treatment
    if denied and given:
        return ContrastReading("both", f"{denied[0].strip(' _.-')} … {given[0].strip(' _.-')}")
    if denied:
        return ContrastReading("without", denied[0].strip(" _."))
    if given:
        return ContrastReading("with", given[0].strip(" _.-"))
    return ContrastReading(None)
