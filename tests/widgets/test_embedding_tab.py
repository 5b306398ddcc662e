"""The tab Embedding and the panel Points in a real window: a stack, points, the maps of a study."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.training.classifiers.study_records import (
    RANDOM,
    RECORDS,
    file_digest,
    map_file,
)

from ..classifiers.class_pictures import CLASSES, write_classes
from .conftest import new_workspace, settle, until
from .shared_window import SharedWindow, Step

pytestmark = pytest.mark.gui

#: Pictures of each class and view; there are two of each.
EACH = 8

#: Rows of the maps and of what the classifier is fed.
FED = 32


def save_classifier(folder: Path, classes: tuple[str, ...] = CLASSES) -> Path:
    """A small untrained classifier, whose card says that it saw axial slices alone."""
    import torch

    from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
    from napari_sparseexplain.networks.bundle.saving import save_bundle
    from napari_sparseexplain.networks.modules.architectures import build_network
    from napari_sparseexplain.training.classifiers.class_slices import NORMALISATION

    torch.manual_seed(0)
    arguments = {"classes": len(classes), "widths": [4, 6, 8, 8], "size": FED}
    card = ModelCard(
        name=folder.name,
        title="Small",
        architecture="small-resnet",
        arguments=arguments,
        task="classification",
        inputs=Inputs(("t1ce",), NORMALISATION, 1.0, FED, mask="none"),
        classes={str(index): name for index, name in enumerate(classes)},
        training={"views": ["axial"]},
    )
    save_bundle(folder, card, build_network("small-resnet", arguments))
    return folder


@pytest.fixture(scope="session")
def classes(kept_folder: Path) -> Path:
    return write_classes(kept_folder / "classes", each=EACH)


@pytest.fixture(scope="session")
def classifier(kept_folder: Path) -> Path:
    return save_classifier(kept_folder / "classifier")


def embedded(folder: Path, bundle: Path) -> Step:
    """The pictures open, with their answers, and as points below the picture."""

    def step(workspace: Any) -> None:
        tab = workspace.page("classifiers")
        workspace.show_tab("classifiers")
        tab.models.choose(bundle)
        tab.open_pictures(folder)
        assert tab.wait(60)
        tab.embed()
        assert tab.wait(60)
        settle()

    return f"embedded {folder}", step


@pytest.fixture
def window(shared_window: SharedWindow, classes: Path, classifier: Path) -> Any:
    pytest.importorskip("openTSNE")
    return shared_window.lend(new_workspace, [embedded(classes, classifier)])


@pytest.fixture
def tab(window: Any) -> Any:
    return window.page("classifiers")


def hand(tab: Any, *places: tuple[float, float]) -> None:
    """A click at one pixel of the canvas, from its lower left; through several a lasso."""
    canvas = tab.panel.points.canvas
    ratio = canvas.device_pixel_ratio
    spots = [QPoint(round(x / ratio), round(canvas.height() - y / ratio)) for x, y in places]
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=spots[0])
    for spot in spots[1:]:
        QTest.mouseMove(canvas, spot)
        settle(0.02)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=spots[-1])
    settle()


def lasso(tab: Any, part: int) -> set[int]:
    """Draw around the left half of one picture; what lies in it."""
    points = tab.panel.points
    points.canvas.draw()
    box = points.axes[part].get_window_extent()
    across = np.sort([points.pixel_of(row, part)[0] for row in range(len(tab.stack))])
    gap = int(np.diff(across)[6:-6].argmax()) + 6  # where no point lies near the line
    middle = float(across[gap : gap + 2].mean())
    low, high, left = box.y0 + 1, box.y1 - 1, box.x0 + 1
    hand(tab, (left, low), (left, high), (middle, high), (middle, low), (left, low))
    return {r for r in range(len(tab.stack)) if points.pixel_of(r, part)[0] < middle}


def shown_picture(window: Any) -> np.ndarray:
    """The pixels of the slice in the picture."""
    study = window.study
    return np.asarray(study[study.reference].data[window.current_slice])


def test_pictures_are_a_stack_with_what_is_known_of_each(window: Any, tab: Any) -> None:
    import imageio.v3 as iio

    study = window.study
    assert study.grid.shape[0] == len(tab.stack) == 4 * EACH
    assert not study.grid.oriented
    assert not study.grid.calibrated
    row = next(i for i, image in enumerate(tab.stack.images) if image.view == "coronal")
    tab.open_picture(row)
    image = tab.stack.images[row]
    assert np.array_equal(shown_picture(window), iio.imread(image.path)), "as it lies on file"
    mask = np.asarray(study["box"].data[row])
    top, left, *_ = image.boxes[0]
    assert np.argwhere(mask)[0].tolist() == [int(top * 48), int(left * 48)]
    outline: Any = window.study_layer("box")
    assert outline.visible
    assert outline.contour == 1
    called = tab.stack.slices.classes[tab.stack.predicted[row]]
    for words in (f"{image.name} · {image.label}", "coronal", f"called {called}"):
        assert words in tab.picture.text()
        assert words in tab.shown.corner.text
    assert "⚠ coronal: trained on axial alone" in tab.picture.text()
    assert "16 pictures are of views that it was not trained on: coronal" in tab.summary.text()


def test_a_result_says_that_the_view_was_not_seen(window: Any, tab: Any) -> None:
    import napari_sparseexplain as se

    rows = [image.view for image in tab.stack.images]
    wanted = {"coronal": True, "axial": False}
    for view, told in wanted.items():
        found = se.explain(
            window.study,
            tab.models.model,
            "vanilla-gradient",
            target="class:disc",
            slices=rows.index(view),
        )
        assert any("these are others: 1 coronal" in note for note in found.notes) == told


def test_both_pictures_of_points_are_there_with_what_they_are_worth(tab: Any) -> None:
    figure = tab.panel.points.figure
    titles = [axes.get_title() for axes in figure.axes]
    assert [title.splitlines()[0] for title in titles] == ["pixels", "Small"]
    assert all("trustworthiness" in t and "neighbourhood hit" in t for t in titles)
    figure.canvas.draw()
    left, right = (axes.title.get_window_extent() for axes in figure.axes)
    assert left.x0 >= 0
    assert left.x1 < right.x0, "the words of one picture stand in the other's"
    assert "t-SNE shows groups also where there are none" in tab.summary.text()
    tab.panel.colour.setCurrentIndex(tab.panel.colour.findData("confidence"))
    assert figure.legends[0].get_title().get_text() == "confidence"


@pytest.mark.parametrize("part", [0, 1])
def test_a_click_on_a_point_opens_its_picture_and_marks_it_in_both(
    window: Any, tab: Any, part: int
) -> None:
    points = tab.panel.points
    points.canvas.draw()
    places = np.array([points.pixel_of(row, part) for row in range(len(tab.stack))])
    away = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    np.fill_diagonal(away, np.inf)
    row = int(away.min(axis=1).argmax())  # no other point lies near
    hand(tab, tuple(places[row]))
    assert tab.shown.row == row
    assert window.current_slice == row
    for ring, embedding in zip(points.rings, tab.found.parts, strict=True):
        assert np.allclose(ring.get_xydata(), embedding.places[row])
    near = [tab.panel.neighbours.item(i).data(Qt.ItemDataRole.UserRole) for i in range(8)]
    assert near == tab.found.network.neighbours(row, 8).tolist()
    tab.panel.neighbours.itemClicked.emit(tab.panel.neighbours.item(0))
    assert tab.shown.row == near[0]


def test_scrolling_the_stack_moves_the_mark(window: Any, tab: Any) -> None:
    window.go_to_slice(3)
    until(lambda: tab.panel.of.text().endswith(tab.stack.images[3].name))
    assert tab.panel.points._current == 3


def test_a_choice_that_leaves_nothing_changes_nothing(window: Any, tab: Any) -> None:
    study = window.study
    tab.filter.least.setValue(1.0)
    tab.apply_filter()
    assert "No picture is left" in tab.run_bar.message.text()
    assert window.study is study


def write_study(folder: Path, tab: Any, models: tuple[str, ...] = ("one", "two")) -> Path:
    """Records and maps of two pictures; the last line is cut off, as a kill leaves it."""
    (folder / "maps").mkdir(parents=True)
    lines = []
    for number, row in enumerate((1, 2 * EACH + 1)):
        image = tab.stack.images[row]
        for model in models:
            for method in ("xrai", "smoothgrad", RANDOM):
                heat = np.zeros((FED, FED), dtype=np.float16)
                heat[4:8, 4 + 8 * number : 8 + 8 * number] = 1
                np.save(map_file(folder, file_digest(image), model, method), heat)
                record = {
                    "picture": image.name, "label": image.label, "predicted": "disc",
                    "model": model, "method": method, "figures": {"AUPRC": 0.25 + number / 2},
                    "prevalence": 0.05, "file": file_digest(image),
                }  # fmt: skip
                lines.append(json.dumps(record))
    (folder / RECORDS).write_text("\n".join(lines) + '\n{"picture": "1', encoding="utf-8")
    return folder


def test_a_study_is_gone_through_with_its_maps_side_by_side(
    window: Any, tab: Any, tmp_path: Path
) -> None:
    tab.open_study(write_study(tmp_path / "study", tab))
    assert tab.wait(30)
    grid = window.grid_view
    assert grid.active
    names = [layer.name for layer in grid.layers]
    assert len(names) == 1 + 4, "the picture, two models × two methods, not what is blind"
    first, other = (tab.stack.images[row] for row in (1, 2 * EACH + 1))
    assert names[0].startswith(f"{first.name} · disc")
    assert names[0].endswith(" · by chance 0.05"), "once: a cell has no room for it"
    assert names[1] == "xrai · one · AUPRC 0.25 · ✓ disc"
    assert tab.run_bar.message.text() == "2 pictures, each with 4 maps."
    assert tab.panel._row == tab.panel.points._current == 1, "it is marked among the points too"
    heat = np.asarray(grid.layers[1].data[0])
    assert heat.shape == (FED, FED, 3)
    assert np.ptp(heat[5, 5].astype(int)) > 60, "the map is in colour over the picture"
    tab.study_form.buttons[1].click()
    assert grid.layers[0].name.startswith(f"{other.name} · square")
    assert "AUPRC 0.75 · ✗ disc" in grid.layers[1].name
    assert f"2 of 2: {other.name}" in tab.study_form.said.text()
    assert tab.study_form.said.text().endswith("AUPRC by chance 0.05")
    tab.study_form.label.setCurrentIndex(tab.study_form.label.findData("disc"))
    tab.study_form.buttons[-1].click()
    assert grid.layers[0].name.startswith(first.name)
    tab.open_picture(4)
    assert tab.shown.row == 4, "the stack is still there"
    tab.study_form.buttons[1].click()
    assert window.grid_view.active, "and so is the study"
    window.close_study(tab.browsed.study)
    assert not tab.study_form.label.isVisible()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (lambda tab, _: tab.open_study(""), "no folder of a study is chosen"),
        (lambda tab, to: tab.open_study(to), "no study is there"),
        (lambda tab, to: tab.open_pictures(to / "nowhere"), "there is no such folder"),
        (lambda tab, to: tab.open_pictures(to), "is a picture of a class"),
    ],
)
def test_bad_input_is_one_message_and_nothing_is_lost(
    window: Any, tab: Any, tmp_path: Path, asked: Any, words: str
) -> None:
    stack, found, study = tab.stack, tab.found, window.study
    folder = tab.folder.folder.line.text()
    asked(tab, tmp_path)
    assert tab.wait(30)
    assert words in tab.run_bar.message.text()
    assert (tab.stack, tab.found, window.study) == (stack, found, study)
    tab.folder.folder.choose(folder)


def test_a_classifier_of_other_classes_is_refused_and_the_points_stay(
    window: Any, tab: Any, tmp_path: Path
) -> None:
    found, before = tab.found, tab.models.model
    tab.models.choose(save_classifier(tmp_path / "cats", ("cat", "dog")))
    tab.embed()
    assert tab.wait(30)
    assert "it tells cat, dog apart" in tab.run_bar.message.text()
    assert tab.found is found
    tab.models.choose(before)


def test_points_need_no_second_answer_of_the_same_classifier(
    tab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_sparseexplain.progress import drain
    from napari_sparseexplain.training.classifiers import picture_embedding

    def again(*_: Any) -> Any:
        raise AssertionError("it was asked when the pictures were opened")

    monkeypatch.setattr(picture_embedding, "penultimate_work", again)
    stack, found = drain(tab.session.embed_work(tab.stack, tab._key()))
    assert np.array_equal(found.network.points, tab.found.network.points)
    assert np.array_equal(stack.predicted, tab.stack.predicted)


def test_without_a_classifier_the_pixels_are_embedded(window: Any, tab: Any, classes: Path) -> None:
    session, stack = tab.session, tab.stack
    from napari_sparseexplain.progress import drain
    from napari_sparseexplain.widgets.parts.model_session import ModelKey

    plain = drain(session.open_work(classes, None, None, ModelKey("")))
    assert plain.predicted is None
    kept, found = drain(session.embed_work(plain, ModelKey("")))
    assert kept is plain
    assert [part.title for part in found.parts] == ["pixels"]
    tab.panel.show_found(found)
    assert len(tab.panel.points.axes) == 1
    assert not tab.panel.colour.model().item(3).isEnabled()
    tab.panel.show_found(tab.found)
    with pytest.raises(SparseExplainError, match="no classifier has answered"):
        replace(tab.filter.query(), answer="right").rows(plain)
    assert tab.stack is stack


def test_pictures_that_one_window_cannot_show_are_told(tab: Any) -> None:
    stack = tab.stack
    assert not stack.unlike
    assert "⚠ Grey values" not in tab.summary.text()
    deep = stack.whole[0].astype(np.uint16) * 200
    assert replace(stack, whole=(deep, *stack.whole[1:])).unlike
    black = np.zeros_like(stack.whole[0])
    assert not replace(stack, whole=(black, *stack.whole[1:])).unlike, "black by itself"


def test_two_pictures_are_a_stack_but_no_points(tab: Any, tmp_path: Path, classes: Path) -> None:
    import shutil

    from napari_sparseexplain.progress import drain
    from napari_sparseexplain.widgets.parts.model_session import ModelKey

    for label in CLASSES:
        (tmp_path / label).mkdir()
        first = sorted((classes / label).glob("*.png"))[0]
        shutil.copy(first, tmp_path / label)
    two = drain(tab.session.open_work(tmp_path, None, None, ModelKey("")))
    assert len(two) == 2
    with pytest.raises(SparseExplainError, match="of 2 pictures no neighbours can be told"):
        drain(tab.session.embed_work(two, ModelKey("")))


def test_a_cancelled_run_changes_nothing(window: Any, tab: Any) -> None:
    found, stack = tab.found, tab.stack
    tab.embed()
    tab.run_bar.cancel.click()
    assert tab.wait(30)
    assert (tab.found, tab.stack) == (found, stack)
    assert "Cancelled" in tab.run_bar.message.text()


def test_all_tabs_are_seen_none_behind_arrows(window: Any) -> None:
    bar = window.tabs.tabBar()
    assert bar.tabRect(bar.count() - 1).right() <= window.tabs.width()


def test_a_lasso_and_the_filter_choose_what_is_in_the_stack(window: Any, tab: Any) -> None:
    """One test: after another choice the stack is another study, and the window no longer lent."""
    _lasso_and_escape(window, tab)
    from napari_sparseexplain.layers.study_layers import METADATA_KEY
    from napari_sparseexplain.layers.study_map_layer import StudyMapLayer

    stack, form = tab.stack, tab.filter
    layers = list(window.viewer.layers)
    box: Any = window.study_layer("box")
    box.visible = False
    form.answer.setCurrentIndex(form.answer.findData("wrong"))
    form.order.setCurrentIndex(form.order.findData("sure"))
    tab.apply_filter()
    rows = tab.shown.rows
    assert set(rows.tolist()) == set(np.flatnonzero(~stack.correct).tolist())
    assert (np.diff(stack.confidence[rows]) <= 0).all()
    assert list(window.viewer.layers) == layers, "napari takes seconds for layers that go and come"
    assert not box.visible, "and a person's choices would go with them"
    assert box.data.shape == window.study.grid.shape == (len(rows), *box.data.shape[1:])
    first, outline = stack.images[rows[0]], np.asarray(box.data[0])
    top, left, *_ = first.boxes[0]
    assert np.argwhere(outline)[0].tolist() == [int(top * 48), int(left * 48)]
    assert layers[0].name.endswith(f"{len(rows)} of {len(stack)}")
    box.visible = True
    form.let_all()
    form.order.setCurrentIndex(0)
    form.view.setCurrentIndex(form.view.findData("coronal"))
    form.label.setCurrentIndex(form.label.findData("disc"))
    tab.apply_filter()
    assert [stack.images[r].run for r in tab.shown.rows] == [("disc", "coronal")] * EACH
    first = next(i for i, image in enumerate(stack.images) if image.label == "square")
    tab.open_picture(first)
    assert tab.shown.row == first, "a point that the filter keeps out brings all back"
    assert window.study.grid.shape[0] == len(stack)
    # Where a layer was removed by hand all come anew, by the names of those before.
    window.viewer.layers.remove(window.study_layer("box"))
    form.label.setCurrentIndex(form.label.findData("square"))
    tab.apply_filter()
    assert not any("[" in layer.name for layer in window.viewer.layers)
    assert window.study_layer("box") is not None
    tab.open_picture(0)
    # What was found in a stack is not closed with it.
    study = window.study
    kept = window.viewer.add_image(
        np.zeros(study.grid.shape), metadata={METADATA_KEY: StudyMapLayer(study, None)}
    )
    form.label.setCurrentIndex(1)
    tab.apply_filter()
    assert kept in window.viewer.layers
    assert study in window.studies


def _lasso_and_escape(window: Any, tab: Any) -> None:
    inside = lasso(tab, 0)
    until(lambda: window.study.grid.shape[0] == len(inside))
    assert set(tab.shown.rows.tolist()) == inside
    assert len(window.studies) == 1
    faint = tab.panel.points.axes[1].collections[0].get_facecolors()[:, 3] < 0.5
    assert set(np.flatnonzero(~faint).tolist()) == inside
    QTest.keyClick(tab.panel.points.canvas, Qt.Key.Key_Escape)
    until(lambda: window.study.grid.shape[0] == len(tab.stack))
    assert not tab.filter.selection


def test_without_a_folder_it_says_what_to_do(fake_window: Any) -> None:
    from napari_sparseexplain.widgets.classifiers.tab import EmbeddingTab

    tab = EmbeddingTab(fake_window)
    tab.open_pictures()
    assert "no folder is chosen" in tab.run_bar.message.text()
    tab.embed()
    assert "no pictures are open" in tab.run_bar.message.text()
    tab.stop()
