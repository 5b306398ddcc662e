"""The table of faithfulness, against the same with each image asked anew, and against peers.

Methods are asked the same of a slice: with squares removed, on the image, its blur and nothing.
What the network answered is known by the image, and noisy images for max-sensitivity are explained
together. The other side of the first row asks each time and explains one by one, as it was before;
all figures of both are compared. Of single figures the peers are `saliency` (PIC) and `captum`
(infidelity) on the same slice, network and map. Timed in CPU time of one thread.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from captum.metrics import infidelity as captum_infidelity
from saliency.metrics import pic

from napari_sparseexplain.explanation.attribution import kept_attributions
from napari_sparseexplain.explanation.target import Target
from napari_sparseexplain.explanation.trust import map_figures
from napari_sparseexplain.explanation.trust.answered_images import AnsweredImages
from napari_sparseexplain.explanation.trust.explained_slices import (
    ExplainedSlices,
    explained_slices,
)
from napari_sparseexplain.explanation.trust.faithfulness import Faithfulness, faithfulness_work
from napari_sparseexplain.explanation.trust.infidelity import infidelity
from napari_sparseexplain.explanation.trust.performance_information_curve import (
    THRESHOLDS,
    as_bytes,
    as_network_input,
    information_curve,
    reveal,
    seed_pixels,
)
from napari_sparseexplain.networks.bundle.loading import load_model
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.progress import drain
from napari_sparseexplain.volumes import Study, open_study
from napari_sparseexplain.volumes.opening.sample import sample_path
from paired_timing import Row, paired

NETWORK, METHODS = "sum-rec", ("integrated-gradients", "guided-ig", "blur-ig", "vanilla-gradient")
SLICES, COUNT = slice(66, 76), 1
SAME = 1e-6


class _Numpy:
    """NumPy as the package knows it: it calls ``np.trapz``, which is gone in NumPy 2.4."""

    trapz = staticmethod(np.trapezoid)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


pic.np = _Numpy()

# Where all pixels are known the package gives a grey image back with a colour axis, which its own
# measure of entropy cannot take.
_blurred = pic.create_blurred_image


def _grey(full_img: Any, *more: Any, **named: Any) -> Any:
    return _blurred(full_img, *more, **named).reshape(full_img.shape)


pic.create_blurred_image = _grey


def table(study: Study, model: Model, *, before: bool = False) -> Faithfulness:
    """All figures of some methods; nothing is kept from run to run."""
    kept_attributions.forget()
    with ExitStack() as stack:
        if before:
            ask = lambda _self, _question, _place, images, ask: ask(images)  # noqa: E731
            stack.enter_context(patch.object(AnsweredImages, "answers", ask))
            stack.enter_context(patch.object(map_figures, "_draws_noise", lambda _method: True))
        work = faithfulness_work(
            [study], model, METHODS, Target.parse("WT"), slices=SLICES, count=COUNT
        )
        return drain(work)


def differ(one: Faithfulness, other: Faithfulness) -> float:
    """Largest difference of a figure, relative to it where it is above 1."""
    worst = 0.0
    for mine, theirs in zip(one.methods, other.methods, strict=True):
        for a, b in zip(mine.rows, theirs.rows, strict=True):
            if a.value is None or b.value is None:
                worst = max(worst, float((a.value is None) != (b.value is None)))
            else:
                worst = max(worst, abs(a.value - b.value) / max(1.0, abs(b.value)))
    return worst


def curves(slices: ExplainedSlices, heat: np.ndarray) -> tuple[Any, Any]:
    """Our information curve and the package's, each as a call."""
    image, seeds = slices.images[0], seed_pixels(slices.images.shape[2:], 0)
    pixels = as_bytes(image)

    def probability(images: np.ndarray) -> np.ndarray:
        return slices._answers(0, as_network_input(images))[0]

    def predicted(images: Any) -> Any:
        return probability(images[:, None])

    def ours() -> Any:
        shown = drain(reveal(pixels, heat, seeds))
        return information_curve(shown, probability(shown.images), least=0.0)

    def peer() -> Any:
        return pic.compute_pic_metric(
            pixels[0],
            heat,
            seeds,
            predicted,
            THRESHOLDS,
            min_pred_value=0.0,
        )

    return ours, peer


def infidelities(slices: ExplainedSlices, heat: np.ndarray) -> tuple[Any, Any]:
    """Our infidelity and Captum's, of the same squares, each as a call."""
    image, asked = slices.images[0], []

    def score(images: np.ndarray) -> np.ndarray:
        return slices.score.scores(images, np.full(len(images), slices.rows[0]))

    def noted(images: np.ndarray) -> np.ndarray:
        asked.append(images.copy())
        return score(images)

    drain(infidelity(noted, image, heat, batch=16))
    squares = torch.from_numpy(np.concatenate(asked[1:]))
    x = torch.from_numpy(image[None])
    moved = ((x - squares) != 0).float()

    def forward(images: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(score(images.numpy()))

    def ours() -> float:
        return drain(infidelity(score, image, heat, batch=16)).value

    def peer() -> float:
        return captum_infidelity(
            forward,
            lambda _: (moved, squares),
            x,
            torch.from_numpy(heat[None, None]),
            n_perturb_samples=len(squares),
        ).item()

    return ours, peer


def measure(repeats: int) -> list[Row]:
    """The whole table, then single figures."""
    study, model = open_study(sample_path()), load_model(NETWORK, device="cpu")
    found = differ(table(study, model), table(study, model, before=True))
    mine, other, ratio = paired(
        lambda: table(study, model),
        lambda: table(study, model, before=True),
        repeats,
        warmup=0,
        clock=time.process_time,
    )
    rows = [
        Row(
            f"faithfulness of {len(METHODS)} methods, all figures, {COUNT} slices",
            f"{mine:.1f} s",
            f"each image asked anew {other:.1f} s",
            f"{ratio:.2f}× faster, figures differ by {found:.1e}",
            f"same figures to {SAME:g}",
            bool(found <= SAME),
        )
    ]
    slices = drain(explained_slices(study, model, Target.parse("WT"), SLICES, count=1))
    heat = np.abs(slices.images[0, 0]).astype(np.float64)
    for name, peer_name, (ours, peer), value in (
        ("information curve", "saliency", curves(slices, heat), lambda item: item.auc),
        ("infidelity, 32 squares", "captum", infidelities(slices, heat), lambda item: item),
    ):
        one, two = value(ours()), value(peer())
        mine, other, ratio = paired(ours, peer, 3 * repeats, clock=time.process_time)
        rows.append(
            Row(
                f"{name} of one map, {NETWORK}, 128²",
                f"{mine:.2f} s",
                f"{peer_name} {other:.2f} s",
                f"{ratio:.2f}× faster, differ by {abs(one - two) / max(abs(two), 1e-12):.1e}",
                "beside, same figure",
                bool(abs(one - two) <= 1e-4 * max(abs(two), 1e-12)),
            )
        )
    return rows
