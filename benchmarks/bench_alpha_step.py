"""One α step on one slice: forward passes counted, and its time against one forward pass."""

from __future__ import annotations

import torch

from napari_sparseexplain.explanation.proxy.signals import slice_signals
from napari_sparseexplain.networks.bundle.loading import load_model
from napari_sparseexplain.networks.running.preparation import prepare
from napari_sparseexplain.volumes import open_study
from napari_sparseexplain.volumes.opening.sample import sample_path
from paired_timing import Row, milliseconds, paired


def measure(repeats: int) -> list[Row]:
    """One row for the count, one for the time."""
    model = load_model("sum-rec")
    study = open_study(sample_path())
    prepared = prepare(study, model.card, slice(78, 79))
    slice_signals(model, prepared, 1.0)
    passes = 0

    def count(*_: object) -> None:
        nonlocal passes
        passes += 1

    handle = model.network.bottom.register_forward_hook(count)
    steps = [0.1 * i for i in range(1, 11)]
    for alpha in steps:
        slice_signals(model, prepared, alpha)
    handle.remove()
    x = torch.from_numpy(prepared.array)

    def ours() -> None:
        for alpha in steps:
            slice_signals(model, prepared, alpha, bands=False)

    def peer() -> None:
        with torch.inference_mode():
            for alpha in steps:
                model.network(x, alpha)

    mine, theirs, ratio = paired(ours, peer, repeats)
    return [
        Row(
            "forward passes of 10 α steps",
            str(passes),
            "",
            f"{passes / len(steps):g} a step",
            "1 a step",
            passes == len(steps),
        ),
        Row(
            "one α step on one slice",
            milliseconds(mine / len(steps)),
            f"one forward pass {milliseconds(theirs / len(steps))}",
            f"{1 / ratio:.2f}× the time",
            "about 1×",
            1 / ratio <= 1.25,
        ),
    ]
