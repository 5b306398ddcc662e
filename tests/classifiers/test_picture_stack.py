"""Pictures of classes as a stack: sizes, boxes, views, orders, without a window."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from napari_sparseexplain.errors import ParameterError, ReadError
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.bundle.seen_views import unseen_view_notes
from napari_sparseexplain.phantom.class_pictures import CLASSES, VIEWS, write_class_pictures
from napari_sparseexplain.progress import drain
from napari_sparseexplain.training.classifiers import picture_stack
from napari_sparseexplain.training.classifiers.class_slices import NORMALISATION, fed_again
from napari_sparseexplain.training.classifiers.picture_query import PictureQuery
from napari_sparseexplain.training.classifiers.picture_stack import PictureStack, read_stack_work
from napari_sparseexplain.training.classifiers.picture_study import BOX, stack_study
from napari_sparseexplain.training.classifiers.study_browser import browse_study_work
from napari_sparseexplain.volumes import study_of_arrays
from napari_sparseexplain.volumes.intensity.intensity_window import display_limits
from napari_sparseexplain.volumes.view_of_slice import views_of_slices


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three drawn slices of each class and view, and one of another size."""
    root = write_class_pictures(tmp_path_factory.mktemp("drawn") / "set", each=3, side=48)
    iio.imwrite(root / "solid" / "other.png", np.full((40, 64), 7, dtype=np.uint8))
    return root


@pytest.fixture(scope="module")
def stack(folder: Path) -> PictureStack:
    return drain(read_stack_work(folder))


def test_drawn_slices_have_their_views_and_a_box_about_what_is_bright(stack: PictureStack) -> None:
    assert stack.slices.classes == CLASSES
    runs = [image.run for image in stack.images if image.boxes]
    assert runs == [(label, view) for label in CLASSES for view in VIEWS for _ in range(3)]
    for image, picture in zip(stack.images, stack.whole, strict=True):
        if image.boxes:
            rows, columns = np.nonzero(np.asarray(picture) > 150)
            top, left, bottom, right = (edge * 48 for edge in image.boxes[0])
            assert top - 1 <= rows.min() <= rows.max() < bottom + 1
            assert left - 1 <= columns.min() <= columns.max() < right + 1


def test_pictures_of_several_sizes_stand_in_the_middle_of_one_frame(stack: PictureStack) -> None:
    study = stack_study(stack, range(len(stack)))
    assert study.grid.shape == (13, 48, 64)
    assert [finding.code for finding in study.findings] == ["pictures-of-several-sizes"]
    row = next(i for i, image in enumerate(stack.images) if image.name == "other")
    other = np.asarray(study["picture"].data[row])
    assert other[4:44].min() == 7
    assert other[:4].max() == other[44:].max() == 0
    first = np.asarray(study["picture"].data[0])
    assert np.array_equal(first[:, 8:56], stack.whole[0])
    box = np.asarray(study[BOX].data[0])
    assert box[:, 8:56].any()
    assert not box[:, :8].any()
    assert not np.asarray(study[BOX].data[row]).any()
    assert display_limits(study["picture"])[1] > 100
    assert views_of_slices(study, slice(2, 5)) == ("axial", "coronal", "coronal")
    assert "13 of" not in study.name
    assert stack_study(stack, [4, 2]).name == "set, 2 of 13"


def test_a_picture_with_a_mask_alone_is_not_said_to_lack_a_box(tmp_path: Path) -> None:
    """A mask says where the finding lies, as boxes do; the study of the picture has it too."""
    for label in "ab":
        (tmp_path / label).mkdir()
        for number in (1, 2):
            values = np.full((8, 8), 10 * number + ord(label), np.uint8)
            iio.imwrite(tmp_path / label / f"{number}.png", values)
        iio.imwrite(tmp_path / label / "1_mask.png", np.eye(8, dtype=np.uint8) * 255)
    stack = drain(read_stack_work(tmp_path))
    said = {(image.label, image.name): stack.lines(i) for i, image in enumerate(stack.images)}
    assert [key for key, lines in said.items() if "no box" in lines] == [("a", "2"), ("b", "2")]
    assert np.asarray(stack_study(stack, [0])[BOX].data).any()


def test_pictures_are_read_again_for_a_network_of_another_size(stack: PictureStack) -> None:
    small = drain(fed_again(stack.slices, 24))
    assert small.values.shape == (13, 24, 24)
    assert small.images == stack.images


