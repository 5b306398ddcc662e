"""Classifiers: an honest split, training that goes on, what is served, plain peers, confounders."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest
import torch

import napari_sparseexplain as se
from napari_sparseexplain.errors import ModelError, ParameterError, ReadError
from napari_sparseexplain.explanation.embedding.penultimate import last_linear, penultimate_work
from napari_sparseexplain.networks.bundle.loading import load_model
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.running.preparation import prepare
from napari_sparseexplain.progress import drain
from napari_sparseexplain.training.classifiers import (
    class_scores,
    classifier_bundle,
    plain_classifiers,
)
from napari_sparseexplain.training.classifiers.class_recipe import CLASS_RECIPES, ClassRecipe
from napari_sparseexplain.training.classifiers.class_scores import (
    accuracy_interval,
    confusion,
    f1_by_class,
    macro_f1,
    reliability,
)
from napari_sparseexplain.training.classifiers.class_slices import (
    ClassSlices,
    as_fed,
    fed_again,
    read_class_slices,
)
from napari_sparseexplain.training.classifiers.class_split import split_classes
from napari_sparseexplain.training.classifiers.classifier_name import (
    name_of,
    title_of,
    variants_of,
)
from napari_sparseexplain.training.classifiers.confounders import (
    BLANKED,
    BOXED,
    blanked_pictures,
)
from napari_sparseexplain.training.classifiers.evaluate_classifiers import (
    check_classifier,
    evaluate_classifiers,
)
from napari_sparseexplain.training.classifiers.fed_pictures import FedPictures
from napari_sparseexplain.training.classifiers.picture_stack import read_stack_work
from napari_sparseexplain.training.classifiers.picture_study import BOX, stack_study
from napari_sparseexplain.training.classifiers.plain_classifiers import (
    PLAIN,
    nearest,
    picture_numbers,
    plain_answers,
)
from napari_sparseexplain.training.classifiers.softmax_regression import fit_softmax_regression
from napari_sparseexplain.training.classifiers.train_classifier import train_classifier
from napari_sparseexplain.volumes.intensity.normalisation import Normalisation
from napari_sparseexplain.volumes.labelled.class_folder import find_class_images
from napari_sparseexplain.volumes.labelled.class_image import Box, ClassImage
from napari_sparseexplain.volumes.labelled.class_picture import read_class_picture

from .class_pictures import CLASSES, VIEWS, write_classes

RECIPE = ClassRecipe(
    "small-resnet", {"widths": [4, 6, 8, 8], "size": 32}, size=32, epochs=3, batch=8, half=False
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_classes(tmp_path_factory.mktemp("classes") / "set")


@pytest.fixture(scope="module")
def slices(folder: Path) -> ClassSlices:
    return read(folder)


@pytest.fixture(scope="module")
def bundle(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained for three epochs with boxes."""
    out = tmp_path_factory.mktemp("bundle") / "boxes"
    with pytest.MonkeyPatch.context() as patch:
        recipe = replace(RECIPE, box_weight=1.0)
        patch.setitem(classifier_bundle.CLASS_RECIPES, "tumour-classes-boxes", recipe)
        drain(classifier_bundle.train_classifier_bundle("tumour-classes-boxes", folder, out))
    return out


def read(folder: Path, size: int = 32) -> ClassSlices:
    return drain(read_class_slices(drain(find_class_images(folder)), size))


# -- data ------------------------------------------------------------------------------------------


