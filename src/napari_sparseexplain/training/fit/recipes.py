"""How the five networks of the SUM paper are trained on slices.

The paper's hyperparameters suit its 834 slices and 300 epochs. These are for some ten thousand
phantom slices seen once or twice; what differs, and why, is said at each field of `Recipe`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ...errors import ModelError


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters of one training.

    Attributes
    ----------
    architecture, arguments
        As in a model card.
    denoise : bool
        L1 against the clean image instead of Eq. 13.
    miss_weight : float
        Of a missed lesion against a false alarm, see `soft_iou_loss`. Lesions of phantoms are
        clearer than real ones, so a network that weighs both alike is too cautious on patients.
    reconstruction : float
        λ_Rec of Eq. 13.
    reconstruction_share : float
        Share of each batch on which the reconstruction term is measured. The term is a mean, so
        a part of the (shuffled) batch estimates it; half costs half of the second pass.
    samples : int
        Slices seen in all.
    batch : int
        Slices a step.
    learning_rate : float
        Falls linearly to 0. The paper's 3.5e-4 is for ten times as many steps.
    weight_decay : float
        On all weights but the thresholds, which it would only pull to 0.
    gradient_norm : float
        Gradients are clipped to it (in the paper's code, not in its text).
    window : (int, int) or None
        Slices are cut to this height and width about the brain, which saves a third of the time;
        None trains on whole slices.
    contrast : (float, float)
        Least and greatest factor by which a slice's contrast is stretched about the median.
    shading : float
        Greatest strength of a smooth random gain over the slice, as a coil's.
    range_jitter : float
        Each slice is scaled by ``1 ± range_jitter``; 0 because phantom slices come jittered.
    noise : float
        Standard deviation of the noise to remove, as a share of the range.
    half : bool
        Convolutions in bfloat16 while training (the loss stays in float32), on machines that
        compute with it (`half_precision`): half the time of a U-Net. A SUM gains nothing, its
        time goes into shrinkages.
    silent_steps : int
        Steps with a lesion in sight and an all-zero mask after which the output counts as dead.
    """

    architecture: str
    arguments: dict[str, Any] = field(default_factory=dict)
    denoise: bool = False
    miss_weight: float = 1.0
    reconstruction: float = 0.0
    reconstruction_share: float = 0.5
    samples: int = 28_000
    batch: int = 8
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    gradient_norm: float = 1e-3
    window: tuple[int, int] | None = (112, 96)
    contrast: tuple[float, float] = (1.0, 1.0)
    shading: float = 0.0
    range_jitter: float = 0.0
    noise: float = 0.1
    half: bool = False
    silent_steps: int = 200

    @property
    def steps(self) -> int:
        """Optimiser steps in all."""
        return max(1, self.samples // self.batch)


#: Scans differ in contrast more than phantoms do; without it networks take the bright gyri of a
#: contrasty scan for lesion. Shading, which a SUM learns to see through, makes a U-Net cautious.
_SUM: dict[str, Any] = {"samples": 16_000, "contrast": (0.6, 1.6), "shading": 0.12}
_UNET: dict[str, Any] = {"samples": 8_000, "contrast": (0.8, 1.3), "miss_weight": 1.5}

#: The five networks; each name is also the name of the bundle.
RECIPES: dict[str, Recipe] = {
    "sum-seg": Recipe("sum", **_SUM),
    "sum-rec": Recipe("sum", reconstruction=0.35, **_SUM),
    "sum-denoise": Recipe("sum", denoise=True, samples=8_000),
    "unet": Recipe("unet", **_UNET),
    "unet-nobn": Recipe("unet", {"batch_norm": False}, **_UNET),
}

TITLES: dict[str, str] = {
    "sum-seg": "SUM_Seg",
    "sum-rec": "SUM_Rec",
    "sum-denoise": "SUM_Denoise",
    "unet": "U-Net",
    "unet-nobn": "U-Net_NoBN",
}


def recipe_of(kind: str, **changes: Any) -> Recipe:
    """The recipe of a kind, with some fields changed.

    Raises
    ------
    ModelError
        No such kind.
    """
    if kind not in RECIPES:
        raise ModelError(f"there is no recipe {kind!r}", remedy="Known are " + ", ".join(RECIPES))
    return replace(RECIPES[kind], **changes)
