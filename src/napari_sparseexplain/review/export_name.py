"""What an exported file is called: study code, plane and slice; never a name."""

from __future__ import annotations

from .reading import Reading
from .study_reference import study_code


def export_name(reading: Reading, what: str) -> str:
    """As ``"study-1a2b3c4d_axial_075"``, or ``"study-1a2b3c4d_report"``, without an ending.

    Parameters
    ----------
    reading : Reading
        With a panel at least.
    what : str
        ``"slice"``, or the name of what else is exported.
    """
    review, panel = reading.review, reading.review.panels[0]
    code = review.code or study_code(review.studies[panel.study])
    place = f"{panel.plane}_{panel.index + 1:03d}" if what == "slice" else what
    # A code is a person's own words: what a file system does not take becomes a dash.
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in f"{code}_{place}")
