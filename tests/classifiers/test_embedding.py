"""Pictures as points: the layer before the last, and how far t-SNE can be believed."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_sparseexplain.errors import ModelError, ParameterError
from napari_sparseexplain.explanation.embedding.embedding_quality import (
    chance_hit,
    nearest_points,
    neighbourhood_hit,
    trustworthiness,
)
from napari_sparseexplain.explanation.embedding.penultimate import penultimate_work
from napari_sparseexplain.layers.plots.embedding_plot import (
    CHOICES,
    colours_by,
    save_embedding_picture,
)
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.modules.left_ventricle_fcn import LeftVentricleFcn
from napari_sparseexplain.networks.modules.small_resnet import SmallResNet
from napari_sparseexplain.progress import drain
from napari_sparseexplain.training.classifiers.class_slices import (
    NORMALISATION,
    ClassSlices,
    read_class_slices,
)
from napari_sparseexplain.training.classifiers.picture_embedding import (
    PictureEmbeddings,
    picture_embeddings,
    save_embeddings,
)
from napari_sparseexplain.volumes.labelled.class_folder import find_class_images

from .class_pictures import CLASSES, write_classes


def model_of(network: torch.nn.Module, task: str = "classification") -> Model:
    card = ModelCard(
        "small", "Small", "small-resnet", {"classes": 2}, task,
        Inputs(("t1ce",), NORMALISATION, 1.0, 32, mask="none"), {"0": "disc", "1": "square"},
    )  # fmt: skip
    return Model.of_network(card, network.eval())


@pytest.fixture(scope="module")
def slices(tmp_path_factory: pytest.TempPathFactory) -> ClassSlices:
    folder = write_classes(tmp_path_factory.mktemp("classes") / "set", each=6)
    return drain(read_class_slices(drain(find_class_images(folder)), 32))


@pytest.fixture(scope="module")
def found(slices: ClassSlices) -> PictureEmbeddings:
    pytest.importorskip("openTSNE")
    torch.manual_seed(0)
    sides = ("training", "judging") * (len(slices) // 2)
    model = model_of(SmallResNet(1, 2, [4, 6, 8, 8], 32))
    return drain(picture_embeddings(slices, model, sides=sides))


def test_groups_that_are_there_are_kept_and_noise_is_not_trusted() -> None:
    random = np.random.default_rng(0)
    middle = random.normal(size=(3, 10)) * 8
    targets = np.repeat([0, 1, 2], 30)
    points = middle[targets] + random.normal(size=(90, 10))
    assert trustworthiness(points, points) == pytest.approx(1)
    assert trustworthiness(points, random.normal(size=(90, 2))) < 0.65
    assert neighbourhood_hit(points[:, :2] * 0 + middle[targets][:, :2], targets) > 0.95
    assert neighbourhood_hit(random.normal(size=(90, 2)), targets) == pytest.approx(
        chance_hit(targets), abs=0.12
    )
    assert chance_hit(targets) == pytest.approx(1 / 3)
    # One point of another class in each group: of these alone the hit is 0.
    odd = targets.copy()
    odd[[0, 30, 60]] = [1, 2, 0]
    lone = odd != targets
    places = middle[targets][:, :2] + random.normal(size=(90, 2)) / 10
    assert neighbourhood_hit(places, odd, 5, of=lone) == 0
    assert neighbourhood_hit(places, odd, 5, of=~lone) > 0.9


def test_trustworthiness_is_that_of_its_definition() -> None:
    random = np.random.default_rng(1)
    points, places = random.normal(size=(14, 5)), random.normal(size=(14, 2))
    k, n, penalty = 3, 14, 0
    for i in range(n):
        truth = np.argsort(((points - points[i]) ** 2).sum(axis=1))[1:]
        near = np.argsort(((places - places[i]) ** 2).sum(axis=1))[1 : k + 1]
        penalty += sum(max(int(np.flatnonzero(truth == j)[0]) + 1 - k, 0) for j in near)
    expected = 1 - 2 / (n * k * (2 * n - 3 * k - 1)) * penalty
    assert trustworthiness(points, places, k) == pytest.approx(expected)


def test_nearest_points_are_sorted_and_never_itself() -> None:
    places = np.array([[0.0, 0], [1, 0], [3, 0], [7, 0]])
    assert nearest_points(places, 2).tolist() == [[1, 2], [0, 2], [1, 0], [2, 1]]


def test_the_layer_before_the_last_gives_the_scores(slices: ClassSlices) -> None:
    torch.manual_seed(0)
    network = SmallResNet(1, 2, [4, 6, 8, 8], 32).eval()
    points, answers = drain(penultimate_work(model_of(network), slices.values))
    assert points.shape == (len(slices), 16)
    logits = network.last(torch.from_numpy(points))
    np.testing.assert_allclose(torch.softmax(logits, 1).detach().numpy(), answers, atol=1e-5)
    assert not network.last._forward_pre_hooks, "no hook is left"


def test_a_model_without_a_linear_layer_is_refused(slices: ClassSlices) -> None:
    with pytest.raises(ModelError, match="no linear layer at its end"):
        drain(penultimate_work(model_of(LeftVentricleFcn(widths=[2, 2, 2, 2])), slices.values))


def test_both_pictures_stand_side_by_side_with_what_they_are_worth(
    found: PictureEmbeddings, tmp_path: Path
) -> None:
    assert found.pixels.places.shape == found.network.places.shape == (len(found.slices), 2)
    assert found.chance == pytest.approx(0.5)
    near = found.network.neighbours(3)
    away = ((found.network.points - found.network.points[3]) ** 2).sum(axis=1)
    assert 3 not in near
    assert (np.diff(away[near]) >= 0).all()
    assert "t-SNE shows groups also where there are none" in found.text()
    judged = np.array([side == "judging" for side in found.sides])
    assert found.network.judged_hit == pytest.approx(
        neighbourhood_hit(found.network.places, found.slices.targets, of=judged)
    )
    assert f"of those to judge by {found.pixels.judged_hit:.2f}" in found.text()
    for choice in CHOICES:
        shades = colours_by(found, choice)
        assert shades.colours.shape == (len(found.slices), 4)
    assert [words for words, _ in colours_by(found, "class").meanings] == list(CLASSES)
    with pytest.raises(ParameterError, match="class, view, side"):
        colours_by(found, "patient")
    path = save_embedding_picture(found, colours_by(found, "side"), tmp_path / "e.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    table, _ = save_embeddings(tmp_path, found)
    rows = list(csv.DictReader(table.open(encoding="utf-8")))
    assert len(rows) == len(found.slices)
    assert {row["side"] for row in rows} == {"training", "judging"}


def test_two_pictures_have_no_neighbours(slices: ClassSlices) -> None:
    with pytest.raises(ParameterError, match="of 2 pictures no neighbours"):
        drain(picture_embeddings(slices.subset([0, 1]), model_of(SmallResNet(1, 2))))
