"""A person's torch module in place of a model: its card is made from what is said beside it.

What a module cannot say of itself is asked for (which scans it takes, how they are normalised);
the rest is seen by running it once: how many classes it tells apart, whether it gives one score an
image or one a pixel, which of several outputs holds them, and to what its rows and columns must be
padded.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn.parameter import UninitializedParameter

from ...errors import ModelError, ParameterError
from ...sparse.haar_frame import pad_to_multiple
from ...volumes import Study
from ...volumes.intensity.normalisation import Normalisation
from ..bundle.external_model import wrap_callable
from ..bundle.model import Model
from ..bundle.model_card import Inputs, ModelCard
from ..device import choose_device, is_out_of_memory
from .caller_module import evaluating, modules_behind
from .faults import own_words
from .inference import weight_dtype
from .preparation import prepare

#: Where scans are fed, by how they are normalised: as those who train networks so do it.
_MASKS = {"brain-range": "brain", "unit": "none", "none": "none", "window": "none"}

#: The same of what is measured over a region.
_MASKS_OF_REGIONS = {
    "fed": "non-zero",
    "non-zero": "non-zero",
    "whole": "none",
    "mask": "brain",
    "slice": "none",
}

#: Under which a network that gives a dictionary keeps its logits, the likeliest first.
_LOGITS = ("logits", "out", "pred", "prediction", "predictions", "output", "seg", "segmentation")

#: Multiples of rows and columns that are tried where a network fails on the slice as it is.
_MULTIPLES = (2, 4, 8, 16, 32)

#: Rows and columns on which a module is tried where there is no study.
_SIDE = 64


@dataclass(frozen=True)
class PlainModel:
    """A module with its card, and what was assumed of it.

    Attributes
    ----------
    model : Model
    notes : tuple of str
        Sentences a person must read beside a result.
    """

    model: Model
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Answer:
    """What a module gave: its scores, and where among its outputs they were."""

    scores: torch.Tensor
    output: int | str | None = None
    note: str = ""


def model_of_module(
    module: Callable[..., Any],
    roles: str | Sequence[str] | None,
    normalisation: str | Mapping[str, Any] | Normalisation | None,
    *,
    study: Study | None = None,
    slices: slice | None = None,
    device: str | None = None,
) -> PlainModel:
    """A model from a torch module (or a function of a tensor) and two words.

    The module itself is run, in evaluation mode, and has its modes, weights and flags again
    afterwards. Slices are fed at the study's own pixels.

    Parameters
    ----------
    module : torch.nn.Module or callable
        From images (B, channels, rows, columns) to logits (B, classes) or
        (B, classes, rows, columns).
    roles : str or sequence of str
        Scans of the study, one an input channel, in their order.
    normalisation : str, mapping or Normalisation, optional
        A name of ``NORMALISATIONS``, or with parameters ``{"name": "window", "centre": 40, "width":
        80}``; ``"z-score"`` when not given.
    study : Study, optional
        On whose slices the module is tried.
    slices : slice, optional
        Those to be explained, whole numbers inside the study.
    device : str, optional
        Where it is to run: a copy of it, if it lies elsewhere. Where it lies, when not given.

    Raises
    ------
    ModelError
        No roles, no such normalisation; the module takes several inputs or volumes, lies on several
        devices or holds no numbers, fails on a slice, or gives no scores.
    StudyError
        The study lacks a role.
    """
    name = _name(module)
    channels = _roles(roles, name, study)
    way = _way("z-score" if normalisation is None else normalisation, name)
    mask = _MASKS_OF_REGIONS[way.region] if way.region else _MASKS[way.name]
    _check_inputs(module, name)
    _check_layers(module, name)
    place = _device(module, name, device)
    card = ModelCard(
        name=name,
        title=name,
        architecture="torch-module",
        arguments={},
        task="segmentation",
        inputs=Inputs(channels, way, *_pixels(study), mask=mask),
        classes={},
        licence="not stated",
    )
    images = _images(study, card, slices, len(channels))
    model = wrap_callable(module, card, place)
    answer, multiple = _tried(model, images, name)
    classes, sentence = _classes(answer.scores, name)
    arguments: dict[str, Any] = {} if multiple == 1 else {"multiple": multiple}
    if answer.output is not None:
        arguments["output"] = answer.output
    task = "classification" if answer.scores.ndim == 2 else "segmentation"
    card = replace(card, arguments=arguments, classes=classes, task=task)
    fed = f"{name} was fed {', '.join(channels)}, normalisation {way.words}, at the study's own "
    fed += "pixels."
    said = [fed, sentence, answer.note]
    if multiple > 1:
        said.append(f"Rows and columns were padded to multiples of {multiple} for it.")
    return PlainModel(wrap_callable(module, card, place), tuple(s for s in said if s))


def _name(module: Callable[..., Any]) -> str:
    if isinstance(module, nn.Module):
        return str(getattr(module, "original_name", type(module).__name__))
    return str(getattr(module, "__name__", type(module).__name__))


def _way(given: str | Mapping[str, Any] | Normalisation, name: str) -> Normalisation:
    try:
        return Normalisation.of(given)
    except ParameterError as error:
        raise ModelError(error.what, where=name, remedy=error.remedy) from error


def _roles(roles: str | Sequence[str] | None, name: str, study: Study | None) -> tuple[str, ...]:
    channels = (roles,) if isinstance(roles, str) else tuple(roles or ())
    if channels and all(isinstance(role, str) and role for role in channels):
        return channels
    there = "" if study is None else f" (the study has {', '.join(study.images) or 'no scan'})"
    raise ModelError(
        "a torch module does not say which scans it takes",
        where=name,
        remedy=f"Name them in the order of its channels, as roles=('flair',){there}",
    )


def _check_inputs(module: Callable[..., Any], name: str) -> None:
    try:
        signature = inspect.signature(module.forward if isinstance(module, nn.Module) else module)
    except (TypeError, ValueError):  # compiled: it will say so itself
        return
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    needed = [
        p.name
        for p in signature.parameters.values()
        if p.default is inspect.Parameter.empty and p.kind not in kinds
    ]
    if len(needed) > 1:
        raise ModelError(
            f"the module takes {len(needed)} inputs ({', '.join(needed)}), and it is given one: "
            "images (slices, channels, rows, columns)",
            where=name,
            remedy="Wrap it in a module of one input that fills in the others",
        )


def _check_layers(module: Callable[..., Any], name: str) -> None:
    layers = [layer for part in modules_behind(module) for layer in part.modules()]
    if any(isinstance(layer, nn.Conv3d | nn.ConvTranspose3d) for layer in layers):
        # A single slice would pass for a volume of one channel, and be answered wrongly.
        raise ModelError(
            "the module takes volumes (it has 3-D convolutions), and slices are fed one by one",
            where=name,
            remedy="Give a network for 2-D slices",
        )
    if any(isinstance(w, UninitializedParameter) for layer in layers for w in layer.parameters()):
        raise ModelError(
            "the module has lazy layers, whose weights are not made yet",
            where=name,
            remedy="Run it once on images (slices, channels, rows, columns) before",
        )


def _device(module: Callable[..., Any], name: str, device: str | None) -> str:
    found = {
        str(tensor.device)
        for part in modules_behind(module)
        for tensor in (*part.parameters(), *part.buffers())
    }
    if "meta" in found:
        raise ModelError(
            "the module lies on the device 'meta', so its weights hold no numbers",
            where=name,
            remedy="Load its weights first: module.to_empty(device='cpu'), then load_state_dict",
        )
    if device is not None:
        return str(choose_device(device))
    if len(found) > 1:
        raise ModelError(
            f"parts of the module lie on several devices ({', '.join(sorted(found))})",
            where=name,
            remedy="Bring it to one, as module.to('cpu'), or give device='cpu'",
        )
    return next(iter(found), "cpu")


def _pixels(study: Study | None) -> tuple[float, int]:
    """Pixel size and number of pixels on a side that stand in the card: the study's own."""
    if study is None:
        return 1.0, _SIDE
    _, rows, columns = study.grid.spacing
    return float((rows * columns) ** 0.5), int(max(study.grid.shape[1:]))


