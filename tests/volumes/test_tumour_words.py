"""The words of a tumour are written once; every other table of them follows."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

import napari_sparseexplain
from napari_sparseexplain.evidence.colours import BRATS_COLOURS
from napari_sparseexplain.evidence.scores import union
from napari_sparseexplain.explanation.class_regions import UNIONS
from napari_sparseexplain.training.tumour_classes import (
    REGION_CHANNELS,
    TUMOUR_CLASSES,
    class_channels,
)
from napari_sparseexplain.volumes.labels.tumour import (
    BRATS_LABELS,
    CHANNEL_PARTS,
    OWN_LABELS,
    PARTS,
    REGION_PARTS,
    SHORT_NAMES,
    part_of_name,
    region_labels,
)
from napari_sparseexplain.volumes.labels.tumour_numbering import NUMBERINGS, OWN
from napari_sparseexplain.volumes.opening.dataset_labels import names_by_number

PACKAGE = Path(napari_sparseexplain.__file__).parent

#: Where parts and regions may be spelt: here, by each challenge's numbers, in the paper's tables,
#: where each has its colour; and ET is a class of letters of the bidirectional algorithm.
SPELT = {"tumour.py", "tumour_numbering.py", "jf_paper_numbers.py", "colours.py", "direction.py"}


def test_no_other_module_spells_a_region_or_the_name_of_a_part() -> None:
    names = set(REGION_PARTS) | (set(PARTS.values()) - {"oedema"})
    spelt = {
        path.name
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in names
    }
    assert spelt <= SPELT


def test_the_tables_that_follow_are_those_of_brats() -> None:
    assert {r: region_labels(r) for r in REGION_PARTS} == {
        "WT": (1, 2, 3, 4),
        "TC": (1, 3, 4),
        "ET": (3, 4),
    }
    assert dict(BRATS_LABELS) == {1: "NCR", 2: "ED", 3: "ET", 4: "ET"}
    assert {v: p for p, v in OWN_LABELS.items()} == dict(OWN.parts)
    assert {"WT": {"ED", "NCR", "ET"}, "TC": {"NCR", "ET"}, "ET": {"ET"}} == UNIONS
    assert list(TUMOUR_CLASSES) == [0, 2, 1, 4]
    assert dict(REGION_CHANNELS) == {"ET": (3,), "WT": (1, 2, 3), "TC": (2, 3)}
    assert class_channels(np.arange(5)).tolist() == [0, 2, 1, 3, 3]
    assert BRATS_COLOURS[3] == BRATS_COLOURS[4]
    assert set(SHORT_NAMES) == set(TUMOUR_CLASSES.values())


@pytest.mark.parametrize("labels", [NUMBERINGS["brats-2021"], NUMBERINGS["brats-2023"]])
def test_a_region_is_the_same_voxels_in_both_numberings(labels) -> None:
    mask = np.array([0, *labels.parts])
    for region, parts in REGION_PARTS.items():
        wanted = np.isin(mask, labels.labels(parts))
        np.testing.assert_array_equal(union(mask, region), wanted)


def test_the_names_of_parts_and_regions_are_understood() -> None:
    for part, name in PARTS.items():
        assert part_of_name(name) == part
        assert part_of_name(part) in (part, "")
    assert [part_of_name(w) for w in ("whole tumor", "tumour_core")] == ["WT", "TC"]
    nested = {"whole tumor": [1, 2, 3], "tumor core": [2, 3], "enhancing tumor": [3]}
    named = names_by_number(nested)
    assert named == dict(zip((1, 2, 3), (PARTS[p] for p in CHANNEL_PARTS), strict=True))
