"""The folder of a training, read by somebody who looks on while it runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_sparseexplain.errors import ReadError
from napari_sparseexplain.training.fit.training_folder import (
    find_log,
    read_training,
    read_watched,
)
from napari_sparseexplain.training.fit.training_log import TrainingLog
from napari_sparseexplain.training.left_ventricle.watched_slice import save_watched


def entry(epoch: int) -> dict[str, float]:
    return {"step": 10 * epoch, "epoch": epoch, "loss": 1 / epoch, "pixel accuracy": 0.98}


@pytest.fixture
def training(tmp_path: Path) -> Path:
    """Two epochs in BUNDLE/training."""
    folder = tmp_path / "bundle" / "training"
    folder.mkdir(parents=True)
    log = TrainingLog(folder)
    for epoch in (1, 2):
        log.add(entry(epoch))
        save_watched(folder, epoch, {"conv": np.full((2, 4, 4), epoch, np.float16)})
    log.close()
    return folder


def test_a_training_is_read_as_it_is_logged_and_only_when_it_goes_on(training: Path) -> None:
    found = read_training(training.parent)
    assert found.folder == training
    assert found.by_epoch
    assert list(found.values("loss")) == [1.0, 0.5]
    assert found.names == ("step", "epoch", "loss", "pixel accuracy")
    assert list(found.watched) == [1, 2]
    assert found.entry_of(2)["step"] == 20
    assert found.entry_of(7) == {}
    np.testing.assert_array_equal(read_watched(found.watched[2])["conv"], np.full((2, 4, 4), 2.0))
    assert read_training(training, found) is found
    log = TrainingLog(training, 20)
    log.add(entry(3) | {"micro Dice": 0.5})
    more = read_training(training, found)
    assert len(more.entries) == 3
    np.testing.assert_array_equal(more.values("micro Dice"), [np.nan, np.nan, 0.5])


def test_the_table_stands_for_the_lines_where_they_are_gone(training: Path) -> None:
    lines = read_training(training)
    (training / "log.jsonl").unlink()
    assert find_log(training / "log.csv") == training
    assert read_training(training).entries == lines.entries


def test_a_loss_that_ran_away_is_read(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"step": 1, "loss": Infinity}\n{"step": 2, "loss": NaN}\n')
    found = read_training(tmp_path)
    assert not found.by_epoch
    assert list(found.places) == [1.0, 2.0]
    assert found.values("loss")[0] == np.inf


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("", "", "no log of a training"),
        ("log.jsonl", "", "no entry yet"),
        ("log.jsonl", "hello\n", "no log of a training"),
        ("log.jsonl", "[1, 2]\n", "no log of a training"),
        ("log.jsonl", '{"level": "info"}\n', "no log of a training"),
        ("log.jsonl", '{"step": 1}\n{"st', "no log of a training"),
        ("log.csv", "a,b\n1,x\n", "no log of a training"),
    ],
)
def test_what_is_no_training_is_one_message(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    if name:
        (tmp_path / name).write_text(text)
    with pytest.raises(ReadError, match=said) as told:
        read_training(tmp_path)
    assert "\n" not in str(told.value)


def test_maps_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="no such folder"):
        read_training(tmp_path / "nowhere")
    damaged, flat = tmp_path / "epoch-0001.npz", tmp_path / "epoch-0002.npz"
    damaged.write_bytes(b"PK")
    np.savez(flat, conv=np.zeros((4, 4)))
    for path in (damaged, flat):
        with pytest.raises(ReadError):
            read_watched(path)
