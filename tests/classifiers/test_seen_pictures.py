"""What a classifier was trained on does not judge it, whatever the split was and is."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_sparseexplain.commands.classifiers import embed, evaluate_classifiers_command
from napari_sparseexplain.errors import ParameterError
from napari_sparseexplain.networks.bundle.card_file import read_card
from napari_sparseexplain.networks.bundle.loading import load_model
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.bundle.model_card import ModelCard
from napari_sparseexplain.progress import drain
from napari_sparseexplain.training.classifiers import classifier_bundle
from napari_sparseexplain.training.classifiers.class_recipe import ClassRecipe
from napari_sparseexplain.training.classifiers.class_slices import ClassSlices, read_class_slices
from napari_sparseexplain.training.classifiers.class_split import split_classes
from napari_sparseexplain.training.classifiers.picture_stack import SEEN, read_stack_work
from napari_sparseexplain.training.classifiers.seen_pictures import (
    seen_pictures,
    sides_for,
    without_seen,
)
from napari_sparseexplain.volumes.labelled.class_folder import find_class_images

from .class_pictures import write_classes

RECIPE = ClassRecipe(
    "small-resnet", {"widths": [4, 6, 8, 8], "size": 32}, size=32, epochs=1, batch=8, half=False
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_classes(tmp_path_factory.mktemp("seen") / "set")


@pytest.fixture(scope="module")
def slices(folder: Path) -> ClassSlices:
    return drain(read_class_slices(drain(find_class_images(folder)), 32))


@pytest.fixture(scope="module")
def drawn(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained on slices drawn at random, as in the paper."""
    out = tmp_path_factory.mktemp("bundles") / "drawn"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(classifier_bundle.CLASS_RECIPES, "tumour-classes", RECIPE)
        drain(
            classifier_bundle.train_classifier_bundle(
                "tumour-classes", folder, out, at_random=True, seed=3
            )
        )
    return out


def card_of(slices: ClassSlices, rows: np.ndarray, drawn: Path) -> ModelCard:
    card = read_card(drawn)
    return replace(card, training={"pictures": " ".join(slices.subset(rows).digests)})


def test_a_card_tells_its_pictures_whatever_they_are_called(
    folder: Path, slices: ClassSlices, drawn: Path, tmp_path: Path
) -> None:
    card = read_card(drawn)
    split = split_classes(slices.images, choosing=0, at_random=True, seed=3)
    seen = seen_pictures(card, slices)
    assert np.flatnonzero(seen).tolist() == split.training.tolist()
    again = tmp_path / "other"
    for label in ("disc", "square"):
        (again / label).mkdir(parents=True)
        for path in (folder / label).glob("*.png"):
            shutil.copy(path, again / label / f"copy-{int(path.stem) * 7}.png")
    copied = drain(read_class_slices(drain(find_class_images(again)), 24))
    assert seen_pictures(card, copied).sum() == seen.sum()


