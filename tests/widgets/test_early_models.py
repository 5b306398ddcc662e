"""Models are loaded while the scans are looked at; nothing waits for it, and no error is said."""

from __future__ import annotations

from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest

from napari_sparseexplain.networks.bundle import loading as bundles
from napari_sparseexplain.networks.running import input_region
from napari_sparseexplain.widgets.parts.model_session import ModelKey, ModelSession

from .conftest import until


def test_a_run_and_what_loads_early_load_a_model_once(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, key, loaded = ModelSession(), ModelKey(str(bundle), "cpu"), []
    load = bundles.load_model

    def counted(*args: Any, **kwargs: Any) -> Any:
        loaded.append(args)
        return load(*args, **kwargs)

    monkeypatch.setattr(bundles, "load_model", counted)
    both, found = Barrier(2), []

    def ask() -> None:
        both.wait()
        found.append(session.model(key))

    threads = [Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loaded) == 1
    assert found[0] is found[1]


@pytest.mark.gui
def test_chosen_models_are_there_before_the_first_run(
    workspace: Any, study_folder: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, attribution = workspace.page("proxy"), workspace.page("attribution")
    proxy.models.choose(bundle)
    # Weights that are gone when they are wanted: the tab says so when it runs, and not before.
    attribution.models.choose(bundle)
    said = attribution.run_bar.message.text()
    for page in workspace.tabs.pages():
        if hasattr(page, "session") and page is not proxy and page is not attribution:
            page.session.load_early = lambda key: (_ for _ in ()).throw(RuntimeError("broken"))
    assert not workspace.early.loading
    workspace.early.timer.setInterval(0)
    workspace.open_path(study_folder)
    assert workspace.wait(30)
    until(lambda: not workspace.early.loading, 60)
    for page in (proxy, attribution):
        assert page.session._models
        assert not page.computing
        assert page.run_bar.message.text() == said
    assert not workspace.busy

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the brain was found before")

    monkeypatch.setattr(input_region, "find_brain", refuse)
    proxy.run_slice()
    assert workspace.wait(60)
    assert len(proxy.shown) == 1