def test_what_cannot_be_used_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    folder = write_classes(tmp_path / "set", each=3)
    (folder / "disc" / "1.png").write_bytes(b"no picture")
    shutil.copy(folder / "disc" / "2.png", folder / "square" / "90.png")  # in two classes
    shutil.copy(folder / "disc" / "3.png", folder / "disc" / "91.png")  # twice in one
    deep = np.linspace(0, 60_000, 40 * 30).reshape(40, 30).astype(np.uint16)
    iio.imwrite(folder / "square" / "92.png", deep)
    colour = np.random.default_rng(0).integers(0, 255, (20, 40, 4), np.uint8)
    iio.imwrite(folder / "square" / "93.png", colour)
    found = read(folder)
    names = {image.name for image in found.images}
    assert Counter(f.code for f in found.findings) == {
        "unreadable": 1, "image-in-two-classes": 1, "duplicate-image": 1,
    }  # fmt: skip
    assert not names & {"1", "2", "90", "91"}
    assert {"3", "92", "93"} <= names
    wide = found.subset([[i.name for i in found.images].index("93")])
    assert tuple(wide.inside[0]) == (8, 0, 24, 32), "a wide picture is filled up evenly"
    assert (wide.values[0, :8] == 0).all()
    for path in (folder / "square").glob("*.png"):
        path.unlink()
    with pytest.raises(ReadError, match=r"one class, disc|fewer than two"):
        read(folder)


def test_boxes_lie_where_the_finding_is(slices: ClassSlices) -> None:
    for index in range(0, len(slices), 7):
        box, picture = slices.boxes(index), slices.values[index].astype(float)
        assert picture[box].mean() > picture[~box].mean() + 1


@pytest.mark.parametrize("mirrored", [False, True])
def test_pictures_nearly_the_same_as_one_held_out_are_not_trained_on(
    slices: ClassSlices, mirrored: bool
) -> None:
    """A training mirrors, so that the mirror image of a judged picture is that picture."""
    _, _, split = classifier_bundle.parts_of(slices)
    assert "nearly" not in split.how
    values = slices.values.copy()
    copy = values[split.judging[0]] * np.float16(0.98) + np.float16(0.01)
    values[split.training[0]] = copy[:, ::-1] if mirrored else copy
    twice = replace(slices, values=values)
    training, judged, again = classifier_bundle.parts_of(twice)
    assert len(training) == len(split.training) - 1
    assert len(judged) == len(split.judging)
    assert "1 nearly the same" in again.how


def test_another_seed_of_the_training_is_judged_by_the_same_patients(slices: ClassSlices) -> None:
    images = tuple(replace(im, patient=f"p{i // 3}") for i, im in enumerate(slices.images))
    told = replace(slices, images=images)
    zero, one = (classifier_bundle.parts_of(told, seed=seed)[2].judging for seed in (0, 1))
    assert zero.tolist() == one.tolist()
    zero, one = (
        classifier_bundle.parts_of(told, seed=seed, at_random=True)[2].judging for seed in (0, 1)
    )
    assert zero.tolist() != one.tolist()


def test_nothing_is_trained_where_nothing_could_be_scored(tmp_path: Path) -> None:
    few = write_classes(tmp_path / "few", each=4)
    with pytest.raises(ParameterError, match=r"none is left to choose settings by.*--choose"):
        drain(
            classifier_bundle.train_classifier_bundle(
                "tumour-classes", few, tmp_path / "out", choose=True
            )
        )
    assert not [*(tmp_path / "out").rglob("*log*"), *(tmp_path / "out").rglob("*.pt")]


# -- what is served is what was trained ------------------------------------------------------------


@pytest.mark.parametrize("shape", [(48, 48), (40, 64), (30, 20)])
def test_training_and_serving_feed_the_same(tmp_path: Path, bundle: Path, shape: tuple) -> None:
    values = np.random.default_rng(3).integers(0, 255, shape, np.uint8)
    iio.imwrite(tmp_path / "t1ce.png", values)
    image = ClassImage("t1ce", "disc", tmp_path / "t1ce.png")
    ours, edges = as_fed(read_class_picture(image), 32)
    model = load_model(bundle)
    study = se.open_study(tmp_path / "t1ce.png", roles={"t1ce": "t1ce.png"})
    prepared = prepare(study, model.card)
    served = prepared.array[0, 0]
    inside = ours[edges[0] : edges[2], edges[1] : edges[3]]
    np.testing.assert_allclose(served, inside, atol=1e-5)
    with torch.no_grad():
        alone = model.network(torch.from_numpy(served)[None, None])[1]
        padded = model.network(torch.from_numpy(ours)[None, None])[1]
    torch.testing.assert_close(alone, padded, atol=1e-4, rtol=1e-4)


