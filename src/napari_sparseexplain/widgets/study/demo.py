"""What the demonstration shows of the Study tab."""

from __future__ import annotations

from ...volumes import open_study
from ..demo import Demo


def show_study(demo: Demo) -> None:
    """The study as it opens, and its scans side by side."""
    workspace = demo.workspace
    workspace.show_study(open_study(demo.path))
    demo.show("study")
    side_by_side = workspace.page("study").side_by_side
    side_by_side.click()
    demo.show("modalities")
    side_by_side.click()
