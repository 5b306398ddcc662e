"""What a person waits for: the window with a study, and the first run of each tab, wall and CPU.

Each figure is of a fresh process. Beside the window stands plain napari with the same arrays;
beside a run, torch loaded and the same network run forward once on such a slice. A run begins when
the models are there that the window loads by itself once a study is open; how long that takes, in
the background, is a row of its own. The wall time is what is asked for; the ratio is of CPU time,
which other programs disturb less.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paired_timing import Row

_HERE = Path(__file__).resolve()
_BRATS = _HERE.parents[2] / "shared/data/brain_tumour/brats_gli_00000"


@dataclass(frozen=True)
class _Wait:
    """One thing that is waited for.

    Attributes
    ----------
    name : str
    ours, peer : str
        Arguments of this file's own processes.
    wanted : float
        Seconds of wall time.
    """

    name: str
    ours: tuple[str, ...]
    peer: tuple[str, ...]
    wanted: float


def _waits() -> list[_Wait]:
    from napari_sparseexplain.volumes.opening.sample import sample_path

    sample = str(sample_path())
    found = [_Wait("window with the sample study", ("open", sample), ("napari", sample), 5.0)]
    if _BRATS.is_dir():
        brats = str(_BRATS)
        found.append(_Wait("brats_gli_00000 to the picture", ("open", brats), ("napari", brats), 6))
    return [
        *found,
        _Wait("models in the background", ("early", sample), ("forward", "sum-rec", sample), 5.0),
        _Wait("first run: Proxy", ("proxy", sample), ("forward", "sum-rec", sample), 3.0),
        _Wait("first run: Decompose", ("decompose", sample), ("forward", "jf-ml-ista", sample), 3),
        _Wait("first run: XRAI", ("xrai", sample), ("forward", "sum-rec", sample), 4.0),
        _Wait("first run: guided IG", ("guided-ig", sample), ("forward", "sum-rec", sample), 4.0),
        _Wait("first run: Responses", ("responses", sample), ("forward", "sum-rec", sample), 1.0),
    ]


def measure(repeats: int) -> list[Row]:
    """One row a wait."""
    rows = []
    for wait in _waits():
        ours = [_timed(wait.ours) for _ in range(repeats)]
        peer = [_timed(wait.peer) for _ in range(repeats)]
        mine, cpu = (statistics.median(found[n] for found in ours) for n in (0, 1))
        theirs, plain = (statistics.median(found[n] for found in peer) for n in (0, 1))
        beside = "plain napari" if wait.peer[0] == "napari" else "one forward pass"
        rows.append(
            Row(
                wait.name,
                f"{mine:.1f} s, CPU {cpu:.1f} s",
                f"{beside} {theirs:.1f} s, CPU {plain:.1f} s",
                f"{cpu / plain:.2f}× its CPU time",
                f"≤ {wait.wanted:g} s",
                mine <= wait.wanted,
            )
        )
    return rows


def _timed(arguments: tuple[str, ...]) -> tuple[float, float]:
    """Wall and CPU seconds that a process says that it waited."""
    done = subprocess.run(
        [sys.executable, str(_HERE), *arguments], capture_output=True, text=True, check=True
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("WAITED "))
    wall, cpu = json.loads(line.removeprefix("WAITED "))
    return wall, cpu


def _stopwatch() -> Callable[[], None]:
    """From now until it is called, which is said."""
    wall, cpu = time.perf_counter(), time.process_time()

    def stop() -> None:
        passed = (time.perf_counter() - wall, time.process_time() - cpu)
        print("WAITED " + json.dumps(passed), flush=True)

    return stop


def _open(path: str) -> Any:
    import napari

    from napari_sparseexplain.widgets.workspace import open_workspace

    viewer = napari.Viewer(show=True)
    window = open_workspace(viewer)
    window.open_path(path)
    window.wait(120)
    _settle()
    return window


def _load_early(window: Any) -> None:
    """What a person does not notice who looks at the scans."""
    from qtpy.QtWidgets import QApplication

    while window.early.loading:
        QApplication.processEvents()
        time.sleep(0.005)


def _settle() -> None:
    from qtpy.QtWidgets import QApplication

    for _ in range(3):
        QApplication.processEvents()


def _plain_napari(path: str) -> None:
    import napari
    import nibabel as nib
    import numpy as np

    viewer = napari.Viewer(show=True)
    for file in sorted(Path(path).glob("*.nii.gz")):
        data = np.asarray(nib.load(file).dataobj)  # type: ignore[attr-defined]
        if "seg" in file.name:
            viewer.add_labels(data.astype(np.uint8))
        else:
            viewer.add_image(data)
    _settle()


def _forward(name: str, path: str) -> None:
    import numpy as np
    import torch

    from napari_sparseexplain.networks.bundle.loading import load_model

    model = load_model(name, device="cpu")
    size = model.card.inputs.size or 128
    channels = len(model.card.inputs.roles)
    with torch.no_grad():
        model.network(torch.zeros(1, channels, size, size))
    np.asarray(path)


def _first_run(what: str, window: Any) -> None:
    if what == "responses":
        window.page("proxy").responses.refresh()
        window.page("proxy").responses.wait(120)
    elif what in ("proxy", "decompose"):
        window.show_tab(what)
        window.page(what).run_slice()
        window.wait(120)
    else:
        window.show_tab("attribution")
        tab = window.page("attribution")
        tab.choose_method(what)
        tab.run_slice()
        window.wait(120)
    _settle()


def _child(what: str, *more: str) -> None:
    if what == "open":
        stop = _stopwatch()
        _open(*more)
        stop()
    elif what == "napari":
        stop = _stopwatch()
        _plain_napari(*more)
        stop()
    elif what == "forward":
        stop = _stopwatch()
        _forward(*more)
        stop()
    else:
        window = _open(*more)
        if what == "early":
            stop = _stopwatch()
            _load_early(window)
            stop()
            return
        _load_early(window)
        # On the slice with the most tumour, as one would look there.
        window.go_to_slice(int((window.study["seg"].spatial() != 0).sum(axis=(1, 2)).argmax()))
        _settle()
        stop = _stopwatch()
        _first_run(what, window)
        stop()


if __name__ == "__main__":
    import os

    _child(*sys.argv[1:])
    # What was waited for is said. Qt's binding can abort while the interpreter is taken down.
    os._exit(0)