def test_a_large_set_is_averaged_and_stays_whole_numbers(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every second pixel of a fine pattern is another picture; its means are the same one.

    What counts is the bytes of all: the first picture is the smallest here.
    """
    random = np.random.default_rng(0)
    fine = (np.indices((64, 64)).sum(axis=0) % 2 * 2000).astype(np.uint16)
    noise = [random.integers(0, 60_000, (64, 64)).astype(np.uint16) for _ in range(6)]
    for label, pictures in (("a", noise[:3]), ("b", [fine, *noise[3:]])):
        (tmp_path / label).mkdir()
        for number, picture in enumerate(pictures, 2):
            iio.imwrite(tmp_path / label / f"{number}.png", picture)
    iio.imwrite(tmp_path / "a" / "1.png", np.zeros((4, 4), np.uint8))
    whole = drain(read_stack_work(tmp_path))
    assert whole.step == 1
    assert {str(picture.dtype) for picture in whole.whole} == {"uint8", "int16", "uint16"}
    most = sum(picture.nbytes for picture in whole.whole) // 3
    monkeypatch.setattr(picture_stack, "_MOST", most)
    small = drain(read_stack_work(tmp_path))
    assert small.step == 2
    assert sum(picture.nbytes for picture in small.whole) <= most
    for before, after in zip(whole.whole, small.whole, strict=True):
        rows, columns = before.shape
        means = before.reshape(rows // 2, 2, columns // 2, 2).astype(float).mean(axis=(1, 3))
        assert after.dtype == before.dtype
        np.testing.assert_allclose(after, means, atol=0.51)
    assert small.slices.checksum() == whole.slices.checksum(), "networks are fed the whole ones"


def test_what_was_not_measured_mixes_with_nothing_where_a_set_is_averaged() -> None:
    """NaN stands where a file has padding; a mean of it and of tissue would be neither."""
    picture = np.full((4, 4), 7, np.float32)
    picture[:, 0], picture[0] = np.nan, np.nan
    means = picture_stack._halved(picture)
    np.testing.assert_array_equal(means, np.full((2, 2), 7, np.float32))
    picture[:2] = np.nan
    assert np.isnan(picture_stack._halved(picture)).tolist() == [[True, True], [False, False]]


def test_without_answers_nothing_is_right_or_wrong(stack: PictureStack) -> None:
    rows = PictureQuery(view="coronal", order="name").rows(stack)
    assert [stack.images[row].name for row in rows] == ["10", "11", "12", "4", "5", "6"]
    assert PictureQuery(label="ring", selected=frozenset({1, 8})).rows(stack).tolist() == [1]
    for query in (
        PictureQuery(answer="right"),
        PictureQuery(least=0.5),
        PictureQuery(order="sure"),
    ):
        with pytest.raises(ParameterError, match="no classifier has answered"):
            query.rows(stack)


def test_the_view_is_told_where_it_was_not_trained_on() -> None:
    def card(**training: object) -> ModelCard:
        return ModelCard(
            "m", "M", "small-resnet", {}, "classification",
            Inputs(("t1ce",), NORMALISATION, 1.0, 32, mask="none"), {"0": "a", "1": "b"},
            training=training,
        )  # fmt: skip

    only = card(views=["axial"])
    assert unseen_view_notes(only, ("axial", "coronal", "coronal", "")) == (
        "M was trained on axial slices; these are others: 2 coronal.",
    )
    assert unseen_view_notes(only, ("axial", "")) == ()
    assert unseen_view_notes(card(), ("coronal",)) == (), "a card that does not tell"
    study = study_of_arrays({"t1ce": np.zeros((2, 8, 8))})
    assert views_of_slices(study, slice(0, 2)) == ("axial", "axial"), "placed in the patient"


def test_a_folder_without_a_study_and_one_of_other_pictures(
    stack: PictureStack, tmp_path: Path
) -> None:
    with pytest.raises(ReadError, match="no study is there"):
        drain(browse_study_work(tmp_path, stack.slices))
    records = tmp_path / "records.jsonl"
    records.write_text('{"picture": "1"\n', encoding="utf-8")
    with pytest.raises(ReadError, match="none of its lines is a record"):
        drain(browse_study_work(tmp_path, stack.slices))
    keys = '"picture": "x", "label": "ring", "predicted": "", "model": "m", "method": "xrai"'
    records.write_text("{" + keys + "}\n", encoding="utf-8")
    with pytest.raises(ReadError, match="are not among those that are open"):
        drain(browse_study_work(tmp_path, stack.slices))
