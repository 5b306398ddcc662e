"""How wide and how uneven an impulse response is: SDS, FDV and FDS.

Source: Zavala-Mondragón et al., "Segmentation CNNs are denoising models", Appendix C,
Eq. 25-29. Two readings of the print are settled here:

* SDS weighs with ``|r|``. Eq. 29 as printed weighs with the signed response; its sum can be
  near zero or negative, and the "spread" then runs from tens below zero to hundreds.
* The horizontal Sobel kernel has ``-2 0 2`` in its middle row; Eq. 28 prints ``-2 0 1``.

Conventions: the impulse lies at index ``N // 2`` of each axis of the cropped response, and
the zero frequency at ``N // 2`` of each axis of the shifted spectrum (`numpy.fft.fftshift`).
Lengths are in pixels and frequency bins, as in the paper; they are comparable between
responses of one crop size only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ModelError

Array = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class ResponseMetrics:
    """The numbers of one impulse response, in pixels and frequency bins.

    Attributes
    ----------
    sds : float
        Spatial-domain spread, Eq. 29 with ``|r|``.
    sds_energy : float
        The same with ``r²`` as weight. The paper's SDS is ruled by the response's faint,
        wide tail; this one by where its energy lies. They can differ tenfold.
    fdv : float
        Frequency-domain variation, Eq. 25-28.
    fds : float
        Frequency-domain spread about the zero frequency, Eq. 29.
    """

    sds: float
    sds_energy: float
    fdv: float
    fds: float

    def as_dict(self) -> dict[str, float]:
        """Names as printed in tables: ``SDS``, ``SDS (energy)``, ``FDV``, ``FDS``."""
        return {
            "SDS": self.sds,
            "SDS (energy)": self.sds_energy,
            "FDV": self.fdv,
            "FDS": self.fds,
        }


def frequency_magnitude(response: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """``|FFT|`` of responses ``(..., N, M)``, the zero frequency at ``(N // 2, M // 2)``."""
    array = np.asarray(response, dtype=np.float64)
    return np.abs(np.fft.fftshift(np.fft.fft2(array), axes=(-2, -1)))


def space_spread(
    response: npt.ArrayLike, *, impulse: tuple[float, float] | None = None, power: int = 1
) -> npt.NDArray[np.float64]:
    """Mean distance from the impulse, weighed with ``|r|**power`` (Eq. 29).

    Parameters
    ----------
    response : array-like, shape (..., N, M)
        Impulse responses.
    impulse : tuple of float, optional
        Row and column of the impulse; ``(N // 2, M // 2)`` when not given.
    power : int
        1 gives the paper's SDS, 2 the energy-weighted one.

    Returns
    -------
    ndarray, shape (...)
        Spread in pixels.

    Raises
    ------
    ModelError
        A response is zero everywhere, or not finite.
    """
    weight = np.abs(np.asarray(response, dtype=np.float64)) ** power
    return _mean_distance(weight, impulse, "impulse response")


def frequency_spread(
    magnitude: npt.ArrayLike, *, zero: tuple[float, float] | None = None
) -> npt.NDArray[np.float64]:
    """FDS, Eq. 29: mean distance from the zero frequency, weighed with ``|F r|``, in bins.

    Parameters
    ----------
    magnitude : array-like, shape (..., N, M)
        As `frequency_magnitude` gives it.
    zero : tuple of float, optional
        Place of the zero frequency; ``(N // 2, M // 2)`` when not given.
    """
    return _mean_distance(np.asarray(magnitude, dtype=np.float64), zero, "frequency response")


def frequency_variation(magnitude: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """FDV, Eq. 25-28: total variation of ``|F r|`` by Sobel differences over its norm.

    The gradient is taken where the 3×3 kernel fits (mode "valid"), so the frame of the
    spectrum adds no edge of its own.

    Parameters
    ----------
    magnitude : array-like, shape (..., N, M)
        As `frequency_magnitude` gives it; N and M at least 3.

    Returns
    -------
    ndarray, shape (...)
        Without unit; 0 for a flat spectrum.
    """
    f = np.asarray(magnitude, dtype=np.float64)
    norm = np.sqrt((f**2).sum(axis=(-2, -1)))
    _require(norm, "frequency response")
    # The Sobel kernel is a smoothing (1 2 1) across times a difference (-1 0 1) along.
    down = f[..., :-2, :] + 2 * f[..., 1:-1, :] + f[..., 2:, :]
    across = f[..., :, :-2] + 2 * f[..., :, 1:-1] + f[..., :, 2:]
    horizontal = down[..., :, 2:] - down[..., :, :-2]
    vertical = across[..., 2:, :] - across[..., :-2, :]
    return np.hypot(horizontal, vertical).sum(axis=(-2, -1)) / norm


def response_metrics(
    response: npt.ArrayLike, *, impulse: tuple[float, float] | None = None
) -> ResponseMetrics:
    """All numbers of one impulse response ``(N, M)``.

    Raises
    ------
    ModelError
        The response is zero everywhere, or not finite.
    """
    magnitude = frequency_magnitude(response)
    return ResponseMetrics(
        sds=float(space_spread(response, impulse=impulse)),
        sds_energy=float(space_spread(response, impulse=impulse, power=2)),
        fdv=float(frequency_variation(magnitude)),
        fds=float(frequency_spread(magnitude)),
    )


def _mean_distance(
    weight: Array, centre: tuple[float, float] | None, what: str
) -> npt.NDArray[np.float64]:
    rows, columns = weight.shape[-2:]
    row, column = (rows // 2, columns // 2) if centre is None else centre
    distance = np.hypot(np.arange(rows)[:, None] - row, np.arange(columns)[None, :] - column)
    total = weight.sum(axis=(-2, -1))
    _require(total, what)
    return (weight * distance).sum(axis=(-2, -1)) / total


def _require(total: npt.NDArray[np.float64], what: str) -> None:
    if not np.isfinite(total).all() or (np.asarray(total) <= 0).any():
        raise ModelError(
            f"the {what} is zero everywhere or not finite, so it has no spread",
            remedy="The network's linear part passes nothing: train it again or take another",
        )
