"""A real window, a small study on disk, a small network: what the window's tests start from."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import nibabel as nib
import numpy as np
import pytest

#: Left, anterior, superior: the file's first axis runs against napari's columns' neighbour.
LAS = np.array([[-1.0, 0, 0, 16], [0, 1.0, 0, -16], [0, 0, 2.0, -8], [0, 0, 0, 1]])


def tiny_head(shape: tuple[int, int, int] = (32, 32, 8)) -> np.ndarray:
    """An ellipsoid with noise, and a bright ball in the patient's left front upper part.

    Axes are those of the file (LAS): index 0 grows to the left, 1 to the front, 2 upwards.
    """
    rng = np.random.default_rng(0)
    x, y, z = np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij")
    head = (x**2 + y**2 + z**2 < 0.8) * (100 + 5 * rng.standard_normal(shape))
    head[tiny_lesion(shape)] = 220
    return head.astype(np.float32)


def tiny_lesion(shape: tuple[int, int, int] = (32, 32, 8)) -> np.ndarray:
    """The ball."""
    x, y, z = np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij")
    return (x - 0.3) ** 2 + (y - 0.3) ** 2 + (z - 0.2) ** 2 < 0.06


@pytest.fixture
def study_folder(tmp_path: Path) -> Path:
    """T1, FLAIR and mask of one subject, LAS, 1 x 1 x 2 mm."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    for role in ("flair", "t1"):
        image = nib.Nifti1Image(tiny_head(), LAS)
        nib.save(image, folder / f"tiny_{role}.nii.gz")
    mask = tiny_lesion().astype(np.uint8) * 2
    nib.save(nib.Nifti1Image(mask, LAS), folder / "tiny_seg.nii.gz")
    return folder


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A small untrained SUM with thresholds that do something."""
    import torch

    from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
    from napari_sparseexplain.networks.bundle.saving import save_bundle
    from napari_sparseexplain.networks.modules.architectures import build_network

    torch.manual_seed(0)
    arguments: dict[str, Any] = {"in_channels": 1, "classes": 1, "maps": 2, "levels": 2}
    network = build_network("sum", arguments)
    with torch.no_grad():
        for name, value in network.named_parameters():
            if value.numel() < 64 and "weight" not in name:
                value.fill_(0.02)
    card = ModelCard(
        name="tiny",
        title="Tiny",
        architecture="sum",
        arguments=arguments,
        task="segmentation",
        inputs=Inputs(("flair",), "brain-range", 1.0, 32),
        classes={"1": "lesion"},
    )
    save_bundle(tmp_path / "bundle", card, network)
    return tmp_path / "bundle"


@pytest.fixture
def viewer() -> Iterator[Any]:
    """A real window of the smallest size that must do."""
    import napari
    from napari.qt.threading import GeneratorWorker

    window = napari.Viewer(show=True)
    window.window.resize(1280, 800)
    try:
        yield window
    finally:
        window.close()
        GeneratorWorker.await_workers(20_000)
        settle(0.05)


@pytest.fixture
def workspace(viewer: Any) -> Any:
    """The workspace in that window; it loads no model before a test runs one."""
    from napari_sparseexplain.widgets.workspace import open_workspace

    found = open_workspace(viewer)
    found.early.timer.setInterval(24 * 3600 * 1000)
    return found


@pytest.fixture
def fake_window(qapp: Any) -> Any:
    """A window that is none; see `FakeWindow`."""
    from napari.components import ViewerModel

    from .fake_window import FakeWindow

    return FakeWindow(ViewerModel())


@pytest.fixture
def opened(workspace: Any, study_folder: Path) -> Any:
    """The workspace with the small study open."""
    workspace.open_path(study_folder)
    assert workspace.wait(30)
    settle()
    return workspace


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Unsaved reviews of tests lie in the test's own folder."""
    from napari_sparseexplain.widgets.review import unsaved_review

    root = tmp_path / "unsaved"
    monkeypatch.setattr(unsaved_review, "user_data_path", lambda *_, **__: root)
    return root


@pytest.fixture
def tab(opened: Any) -> Any:
    """The Review tab in front, the small study open."""
    opened.show_tab("review")
    return opened.page("review")


@contextmanager
def held(session: Any) -> Iterator[None]:
    """Answers wait until the block ends, as those of a large model do."""
    real, go = session.answer, Event()

    def answer(*asked: Any) -> Any:
        go.wait(30)
        return real(*asked)

    session.answer = answer
    try:
        yield
    finally:
        go.set()
        session.answer = real


def settle(seconds: float = 0.2) -> None:
    """Let the window do what it has to do."""
    from qtpy.QtWidgets import QApplication

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.005)


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Keep the window alive until ``condition`` holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        settle(0.02)
