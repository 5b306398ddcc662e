"""The nine classifiers of the attribution study, by name, from scratch, for one channel.

DenseNet121, EfficientNet-B0 and ResNet50 are MONAI's, in two and three dimensions; the others are
timm's, in two. Both are extras and are loaded when a network is built.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

import torch
from torch import nn

from ...errors import ModelError
from .padded_square import padded_square


@dataclass(frozen=True)
class KnownClassifier:
    """Where a network comes from.

    Attributes
    ----------
    title : str
        As the paper calls it.
    source : {"monai", "timm"}
    name : str
        As the source calls it.
    least : int
        Rows and columns below which its poolings leave nothing.
    """

    title: str
    source: Literal["monai", "timm"]
    name: str
    least: int = 32


#: In the order of the paper's Table 3.
KNOWN_CLASSIFIERS: dict[str, KnownClassifier] = {
    "vgg16": KnownClassifier("VGG16", "timm", "vgg16", 224),
    "vgg19": KnownClassifier("VGG19", "timm", "vgg19", 224),
    "resnet50": KnownClassifier("ResNet50", "monai", "resnet50"),
    "resnet50v2": KnownClassifier("ResNet50V2", "timm", "resnetv2_50"),
    "inceptionv3": KnownClassifier("InceptionV3", "timm", "inception_v3", 75),
    "xception": KnownClassifier("Xception", "timm", "legacy_xception"),
    "efficientnet-b0": KnownClassifier("EfficientNetB0", "monai", "efficientnet-b0"),
    "densenet121": KnownClassifier("DenseNet121", "monai", "densenet121"),
    "inceptionresnetv2": KnownClassifier("InceptionResNetV2", "timm", "inception_resnet_v2", 75),
}


class KnownClassifierNetwork(nn.Module):
    """One of `KNOWN_CLASSIFIERS` with its weights drawn at random.

    Parameters
    ----------
    network : str
        A name of `KNOWN_CLASSIFIERS`.
    in_channels, classes : int
    size : int
        Images are filled up with zeros to at least this square: 225 in the paper.
    spatial_dims : int
        2, or 3 for MONAI's three.

    Raises
    ------
    ValueError
        No such network, or not in three dimensions.
    ModelError
        The package that it comes from is not there or does not load.
    """

    def __init__(
        self,
        network: str = "densenet121",
        in_channels: int = 1,
        classes: int = 3,
        size: int = 225,
        spatial_dims: int = 2,
    ) -> None:
        super().__init__()
        if network not in KNOWN_CLASSIFIERS:
            raise ValueError(f"the networks are {', '.join(KNOWN_CLASSIFIERS)}")
        known = KNOWN_CLASSIFIERS[network]
        if in_channels < 1 or classes < 2 or size < 1:
            raise ValueError("at least 1 image and 2 classes are needed")
        if spatial_dims != 2 and (known.source != "monai" or spatial_dims != 3):
            raise ValueError(f"{known.title} takes 2 dimensions here")
        if spatial_dims == 2 and size < known.least:
            raise ValueError(f"{known.title} needs at least {known.least} pixels a side")
        self.in_channels, self.classes = in_channels, classes
        self.size, self.spatial_dims = size, spatial_dims
        build = _from_monai if known.source == "monai" else _from_timm
        self.body = build(known, in_channels, classes, spatial_dims)

    def forward(self, x: torch.Tensor, alpha: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
        """Classify images.

        Parameters
        ----------
        x : Tensor, shape (B, in_channels, H, W) or (B, in_channels, D, H, W)
        alpha : float
            Must be 1: there are no thresholds to scale.

        Returns
        -------
        probabilities, logits : Tensor, shape (B, classes)

        Raises
        ------
        ModelError
            ``alpha`` is not 1.
        """
        if alpha != 1:
            raise ModelError(
                f"a classifier has no thresholds, so alpha = {alpha:g} means nothing to it",
                remedy="Leave alpha at 1",
            )
        logits = self.body(padded_square(x, self.size) if self.spatial_dims == 2 else x)
        return torch.softmax(logits, dim=1), logits


def _from_monai(known: KnownClassifier, inputs: int, classes: int, dims: int) -> nn.Module:
    try:
        nets = import_module("monai.networks.nets")
    except ImportError as error:
        raise ModelError(
            f"{known.title} is built by MONAI, which is not installed",
            remedy="Install the extra: pip install 'napari-sparseexplain[classifiers]'",
        ) from error
    if known.name == "densenet121":
        return nets.DenseNet121(spatial_dims=dims, in_channels=inputs, out_channels=classes)
    if known.name == "resnet50":
        return nets.resnet50(spatial_dims=dims, n_input_channels=inputs, num_classes=classes)
    return nets.EfficientNetBN(
        known.name, pretrained=False, spatial_dims=dims, in_channels=inputs, num_classes=classes
    )


def _from_timm(known: KnownClassifier, inputs: int, classes: int, _dims: int) -> nn.Module:
    timm = load_timm(known.title)
    return timm.create_model(known.name, pretrained=False, in_chans=inputs, num_classes=classes)


def load_timm(what: str) -> Any:
    """timm, or one line that says what keeps it from loading and how that is mended.

    Raises
    ------
    ModelError
    """
    try:
        return import_module("timm")
    except ImportError as error:
        raise ModelError(
            f"{what} is built by timm, which is not installed",
            remedy="Install the extra: pip install 'napari-sparseexplain[classifiers]'",
        ) from error
    except RuntimeError as error:  # a torchvision of another torch: its operators are not there
        if not re.search(r"torchvision::\w+ does not exist", str(error)):
            raise
        raise ModelError(
            f"{what} is built by timm, whose torchvision is not made for this torch "
            f"({torch.__version__}): {error}",
            remedy="Install the one that is: pip install --force-reinstall --no-deps torchvision "
            "--index-url https://download.pytorch.org/whl/cpu",
        ) from error


def depth_of(network: nn.Module) -> int:
    """Layers with weights that an input passes or may pass: convolutions and linear layers."""
    kinds = (nn.Conv2d, nn.Conv3d, nn.Linear)
    return sum(isinstance(module, kinds) for module in network.modules())
