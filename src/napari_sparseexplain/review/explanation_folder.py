"""Explanations that were saved for a study, from the folders that `sparseexplain explain` wrote."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..evidence import Explanation
from ..evidence.store import load_every_explanation
from ..volumes import Study


def load_explanations(folders: Iterable[str | Path], study: Study) -> dict[str, Explanation]:
    """All explanations of the folders, by a key that is distinct.

    Raises
    ------
    ReadError
        A folder holds no explanation.
    StudyError
        An explanation lies on another grid than the study's.
    """
    found: dict[str, Explanation] = {}
    for place in folders:
        folder = Path(place)
        for entry, explanation in load_every_explanation(folder, on=study.grid).items():
            key = entry
            number = 2
            while key in found:
                key, number = f"{entry} ({number})", number + 1
            found[key] = explanation
    return found
