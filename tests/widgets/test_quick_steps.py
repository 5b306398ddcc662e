"""Quick steps of a run are not all drawn, and the last of them is never lost."""

from __future__ import annotations

from typing import Any

import pytest

from napari_sparseexplain.progress import Progress
from napari_sparseexplain.widgets.parts.run_bar import RunBar

from .conftest import until

pytestmark = pytest.mark.gui


def test_of_quick_steps_the_first_is_drawn_at_once_and_the_last_soon(qapp: Any) -> None:
    bar = RunBar()
    bar.set_running(True)
    drawn: list[int] = []
    bar.bar.valueChanged.connect(drawn.append)
    for done in range(1, 201):
        bar.show_step(Progress(done, 200, "Guided step"))
    assert drawn[0] == 1
    until(lambda: bar.bar.value() == 200)
    assert "200 of 200" in bar.message.text()
    assert len(drawn) < 100


def test_what_is_said_after_the_steps_stays(qapp: Any) -> None:
    bar = RunBar()
    bar.set_running(True)
    for done in range(1, 4):
        bar.show_step(Progress(done, 3, "Step"))
    bar.set_running(False)
    bar.show_message("Done.")
    bar.show_step(Progress(1, 2, "Next"))
    bar.show_step(Progress(2, 2, "Next"))
    until(lambda: "2 of 2" in bar.message.text())
    bar.show_step(Progress(1, 2, "Late"))
    bar.show_message("Done.")
    assert not bar._next_step.isActive()
    assert bar.message.text() == "Done."
