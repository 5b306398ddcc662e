"""Impulse and frequency responses of a network's linear part.

Source: Zavala-Mondragón et al., "Segmentation CNNs are denoising models", Appendix B,
Eq. 19-24: with every threshold at zero a shrinkage network is linear, and its answer to a
Dirac says which frequencies its filters pass. The paper's protocol is kept (Dirac in the
middle of 384×384, the signal ĉ, cropped to 128×128); beside it stand the mean over all
phases and the ranges, because one Dirac does not define a system that contains a decimated
wavelet transform (see `shift_variance`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ...errors import ModelError
from ...evidence import ExplanationMap
from ...progress import Progress, Work
from ..method_result import MethodResult
from .fidelity import require_faithful
from .kept_responses import keep_responses, kept_responses
from .response_metrics import ResponseMetrics, frequency_magnitude, response_metrics
from .shift_variance import CROP, LinearPart, ShiftVariance, shift_variance_work

if TYPE_CHECKING:
    from ...networks.bundle.model import Model
    from ...volumes import Study
    from ..target import Target

#: Side of the image in whose middle the paper puts its Dirac.
PAPER_SIZE = 384

#: True of every shrinkage network, whatever was learned; shown beside its signals.
ODDNESS_NOTE = (
    "ED(-x) = -ED(x) for every α and every threshold: this network cannot treat bright and "
    "dark contrast differently before the output clips."
)


#: Names of the maps of the paper's response and of the mean over phases: space, frequency.
_PAPER = ("impulse-response", "frequency-response")
_AVERAGED = ("averaged-response", "averaged-frequency")


@dataclass(frozen=True, eq=False)
class ModelResponses:
    """What the linear part of one model does to an impulse.

    Attributes
    ----------
    title : str
        The model, for a person.
    spacing_mm : float
        Pixel size the model was trained at.
    outputs, roles : tuple of str
        Names of the output classes and of the input channels.
    impulse : ndarray, shape (outputs, roles, N, N)
        The paper's response, impulse at ``(N // 2, N // 2)``.
    shift : tuple of ShiftVariance
        One for each role; empty when only the paper's response was asked for.
    """

    title: str
    spacing_mm: float
    outputs: tuple[str, ...]
    roles: tuple[str, ...]
    impulse: npt.NDArray[np.float64]
    shift: tuple[ShiftVariance, ...] = ()

    def metrics(self, output: int = 0, role: int = 0) -> ResponseMetrics:
        """SDS, FDV, FDS of the paper's response."""
        return response_metrics(self.impulse[output, role])

    def magnitude(self, output: int = 0, role: int = 0) -> npt.NDArray[np.float64]:
        """``|FFT|`` of the paper's response, (N, N), the zero frequency in the middle."""
        return frequency_magnitude(self.impulse[output, role])

    @property
    def space_mm(self) -> npt.NDArray[np.float64]:
        """Distance of each row or column from the impulse, in millimetres, (N,)."""
        size = self.impulse.shape[-1]
        return (np.arange(size) - size // 2) * self.spacing_mm

    @property
    def frequency_per_mm(self) -> npt.NDArray[np.float64]:
        """Frequency of each row or column of a spectrum, in cycles per millimetre, (N,)."""
        size = self.impulse.shape[-1]
        axis = np.fft.fftshift(np.fft.fftfreq(size, self.spacing_mm))
        return np.asarray(axis, dtype=np.float64)


def linear_part(network: nn.Module, *, name: str = "") -> LinearPart:
    """The network, when it is linear with its thresholds at zero.

    Raises
    ------
    ModelError
        It is not linear at any setting (ReLU, max-pooling, normalisation).
    """
    if not callable(getattr(network, "linear", None)):
        raise ModelError(
            "this network has no impulse response: it is not linear at any setting",
            where=name or None,
            remedy="Use the effective response at a voxel (effective-response), which works for "
            "any network, or fit a SUM to it (sparseexplain train proxy) and look at that",
        )
    return cast(LinearPart, network)


def impulse_response(
    network: nn.Module, *, size: int = PAPER_SIZE, crop: int = CROP, name: str = ""
) -> npt.NDArray[np.float64]:
    """Response of the linear part to one Dirac in the middle of ``size``×``size`` (Eq. 24).

    Returns
    -------
    ndarray, shape (classes, in_channels, crop, crop)
        ĉ about the Dirac, which lies at ``(crop // 2, crop // 2)``.

    Raises
    ------
    ModelError
        The network is not linear at any setting.
    """
    part = linear_part(network, name=name)
    weight = next(iter(part.parameters()))
    x = torch.zeros(1, part.in_channels, size, size, device=weight.device, dtype=weight.dtype)
    middle, start = size // 2, size // 2 - crop // 2
    window = slice(start, start + crop)
    found = []
    with torch.inference_mode():
        for channel in range(part.in_channels):
            x.zero_()
            x[0, channel, middle, middle] = 1
            found.append(part.linear(x)[0, :, window, window].double().cpu().numpy())
    return np.stack(found, axis=1)


def model_responses_work(
    model: Model, *, phases: bool = True, crop: int = CROP, batch: int = 1
) -> Work[ModelResponses]:
    """Responses of a model, with (``phases``) or without those at every phase.

    Those of a bundle are computed once, see `kept_responses`.

    Parameters
    ----------
    crop : int
        Side of the square kept, even; the paper's 128 unless told otherwise. The metrics are
        comparable between models of one ``crop`` only.
    batch : int
        Impulses per forward pass.

    Raises
    ------
    ModelError
        The model is not linear at any setting, passes nothing at all, or is a proxy that does not
        stand for its teacher.
    """
    network = model.network
    part = linear_part(network, name=model.card.name)
    require_faithful(model.card)
    kept = kept_responses(model, crop)
    if kept is not None:
        return _of_model(model, kept[0], kept[1] if phases else ())
    impulse = impulse_response(network, size=max(PAPER_SIZE, 3 * crop), crop=crop)
    preview = _of_model(model, impulse)
    preview.metrics()  # refuses a network that passes nothing, before the long part
    yield Progress(0, 0, "Impulse response", preview)
    if not phases:
        return preview
    shift = []
    for channel in range(impulse.shape[1]):
        shift.append(
            (yield from shift_variance_work(part, channel=channel, crop=crop, batch=batch))
        )
    keep_responses(model, crop, (impulse, tuple(shift)))
    return _of_model(model, impulse, tuple(shift))


def _of_model(
    model: Model, impulse: npt.NDArray[np.float64], shift: tuple[ShiftVariance, ...] = ()
) -> ModelResponses:
    """With the names that the model's card has for them."""
    return ModelResponses(
        title=model.card.title or model.card.name,
        spacing_mm=model.card.inputs.spacing_mm,
        outputs=output_names(model, impulse.shape[0]),
        roles=model.card.inputs.roles,
        impulse=impulse,
        shift=shift,
    )


def output_names(model: Model, outputs: int) -> tuple[str, ...]:
    """Names of a network's output maps: the card's classes without the background."""
    named = tuple(name for label, name in model.card.classes.items() if str(label) != "0")
    if len(named) == outputs:
        return named
    return ("signal",) if outputs == 1 else tuple(f"output {n + 1}" for n in range(outputs))


def responses_work(
    study: Study | None,
    model: Model,
    *,
    target: Target | None,
    slices: slice | None,
    phases: bool,
    crop: int,
) -> Work[MethodResult]:
    """The method ``responses``: a model's impulse and frequency responses.

    ``study``, ``target`` and ``slices`` are not used: the response belongs to the model alone.

    Returns
    -------
    MethodResult
        Per output class and input role: ``impulse-response``, ``frequency-response`` and, with
        ``phases``, ``averaged-response`` and ``averaged-frequency`` (suffixed when there are
        several). Scores: the metrics, their smallest and largest value over the phases, and the
        defect.
    """
    found = yield from model_responses_work(model, phases=phases, crop=crop)
    maps: list[ExplanationMap] = []
    scores: dict[str, float | None] = {}
    for output, name in enumerate(found.outputs):
        for role, role_name in enumerate(found.roles):
            suffix, of = _suffix(found, name, role_name)
            maps += _maps(found, found.impulse[output, role], _PAPER, suffix, of)
            for key, value in found.metrics(output, role).as_dict().items():
                scores[key + of] = value
            if not found.shift:
                continue
            variance = found.shift[role]
            averaged = variance.averaged[output]
            maps += _maps(found, averaged, _AVERAGED, suffix, " (mean over phases)" + of)
            for key in variance.metrics:
                low, _, high = variance.span(key, output)
                scores[f"{key} lowest phase{of}"] = low
                scores[f"{key} highest phase{of}"] = high
            scores[f"shift defect{of}"] = float(variance.defect[output])
    return MethodResult(tuple(maps), scores, (ODDNESS_NOTE,))


def _suffix(found: ModelResponses, output: str, role: str) -> tuple[str, str]:
    """Endings for file names and for titles; empty where there is only one response."""
    parts = [output] if len(found.outputs) > 1 else []
    if len(found.roles) > 1:
        parts.append(role)
    slug = "".join("-" + part.lower().replace(" ", "-") for part in parts)
    return slug, "".join(f" · {part}" for part in parts)


def _maps(
    found: ModelResponses,
    response: npt.NDArray[np.float64],
    names: tuple[str, str],
    suffix: str,
    of: str,
) -> list[ExplanationMap]:
    """A response and its spectrum as maps with their axes."""
    peak = float(np.abs(response).max())
    step = float(found.frequency_per_mm[1] - found.frequency_per_mm[0])
    magnitude = frequency_magnitude(response)
    return [
        ExplanationMap(
            name=names[0] + suffix,
            data=response.astype(np.float32),
            kind="response",
            title=f"Impulse response{of}",
            space="space",
            value_range=(-peak, peak),
            signed=True,
            axes={"spacing": (found.spacing_mm,) * 2, "unit": "mm"},
        ),
        ExplanationMap(
            name=names[1] + suffix,
            data=magnitude.astype(np.float32),
            kind="response",
            title=f"Frequency response{of}",
            space="frequency",
            value_range=(0.0, float(magnitude.max())),
            axes={"spacing": (step, step), "unit": "cycles/mm"},
        ),
    ]
