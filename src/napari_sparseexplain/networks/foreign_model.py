"""Models from elsewhere: a TorchScript or `torch.export` file, a MONAI bundle, a callable.

Each comes with a card that the user gives: which scans it takes, how they are normalised, which
classes it tells apart. Python pickles are never read: TorchScript is read by torch's own reader of
numbers and TorchScript code, an exported program as `exported_program` says.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..errors import ModelError
from ..sparse.haar_frame import pad_to_multiple
from .bundle import Model
from .card_file import check_card, read_foreign_card
from .device import choose_device, is_out_of_memory
from .exported_program import load_exported_program
from .model_card import ModelCard

#: Where a MONAI bundle keeps its TorchScript file.
_BUNDLE_FILES = ("models/model.ts", "models/model.pt", "model.ts")

#: TorchScript operators that touch files.
_FILE_OPERATORS = re.compile(r"\b(?:torch|ops\.aten)\.(?:from_file|save|load)\s*\(")

HEADS: dict[str, Callable[[], nn.Module]] = {
    "softmax": lambda: nn.Softmax(dim=1),
    "sigmoid": nn.Sigmoid,
    "none": nn.Identity,
}


class ForeignNetwork(nn.Module):
    """A network from elsewhere, called as those of the bundles are.

    Parameters
    ----------
    inner : callable
        Images (B, channels, rows, columns) to logits (B, classes) or (B, classes, rows, columns),
        or to several outputs of which ``output`` chooses one.
    output : int or str, optional
        Place or key of the logits among several outputs.
    head : {"softmax", "sigmoid", "none"}
        What makes probabilities of the logits.
    multiple : int
        Rows and columns are padded to multiples of this inside, and cropped back.
    """

    def __init__(
        self,
        inner: Callable[..., Any],
        *,
        output: int | str | None = None,
        head: str = "softmax",
        multiple: int = 1,
    ) -> None:
        super().__init__()
        if head not in HEADS:
            raise ValueError(f"head must be one of {', '.join(HEADS)}")
        if not isinstance(multiple, int) or multiple < 1:
            raise ValueError("multiple must be a whole number from 1")
        self.inner, self.output, self.multiple = inner, output, multiple
        self.head = HEADS[head]()

    def train(self, mode: bool = True) -> ForeignNetwork:
        """Does not reach the network: an exported program has no modes, and none is trained."""
        self.training = mode
        return self

    def forward(self, x: torch.Tensor, alpha: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
        """Probabilities and logits of images (B, channels, H, W).

        Raises
        ------
        ModelError
            ``alpha`` is not 1, the network fails on the input, or has no such output.
        """
        if alpha != 1:
            raise ModelError(
                f"this network has no thresholds, so alpha = {alpha:g} means nothing to it",
                remedy="Choose a SUM model, or leave alpha at 1",
            )
        images, crop = pad_to_multiple(x, self.multiple) if self.multiple > 1 else (x, None)
        try:
            given = self.inner(images)
        except (RuntimeError, ValueError, TypeError, AssertionError) as error:
            if isinstance(error, ModelError) or is_out_of_memory(error):
                raise
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise ModelError(
                f"the network fails on an input of shape {tuple(images.shape)} ({said[-1]})",
                remedy="Check the card's inputs (roles, size), or give 'multiple' in its arguments",
            ) from error
        logits = self._chosen(given)
        if crop is not None and logits.ndim == images.ndim:
            logits = logits[..., crop[0], crop[1]]
        return self.head(logits), logits

    def _chosen(self, given: Any) -> torch.Tensor:
        if self.output is not None:
            try:
                given = given[self.output]
            except (KeyError, IndexError, TypeError) as error:
                raise ModelError(
                    f"the network has no output {self.output!r}",
                    remedy="Correct 'output' in the card's arguments",
                ) from error
        if isinstance(given, tuple | list) and len(given) == 1:
            (given,) = given
        if not isinstance(given, torch.Tensor):
            count = f" of {len(given)}" if isinstance(given, tuple | list | Mapping) else ""
            raise ModelError(
                f"the network gives a {type(given).__name__}{count} where logits are wanted",
                remedy="Say which output they are in the card's arguments: {'output': 0}",
            )
        return given


def load_foreign_model(
    path: str | Path, card: ModelCard | str | Path, device: str = "cpu"
) -> Model:
    """A model from a TorchScript file, a ``.pt2`` file, or a MONAI bundle's folder.

    Parameters
    ----------
    card : ModelCard, or path of a JSON file
        As ``card.json`` of a bundle; needed are name, task, inputs and classes. Its arguments are
        those of `ForeignNetwork`.

    Raises
    ------
    ModelError
        The file is missing, a pickle or damaged; the card is not one.
    """
    chosen = choose_device(device)
    file = _model_file(Path(path).expanduser())
    with open(file, "rb") as stream:
        checksum = hashlib.file_digest(stream, "sha256").hexdigest()
    if not isinstance(card, ModelCard):
        card = read_foreign_card(Path(card).expanduser(), file.suffix.lstrip("."))
    known = replace(card, weights_sha256=checksum)
    check_card(known, str(card) if isinstance(card, str | Path) else known.name)
    inner = load_exported_program(file) if file.suffix == ".pt2" else _torchscript(file)
    return _model(inner, known, chosen, file)


def wrap_callable(
    function: Callable[[torch.Tensor], Any], card: ModelCard, device: str = "cpu"
) -> Model:
    """A model from a Python callable, such as a torch module in memory.

    Raises
    ------
    ModelError
        The card is not one of a model.
    """
    check_card(replace(card, weights_sha256="0" * 64), card.name)
    return _model(function, card, choose_device(device), None)


def _model(
    inner: Callable[..., Any], card: ModelCard, device: torch.device, path: Path | None
) -> Model:
    exclusive = "0" in {str(label) for label in card.classes}
    arguments = {"head": "softmax" if exclusive else "sigmoid", **card.arguments}
    try:
        network = ForeignNetwork(inner, **arguments)
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"the card's arguments are not understood ({error})",
            where=card.name,
            remedy="They may be output, head (softmax, sigmoid, none) and multiple",
        ) from error
    if isinstance(inner, nn.Module):
        network.requires_grad_(False).to(device)
    return Model(card, network, device, path)


def _model_file(path: Path) -> Path:
    if path.is_dir():
        for name in _BUNDLE_FILES:
            if (path / name).is_file():
                return path / name
        raise ModelError(
            "the folder holds no TorchScript file",
            where=path,
            remedy="A MONAI bundle has models/model.ts; export it with `monai.bundle ckpt_export`",
        )
    if not path.is_file():
        raise ModelError(
            "there is no such model file",
            where=path,
            remedy="Give a TorchScript file, a .pt2 file or a MONAI bundle's folder",
        )
    return path


def _torchscript(path: Path) -> nn.Module:
    """A TorchScript module, read by torch's own reader: no Python code of the file is run."""
    remedy = "Save it with torch.jit.save(torch.jit.trace(network, example), FILE)"
    if not zipfile.is_zipfile(path):
        raise ModelError(
            "this is no TorchScript file; a pickle can run any code when it is opened, so it is "
            "not loaded",
            where=path,
            remedy=remedy,
        )
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        code = [name for name in names if "/code/" in name and name.endswith(".py")]
        if not code or not any(name.endswith("constants.pkl") for name in names):
            raise ModelError(
                "this file was written by torch.save: a pickle, which can run any code when it is "
                "opened, so it is not loaded",
                where=path,
                remedy=remedy,
            )
        for name in code:
            if _FILE_OPERATORS.search(archive.read(name).decode("utf-8", errors="replace")):
                raise ModelError(
                    "this TorchScript reads or writes files, so it is not loaded",
                    where=path,
                    remedy="Trace the network alone",
                )
    try:
        return torch.jit.load(str(path), map_location="cpu").eval()
    except (RuntimeError, ValueError) as error:
        said = str(error).strip().splitlines() or [""]
        raise ModelError(
            f"the TorchScript file cannot be read ({said[0]})", where=path, remedy=remedy
        ) from error
