"""A real window, a small study on disk, a small network: what the window's tests start from."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import signature
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest

from ..cpu_of_files import charged_to

if TYPE_CHECKING:
    from .shared_window import SharedWindow, Step

#: What opening the first window costs: no file asks for it alone.
FIRST_WINDOW = "the first window of each process"

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


def write_study(folder: Path) -> Path:
    """T1, FLAIR and mask of one subject, LAS, 1 x 1 x 2 mm."""
    folder.mkdir()
    for role in ("flair", "t1"):
        image = nib.Nifti1Image(tiny_head(), LAS)
        nib.save(image, folder / f"tiny_{role}.nii.gz")
    mask = tiny_lesion().astype(np.uint8) * 2
    nib.save(nib.Nifti1Image(mask, LAS), folder / "tiny_seg.nii.gz")
    return folder


@pytest.fixture(scope="session")
def kept_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files that many tests read and none writes."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="session")
def study_folder(kept_folder: Path) -> Path:
    """The small study, read by many tests: none writes into it."""
    return write_study(kept_folder / "tiny")


@pytest.fixture
def own_study_folder(tmp_path: Path) -> Path:
    """The small study in the test's own folder, to be moved or damaged."""
    return write_study(tmp_path / "tiny")


@pytest.fixture(scope="session")
def bundle(kept_folder: Path) -> Path:
    """A small untrained SUM with thresholds that do something; none writes into it."""
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
    save_bundle(kept_folder / "bundle", card, network)
    return kept_folder / "bundle"


@pytest.fixture(scope="session")
def pursuit(kept_folder: Path) -> Path:
    """A small pursuit, merged, three rounds; none writes into it."""
    from .small_pursuit import save_pursuit

    return save_pursuit(kept_folder / "pursuit")


@pytest.fixture(scope="session")
def shared_window(
    request: pytest.FixtureRequest, study_folder: Path, kept_folder: Path
) -> Iterator[SharedWindow]:
    """The window that tests share; see `SharedWindow`.

    A file whose runs load much has a function ``load_before_windows(folder)``: what it loads, too,
    stays out of later searches for garbage.
    """
    from .known_callbacks import read_signatures_once
    from .known_shaders import read_shaders_once
    from .shared_window import SharedWindow
    from .unseen_pictures import draw_only_what_is_looked_at, paint_at_rest

    with charged_to(FIRST_WINDOW):
        read_shaders_once()
        read_signatures_once()
        draw_only_what_is_looked_at()
        paint_at_rest()
        _search_for_garbage_where_layers_went()
        import torch  # noqa: F401
    for module in dict.fromkeys(getattr(item, "module", None) for item in request.session.items):
        if load := getattr(module, "load_before_windows", None):
            of = Path(str(module.__file__)).relative_to(request.config.rootpath).as_posix()
            with charged_to(of):
                load(kept_folder)
    with charged_to(FIRST_WINDOW):
        _open_the_first(study_folder, kept_folder / "unsaved")
    shared = SharedWindow()
    try:
        yield shared
    finally:
        shared.close()
        gc.enable()


def _search_for_garbage_where_layers_went() -> None:
    """`batched_changes` keeps all from napari's search where no layer went: here it has none.

    To keep it all out, `gc.freeze`, would mix it with what the suite keeps out, and to count that
    takes 0.1 s each. `tests/layers/test_batched_changes.py` looks at the real search. That napari's
    own search after each removed layer went through young objects alone was tried: two files of
    72 CPU s took 54, and in the one run of all tests a window's process crashed.
    """
    from types import SimpleNamespace

    from napari._vispy import canvas

    from napari_sparseexplain.layers import batched_changes

    kept_out: list[bool] = []
    real = canvas.gc
    canvas.gc = SimpleNamespace(  # type: ignore[attr-defined]
        collect=lambda *given: 0 if kept_out else real.collect(*given)
    )
    batched_changes.gc = SimpleNamespace(  # type: ignore[assignment]
        get_freeze_count=lambda: 0,
        freeze=lambda: kept_out.append(True),
        unfreeze=kept_out.clear,
    )