def test_it_is_judged_by_others_and_the_tables_say_so(
    folder: Path, slices: ClassSlices, drawn: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Trained at random and judged by the honest split: most of that was trained on."""
    judging = split_classes(slices.images, choosing=0).judging
    seen = int(seen_pictures(read_card(drawn), slices)[judging].sum())
    assert 0 < seen < len(judging)
    evaluate_classifiers_command(folder, models=[str(drawn)], device="cpu")
    text = capsys.readouterr().out
    assert text.startswith(f"{len(judging) - seen} pictures: ")
    assert f"{seen} of the {len(judging)} are left out" in text
    assert "drawn at random, so that patients" in text
    # By the same split and seed nothing is lost, and what leaks is told.
    evaluate_classifiers_command(folder, models=[str(drawn)], at_random=True, seed=3, device="cpu")
    text = capsys.readouterr().out
    assert "left out" not in text.split("\n")[0]
    assert "its figures are too good" in text


def test_in_the_window_they_count_as_training(
    folder: Path, slices: ClassSlices, drawn: Path
) -> None:
    model = load_model(drawn, device="cpu")
    stack = drain(read_stack_work(folder, model=model))
    seen = seen_pictures(model.card, slices)
    honest = drain(read_stack_work(folder)).sides
    assert {side for side, was in zip(stack.sides, seen, strict=True) if was} == {"training"}
    wrong = sum(was and side != "training" for side, was in zip(honest, seen, strict=True))
    assert stack.notes[0].startswith(SEEN)
    assert f"trained on {wrong} of the pictures" in stack.notes[0]
    clean = Model(replace(model.card, training={}), model.network, model.device)
    again = drain(read_stack_work(folder, model=clean))
    assert again.sides == honest
    assert not again.notes


def test_a_patient_who_was_trained_on_does_not_judge(slices: ClassSlices, drawn: Path) -> None:
    images = tuple(replace(im, patient=f"p{i // 4}") for i, im in enumerate(slices.images))
    told = replace(slices, images=images)
    card = card_of(told, np.array([0, 9]), drawn)
    assert np.flatnonzero(seen_pictures(card, told)).tolist() == [0, 1, 2, 3, 8, 9, 10, 11]
    rows, notes = without_seen(told, [2, 3, 4, 5], [card])
    assert rows.tolist() == [4, 5]
    assert notes[0].startswith("2 of the 4 are left out")
    with pytest.raises(ParameterError, match="no picture is left to judge by: 2 of the 2"):
        without_seen(told, [2, 3], [card])


def test_an_older_card_tells_ranges_of_one_set(slices: ClassSlices, drawn: Path) -> None:
    numbers = {"disc, axial": "1-8", "square, coronal": "37-40"}
    card = replace(read_card(drawn), training={"data": "pictures of set", "numbers": numbers})
    seen = seen_pictures(card, slices)
    assert {slices.images[i].number for i in np.flatnonzero(seen)} == {*range(1, 9), *range(37, 41)}
    other = replace(card, training={**card.training, "data": "pictures of cheng_t1ce"})
    assert not seen_pictures(other, slices).any(), "another set has these numbers too"
    assert not seen_pictures(None, slices).any()


def test_an_older_card_of_slices_at_random_says_that_it_cannot_be_told(
    slices: ClassSlices, drawn: Path
) -> None:
    """Its ranges of numbers span the slices that were not drawn too, and tell nothing."""
    told = {
        k: v for k, v in read_card(drawn).training.items() if k not in ("pictures", "at random")
    }
    assert {"data", "numbers", "split"} <= set(told), "as it was before there were digests"
    card = replace(read_card(drawn), training=told)
    assert not seen_pictures(card, slices).any()
    split = split_classes(slices.images, choosing=0)
    rows, (note,) = without_seen(slices, split.judging, [card])
    assert rows.tolist() == split.judging.tolist()
    assert "it cannot be told" in note
    assert note.endswith("its figures are too good")
    sides, note = sides_for(slices, split, card)
    assert set(sides) >= {"training", "judging"}
    assert note.startswith(SEEN)
    assert "does not tell which" in note
    other = replace(card, training={**told, "data": "pictures of cheng_t1ce"})
    assert without_seen(slices, split.judging, [other])[1] == ()


def test_points_of_pictures_that_were_trained_on_say_training(
    folder: Path, slices: ClassSlices, drawn: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    pytest.importorskip("openTSNE")
    embed(folder, tmp_path / "points", model=str(drawn), device="cpu", colour="class")
    assert SEEN in capsys.readouterr().out
    lines = (tmp_path / "points" / "embedding.csv").read_text(encoding="utf-8").splitlines()[1:]
    training = sum(line.split(",")[3] == "training" for line in lines)
    assert training >= int(seen_pictures(read_card(drawn), slices).sum())


@pytest.mark.realdata
def test_the_shipped_cards_know_what_they_were_trained_on(shared_data: Path) -> None:
    found = drain(find_class_images(shared_data / "classification" / "cheng_t1ce"))
    count = len(found.images)
    slices = ClassSlices(
        np.zeros((count, 1, 1), np.float16), np.zeros((count, 4), np.intp),
        np.array([found.classes.index(i.label) for i in found.images]), found.classes, found.images,
    )  # fmt: skip
    split = split_classes(found.images, choosing=0)
    assert (len(split.training), len(split.judging)) == (1491, 353)
    drawn = split_classes(found.images, choosing=0, at_random=True)
    for name in ("tumour-classes", "tumour-classes-boxes"):
        card = load_model(name, device="cpu").card
        assert np.flatnonzero(seen_pictures(card, slices)).tolist() == split.training.tolist()
        assert without_seen(slices, split.judging, [card])[1] == ()
        assert len(without_seen(slices, drawn.judging, [card])[0]) < len(drawn.judging) / 3
