"""How the networks that find the left ventricle are trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .augmentation import Augmentation


@dataclass(frozen=True)
class VentricleRecipe:
    """Hyperparameters of one training.

    Attributes
    ----------
    architecture, arguments
        As in a model card.
    epochs, batch : int
    windows : tuple of (share, side)
        Parts of the training in order: each sees windows of ``side`` pixels. Smaller windows cost
        less; the last part is of the size that is served.
    optimiser : {"adamw", "sgd"}
    learning_rate : float
        Of AdamW the largest: it rises over the first 15 % of the steps and falls to almost 0 along
        a cosine. Of SGD the first.
    decay, decay_steps : float, int
        Of SGD: the rate is multiplied by ``decay`` after every ``decay_steps`` steps.
    weight_decay : float
    dice : float
        Weight of the soft Dice beside the cross-entropy, half of it by slice, half by batch; the
        paper trains on cross-entropy alone.
    gradient_norm : float
        Gradients are clipped to it; 0 for not at all.
    half : bool
        Convolutions in bfloat16 while training, where that is faster (`half_precision`).
    augmentation : Augmentation or None
    """

    architecture: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    epochs: int = 60
    batch: int = 8
    windows: tuple[tuple[float, int], ...] = ((0.75, 192), (0.25, 256))
    optimiser: Literal["adamw", "sgd"] = "adamw"
    learning_rate: float = 1e-3
    decay: float = 0.75
    decay_steps: int = 10_000
    weight_decay: float = 0.01
    dice: float = 1.0
    gradient_norm: float = 5.0
    half: bool = False
    augmentation: Augmentation | None = field(default_factory=Augmentation)

    def side(self, done: float) -> int:
        """Pixels of a window when a share ``done`` of the training lies behind."""
        end = 0.0
        for share, side in self.windows:
            end += share
            if done < end:
                return side
        return self.windows[-1][1]


#: The paper's: SGD with a rate that falls in stairs, cross-entropy, no augmentation.
_PAPER: dict[str, Any] = {
    "epochs": 100,
    "batch": 1,
    "windows": ((1.0, 256),),
    "optimiser": "sgd",
    "learning_rate": 0.03,
    "weight_decay": 0.0,
    "dice": 0.0,
    "gradient_norm": 0.0,
    "augmentation": None,
}

#: Each name is also the name of the bundle.
VENTRICLE_RECIPES: dict[str, VentricleRecipe] = {
    "left-ventricle-fcn": VentricleRecipe("left-ventricle-fcn", epochs=40, half=True),
    "left-ventricle-unet": VentricleRecipe(
        "unet",
        {"classes": 2, "maps": 12, "head": "softmax"},
        epochs=36,
        learning_rate=3e-3,
        half=True,
    ),
    "left-ventricle-fcn-paper": VentricleRecipe("left-ventricle-fcn", **_PAPER),
    "left-ventricle-alexnet": VentricleRecipe("alexnet-fcn", **_PAPER),
}

TITLES: dict[str, str] = {
    "left-ventricle-fcn": "Left-ventricle FCN",
    "left-ventricle-unet": "Left-ventricle U-Net",
    "left-ventricle-fcn-paper": "Left-ventricle FCN, the paper's optimiser",
    "left-ventricle-alexnet": "AlexNet-FCN from scratch",
}
