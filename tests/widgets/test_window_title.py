"""The window's title tells whose study it is, and whether marks are in a saved review."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.gui


def test_a_star_stands_in_the_title_until_marks_are_saved(opened: Any, tmp_path: Path) -> None:
    review, viewer, name = opened.page("review"), opened.viewer, opened.study.name
    assert viewer.title.startswith(f"{name} – ")
    opened.jumps.mark()
    assert viewer.title.startswith(f"{name}* – ")
    review.save(tmp_path / "review")
    assert review.wait(60)
    assert viewer.title.startswith(f"{name} – ")
    opened.step_slice(1)
    opened.jumps.mark()
    assert viewer.title.startswith(f"{name}* – "), "another one is not saved yet"