def _images(
    study: Study | None, card: ModelCard, slices: slice | None, channels: int
) -> npt.NDArray[np.float32]:
    """One slice to try the module on: the middle one of those asked for."""
    if study is None:
        return np.zeros((1, channels, _SIDE, _SIDE), dtype=np.float32)
    span = slices or slice(0, study.grid.shape[0])
    middle = (span.start + span.stop - 1) // 2
    return prepare(study, card, slice(middle, middle + 1), resolution="native").array


def _tried(model: Model, images: npt.NDArray[np.float32], name: str) -> tuple[_Answer, int]:
    """The module's answer to a slice, and the multiple that its rows and columns were padded to."""
    network = model.network
    inner: Any = network.inner
    given = torch.from_numpy(images).to(model.device, weight_dtype(network))
    fault: ModelError | None = None
    tried: set[tuple[int, ...]] = set()
    for multiple in (1, *_MULTIPLES):
        padded, _ = pad_to_multiple(given, multiple)
        if tuple(padded.shape) in tried:
            continue
        tried.add(tuple(padded.shape))
        try:
            return _asked(inner, padded, name), multiple
        except ModelError as error:
            fault = fault or error
    assert fault is not None
    raise fault


def _asked(inner: Callable[..., Any], images: torch.Tensor, name: str) -> _Answer:
    try:
        with torch.no_grad(), evaluating(modules_behind(inner)):
            given = inner(images)
    except Exception as error:  # a person's own code can raise anything
        full = is_out_of_memory(error)
        raise ModelError(
            f"the module fails on images of shape {tuple(images.shape)} ({own_words(error)})",
            where=name,
            remedy="Give device='cpu', or fewer pixels"
            if full
            else "It is fed 2-D slices (slices, channels, rows, columns), one channel for each of "
            "roles",
        ) from error
    answer = _chosen(given, name)
    scores = answer.scores
    per_pixel = scores.ndim == 4 and scores.shape[2:] == images.shape[2:]
    if len(scores) != len(images) or not (scores.ndim == 2 or per_pixel):
        raise ModelError(
            f"the module gives an output of shape {tuple(scores.shape)} for images of shape "
            f"{tuple(images.shape)}",
            where=name,
            remedy="It must give logits (slices, classes) or (slices, classes, rows, columns), "
            "with the rows and columns of its input",
        )
    return answer


