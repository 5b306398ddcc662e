"""The brain range of a rendering, without rendering the whole volume.

A network normalises a scan by quantiles over the whole brain. A training slice is rendered alone,
so the quantiles are taken over a sample of the brain's voxels that is given the same signals,
textures and noise.
"""

from __future__ import annotations

import numpy as np

from ..volumes.intensity.brain_range import HIGH_FACTOR, LOW_QUANTILE
from .geometry import PhantomGeometry
from .noise import FloatArray
from .rendering import Appearance, tissue_mix

SAMPLE = 8000


def brain_sample(geometry: PhantomGeometry, rng: np.random.Generator) -> FloatArray:
    """Tissue fractions (tissues, n) at voxels of the brain, drawn over the whole volume.

    Every sample is the mean of a voxel and of its four neighbours in the slice, weighted as a
    blur of about 0.7 voxel would: the scan's dark quantile depends on how far the sulci are
    blurred away.
    """
    s, p, q = np.nonzero(geometry.brain)
    pick = rng.integers(0, s.size, min(SAMPLE, s.size))
    s, p, q = s[pick], p[pick], q[pick]
    parts = geometry.fractions
    rows, columns = parts.shape[2] - 1, parts.shape[3] - 1
    around = (
        parts[:, s, np.minimum(p + 1, rows), q]
        + parts[:, s, np.maximum(p - 1, 0), q]
        + parts[:, s, p, np.minimum(q + 1, columns)]
        + parts[:, s, p, np.maximum(q - 1, 0)]
    )
    return np.float32(0.5) * parts[:, s, p, q] + np.float32(0.125) * around


def rendered_range(
    sample: FloatArray, appearance: Appearance, rng: np.random.Generator, role: str
) -> tuple[float, float]:
    """(low, high) as `brain_range` gives for the whole volume, estimated from a sample."""
    acquisition = appearance.acquisition
    weights, signals = tissue_mix(appearance, role)
    n = sample.shape[1]
    image = weights @ sample
    image += rng.standard_normal(n, dtype=np.float32) * ((appearance.texture * signals) @ sample)
    gyri = appearance.gyral * rng.standard_normal(n, dtype=np.float32)
    image += gyri * (signals[1] * sample[1])
    parenchyma = 0.5 * float(signals[0] + signals[1])
    if role == "flair" and acquisition.csf_artefacts > 0:
        flow = np.clip(rng.standard_normal(n, dtype=np.float32), 0.0, 2.0)
        image += acquisition.csf_artefacts * parenchyma * flow * (sample[2] + sample[3])
    sigma = acquisition.noise * parenchyma
    real = np.clip(image, 0.0, None) + sigma * rng.standard_normal(n, dtype=np.float32)
    image = np.hypot(real, sigma * rng.standard_normal(n, dtype=np.float32))
    # Slices 25 mm apart have gains of their own, and the sample reaches over all of them.
    image *= np.exp(acquisition.gain_spread * rng.standard_normal(n, dtype=np.float32))
    low, median = np.quantile(image, (LOW_QUANTILE, 0.5))
    return float(low), float(low + HIGH_FACTOR * (median - low))
