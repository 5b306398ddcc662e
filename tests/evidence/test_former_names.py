"""Explanations of earlier versions: maps and scores by the names that they have now."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

import napari_sparseexplain as se
from napari_sparseexplain.evidence import Explanation, ExplanationMap, Provenance
from napari_sparseexplain.evidence.store import write_explanation


def test_a_saved_explanation_of_before_reads_in_the_names_of_now(tmp_path: Path) -> None:
    study = se.study_of_arrays({"flair": np.ones((2, 4, 4), np.float32)})
    found = Explanation(
        "components",
        (ExplanationMap("mask-largest-piece", np.ones((2, 4, 4), np.uint8), "segmentation"),),
        Provenance("components", {}),
        grid=study.grid,
        slices=slice(0, 2),
        scores={"completeness gap, worst slice": 0.5, "Dice WT, largest piece": 0.8, "other": 1.0},
    )
    write_explanation(found, study, tmp_path)
    assert "completeness gap" in json.dumps(json.loads((tmp_path / "provenance.json").read_text()))
    read = se.load_explanation(tmp_path)
    assert read.scores == {
        "completeness error, worst slice": 0.5,
        "Dice WT, largest connected component": 0.8,
        "other": 1.0,
    }
    assert read["mask-largest-component"] is read["mask-largest-piece"]