def test_a_bundle_is_explained_as_any_classifier(bundle: Path, folder: Path) -> None:
    model = load_model(bundle)
    assert model.card.task == "classification"
    assert model.card.classes == {"1": "disc", "2": "square"}
    assert model.card.training["views"] == list(VIEWS)
    assert model.card.training["numbers"]["disc, axial"].startswith("1-")
    study = se.open_study(folder / "square" / "40.png", roles={"t1ce": "40.png"})
    found = se.explain(study, model, "grad-cam", target="class:square")
    assert np.isfinite(np.asarray(found.maps[0].data)).all()
    maps = [
        np.asarray(se.explain(study, model, "grad-cam", target="class:square", layer=layer)
                   .maps[0].data)
        for layer in ("stages.7.relu2", "stages.7.conv2")
    ]  # fmt: skip
    np.testing.assert_array_equal(maps[0], found.maps[0].data, "the last block's rectified output")
    assert not np.array_equal(maps[1], found.maps[0].data)


# -- training --------------------------------------------------------------------------------------


def test_a_training_that_was_stopped_ends_the_same(slices: ClassSlices, tmp_path: Path) -> None:
    recipe = replace(RECIPE, epochs=2, box_weight=0.5)
    whole = drain(train_classifier(recipe, slices, slices, folder=tmp_path / "whole"))
    work = train_classifier(recipe, slices, slices, folder=tmp_path / "parts")
    for step in work:
        if step.message.startswith("epoch"):
            work.close()
            break
    parts = drain(train_classifier(recipe, slices, slices, folder=tmp_path / "parts"))
    for one, other in zip(
        whole.network.state_dict().values(), parts.network.state_dict().values(), strict=True
    ):
        torch.testing.assert_close(one, other)
    assert [entry["epoch"] for entry in parts.log] == [1, 2]
    assert {"accuracy", "macro F1", "loss"} <= set(parts.log[0])
    with pytest.raises(ModelError, match="another recipe, seed or data"):
        drain(train_classifier(recipe, slices, seed=1, folder=tmp_path / "parts"))


def test_boxes_can_be_shown_to_the_small_network_alone() -> None:
    with pytest.raises(ModelError, match="small network alone"):
        classifier_bundle.recipe_of("tumour-classes-boxes", network="densenet121")
    paper = classifier_bundle.recipe_of("tumour-classes", network="densenet121", paper=True)
    assert (paper.optimiser, paper.momentum, paper.learning_rate) == ("sgd", 0.939, 1e-3)
    with pytest.raises(ModelError, match="the paper's settings show the network no boxes"):
        classifier_bundle.recipe_of("tumour-classes-boxes", paper=True)
    assert (paper.weight_decay, paper.batch, paper.epochs, paper.size) == (3e-4, 32, 20, 225)
    with pytest.raises(ModelError, match=r"no recipe 'tumours'.*tumour-classes"):
        classifier_bundle.recipe_of("tumours")
    assert set(CLASS_RECIPES) == {"tumour-classes", "tumour-classes-boxes"}


