"""The study: resumed at any moment, blind maps beside each method, tests with their correction."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_sparseexplain.errors import ModelError, ParameterError
from napari_sparseexplain.explanation.trust.road import filled_in, road
from napari_sparseexplain.layers.plots.study_plots import save_curves, save_panels
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.modules.small_resnet import SmallResNet
from napari_sparseexplain.progress import drain
from napari_sparseexplain.training.classifiers.attribution_study import (
    BLIND,
    HEAD,
    ON_RANDOM,
    RECORDS,
    StudyRecord,
    attribution_study,
    head_centre_map,
    map_file,
    read_records,
    study_pictures,
)
from napari_sparseexplain.training.classifiers.class_slices import (
    NORMALISATION,
    ClassSlices,
    read_class_slices,
)
from napari_sparseexplain.training.classifiers.study_pictures import panel_parts
from napari_sparseexplain.training.classifiers.study_summary import holm, mean_of, summarise
from napari_sparseexplain.volumes.labelled.class_folder import find_class_images

from .class_pictures import CLASSES, write_classes

METHODS = ("vanilla-gradient", "grad-cam")


@pytest.fixture(scope="module")
def slices(tmp_path_factory: pytest.TempPathFactory) -> ClassSlices:
    folder = write_classes(tmp_path_factory.mktemp("classes") / "set", each=3)
    found = drain(read_class_slices(drain(find_class_images(folder)), 32))
    return found.subset(study_pictures(found, 4))


@pytest.fixture(scope="module")
def model() -> Model:
    torch.manual_seed(0)
    network = SmallResNet(1, 2, [4, 6, 8, 8], 32).eval()
    card = ModelCard(
        "small", "Small", "small-resnet",
        {"classes": 2, "widths": [4, 6, 8, 8], "size": 32}, "classification",
        Inputs(("t1ce",), NORMALISATION, 1.0, 32, mask="none"), {"0": "disc", "1": "square"},
    )  # fmt: skip
    return Model.of_network(card, network)


@pytest.fixture(scope="module")
def done(
    slices: ClassSlices, model: Model, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[StudyRecord]]:
    folder = tmp_path_factory.mktemp("study") / "out"
    return folder, drain(attribution_study(slices, [model], METHODS, folder))


def test_pictures_are_of_all_classes(slices: ClassSlices) -> None:
    assert sorted(slices.targets) == [0, 0, 1, 1]


def test_every_map_is_scored_beside_blind_ones(
    slices: ClassSlices, done: tuple[Path, list[StudyRecord]]
) -> None:
    folder, records = done
    assert len(records) == len(slices) * (2 * len(METHODS) + len(BLIND))
    assert not [record.fault for record in records if record.fault]
    for record in records:
        assert 0 <= (record.figures["AUPRC"] or 0) <= 1
        assert record.prevalence == pytest.approx(
            slices.boxes([i.name for i in slices.images].index(record.picture)).mean()
        )
        assert record.predicted in CLASSES
        asked = {"insertion AUC", "deletion AUC", "ROAD", "SIC", "AIC"} <= set(record.figures)
        assert asked != record.method.endswith(ON_RANDOM)
    record = next(r for r in records if r.method == "grad-cam")
    assert np.load(map_file(folder, *record.key)).shape == (32, 32)
    assert {record.key for record in read_records(folder)} == {record.key for record in records}


def test_a_study_that_was_killed_goes_on(
    slices: ClassSlices, model: Model, done: tuple[Path, list[StudyRecord]], tmp_path: Path
) -> None:
    work = attribution_study(slices, [model], METHODS, tmp_path)
    for step in work:
        if step.done >= 5:
            work.close()
            break
    lines = (tmp_path / RECORDS).read_text(encoding="utf-8").splitlines()
    assert 0 < len(lines) < len(done[1])
    # Killed within a line.
    text = "\n".join(lines[:-1]) + "\n" + lines[-1][:40]
    (tmp_path / RECORDS).write_text(text, encoding="utf-8")
    drain(attribution_study(slices, [model], METHODS, tmp_path))
    ours = {r.key: r.figures for r in read_records(tmp_path)}
    theirs = {r.key: r.figures for r in read_records(done[0])}
    assert ours == theirs
    assert len(read_records(tmp_path)) == len(theirs), "each once"
    before = (tmp_path / RECORDS).read_bytes()
    drain(attribution_study(slices, [model], METHODS, tmp_path))
    assert (tmp_path / RECORDS).read_bytes() == before, "nothing is left to do"


def test_another_study_is_not_mixed_in(
    slices: ClassSlices, model: Model, done: tuple[Path, list[StudyRecord]]
) -> None:
    with pytest.raises(ParameterError, match="another seed"):
        drain(attribution_study(slices, [model], METHODS, done[0], seed=1))
    with pytest.raises(ParameterError, match="other pictures"):
        drain(attribution_study(slices.subset([0, 1]), [model], METHODS, done[0]))
    with pytest.raises(ParameterError, match="another method grad-cam"):
        drain(attribution_study(slices, [model], METHODS, done[0], parameters={"layer": "stem"}))
    with pytest.raises(ModelError, match="have one name"):
        drain(attribution_study(slices, [model, model], METHODS, done[0]))


def test_a_further_method_joins(
    slices: ClassSlices, model: Model, done: tuple[Path, list[StudyRecord]], tmp_path: Path
) -> None:
    first = slices.subset([0])
    one = drain(attribution_study(first, [model], METHODS[:1], tmp_path))
    both = drain(attribution_study(first, [model], METHODS, tmp_path))
    assert len(both) == len(one) + 2
    again = drain(attribution_study(first, [model], METHODS[:1], tmp_path))
    assert [r.key for r in again] == [r.key for r in one], "of what is asked now"


def test_tables_and_pictures(
    slices: ClassSlices, done: tuple[Path, list[StudyRecord]], tmp_path: Path
) -> None:
    folder, records = done
    found = summarise(records)
    assert set(found.chance) == set(CLASSES)
    assert {c.against for c in found.comparisons if c.method == "grad-cam"} == {
        *BLIND, "grad-cam" + ON_RANDOM,
    }  # fmt: skip
    text = found.text()
    for words in (HEAD, "itself on random weights", "chance", "Holm"):
        assert words in text
    values = json.loads(found.save(tmp_path)[1].read_text(encoding="utf-8"))
    assert values["pictures"] == len(slices)
    assert save_curves(records, tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    parts = panel_parts(slices, records, folder, per_class=1)
    assert [len(row) for row in parts[2]] == [len(METHODS)] * len(CLASSES)
    assert save_panels(tmp_path / "panels.png", *parts).read_bytes().startswith(b"\x89PNG")


def test_a_method_that_beats_all_is_named() -> None:
    random = np.random.default_rng(0)
    records = []
    for number in range(20):
        for method, level in (
            ("good", 0.6), ("good" + ON_RANDOM, 0.1), ("poor", 0.12), ("poor" + ON_RANDOM, 0.1),
            ("random", 0.05), ("edges", 0.1), (HEAD, 0.3),
        ):  # fmt: skip
            value = level + random.normal(0, 0.05)
            records.append(StudyRecord(f"p{number}", "disc", "disc", "m", method, {"AUPRC": value}))
    found = summarise(records)
    assert found.winners("m") == ["good"]
    assert "m: good beats all of these." in found.text()
    assert found.right == {"m": 1.0}


def test_holm_by_hand() -> None:
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03])), [0.03, 0.06, 0.06])
    assert mean_of([1.0, 1.0, 1.0]).low == 1.0


def test_the_blind_guess_lies_in_the_middle_of_the_head() -> None:
    picture = np.zeros((40, 60))
    picture[5:25, 30:50] = 1
    guess = head_centre_map(picture)
    assert np.unravel_index(guess.argmax(), guess.shape) in [(14, 39), (15, 39), (14, 40), (15, 40)]
    assert guess[15, 30] == pytest.approx(np.exp(-0.5 * (10 / 5.77) ** 2), abs=0.06)


# -- ROAD ------------------------------------------------------------------------------------------


def test_a_plane_is_filled_in_as_it_was() -> None:
    """Weighted means of neighbours keep a plane, inside."""
    rows, columns = np.indices((20, 20)).astype(np.float32)
    image = (2 * rows + 3 * columns)[None]
    gone = np.zeros((20, 20), dtype=bool)
    gone[6:14, 5:12] = True
    filled = filled_in(image, gone, np.random.default_rng(0))
    assert (filled[0][~gone] == image[0][~gone]).all()
    np.testing.assert_allclose(filled, image, atol=0.06 * image.std())
    everything = filled_in(image, np.ones((20, 20), bool), np.random.default_rng(0))
    np.testing.assert_allclose(everything, image.mean())


def test_a_map_of_what_counts_beats_its_opposite() -> None:
    image = np.random.default_rng(0).normal(size=(1, 24, 24)).astype(np.float32)
    image[0, 8:12, 8:12] += 6
    heat = np.zeros((24, 24))
    heat[8:12, 8:12] = 1

    def score(images: np.ndarray) -> np.ndarray:
        return images[:, 0, 8:12, 8:12].mean(axis=(1, 2)).astype(np.float64)

    good, bad = drain(road(score, image, heat)), drain(road(score, image, -heat))
    assert good["ROAD"] > 1
    assert bad["ROAD"] < -1
    assert good["ROAD"] == pytest.approx(good["ROAD least"] - good["ROAD most"])
