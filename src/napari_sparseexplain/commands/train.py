"""`sparseexplain train …`: train a model and save it as a bundle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import progress_bar
from .options import Device, NewBundle, TrainingSeed

if TYPE_CHECKING:
    from ..networks.bundle.model_card import ModelCard

Data = Annotated[
    Path,
    typer.Option("--data", help="Folder of studies (BraTS layout, real or phantom), or an .npz."),
]
Samples = Annotated[
    int | None, typer.Option("--samples", min=1, help="Slices seen in all (default: the recipe's).")
]
Positive = Annotated[
    bool, typer.Option("--positive-thresholds", help="Thresholds positive by construction.")
]


def _print(out: Path, card: ModelCard) -> None:
    """Where the bundle lies, how it scored, and what its card adds."""
    print(out)
    for name, value in card.metrics.items():
        print(f"{name}: {value}")
    for note in card.notes:
        print(f"note: {note}")


def _on_slices(kind: str, title: str) -> Callable[..., None]:
    def command(
        data: Data,
        out: NewBundle,
        seed: TrainingSeed = 0,
        samples: Samples = None,
        device: Device = "auto",
        positive_thresholds: Positive = False,
    ) -> None:
        from ..training.fit.train_bundle import train_bundle

        work = train_bundle(
            kind,
            data,
            out,
            seed=seed,
            samples=samples,
            device=device,
            positive_thresholds=positive_thresholds,
        )
        _print(out, progress_bar.run(work, f"training {kind}"))

    command.__doc__ = f"Train {title} on slices of ``--data`` and save the bundle."
    return command


train_sum_seg = _on_slices("sum-seg", "SUM_Seg (segmentation loss alone)")
train_sum_rec = _on_slices("sum-rec", "SUM_Rec (with the reconstruction term)")
train_sum_denoise = _on_slices("sum-denoise", "SUM_Denoise")
train_unet = _on_slices("unet", "the U-Net")
train_unet_nobn = _on_slices("unet-nobn", "the U-Net without batch normalisation")


def _of_classes(kind: str, title: str) -> Callable[..., None]:
    def command(
        data: Data,
        out: NewBundle,
        seed: TrainingSeed = 0,
        samples: Annotated[
            int | None,
            typer.Option("--samples", min=1, help="Crops seen in all (default: the recipe's)."),
        ] = None,
        device: Device = "auto",
        paper: Annotated[
            bool,
            typer.Option("--paper-loss", help="No loss terms for residual and specificity."),
        ] = False,
    ) -> None:
        from ..training.fit.train_class_bundle import train_class_bundle

        work = train_class_bundle(
            kind, data, out, seed=seed, samples=samples, device=device, paper=paper
        )
        _print(out, progress_bar.run(work, f"training {kind}"))

    command.__doc__ = f"Train {title} on t1, t1ce, t2, flair of ``--data`` and save the bundle."
    return command


train_jf_ml_ista = _of_classes("jf-ml-ista", "merged JF-ML-ISTA")
train_jf_ml_ista_separate = _of_classes("jf-ml-ista-separate", "separate JF-ML-ISTA")
train_jf_ml_ista_unconstrained = _of_classes(
    "jf-ml-ista-unconstrained", "merged JF-ML-ISTA without constraints, as in the paper"
)
train_jf_ml_ista_separate_unconstrained = _of_classes(
    "jf-ml-ista-separate-unconstrained", "separate JF-ML-ISTA without constraints"
)
train_unet_classes = _of_classes("unet-classes", "a U-Net with the same inputs and classes")


def train_proxy(
    teacher: Annotated[str, typer.Option("--teacher", help="Bundled name, or a bundle's folder.")],
    data: Data,
    out: NewBundle,
    seed: TrainingSeed = 0,
    samples: Samples = None,
    floor: Annotated[
        float,
        typer.Option("--floor", min=0.0, max=1.0, help="Dice to the teacher to be interpreted."),
    ] = 0.85,
    device: Device = "auto",
) -> None:
    """Fit a SUM to a frozen network, so that its responses can be looked at in its stead."""
    from ..training.fit.distillation import distil_bundle

    work = distil_bundle(teacher, data, out, seed=seed, samples=samples, floor=floor, device=device)
    _print(out, progress_bar.run(work, f"fitting a proxy to {teacher}"))
