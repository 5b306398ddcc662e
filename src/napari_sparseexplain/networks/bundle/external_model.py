"""Models from elsewhere: a TorchScript or `torch.export` file, a MONAI bundle, a callable.

Each comes with a card that the user gives: which scans it takes, how they are normalised, which
classes it tells apart. Python pickles are never read: a file is checked and made anew
(`torchscript_archive`, `exported_program`), and what it holds runs in a process of its own
(`model_process`). A callable or torch module that is handed over runs here.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, cast

import torch
from torch import nn

from ...arguments import given_path, shown
from ...errors import ModelError
from ..device import choose_device, is_out_of_memory
from ..exported.program import checked_exported_program
from ..exported.torchscript_archive import checked_torchscript
from ..process.model_process import ModelProcess
from ..process.network import ProcessNetwork
from ..running.caller_module import evaluating, modules_behind
from ..running.divisible_padding import DivisiblePadding
from ..running.faults import own_words
from .card_file import check_card, read_external_card
from .loaded_models import hold, remember
from .model import Model
from .model_card import ModelCard

#: Where a MONAI bundle keeps its TorchScript file.
_BUNDLE_FILES = ("models/model.ts", "models/model.pt", "model.ts")

HEADS: dict[str, Callable[[], nn.Module]] = {
    "softmax": lambda: nn.Softmax(dim=1),
    "sigmoid": nn.Sigmoid,
    "none": nn.Identity,
}


class ExternalNetwork(nn.Module):
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
    padding : {"end", "symmetric"}
        Where to.
    """

    def __init__(
        self,
        inner: Callable[..., Any],
        *,
        output: int | str | None = None,
        head: str = "softmax",
        multiple: int = 1,
        padding: Literal["end", "symmetric"] = "end",
    ) -> None:
        super().__init__()
        if head not in HEADS:
            raise ValueError(f"head must be one of {', '.join(HEADS)}")
        self.padding = DivisiblePadding(multiple, padding)
        self.inner, self.output, self.multiple = inner, output, multiple
        # Found anew in a copy, whose modules are others.
        self._own: tuple[Callable[..., Any], tuple[nn.Module, ...]] | None = None
        self.head = HEADS[head]()

    #: Whatever mode the caller's module is in, it is evaluated here, and left as it was.
    keeps_modes = True

    def train(self, mode: bool = True) -> ExternalNetwork:
        """Does not reach the network: an exported program has no modes, and none is trained."""
        self.training = mode
        return self

    def _behind(self) -> tuple[nn.Module, ...]:
        """The caller's modules that are run."""
        if self._own is None or self._own[0] is not self.inner:
            self._own = (self.inner, modules_behind(self.inner))
        return self._own[1]

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
        images, crop = self.padding.pad(x)
        try:
            with evaluating(self._behind()):
                given = self.inner(images)
        except Exception as error:  # a person's own code can raise anything
            if isinstance(error, ModelError) or is_out_of_memory(error):
                raise
            raise ModelError(
                f"the network fails on an input of shape {tuple(images.shape)} "
                f"({own_words(error)})",
                remedy="Check the card's inputs (roles, size), or give 'multiple' in its arguments",
            ) from error
        logits = self._chosen(given)
        if images is not x and logits.ndim == images.ndim:
            logits = logits[(..., *crop)]
        return self.head(logits), logits

    def _chosen(self, given: Any) -> torch.Tensor:
        if self.output is not None:
            try:
                given = _output(given, self.output)
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
        if not given.is_floating_point() or given.layout != torch.strided:
            raise ModelError(
                f"the network gives {given.dtype} ({given.layout}) where logits are wanted",
                remedy="Let it return its logits: dense floating-point numbers, before any argmax",
            )
        return given


def _output(given: Any, wanted: int | str) -> Any:
    """One of several outputs; of a single tensor there is none by name."""
    if isinstance(given, torch.Tensor) and isinstance(wanted, str):
        raise KeyError(wanted)
    return cast(Any, given)[wanted]


