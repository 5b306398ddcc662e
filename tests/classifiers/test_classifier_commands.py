"""The family's commands as a shell runs them, on drawn pictures and a network of a few steps."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import torch

from napari_sparseexplain.networks.bundle import loading
from napari_sparseexplain.networks.bundle.loading import load_model
from napari_sparseexplain.training.classifiers import classifier_bundle
from napari_sparseexplain.training.classifiers.class_recipe import ClassRecipe
from napari_sparseexplain.training.classifiers.study_records import read_notes

from ..command_line import run
from .class_pictures import CLASSES, write_classes

RECIPE = ClassRecipe(
    "small-resnet", {"widths": [4, 6, 8, 8], "size": 32}, size=32, epochs=2, batch=8, half=False
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_classes(tmp_path_factory.mktemp("classes") / "drawn")


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same without boxes, as X-rays come."""
    root = write_classes(tmp_path_factory.mktemp("bare") / "drawn")
    for text in root.glob("*/*.txt"):
        text.unlink()
    return root


@pytest.fixture(scope="module")
def bundles(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Path]]:
    """Two trainings of one recipe, by their commands."""
    root = tmp_path_factory.mktemp("bundles")
    made = [root / "first" / "out", root / "second" / "out"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(classifier_bundle.CLASS_RECIPES, "tumour-classes", RECIPE)
        for out, more in zip(made, ((), ("--at-random",)), strict=True):
            done = run(
                "train", "tumour-classes", "--data", folder, "--out", out, *more, "--device", "cpu"
            )
            assert done.returncode == 0, done.stderr
            assert "accuracy, the box blanked: " in done.stdout
        yield made


def given(bundles: list[Path]) -> list[object]:
    return [word for bundle in bundles for word in ("--model", bundle)]


def test_classifiers_are_evaluated(folder: Path, bundles: list[Path], tmp_path: Path) -> None:
    done = run("evaluate", "classifiers", "--data", folder, *given(bundles), "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "| tumour-classes-split-at-random | 0.0 |" in " ".join(done.stdout.split())
    values = json.loads((tmp_path / "classifiers.json").read_text(encoding="utf-8"))
    assert values["classes"] == list(CLASSES)
    assert [row["name"] for row in values["rows"]][-2:] == [
        "tumour-classes", "tumour-classes-split-at-random",
    ]  # fmt: skip


def test_methods_are_compared(folder: Path, bundles: list[Path], tmp_path: Path) -> None:
    command = ("compare-attribution", folder, "--out", tmp_path, *given(bundles), "--count", 2)
    done = run(*command, "--all", "--methods", "vanilla-gradient,grad-cam")
    assert done.returncode == 0, done.stderr
    assert "itself on random weights" in done.stdout
    assert "grad-cam of tumour-classes looks at stages.7.relu2." in done.stdout
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        "study.json", "records.jsonl", "maps", "study.txt", "summary.json", "curves.png",
        "panels.png", "notes.json",
    }  # fmt: skip
    text = (tmp_path / "study.txt").read_text(encoding="utf-8")
    assert "pictures from all of the folder. " in text.splitlines()[0]
    assert "was trained on them" in text, "how they were chosen is said in the tables"
    notes = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))["notes"]
    assert [note for note in notes if "are left out" in note]
    assert all(f"{note}." in text for note in notes)
    assert read_notes(tmp_path) == tuple(notes)
    again = run(*command, "--all", "--methods", "vanilla-gradient,grad-cam")
    assert again.returncode == 0
    assert (tmp_path / "study.txt").read_text(encoding="utf-8") == text
    other = run(*command, "--all", "--seed", 1, "--methods", "grad-cam")
    assert other.returncode == 1
    assert "it holds a study with" in other.stderr
    assert "Traceback" not in other.stderr


class Own(torch.nn.Module):
    """A person's own network: scores of two classes, of pictures in (0, 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Conv2d(1, 4, 3)
        self.last = torch.nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.relu(self.first(x)).mean(dim=(2, 3)))


def test_a_persons_own_network_stands_beside_the_others(
    folder: Path, bundles: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its code runs in a process of its own, which loads torch anew: both commands use one.
    monkeypatch.setattr(loading, "load_model", cache(load_model))
    file, card = tmp_path / "own.pt", tmp_path / "own.json"
    torch.manual_seed(0)
    torch.jit.save(torch.jit.script(Own().eval()), str(file))
    values = {
        "name": "own", "task": "classification", "classes": {"0": "square", "1": "disc"},
        "inputs": {"roles": ["t1ce"], "normalisation": "percentile", "spacing_mm": 1.0, "size": 24,
                   "mask": "none"},
    }  # fmt: skip
    card.write_text(json.dumps(values), encoding="utf-8")
    models = ("--model", bundles[0], "--model", file)
    done = run("evaluate", "classifiers", "--data", folder, *models, "--card", card)
    assert done.returncode == 0, done.stderr
    assert "Called (columns) of each class (rows), own." in done.stdout
    out = tmp_path / "study"
    study = ("compare-attribution", folder, "--out", out, *models, "--count", 2, "--all")
    done = run(*study, "--card", card, "--methods", "vanilla-gradient")
    assert done.returncode == 0, done.stderr
    text = (out / "study.txt").read_text(encoding="utf-8")
    assert "own: " in text
    assert "! " not in text, "every map was made"
    wrong = run(*study, "--card", card, "--card", card)
    assert wrong.returncode == 1
    assert "of the models 1 bring no card, and 2 cards are given" in wrong.stderr


def test_methods_are_compared_where_nobody_drew_a_box(
    bare: Path, bundles: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "study"
    done = run(
        "compare-attribution", bare, "--out", out, "--model", bundles[0], "--count", 2,
        "--methods", "grad-cam",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "2 of the pictures have neither a box nor a mask" in done.stdout
    assert (out / "panels.png").read_bytes().startswith(b"\x89PNG")
    done = run("evaluate", "classifiers", "--data", bare, "--model", bundles[0])
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("| the box ")]
    assert [cell.strip() for cell in line.split("|")[2:4]] == ["0", "-"]


def test_pictures_are_embedded(folder: Path, bundles: list[Path], tmp_path: Path) -> None:
    done = run(
        "embed", "--data", folder, "--model", bundles[0], "--out", tmp_path, "--colour", "view"
    )
    assert done.returncode == 0, done.stderr
    assert "neighbourhood hit" in done.stdout
    rows = list(csv.DictReader((tmp_path / "embedding.csv").open(encoding="utf-8")))
    assert len(rows) == 48
    assert {row["side"] for row in rows} >= {"training", "judging"}
    assert (tmp_path / "embedding.png").read_bytes().startswith(b"\x89PNG")
    wrong = run("embed", "--data", folder, "--model", bundles[0], "--out", tmp_path)
    assert wrong.returncode == 1
    assert "Traceback" not in wrong.stderr
