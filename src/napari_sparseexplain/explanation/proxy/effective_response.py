"""Which pixels, and which frequencies, decide at one voxel of one image.

Beyond the SUM paper: its impulse response needs the thresholds at zero. With them on, and in
any network, the signal at a voxel still has a derivative with respect to every input pixel:
one row of the Jacobian, found by one backward pass. It is the filter that the network applies
at this voxel of this image. With α = 0 it is the impulse responses themselves, each pixel's
taken at its own phase and seen from the output, so mirrored at the voxel.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch

from ...errors import StudyError
from ...evidence import ExplanationMap
from ...networks.bundle.model import Model
from ...networks.running.inference import network_tensor
from ...networks.running.preparation import Prepared, Resolution, prepare
from ...progress import Progress, Work
from ...volumes import Study
from ...volumes.captions import voxel_caption
from ..method_result import MethodResult
from ..target import Target
from .response_metrics import frequency_magnitude
from .responses import output_names
from .shift_variance import CROP

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class EffectiveResponse:
    """The filter in effect at one voxel.

    Attributes
    ----------
    row, column : int
        The voxel, on the network's pixels.
    jacobian : ndarray, shape (roles, H, W)
        Derivative of ĉ at the voxel with respect to every input pixel.
    response : ndarray, shape (roles, N, N)
        The same cut out about the voxel, which lies at ``(N // 2, N // 2)``; 0 past the image.
    magnitude : ndarray, shape (roles, N, N)
        ``|FFT|`` of it, the zero frequency in the middle.
    spacing : tuple of float
        Size (row, column) of a pixel, in ``unit``.
    unit : {"mm", "px"}
        Pixels where the study gives no size.
    signal, filtered : float
        ĉ at the voxel, and what this filter alone gives on this image (the Jacobian's row times
        the image). They agree for a network without thresholds and biases; the difference is
        what those add.
    output : str
        The class whose signal it is.
    """

    row: int
    column: int
    jacobian: Array
    response: Array
    magnitude: Array
    spacing: tuple[float, float]
    unit: str
    signal: float
    filtered: float
    output: str

    def peak_frequency(self, role: int = 0) -> float:
        """Frequency at which the filter passes most, in cycles per ``unit``; 0 for the mean."""
        radius = frequency_radius(self.magnitude.shape[-1], self.spacing)
        return float(radius.flat[int(self.magnitude[role].argmax())])

    def octaves(self, role: int = 0) -> tuple[tuple[float, float, float], ...]:
        """Share of the energy in each octave; see `octave_shares`."""
        return octave_shares(self.magnitude[role], self.spacing)


def effective_response(
    model: Model,
    prepared: Prepared,
    row: int,
    column: int,
    *,
    alpha: float = 1.0,
    output: int | None = None,
    crop: int = CROP,
) -> EffectiveResponse:
    """The filter in effect at one pixel of the network, by one forward and one backward pass.

    Parameters
    ----------
    prepared : Prepared
        Its first slice is looked at (``prepare(study, card, slice(80, 81))``).
    row, column : int
        On the network's pixels (`Prepared.to_network_index` of the clicked one).
    output : int, optional
        Class whose signal is differentiated; the strongest one there when not given.
    crop : int
        Side of the square cut out, even.

    Raises
    ------
    StudyError
        Nothing in the image moves the signal there, so there is no response.
    """
    x = network_tensor(prepared.array[:1], model.device).requires_grad_(True)
    with torch.enable_grad():
        _, signal = model.network(x, alpha)
        here = signal[0, :, row, column]
        chosen = int(here.argmax()) if output is None else output
        (gradient,) = torch.autograd.grad(here[chosen], x)
    jacobian = gradient[0].double().cpu().numpy()
    if not np.isfinite(jacobian).all() or not jacobian.any():
        raise StudyError(
            "nothing near this voxel moves the signal there, so it has no response",
            remedy="Click inside the brain, or lower α",
        )
    half = crop // 2
    padded = np.pad(jacobian, ((0, 0), (half, half), (half, half)))
    response = padded[:, row : row + 2 * half, column : column + 2 * half]
    return EffectiveResponse(
        row=row,
        column=column,
        jacobian=jacobian,
        response=response,
        magnitude=frequency_magnitude(response),
        spacing=prepared.spacing,
        unit="mm" if prepared.grid.calibrated else "px",
        signal=float(here[chosen].detach()),
        filtered=float((jacobian * prepared.array[0]).sum()),
        output=output_names(model, signal.shape[1])[chosen],
    )


def frequency_radius(size: int, spacing: tuple[float, float]) -> Array:
    """Frequency of every bin of a shifted spectrum (N, N), in cycles per unit of ``spacing``."""
    rows, columns = (np.fft.fftshift(np.fft.fftfreq(size, step)) for step in spacing)
    return np.hypot(rows[:, None], columns[None, :])


def octave_shares(
    magnitude: npt.ArrayLike, spacing: tuple[float, float]
) -> tuple[tuple[float, float, float], ...]:
    """Share of a spectrum's energy in each octave below the Nyquist frequency.

    Parameters
    ----------
    magnitude : array-like, shape (N, N)
        As `frequency_magnitude` gives it.

    Returns
    -------
    tuple of (low, high, share)
        From the finest octave to the coarsest, in cycles per unit; the finest takes in the
        corners past the Nyquist frequency, the last everything down to 0. Shares add up to 1.
    """
    energy = np.asarray(magnitude, dtype=np.float64) ** 2
    size = energy.shape[-1]
    radius = frequency_radius(size, spacing)
    nyquist = 0.5 / max(spacing)
    # An octave must be wider than a bin; what is coarser cannot be told apart.
    count = max(1, int(np.log2(size)) - 2)
    edges = [np.inf, *(nyquist / 2**n for n in range(1, count + 1)), 0.0]
    total = energy.sum()
    return tuple(
        (
            float(low),
            float(min(high, nyquist)),
            float(energy[(radius >= low) & (radius < high)].sum() / total),
        )
        for high, low in pairwise(edges)
    )


def effective_response_work(
    study: Study,
    model: Model,
    *,
    target: Target,
    slices: slice | None,
    alpha: float,
    crop: int,
    resolution: Resolution,
) -> Work[MethodResult]:
    """The method ``effective-response``: the filter in effect at a voxel of the study.

    Parameters
    ----------
    target : Target
        A voxel; its name, when it has one, is the class.
    slices : slice or None
        Not used: the voxel says which slice.

    Returns
    -------
    MethodResult
        Per role ``effective-response`` (space), ``effective-spectrum`` (frequency) and
        ``influence`` (the Jacobian's row on the study's slice). Scores: peak frequency, period,
        the share of every octave, ĉ, and what the filter alone gives.

    Raises
    ------
    StudyError
        The target is not a voxel of the study, names no class of the model, or has no response.
    """
    s, p, l = voxel_of(study, target)  # noqa: E741
    yield Progress(0, 2, "Preparing the slice")
    prepared = prepare(study, model.card, slice(s, s + 1), resolution=resolution)
    row, column = prepared.to_network_index(p, l)
    yield Progress(1, 2, "Differentiating the signal")
    output = None if not target.name else _output_of(model, target.name)
    found = effective_response(model, prepared, row, column, alpha=alpha, output=output, crop=crop)
    roles = model.card.inputs.roles
    maps: list[ExplanationMap] = []
    scores: dict[str, float | None] = {
        "signal here": found.signal,
        "filter alone": found.filtered,
    }
    for channel, role in enumerate(roles):
        ending, of = ("", "") if len(roles) == 1 else (f"-{role}", f" · {role}")
        maps += _maps(found, prepared, channel, ending, of)
        peak = found.peak_frequency(channel)
        scores[f"peak frequency (cycles/{found.unit}){of}"] = peak
        scores[f"peak period ({found.unit}){of}"] = 1 / peak if peak else None
        for low, high, share in found.octaves(channel):
            scores[f"energy {low:.3g}-{high:.3g} cycles/{found.unit}{of}"] = share
    return MethodResult(
        tuple(maps),
        scores,
        (*prepared.notes, "It holds for this voxel of this image only."),
        target=f"{found.output} at {voxel_caption((s, p, l))}",
        slices=slice(s, s + 1),
        region=prepared.region,
    )


def _size_label(study: Study) -> str:
    slices, rows, columns = study.grid.shape
    return f"{slices} slices, {rows} rows and {columns} columns"


def voxel_of(study: Study, target: Target) -> tuple[int, int, int]:
    """The voxel that a target means.

    Raises
    ------
    StudyError
        It is not a voxel, or lies outside the study.
    """
    remedy = "Click in the image, or give voxel:SLICE,ROW,COLUMN, counted from 0"
    if target.kind != "voxel" or target.index is None:
        raise StudyError(
            f"the effective response is that of one voxel, not of {target.label!r}", remedy=remedy
        )
    if any(not 0 <= v < n for v, n in zip(target.index, study.grid.shape, strict=True)):
        raise StudyError(
            f"{target.label} lies outside the study, which has {_size_label(study)}",
            where=study.name,
            remedy=remedy,
        )
    return target.index


def _output_of(model: Model, name: str) -> int:
    names = [n for label, n in model.card.classes.items() if str(label) != "0"]
    labels = [label for label in model.card.classes if str(label) != "0"]
    for options in (names, labels):
        if name in options:
            return options.index(name)
    raise StudyError(
        f"the model has no class {name!r}",
        where=model.card.name,
        remedy="Its classes are: " + (", ".join(names) or "none, leave the name out"),
    )


def _maps(
    found: EffectiveResponse, prepared: Prepared, channel: int, ending: str, of: str
) -> list[ExplanationMap]:
    size = found.response.shape[-1]
    response, magnitude = found.response[channel], found.magnitude[channel]
    influence = prepared.to_study(found.jacobian[None, channel].astype(np.float32))
    peak, top = float(np.abs(response).max()), float(np.abs(influence).max())
    return [
        ExplanationMap(
            "influence" + ending,
            influence,
            "response",
            f"Influence on this voxel{of}",
            value_range=(-top, top),
            signed=True,
        ),
        ExplanationMap(
            "effective-response" + ending,
            response.astype(np.float32),
            "response",
            f"Effective response{of}",
            space="space",
            value_range=(-peak, peak),
            signed=True,
            axes={"spacing": found.spacing, "unit": found.unit},
        ),
        ExplanationMap(
            "effective-spectrum" + ending,
            magnitude.astype(np.float32),
            "response",
            f"Effective frequency response{of}",
            space="frequency",
            value_range=(0.0, float(magnitude.max())),
            axes={
                "spacing": tuple(1 / (size * step) for step in found.spacing),
                "unit": f"cycles/{found.unit}",
            },
        ),
    ]
