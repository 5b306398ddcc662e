"""Names that leave the same letters in a file's name: nothing that was computed is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import napari_sparseexplain as se
from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.evidence import Explanation, ExplanationMap, Provenance, store
from napari_sparseexplain.evidence.explanation_files import map_files
from napari_sparseexplain.evidence.store import (
    check_place,
    explanation_names,
    load_explanation,
    write_explanation,
)
from napari_sparseexplain.export.privacy.policy import policy_for

SHAPE = (2, 4, 5)


@pytest.fixture
def study() -> se.Study:
    scans = {"病灶": np.ones(SHAPE, np.float32), "水肿": np.full(SHAPE, 2, np.float32)}
    return se.study_of_arrays(scans)


def found_in(
    study: se.Study, names: tuple[str, ...], target: str = "", first: float = 1.0
) -> Explanation:
    maps = tuple(
        ExplanationMap(name, np.full(SHAPE, first + place, np.float32), "signal")
        for place, name in enumerate(names)
    )
    return Explanation("m", maps, Provenance("m"), study.grid, slice(0, 2), target)


@pytest.mark.parametrize(
    "names",
    [("病灶", "水肿", "脑"), ("a b", "a-b", "a-b-2", "a_b"), ("Flair", "FLAIR", "flair-2"), ("…",)],
)
def test_every_map_has_a_file_and_its_name_back(
    study: se.Study, tmp_path: Path, names: tuple[str, ...]
) -> None:
    files = write_explanation(found_in(study, names), study, tmp_path)
    assert len({path.name.casefold() for path in files}) == len(names) + 1
    found = load_explanation(tmp_path, on=study)
    assert [item.name for item in found.maps] == list(names)
    for place, item in enumerate(found.maps):
        assert np.all(item.data == 1.0 + place)
    again = write_explanation(found_in(study, names), study, tmp_path, overwrite=True)
    assert again == files  # the same names, and nothing left of before


def test_scans_of_such_names_are_decomposed_and_saved_with_their_names(
    study: se.Study, tmp_path: Path
) -> None:
    found = se.explain(study, None, "fista", slices=0, iterations=1)
    pairs = zip(found.maps[:2], study.images, strict=True)
    named = replace(found, maps=tuple(replace(item, name=role) for item, role in pairs))
    se.save_explanation(named, study, tmp_path, identify=True)
    assert [m.name for m in load_explanation(tmp_path).maps] == list(study.images)


def test_targets_of_such_names_are_explanations_of_their_own(
    study: se.Study, tmp_path: Path
) -> None:
    for number, target in enumerate(("病灶", "水肿", "wt", "WT")):
        check_place(tmp_path, "m", target)
        write_explanation(found_in(study, ("mask",), target, number), study, tmp_path)
        with pytest.raises(SparseExplainError, match="there already"):
            check_place(tmp_path, "m", target)
    # Replaced is the explanation of this target, never another's.
    write_explanation(found_in(study, ("mask",), "水肿", 9.0), study, tmp_path, overwrite=True)
    names = explanation_names(tmp_path)
    assert names == ["m_", "m_-2", "m_wt", "m_WT-2"]
    found = [load_explanation(tmp_path, name) for name in names]
    assert [item.target for item in found] == ["病灶", "水肿", "wt", "WT"]
    assert [float(np.max(item["mask"].data)) for item in found] == [0.0, 9.0, 2.0, 3.0]


def test_a_name_that_another_process_takes_meanwhile_is_left_to_it(
    study: se.Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = store.write_map

    def meanwhile(*args: Any) -> None:
        monkeypatch.setattr(store, "write_map", real)
        write_explanation(found_in(study, ("mask",), "水肿", 5.0), study, tmp_path)
        real(*args)

    monkeypatch.setattr(store, "write_map", meanwhile)
    files = write_explanation(found_in(study, ("mask", "脑"), "病灶"), study, tmp_path)
    assert [path.name for path in files[:2]] == ["m_-2_mask.nii.gz", "m_-2_.nii.gz"]
    assert float(np.max(load_explanation(tmp_path, "m_")["mask"].data)) == 5.0
    assert float(np.max(load_explanation(tmp_path, "m_-2")["mask"].data)) == 1.0
    entries = json.loads((tmp_path / "provenance.json").read_text(encoding="utf-8"))
    assert [e["target"] for e in entries["explanations"].values()] == ["水肿", "病灶"]


def test_one_name_twice_is_a_clear_error() -> None:
    maps = [ExplanationMap("a", np.zeros(1), "signal")] * 2
    with pytest.raises(SparseExplainError, match="two maps are called 'a'"):
        map_files("m", maps)


def test_maps_that_lose_their_names_stay_apart(study: se.Study) -> None:
    """Also from a map that is called so by itself."""
    policy = policy_for([study])
    public = policy.explanation(found_in(study, ("/home/x", "/home/y", "/home/x 2", "b")))
    assert len({item.name for item in public.maps}) == 4
