"""The study: resumed at any moment, blind maps beside each method, tests with their correction."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_sparseexplain.errors import ModelError, ParameterError, ReadError
from napari_sparseexplain.explanation.trust.road import filled_in, road
from napari_sparseexplain.layers.plots.plot_theme import LIGHT, themed_figure
from napari_sparseexplain.layers.plots.study_plots import draw_panels, save_curves, save_panels
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.modules.small_resnet import SmallResNet
from napari_sparseexplain.progress import drain
from napari_sparseexplain.training.classifiers import (
    attribution_study as attribution_study_module,
)
from napari_sparseexplain.training.classifiers.attribution_study import (
    attribution_study,
    head_centre_map,
    study_pictures,
)
from napari_sparseexplain.training.classifiers.class_slices import (
    NORMALISATION,
    ClassSlices,
    read_class_slices,
)
from napari_sparseexplain.training.classifiers.study_browser import browse_study_work
from napari_sparseexplain.training.classifiers.study_pictures import panel_parts
from napari_sparseexplain.training.classifiers.study_records import (
    BLIND,
    HEAD,
    NOTES,
    ON_RANDOM,
    RECORDS,
    STUDY,
    StudyRecord,
    map_file,
    read_notes,
    read_records,
)
from napari_sparseexplain.training.classifiers.study_summary import holm, mean_of, summarise
from napari_sparseexplain.volumes.intensity.normalisation import Normalisation
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
        score = record.figures["AUPRC"]
        # Only Grad-CAM may have no positive part anywhere, and be constant.
        assert (score is None) <= record.method.startswith("grad-cam")
        assert score is None or 0 < score <= 1
        assert record.prevalence == pytest.approx(
            slices.boxes([i.name for i in slices.images].index(record.picture)).mean()
        )
        assert record.predicted in CLASSES
        asked = {"insertion AUC", "deletion AUC", "ROAD", "SIC", "AIC"} <= set(record.figures)
        assert asked != record.method.endswith(ON_RANDOM)
    assert sum(r.figures["AUPRC"] is not None for r in records) > 0.8 * len(records)
    assert {r.layer for r in records if r.method.startswith("grad-cam")} == {"stages.7.relu2"}
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
    corrected = [replace(image, boxes=((0.1, 0.1, 0.2, 0.2),)) for image in slices.images]
    moved = replace(slices, images=tuple(corrected))
    assert moved.checksum() != slices.checksum(), "a training that is shown them, too"
    with pytest.raises(ParameterError, match="other pictures or boxes"):
        drain(attribution_study(moved, [model], METHODS, done[0]))
    with pytest.raises(ParameterError, match="none of the methods has a parameter 'stps'"):
        drain(attribution_study(slices, [model], METHODS, done[0], parameters={"stps": 3}))
    with pytest.raises(ParameterError, match="no picture to explain"):
        drain(attribution_study(slices.subset([]), [model], METHODS, done[0]))
    with pytest.raises(ParameterError, match="another method grad-cam"):
        drain(attribution_study(slices, [model], METHODS, done[0], parameters={"layer": "stem"}))
    with pytest.raises(ModelError, match="have one name"):
        drain(attribution_study(slices, [model, model], METHODS, done[0]))


def test_what_methods_took_is_said_also_where_nobody_chose_it(
    done: tuple[Path, list[StudyRecord]],
) -> None:
    asked = json.loads((done[0] / STUDY).read_text(encoding="utf-8"))
    assert asked["methods"]["grad-cam"]["layer"] == ""
    assert asked["models"]["small"]["layer"] == "stages.7.relu2"


def named_alike(folder: Path) -> ClassSlices:
    """``disc/1.png`` and ``square/1.png``, without a number that tells them apart."""
    drawn = write_classes(folder / "drawn", each=1)
    for label, number in (("disc", 1), ("square", 3)):
        (folder / "set" / label).mkdir(parents=True)
        for ending in ("png", "txt"):
            source = drawn / label / f"{number}.{ending}"
            shutil.copy(source, folder / "set" / label / f"1.{ending}")
    return drain(read_class_slices(drain(find_class_images(folder / "set")), 32))


def test_pictures_of_one_name_are_two_pictures(model: Model, tmp_path: Path) -> None:
    slices = named_alike(tmp_path)
    assert [image.name for image in slices.images] == ["1", "1"]
    out = tmp_path / "study"
    records = drain(attribution_study(slices, [model], METHODS[:1], out))
    assert len({r.key for r in records}) == len(records) == 2 * (2 + len(BLIND))
    maps = [np.load(map_file(out, *r.key)) for r in records if r.method == METHODS[0]]
    assert not np.array_equal(*maps)
    found = summarise(records)
    assert found.pictures == 2
    assert {mean.count for mean in found.means["small", "edges"].values()} == {2}
    assert {c.difference.count for c in found.comparisons} == {2}
    browser = drain(browse_study_work(out, slices))
    column = (model.name, METHODS[0])
    heats = [browser.heat(index, column) for index in range(2)]
    assert all(heat is not None for heat in heats)
    assert not np.array_equal(heats[0], heats[1])  # type: ignore[arg-type]
    panels = panel_parts(slices, records, out)
    assert not np.array_equal(panels[2][0][0], panels[2][1][0])


def test_notes_of_its_pictures_stay_with_a_study(
    slices: ClassSlices, model: Model, tmp_path: Path
) -> None:
    """A model that joins later does not hide what the first one was trained on."""
    one, said = slices.subset([0]), "9 of the 10 are left out"
    work = attribution_study(one, [model], METHODS[:1], tmp_path, notes=[said])
    while not (tmp_path / NOTES).exists():
        next(work)
    work.close()
    assert read_notes(tmp_path) == (said,), "written before the first map, since it may be killed"
    other = replace(model, card=replace(model.card, name="other"))
    drain(attribution_study(one, [other], METHODS[:1], tmp_path, notes=["other is too good"]))
    assert drain(browse_study_work(tmp_path, slices)).notes == (said, "other is too good")
    drain(attribution_study(one, [model], METHODS[:1], tmp_path, notes=[said]))
    assert read_notes(tmp_path) == (said, "other is too good")
    with pytest.raises(ParameterError, match="it holds a study with"):
        drain(attribution_study(one, [model], METHODS[:1], tmp_path, seed=1, notes=["not of it"]))
    assert "not of it" not in read_notes(tmp_path)
    (tmp_path / NOTES).write_text("{}", encoding="utf-8")
    with pytest.raises(ReadError, match="holds no notes"):
        read_notes(tmp_path)
    drain(attribution_study(one, [model], METHODS[:1], tmp_path, notes=[said]))
    assert read_notes(tmp_path) == (said,)


def test_a_renamed_picture_is_the_same(model: Model, tmp_path: Path) -> None:
    slices = named_alike(tmp_path)
    out = tmp_path / "study"
    drain(attribution_study(slices, [model], METHODS[:1], out))
    before = (out / RECORDS).read_bytes()
    moved = []
    for image in slices.images:
        path = image.path.with_name("other.png")
        image.path.rename(path)
        moved.append(replace(image, name="other", path=path))
    again = replace(slices, images=tuple(moved))
    drain(attribution_study(again, [model], METHODS[:1], out))
    assert (out / RECORDS).read_bytes() == before
    assert len(drain(browse_study_work(out, again))) == 2
    with pytest.raises(ReadError, match="the picture cannot be read"):
        drain(attribution_study(slices, [model], METHODS[:1], out))


def test_what_failed_is_tried_again(
    slices: ClassSlices, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = slices.subset([0])
    with monkeypatch.context() as patch:
        patch.setattr(attribution_study_module, "untrained", lambda *_, **__: None)
        failed = drain(attribution_study(one, [model], METHODS[:1], tmp_path))
    (fault,) = [record for record in failed if record.fault]
    assert fault.method == METHODS[0] + ON_RANDOM
    assert "no weights" in fault.fault, "not scored on the trained network"
    assert "no weights" in summarise(failed).text()
    again = drain(attribution_study(one, [model], METHODS[:1], tmp_path))
    assert not [record for record in again if record.fault]
    assert len(read_records(tmp_path)) == len(again) == len(failed)


def test_without_boxes_the_network_is_asked_alone(
    slices: ClassSlices, model: Model, tmp_path: Path
) -> None:
    bare = replace(slices, images=tuple(replace(i, boxes=()) for i in slices.images))
    assert len(study_pictures(bare, 2)) == 2
    records = drain(attribution_study(bare.subset([0, 2]), [model], METHODS[1:], tmp_path))
    for record in records:
        assert record.figures["AUPRC"] is None
        assert record.method.endswith(ON_RANDOM) or record.figures["ROAD"] is not None
    found = summarise(records)
    assert not found.comparisons
    assert "2 of the pictures have neither a box nor a mask" in found.text()
    assert "beat" not in found.text()
    json.loads(found.save(tmp_path)[1].read_text(encoding="utf-8"))
    parts = panel_parts(bare.subset([0, 2]), records, tmp_path)
    assert not any("AUPRC" in words for row in parts[3] for words in row)
    assert save_panels(tmp_path / "panels.png", *parts).is_file()
    some = replace(slices, images=(*bare.images[:2], *slices.images[2:]))
    assert set(study_pictures(some, 4)) == {2, 3}, "those with a box, where some have one"


def test_models_of_two_sizes_stand_in_one_study(
    slices: ClassSlices, model: Model, tmp_path: Path
) -> None:
    inputs = replace(model.card.inputs, size=24, normalisation=Normalisation("percentile"))
    other = replace(model, card=replace(model.card, name="other", inputs=inputs))
    two = slices.subset([0, 2])
    records = drain(attribution_study(two, [model, other], METHODS[:1], tmp_path))
    assert not [record.fault for record in records if record.fault]
    sizes = {r.model: np.load(map_file(tmp_path, *r.key)).shape[0] for r in records[::5]}
    assert sizes == {"small": 32, "other": 24}
    browser = drain(browse_study_work(tmp_path, slices))
    for column in browser.columns:
        heat = browser.heat(0, column)
        assert heat is not None
        assert heat.shape == (32, 32)
    parts = panel_parts(two, records, tmp_path)
    figure = themed_figure(LIGHT, size=(4, 4), dpi=50)
    draw_panels(figure, *parts)
    extents = {tuple(image.get_extent()) for axes in figure.axes for image in axes.get_images()}
    assert extents == {(-0.5, 31.5, 31.5, -0.5)}, "each map covers the whole picture"


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
    for words in (HEAD, "itself on random weights", "chance", "Holm", "one patient resemble",
                  "grad-cam of small looks at stages.7.relu2."):  # fmt: skip
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


def test_a_figure_of_fewer_pictures_says_of_how_many() -> None:
    """SIC and AIC are skipped where the whole picture is not told with .8."""
    records = [
        StudyRecord(f"p{n}", "disc", "disc", "m", "xrai", {"AUPRC": 0.5, "SIC": 0.5 if n else None})
        for n in range(3)
    ]
    found = summarise(records)
    (line,) = [line for line in found.text().splitlines() if line.startswith("| xrai")][:1]
    assert "0.500 (2)" in line
    assert "0.500 [0.500, 0.500] |" in line
    assert "an answer of 0.8 or more" in found.text()


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
