"""How the classifiers are trained: with the paper's settings, and with a better recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class ClassAugmentation:
    """How far pictures are changed.

    Attributes
    ----------
    rotation : float
        Degrees to either side.
    scale : float
        Largest relative change of size.
    shift : float
        To either side, as a share of the picture.
    mirror : bool
        Left to right: which side is which is not known of the set, and tells no class.
    mix : float
        Of the beta distribution by which two pictures and their classes are mixed (mixup, Zhang et
        al. 2018); 0 for not at all.
    contrast, gamma, noise, shading : float
        As of `training.fit.shaded`.
    """

    rotation: float = 20.0
    scale: float = 0.2
    shift: float = 0.1
    mirror: bool = True
    mix: float = 0.2
    contrast: float = 0.25
    gamma: float = 0.3
    noise: float = 0.15
    shading: float = 0.2


@dataclass(frozen=True)
class ClassRecipe:
    """Settings of one training.

    Attributes
    ----------
    architecture, arguments
        As in a model card, without the number of classes.
    size : int
        Rows and columns that the network is fed.
    epochs, batch : int
    optimiser : {"adamw", "sgd"}
        AdamW: the rate rises over the first tenth of the steps and falls along a cosine. SGD: the
        rate stays.
    learning_rate, momentum, weight_decay : float
    smoothing : float
        Share of each target that is spread over all classes.
    box_weight : float
        Weight of a second loss: the third stage's maps must say, by one more convolution that is
        thrown away later, where the boxes lie. 0 for training on classes alone.
    average : float
        Of the running mean of weights that is kept in place of the last ones; 0 for the last.
    balanced : bool
        Classes weigh the same in the loss, however many pictures they have.
    half : bool
        Convolutions in bfloat16 while training, where that is faster (`half_precision`).
    augmentation : ClassAugmentation or None
    """

    architecture: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    size: int = 128
    epochs: int = 60
    batch: int = 32
    optimiser: Literal["adamw", "sgd"] = "adamw"
    learning_rate: float = 3e-3
    momentum: float = 0.9
    weight_decay: float = 0.05
    smoothing: float = 0.05
    box_weight: float = 0.0
    average: float = 0.995
    balanced: bool = True
    half: bool = True
    augmentation: ClassAugmentation | None = field(default_factory=ClassAugmentation)


#: The paper's settings: SGD, momentum .939, rate 1e-3, decay 3e-4, batches of 32, 20 epochs, 225
#: pixels, no augmentation told.
PAPER: Mapping[str, Any] = {
    "size": 225,
    "epochs": 20,
    "batch": 32,
    "optimiser": "sgd",
    "learning_rate": 1e-3,
    "momentum": 0.939,
    "weight_decay": 3e-4,
    "smoothing": 0.0,
    "average": 0.0,
    "balanced": False,
    "half": False,
    "augmentation": None,
}

CLASS_RECIPES: dict[str, ClassRecipe] = {
    "tumour-classes": ClassRecipe("small-resnet", {"size": 128}),
    "tumour-classes-boxes": ClassRecipe("small-resnet", {"size": 128}, box_weight=1.0),
}

TITLES: dict[str, str] = {
    "tumour-classes": "Tumour classes",
    "tumour-classes-boxes": "Tumour classes, shown where",
}
