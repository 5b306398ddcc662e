"""Explanations that were saved for a study, from the folders that `sparseexplain explain` wrote."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..arguments import check_kind, given_paths
from ..evidence import Explanation
from ..evidence.store import load_every_explanation
from ..volumes import Study


def load_explanations(folders: Iterable[str | Path], study: Study) -> dict[str, Explanation]:
    """All explanations of the folders, by a key that is distinct.

    Raises
    ------
    ReadError
        One folder in place of a list, or a folder holds no explanation.
    StudyError
        An explanation lies on another grid than the study's.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> import torch, numpy as np, napari_sparseexplain as se
    >>> _ = torch.manual_seed(0)
    >>> study = se.study_of_arrays({"flair": np.random.default_rng(0).random((16, 16))})
    >>> module = torch.nn.Conv2d(1, 2, 3, padding=1)
    >>> result = se.explain(study, module, "vanilla-gradient", roles="flair", target=1)
    >>> _ = result.save(folder.name)
    >>> list(se.load_explanations([folder.name], study))
    ['vanilla-gradient_1']
    """
    found: dict[str, Explanation] = {}
    check_kind(study, Study, "study", "one, from se.open_study")
    for folder in given_paths(folders, "folders"):
        for entry, explanation in load_every_explanation(folder, on=study.grid).items():
            key = entry
            number = 2
            while key in found:
                key, number = f"{entry} ({number})", number + 1
            found[key] = explanation
    return found