def load_external_model(
    path: str | Path, card: ModelCard | str | Path, device: str = "cpu"
) -> Model:
    """A model from a TorchScript file, a ``.pt2`` file, or a MONAI bundle's folder.

    Parameters
    ----------
    card : ModelCard, or path of a JSON file
        As ``card.json`` of a bundle; needed are name, task, inputs and classes. Its arguments are
        those of `ExternalNetwork`.

    Raises
    ------
    ModelError
        The file is missing, a pickle or damaged; the card is not one.
    """
    chosen = choose_device(device)
    file = _model_file(Path(path).expanduser())
    checksum = checksum_of(file)
    named = card.name if isinstance(card, ModelCard) else card
    if not isinstance(card, ModelCard):
        path = given_path(card, "card", kind=ModelError).expanduser()
        card = read_external_card(path, file.suffix.lstrip("."))
    _refuse_other_weights(card, checksum, file)
    known = replace(card, weights_sha256=checksum)
    check_card(known, str(named))
    remember(checksum, lambda where: load_external_model(file, known, where))
    kind = "pt2" if file.suffix == ".pt2" else "torchscript"
    process = ModelProcess(file, kind, chosen, _CheckedFile(file, kind, checksum))
    return _model(lambda: ProcessNetwork.opened(process), known, chosen, file)


def _refuse_other_weights(card: ModelCard, checksum: str, file: Path) -> None:
    if card.weights_sha256 and card.weights_sha256 != checksum:
        raise ModelError(
            f"the checksum is {checksum[:12]}… and the card says {str(card.weights_sha256)[:12]}…, "
            "so this is not the model that the card describes",
            where=file,
            remedy="Get both again from where they came, or take weights_sha256 out of the card",
        )


class _CheckedFile:
    """The checked copy of a file, made whenever its process starts; not of another file since."""

    def __init__(self, path: Path, kind: str, checksum: str) -> None:
        self._path, self._checksum = path, checksum
        self._check = checked_exported_program if kind == "pt2" else checked_torchscript

    def __call__(self) -> bytes:
        if checksum_of(self._path) != self._checksum:
            raise ModelError(
                "the file is no longer the one that was opened",
                where=self._path,
                remedy="Load the model again",
            )
        return self._check(self._path)


def wrap_callable(
    function: Callable[[torch.Tensor], Any], card: ModelCard, device: str = "cpu"
) -> Model:
    """A model from a Python callable, such as a torch module in memory.

    Raises
    ------
    ModelError
        The card is not one of a model.
    """
    if not isinstance(card, ModelCard):
        raise ModelError(
            f"the card cannot be {shown(card)}", remedy="Give a ModelCard of what the network takes"
        )
    if not callable(function):
        raise ModelError(
            f"a {type(function).__name__} is no network",
            where=card.name,
            remedy="Give a torch module, or a function of images",
        )
    check_card(replace(card, weights_sha256="0" * 64), card.name)
    model = _model(lambda: function, card, choose_device(device), None)
    hold(model)
    return model


def checksum_of(path: Path) -> str:
    """The sha256 of a file.

    Raises
    ------
    ModelError
        It cannot be read.
    """
    try:
        with open(path, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(
            f"the file cannot be read ({error.strerror or error})",
            where=path,
            remedy="Give a TorchScript file, a .pt2 file or a MONAI bundle's folder",
        ) from error


def _model(
    make: Callable[[], Callable[..., Any]],
    card: ModelCard,
    device: torch.device,
    path: Path | None,
) -> Model:
    exclusive = "0" in {str(label) for label in card.classes}
    arguments = {
        "head": "softmax" if exclusive else "sigmoid",
        "multiple": card.inputs.multiple,
        "padding": card.inputs.padding,
        **card.arguments,
    }
    if fault := _argument_fault(arguments):
        raise ModelError(
            f"the card's arguments are not understood ({fault})",
            where=card.name,
            remedy="They may be output, head (softmax, sigmoid, none), multiple and padding",
        )
    inner = make()
    if isinstance(inner, nn.Module) and path is not None:
        inner.to(device)
    elif isinstance(inner, nn.Module) and _is_elsewhere(inner, device):
        inner = copy.deepcopy(inner).to(device)  # the caller's own stays where it is
    return Model(card, ExternalNetwork(inner, **arguments), device, path)


def _is_elsewhere(module: nn.Module, device: torch.device) -> bool:
    weight = next(module.parameters(), None)
    return weight is not None and weight.device != device


def _argument_fault(arguments: Mapping[str, Any]) -> str | None:
    """What is wrong with the arguments of a card."""
    head, multiple, output = (
        arguments["head"],
        arguments.get("multiple", 1),
        arguments.get("output"),
    )
    if unknown := sorted(set(arguments) - {"output", "head", "multiple", "padding"}, key=str):
        return f"there is none called {str(unknown[0])[:80]!r}"
    if not isinstance(head, str) or head not in HEADS:
        return f"head must be one of {', '.join(HEADS)}"
    try:
        DivisiblePadding(multiple, arguments.get("padding", "end"))
    except ValueError as error:
        return str(error)
    if output is not None and type(output) not in (int, str):
        return "output must be a place (0, 1, …) or a name"
    return None


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