def _open_the_first(study_folder: Path, unsaved: Path) -> None:
    """Open a window and close it: what is made once lies beside every later search for garbage.

    napari searches whenever a layer goes, 0.3 s each with all modules and tables in it. What is
    there once no window is stays to the end; what belongs to a later one is found and freed as
    ever.
    """
    from .shared_window import SharedWindow

    first = SharedWindow()
    with pytest.MonkeyPatch.context() as patch:
        _keep_unsaved_in(unsaved, patch)
        first.lend(new_workspace, [with_study(study_folder)])
        first.close()
    gc.collect()
    gc.freeze()
    # From here on garbage is collected where nothing of Qt is under way: when a window is ready,
    # after one is closed, and when a layer goes, as napari does. Python's own moments are any
    # allocation: windows' processes have crashed in the middle of a widget's constructor.
    gc.disable()


def new_window() -> Any:
    """A real window of the smallest size that must do."""
    import napari

    window = napari.Viewer(show=True)
    window.window.resize(1280, 800)
    return window


def new_workspace() -> Any:
    """The workspace in a new window."""
    return workspace_in(new_window())


def workspace_in(window: Any) -> Any:
    """The workspace of a window; it loads no model before a test runs one."""
    from napari_sparseexplain.widgets.workspace import open_workspace

    found = open_workspace(window)
    found.early.timer.setInterval(24 * 3600 * 1000)
    return found


@pytest.fixture
def viewer(shared_window: SharedWindow) -> Iterator[Any]:
    """A window of the test's own, the only one there is."""
    from napari.qt.threading import GeneratorWorker

    shared_window.close()
    window = new_window()
    try:
        yield window
    finally:
        window.close()
        GeneratorWorker.await_workers(20_000)
        settle(0.05)
        gc.collect()


@pytest.fixture
def workspace(viewer: Any) -> Any:
    """The workspace in that window."""
    return workspace_in(viewer)


@pytest.fixture
def fake_window(qapp: Any) -> Any:
    """A window that is none; see `FakeWindow`."""
    from napari.components import ViewerModel

    from .fake_window import FakeWindow

    return FakeWindow(ViewerModel())


def with_study(folder: Path) -> Step:
    """The small study opened."""

    def step(workspace: Any) -> None:
        workspace.open_path(folder)
        assert workspace.wait(30)
        settle()

    return f"study {folder}", step


@pytest.fixture
def opened(shared_window: SharedWindow, study_folder: Path, own_folder: Path) -> Any:
    """The workspace with the small study open, as it was opened: the window is shared."""
    return shared_window.lend(new_workspace, [with_study(study_folder)])


@pytest.fixture
def opened_alone(workspace: Any, own_study_folder: Path) -> Any:
    """The workspace of a new window, with a small study that is the test's own.

    Also where a test replaces what Qt itself calls (`closeEvent`): Qt remembers it for a window,
    which must be closed before it is taken back.
    """
    with_study(own_study_folder)[1](workspace)
    return workspace


@pytest.fixture(autouse=True)
def own_folder(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Unsaved reviews of tests lie in the test's own folder.

    A test that asks what lies there starts with a new window: when one is saved depends on all
    that was marked in its window before.
    """
    if "own_folder" in signature(request.function).parameters:
        request.getfixturevalue("shared_window").close()
    root = tmp_path / "unsaved"
    _keep_unsaved_in(root, monkeypatch)
    return root


def _keep_unsaved_in(root: Path, patch: pytest.MonkeyPatch) -> None:
    from napari_sparseexplain.widgets.review import unsaved_review

    patch.setattr(unsaved_review, "user_data_path", lambda *_, **__: root)


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

    from .unseen_pictures import paint_what_waits

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.005)
    # What is painted may change what is laid out.
    for _ in range(2):
        paint_what_waits()
        QApplication.processEvents()


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Keep the window alive until ``condition`` holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        settle(0.02)
