"""Which remark on a protocol weighs most: what makes results worthless stands before what blurs."""

from __future__ import annotations

from collections.abc import Iterable

from ...volumes.finding import Finding

#: Codes, the heaviest first; others stand behind these.
_HEAVIEST_FIRST = (
    "directions-badly-spread",
    "directions-in-a-plane",
    "gradient-axes",
    "no-gradient-timings",
    "single-shell",
    "few-directions",
    "signal-not-finite",
    "outlier-volumes",
    "below-noise",
    "signal-not-positive",
    "few-unweighted",
)

#: How the remark begins that directions tell no tensor; what is computed with them is noise.
NOISE_WORDS = "tensor and axes are noise"


def heaviest_first(findings: Iterable[Finding]) -> list[Finding]:
    """Findings by weight; those of one weight in the order in which they were found."""
    weights = {code: place for place, code in enumerate(_HEAVIEST_FIRST)}
    return sorted(findings, key=lambda finding: weights.get(finding.code, len(weights)))


def says_noise(notes: Iterable[str]) -> bool:
    """Whether notes of a result say that its directions are noise."""
    return any(note.startswith(NOISE_WORDS) for note in notes)