def test_shuffled_classes_are_said(folder: Path, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(classifier_bundle.CLASS_RECIPES, "tumour-classes", replace(RECIPE, epochs=1))
        work = classifier_bundle.train_classifier_bundle(
            "tumour-classes", folder, tmp_path / "shuffled", shuffled=True
        )
        card = drain(work)
    assert "its answers mean nothing" in card.notes[0]


def test_a_network_with_the_finding_blanked_never_sees_it(folder: Path, tmp_path: Path) -> None:
    seen: list[ClassSlices] = []

    def train(recipe: Any, training: ClassSlices, held_out: ClassSlices, **rest: Any) -> Any:
        seen.extend((training, held_out))
        return train_classifier(recipe, training, held_out, **rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(classifier_bundle.CLASS_RECIPES, "tumour-classes", replace(RECIPE, epochs=1))
        patch.setattr(classifier_bundle, "train_classifier", train)
        card = drain(
            classifier_bundle.train_classifier_bundle(
                "tumour-classes", folder, tmp_path / "blanked", blanked=True
            )
        )
    assert "0 pictures without a box were left out" in card.notes[0]
    for part in seen:
        boxes = np.stack([part.boxes(row) for row in range(len(part))])
        assert boxes.any()
        assert not part.values[boxes].any()
    assert card.metrics["accuracy"] == card.metrics["accuracy, the box blanked"]
    assert "lies around it" in card.notes[0]
    with pytest.raises(ParameterError, match="shown to the network at once"):
        drain(
            classifier_bundle.train_classifier_bundle(
                "tumour-classes-boxes", folder, tmp_path / "both", blanked=True
            )
        )


# -- figures ---------------------------------------------------------------------------------------


def test_scores_by_hand() -> None:
    predicted, targets = np.array([0, 0, 1, 1, 2, 0]), np.array([0, 0, 0, 1, 1, 2])
    assert confusion(predicted, targets, 3).tolist() == [[2, 1, 0], [0, 1, 1], [1, 0, 0]]
    np.testing.assert_allclose(f1_by_class(predicted, targets, 3), [2 / 3, 0.5, 0])
    assert macro_f1(predicted, targets, 3) == pytest.approx((2 / 3 + 0.5) / 3)
    low, high = accuracy_interval(np.array([True] * 50 + [False] * 50))
    assert low == pytest.approx(0.4, abs=0.03)
    assert high == pytest.approx(0.6, abs=0.03)


def test_large_sets_are_compared_and_drawn_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same to the last digit: printed intervals do not depend on the memory at hand."""
    random = np.random.default_rng(0)
    right = random.random(353) > 0.2
    points, among = (random.normal(size=(n, 5)).astype(np.float32) for n in (23, 31))
    whole = accuracy_interval(right), nearest(points, among).tolist()
    assert whole[1] == (points @ among.T).argmax(axis=1).tolist()
    monkeypatch.setattr(class_scores, "_INDICES", 5000)
    monkeypatch.setattr(plain_classifiers, "_BLOCK", 7)
    assert (accuracy_interval(right), nearest(points, among).tolist()) == whole


def test_calibration_by_hand() -> None:
    probabilities = np.array([[0.95, 0.05], [0.95, 0.05], [0.35, 0.65], [0.35, 0.65]])
    found = reliability(probabilities, np.array([0, 1, 1, 1]))
    assert found.counts == (2, 2)
    assert found.confidence == pytest.approx((0.65, 0.95))
    assert found.accuracy == pytest.approx((1.0, 0.5))
    assert found.error == pytest.approx(0.5 * 0.35 + 0.5 * 0.45)


def test_the_regression_finds_what_is_linear() -> None:
    random = np.random.default_rng(0)
    points = random.normal(size=(300, 4))
    targets = (points @ np.array([[2, 0, 0, 0], [0, 2, 0, 0], [-2, -2, 0, 0]]).T).argmax(axis=1)
    model = fit_softmax_regression(points[:200], targets[:200], 3, penalty=0.1)
    assert (model.predict(points[200:]) == targets[200:]).mean() > 0.9


def test_plain_classifiers_see_what_they_are_said_to(slices: ClassSlices) -> None:
    split = split_classes(slices.images, choosing=0.0, margin=0)
    training, judged = slices.subset(split.training), slices.subset(split.judging)
    found = plain_answers(training, judged)
    assert tuple(found) == PLAIN
    assert len(set(found[PLAIN[0]])) == 1
    assert picture_numbers(judged).shape == (len(judged), 21)
    # Squares are brighter than discs: the histogram tells them.
    assert (found[PLAIN[3]] == judged.targets).mean() > 0.9


def test_a_part_is_blanked_and_nothing_else(slices: ClassSlices) -> None:
    whole = slices.values
    for part in BLANKED:
        blanked = blanked_pictures(slices, part).values
        for index in range(len(slices)):
            box = slices.boxes(index)
            changed = blanked[index] != whole[index]
            assert (blanked[index][changed] == 0).all()
            if part == "nothing":
                assert not changed.any()
            elif part == "the box":
                assert (blanked[index][box] == 0).all()
                assert changed.mean() < 0.5
            elif part == "all but the box":
                assert (blanked[index][box] == whole[index][box]).all()
                assert (blanked[index] != 0).mean() < 0.5
            elif part == "as much elsewhere":
                assert not (changed & box).any(), "the finding stays"
            else:
                assert not changed[8:24, 8:24].any()
                assert (blanked[index][:4] == 0).all()
    moved = blanked_pictures(slices, "as much elsewhere")
    changed = (moved.values != whole).any(axis=(1, 2))
    assert np.flatnonzero(changed).tolist() == moved.rows.tolist(), "the others are not counted"
    assert len(moved.rows) / len(slices) > 0.5, "most heads have another place of that size"


def drawn_picture(boxes: tuple[Box, ...], inside: tuple[int, ...] = (0, 0, 32, 32)) -> ClassSlices:
    """One picture of ones with these boxes, inside these edges of 32 × 32 pixels."""
    values = np.zeros((1, 32, 32), dtype=np.float16)
    values[0, inside[0] : inside[2], inside[1] : inside[3]] = 1
    image = ClassImage("1", "disc", Path("1.png"), boxes=boxes)
    target = np.zeros(1, dtype=np.intp)
    return ClassSlices(values, np.asarray([inside]), target, CLASSES, (image,))


def test_two_boxes_are_blanked_each_by_itself() -> None:
    corners = ((4 / 32, 4 / 32, 8 / 32, 8 / 32), (22 / 32, 22 / 32, 26 / 32, 26 / 32))
    gone = blanked_pictures(drawn_picture(corners), BLANKED[1]).values[0] == 0
    assert gone.sum() == 2 * 8 * 8, "two pixels around each, nothing between"
    assert gone[2:10, 2:10].all()
    kept = blanked_pictures(drawn_picture(corners), BLANKED[3]).values[0] != 0
    assert (kept == gone).all()


def test_the_border_is_the_pictures_not_the_squares() -> None:
    wide = drawn_picture((), (8, 0, 24, 32))
    left = blanked_pictures(wide, BLANKED[4]).values[0] != 0
    assert left.sum() == 12 * 24
    assert left[10:22, 4:28].all()


def test_without_a_box_nothing_is_said_of_a_blanked_one(bundle: Path, slices: ClassSlices) -> None:
    images = [replace(image, boxes=()) for image in slices.images[:30]]
    some = replace(slices, images=(*images, *slices.images[30:]))
    assert blanked_pictures(some, BLANKED[1]).rows.tolist() == list(range(30, len(slices)))
    found = drain(evaluate_classifiers(some, None, [load_model(bundle)], how=""))
    counts = {what: count for what, (count, _) in (found.rows[0].blanked or {}).items()}
    boxed = len(slices) - 30
    assert counts[BLANKED[0]] == counts[BLANKED[4]] == len(slices)
    assert counts[BLANKED[1]] == counts[BLANKED[3]] == counts[BOXED] == boxed
    assert counts[BLANKED[2]] <= boxed
    none = replace(slices, images=tuple(replace(image, boxes=()) for image in slices.images))
    text = drain(evaluate_classifiers(none, None, [load_model(bundle)], how="")).text()
    (line,) = [line for line in text.splitlines() if line.startswith("| the box")]
    assert [cell.strip() for cell in line.split("|")[2:4]] == ["0", "-"]


def test_a_picture_that_does_not_have_mean_zero_is_blanked_to_its_own() -> None:
    picture = drawn_picture(((0.25, 0.25, 0.5, 0.5),), (0, 0, 32, 16))
    found = blanked_pictures(picture, BLANKED[1], mean_zero=False).values[0]
    assert (found[:, :16] == 1).all(), "of the picture, not of the square"


def test_a_mask_says_where_the_finding_lies(tmp_path: Path) -> None:
    folder = write_classes(tmp_path / "set", each=2)
    for text in folder.glob("*/*.txt"):
        text.unlink()
    drawn = np.zeros((48, 48), np.uint8)
    drawn[12:24, 12:18] = 255
    drawn[30:36, 30:36] = 1
    (folder / "masks" / "disc").mkdir(parents=True)
    iio.imwrite(folder / "masks" / "disc" / "1.png", drawn)
    found = read(folder)
    boxes = np.stack([found.boxes(row) for row in range(len(found))])
    row = [image.name for image in found.images].index("1")
    assert boxes.any(axis=(1, 2)).tolist() == [i == row for i in range(len(found))]
    assert boxes[row].sum() == 8 * 4 + 4 * 4
    assert boxes[row, 8:16, 8:12].all()
    stack = drain(read_stack_work(folder))
    whole = np.asarray(stack_study(stack, [row])[BOX].data[0])
    assert np.array_equal(whole != 0, drawn != 0), "in the window, too"
    before = found.checksum()
    drawn[:] = 1
    iio.imwrite(folder / "masks" / "disc" / "1.png", drawn)
    os.utime(folder / "masks" / "disc" / "1.png", ns=(1, 1))
    assert found.checksum() != before, "another mask is another training"
    (folder / "masks" / "disc" / "1.png").write_bytes(b"no picture")
    with pytest.raises(ReadError, match=r"1\.png"):
        found.boxes(row)


def test_tables_hold_each_class_and_view_and_what_is_blanked(
    slices: ClassSlices, bundle: Path
) -> None:
    split = split_classes(slices.images, choosing=0.0, margin=0)
    model = load_model(bundle)
    found = drain(
        evaluate_classifiers(
            slices.subset(split.judging), slices.subset(split.training), [model], how=split.how
        )
    )
    (row,) = [row for row in found.rows if row.parameters is not None]
    assert set(row.cells) == {f"{label}, {view}" for label in CLASSES for view in VIEWS}
    assert (row.blanked or {})["nothing"] == (len(split.judging), pytest.approx(row.accuracy))
    assert sum(map(sum, row.table)) == len(split.judging)
    text = found.text()
    for words in ("DenseNet121", "0.981", "all but the box", "Calibration", "95 %"):
        assert words in text
    (line,) = [line for line in text.splitlines() if line.startswith("| InceptionResNetV2")]
    assert [cell.strip() for cell in line.split("|")[2:-1]] == [
        "215",
        "55.9 M",
        "449",
        "-",
        "0.896",
    ]


def test_a_model_of_other_classes_or_input_is_refused(slices: ClassSlices, bundle: Path) -> None:
    model = load_model(bundle)
    other = Model(
        replace(model.card, classes={"0": "cat", "1": "dog"}), model.network, model.device
    )
    with pytest.raises(ModelError, match="cat, dog apart, and the pictures are of disc, square"):
        drain(evaluate_classifiers(slices, None, [other], how=""))
    turned = replace(model.card.inputs, orientation="RAS", mask="none")
    with pytest.raises(ModelError, match="in the orientation RAS, and pictures do not tell"):
        check_classifier(replace(model, card=replace(model.card, inputs=turned)), slices)
    swapped = Model(
        replace(model.card, classes={"0": "Square", "1": "Disc"}), model.network, model.device
    )
    one = drain(evaluate_classifiers(slices, None, [model], how="")).rows[0].accuracy
    two = drain(evaluate_classifiers(slices, None, [swapped], how="")).rows[0].accuracy
    assert one == pytest.approx(1 - two), "outputs go by their names"


def test_a_model_from_elsewhere_is_fed_by_its_own_card(
    folder: Path, slices: ClassSlices, bundle: Path
) -> None:
    """As `prepare` feeds it the same file, of another size and way than the pictures were read."""
    model = load_model(bundle)
    inputs = replace(model.card.inputs, size=24, normalisation=Normalisation("percentile"))
    other = replace(model, card=replace(model.card, name="other", inputs=inputs))
    row = [image.path.name for image in slices.images].index("40.png")
    pictures = FedPictures(slices)
    fed = drain(pictures.of(other.card))
    study = se.open_study(folder / "square" / "40.png", roles={"t1ce": "40.png"})
    np.testing.assert_array_equal(fed.values[row], prepare(study, other.card).array[0, 0])
    assert drain(pictures.of(other.card)) is fed, "once for each way and size"
    assert drain(pictures.of(model.card)) is slices
    np.testing.assert_array_equal(fed.boxes(row), drain(fed_again(slices, 24)).boxes(row))
    seen: list[tuple[int, ...]] = []

    class Watched(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner_network = model.network

        def forward(self, x: torch.Tensor) -> Any:
            seen.append(tuple(x.shape[1:]))
            return self.inner_network(x)

    both = [replace(m, network=Watched()) for m in (model, other)]
    found = drain(evaluate_classifiers(slices, None, both, how=""))
    assert [row.name for row in found.rows] == ["boxes", "other"]
    assert set(seen) == {(1, 32, 32), (1, 24, 24)}


# -- names -----------------------------------------------------------------------------------------


def test_two_trainings_that_differ_have_two_names() -> None:
    dense = classifier_bundle.recipe_of("tumour-classes", network="densenet121")
    small = CLASS_RECIPES["tumour-classes"]
    asked = [
        variants_of(small), variants_of(dense), variants_of(dense, paper=True),
        variants_of(small, at_random=True), variants_of(small, shuffled=True),
        variants_of(small, blanked=True), variants_of(small, seed=1),
        variants_of(small, choose=True),
    ]  # fmt: skip
    names = [name_of("tumour-classes", variants, Path("out")) for variants in asked]
    titles = [title_of("tumour-classes", v, ("glioma", "pituitary"), "set") for v in asked]
    assert len(set(names)) == len(set(titles)) == len(asked)
    assert names[:2] == ["tumour-classes", "tumour-classes-densenet121"]
    assert titles[1] == "Tumour classes (DenseNet121)"
    assert name_of("tumour-classes", (), Path("chest-xrays")) == "chest-xrays"
    for nothing in ("out", "model2", "a b c", "x"):
        assert name_of("tumour-classes", (), Path(nothing)) == "tumour-classes"
    shuffled = name_of("tumour-classes", ("shuffled classes",), Path("tumour-classes"))
    assert shuffled == "tumour-classes-shuffled-classes", "the folder says otherwise"
    xrays = title_of("tumour-classes", (), ("No_findings", "Pneumonia"), "nih")
    assert xrays == "Classes of nih (small ResNet)"


# -- the layer before the last ---------------------------------------------------------------------


class Ends(torch.nn.Module):
    """A classifier that ends in a convolution of 1 × 1, before or after the mean of its maps."""

    def __init__(self, before: bool) -> None:
        super().__init__()
        self.first = torch.nn.Conv2d(1, 5, 3)
        self.squeeze = torch.nn.Linear(5, 5)
        self.last = torch.nn.Conv2d(5, 2, 1)
        self.before = before

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        maps = self.first(x)
        maps = maps * self.squeeze(maps.mean(dim=(2, 3)))[:, :, None, None]
        scores = self.last(maps if self.before else maps.mean(dim=(2, 3), keepdim=True))
        logits = scores.mean(dim=(2, 3))
        return torch.softmax(logits, dim=1), logits


def test_a_convolution_of_one_pixel_is_a_last_layer_too(slices: ClassSlices, bundle: Path) -> None:
    model = load_model(bundle)
    torch.manual_seed(0)
    ends = Ends(before=True)
    again = Ends(before=False)
    again.load_state_dict(ends.state_dict())
    points = [
        drain(penultimate_work(replace(model, network=network), slices.values[:3]))[0]
        for network in (ends, again)
    ]
    assert points[0].shape == (3, 5)
    np.testing.assert_allclose(points[0], points[1], rtol=1e-4, atol=1e-6)
    with pytest.raises(ModelError, match="no linear layer at its end"):
        last_linear(torch.nn.Sequential(torch.nn.Conv2d(1, 7, 1)), "m", 2)
