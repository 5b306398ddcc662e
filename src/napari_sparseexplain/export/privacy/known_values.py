"""Values of files that tell nothing of a person: known units, modalities and names of labels."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from ...volumes import Volume
from .letters import plain_words
from .vocabulary import harmless_words

#: Units that readers and methods give; another one is a file's own text.
_UNITS = frozenset(
    {
        *("", "1", "%", "HU", "US", "px", "mm", "cm", "µm", "um", "ms", "s", "Hz", "ppm", "Gy"),
        *("1/mm", "cycles/mm", "mm²", "mm²/s", "mm2/s", "µm²/ms", "um2/ms", "1/s", "g/ml", "Bq/ml"),
        *("BQML", "CNTS", "SUV", "SUVbw", "a.u.", "10⁻³ mm²/s", "bit", "σ"),
    }
)

#: DICOM's codes of modalities are two to sixteen capitals (PS3.3 C.7.3.1.1.1).
_MODALITY = re.compile(r"[A-Z]{2,3}|RTSTRUCT|RTDOSE|RTPLAN|RTIMAGE")

#: Short words and codes in the names of anatomical labels.
_CODES = """
    a and as at ca cc csf ct ctv ctx cva dc dg dti ed et fa gm gtv i ii iii il in inf is iv l la
    lad lat lc lca lge lh lm lv lvm ml mri ms nac ncr net no non nos oar of on or pa pet ptv pv
    r ra rca rh roi rv s sn stn svc t tc the to v vc vent vl wh wm wt x y z
"""


def known_modality(told: Any) -> str:
    """DICOM's code of a modality; empty for what is none."""
    return told if isinstance(told, str) and _MODALITY.fullmatch(told) else ""


def with_known_unit(volume: Volume) -> Volume:
    unit = known_unit(volume.unit)
    return volume if unit == volume.unit else replace(volume, unit=unit)


def known_unit(unit: str) -> str:
    return unit if unit in _UNITS else ""


def _is_index(word: str) -> bool:
    return word.isdigit() and len(word) <= 2


def is_anatomical(name: str) -> bool:
    """Whether a label's name consists of words of anatomy, their short forms and small numbers."""
    codes = frozenset(_CODES.split())
    return all(w in harmless_words() or w in codes or _is_index(w) for w in plain_words(name))
