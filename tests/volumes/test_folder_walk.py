"""Data sets are put together by links to folders: what lies behind them is found, and each once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from napari_sparseexplain.explanation.data_explorer.find_studies import find_studies
from napari_sparseexplain.files.folder_walk import entries_below, walk_folder
from napari_sparseexplain.phantom.class_pictures import CLASSES, write_class_pictures
from napari_sparseexplain.progress import drain
from napari_sparseexplain.volumes.labelled.class_folder import find_class_images


def linked(place: Path, target: Path) -> None:
    """A link to a folder; the test is skipped where the system has none for this user."""
    try:
        os.symlink(target, place, target_is_directory=True)
    except OSError as error:
        pytest.skip(f"no links here: {error}")


def test_links_are_followed_each_folder_once_and_never_round(tmp_path: Path) -> None:
    far = tmp_path / "far"
    (far / "deep").mkdir(parents=True)
    (far / "deep" / "b.txt").write_text("b", encoding="utf-8")
    root = tmp_path / "root"
    (root / "near").mkdir(parents=True)
    (root / "near" / "a.txt").write_text("a", encoding="utf-8")
    linked(root / "0-far", far)
    linked(root / "1-again", root / "near")
    linked(far / "up", root)
    (root / "gone").symlink_to(tmp_path / "nothing")
    (root / "itself").symlink_to(root / "itself")
    found, dangling = entries_below(root)
    assert found == [root / "0-far" / "deep" / "b.txt", root / "near" / "a.txt"]
    assert dangling == [root / "gone", root / "itself"]


def test_what_is_taken_out_is_not_visited_and_what_is_not_there_is_empty(tmp_path: Path) -> None:
    for name in ("b", "a", ".hidden"):
        (tmp_path / name).mkdir()
    visited = []
    for place, folders, _ in walk_folder(tmp_path):
        folders[:] = [name for name in folders if not name.startswith(".")]
        visited.append(place.name)
    assert visited == [tmp_path.name, "a", "b"]
    assert list(walk_folder(tmp_path / "nothing")) == []


def test_linked_classes_and_linked_scans_are_found(tmp_path: Path) -> None:
    far = write_class_pictures(tmp_path / "far", each=1, side=16)
    near = tmp_path / "near"
    near.mkdir()
    for name in CLASSES:
        linked(near / name, far / name)
    assert len(drain(find_class_images(near)).images) == 4
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "t1.nii").write_bytes(b"")
    study = tmp_path / "studies" / "patient" / "session"
    study.mkdir(parents=True)
    linked(study / "anat", tmp_path / "scans")
    assert find_studies([tmp_path / "studies"]) == [tmp_path / "studies" / "patient"]