def _chosen(given: Any, name: str) -> _Answer:
    """The scores among what a module gave, and a sentence where there was a choice."""
    if isinstance(given, torch.Tensor):
        return _Answer(given)
    entries: dict[int | str, Any] = {}
    if isinstance(given, Mapping):
        entries = {str(key): value for key, value in given.items()}
    elif isinstance(given, tuple | list):
        entries = dict(enumerate(given))
    tensors = [key for key, value in entries.items() if isinstance(value, torch.Tensor)]
    if not tensors:
        raise ModelError(
            f"the module gives a {type(given).__name__} without a tensor where logits are wanted",
            where=name,
            remedy="Wrap it in a module that returns its logits",
        )
    taken = next((key for key in _LOGITS if key in tensors), tensors[0])
    kind = "dictionary" if isinstance(given, Mapping) else type(given).__name__
    listed = ", ".join(repr(key) for key in entries)
    note = (
        f"The module gives a {kind} of {len(entries)} ({listed}); {taken!r} was taken as its "
        "logits. To explain another, give a module that returns it."
    )
    return _Answer(entries[taken], taken, note if len(entries) > 1 else "")


def _classes(scores: torch.Tensor, name: str) -> tuple[dict[str, str], str]:
    """Classes by label value, and what was assumed of them."""
    count = int(scores.shape[1])
    if count == 0:
        raise ModelError("the module gives no scores at all", where=name, remedy="Check its output")
    if count == 1:
        return {"1": "class 1"}, f"Its one output was taken as the logit of class 1 ({name})."
    return (
        {str(k): f"class {k}" for k in range(count)},
        f"Its {count} outputs were taken as logits of classes 0 to {count - 1} that exclude each "
        "other; a card says otherwise (docs/external-models.md).",
    )
