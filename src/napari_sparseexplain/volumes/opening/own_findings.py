"""What is said of this program's own results among the files of a study."""

from __future__ import annotations

from collections.abc import Sequence

from ..finding import Finding
from ..labels.purpose import OWN_OUTPUT
from ..roles.assignment import Opened
from .study_files import StudyFiles


def own_findings(files: StudyFiles, opened: Sequence[Opened]) -> list[Finding]:
    """What to say of this program's own results among the files of a study."""
    found = []
    if files.results:
        several = len(files.results) > 1
        found.append(
            Finding(
                "info",
                "own-results",
                f"{len(files.results)} file{'s' if several else ''} that this program wrote "
                f"{'were' if several else 'was'} passed over: results are no scans and no truth",
                files.place(files.results[0]),
            )
        )
    found += [
        Finding(
            "info",
            "own-output",
            f"{item.place} was written by this program: it is shown, and nothing is scored "
            "against it",
            item.place,
        )
        for item in opened
        if item.volume.details.get(OWN_OUTPUT)
    ]
    return found
