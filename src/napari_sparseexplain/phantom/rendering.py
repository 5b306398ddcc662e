"""A phantom's geometry to images: tissue signals mixed by fraction, textured, scanned."""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .acquisition import (
    Acquisition,
    draw_acquisition,
    remnants,
    skull_strip_rim,
    slice_weights,
    through_scanner,
    visible,
)
from .geometry import TISSUES, PhantomGeometry
from .noise import FloatArray, smooth_noise
from .signal import (
    Sequence,
    TissueProperties,
    draw_sequences,
    draw_tissues,
    tissue_signals,
    vessel_signal,
)

PHANTOM_ROLES = ("t1", "t1ce", "t2", "flair")

NO_HYPERINTENSITY = 0.25
PERIVENTRICULAR = 0.55
PUNCTATE = 0.50

#: Grey matter is not equally bright everywhere (insula and cingulum are brighter than the rest on
#: FLAIR): without that, a network takes a bright gyrus for a lesion.
GYRAL = (0.0, 0.15)
GYRAL_MM = (10.0, 30.0)

_WM, _GM, _CSF, _VENTRICLE, _ENHANCING, _NECROSIS, _OEDEMA, _PERI, _PUNCTATE = range(len(TISSUES))


@dataclass(frozen=True, eq=False)
class Appearance:
    """One draw of everything but the geometry: tissues, sequences, textures, acquisition.

    ``texture`` holds the relative amplitude by tissue, ``template_texture`` that of the T1
    average's own; ``hyperintensities`` the strength of the periventricular and punctate ones;
    ``gyral`` the relative amplitude by which whole gyri differ in brightness, over ``gyral_mm``.
    """

    tissues: TissueProperties
    sequences: dict[str, Sequence]
    acquisition: Acquisition
    texture: npt.NDArray[np.float32]
    texture_mm: float
    template_texture: float
    hyperintensities: tuple[float, float]
    vessels: float
    gyral: float
    gyral_mm: float


def draw_appearance(rng: np.random.Generator) -> Appearance:
    """Draw one appearance; any geometry can be rendered with it."""
    texture = np.zeros(len(TISSUES), dtype=np.float32)
    texture[_GM] = rng.uniform(0.0, 0.18)
    texture[_WM] = rng.uniform(0.0, 0.08)
    texture[_OEDEMA] = rng.uniform(0.02, 0.2)
    texture[[_ENHANCING, _NECROSIS]] = rng.uniform(0.02, 0.25)
    spots = rng.uniform(0.3, 1.0, 2) * (rng.random(2) < (PERIVENTRICULAR, PUNCTATE))
    if rng.random() < NO_HYPERINTENSITY:
        spots = np.zeros(2)
    return Appearance(
        tissues=draw_tissues(rng),
        sequences=draw_sequences(rng),
        acquisition=draw_acquisition(rng),
        texture=texture,
        texture_mm=rng.uniform(1.5, 5.0),
        template_texture=rng.uniform(0.0, 0.1),
        hyperintensities=(float(spots[0]), float(spots[1])),
        vessels=rng.uniform(0.2, 0.8),
        gyral=rng.uniform(*GYRAL),
        gyral_mm=rng.uniform(*GYRAL_MM),
    )


def tissue_mix(
    appearance: Appearance, role: str
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Weight of every tissue's fraction in an image (len(TISSUES),), and the tissues' signals.

    The hyperintensities replace white matter, so their weight is a difference.
    """
    signals = tissue_signals(
        appearance.tissues, appearance.sequences[role], contrast_agent=role == "t1ce"
    )
    weights = signals.copy()
    for row, strength in zip((_PERI, _PUNCTATE), appearance.hyperintensities, strict=True):
        weights[row] = strength * (signals[row] - signals[_WM])
    return weights, signals


def render(
    geometry: PhantomGeometry,
    rng: np.random.Generator,
    roles: Items[str] = PHANTOM_ROLES,
    slices: Items[int] | None = None,
) -> dict[str, FloatArray]:
    """Draw an appearance and render a geometry with it.

    Parameters
    ----------
    geometry : PhantomGeometry
    rng : numpy Generator
    roles : sequence of str
        Among ``t1, t1ce, t2, flair``.
    slices : sequence of int, optional
        Slice indices of the geometry's grid; all when not given.

    Returns
    -------
    dict of str to ndarray of float32, shape (n, P, L)
        0 outside the brain, in units of fully relaxed CSF.
    """
    return render_slices(geometry, draw_appearance(rng), rng, roles, slices)


def render_slices(
    geometry: PhantomGeometry,
    appearance: Appearance,
    rng: np.random.Generator,
    roles: Items[str] = PHANTOM_ROLES,
    slices: Items[int] | None = None,
) -> dict[str, FloatArray]:
    """As `render`, with an appearance that is given.

    Consecutive slices share three-dimensional noise fields; a slice alone is as quick as it can be.
    """
    shape = geometry.grid.shape
    wanted = np.arange(shape[0]) if slices is None else np.asarray(slices, dtype=np.intp)
    images = {role: np.zeros((wanted.size, *shape[1:]), dtype=np.float32) for role in roles}
    local = wanted - geometry.box[0].start
    covered = np.flatnonzero((local >= 0) & (local < geometry.fractions.shape[1]))
    if covered.size == 0:
        return images
    block = _render_block(geometry, appearance, rng, roles, local[covered])
    for role in roles:
        images[role][covered, geometry.box[1], geometry.box[2]] = block[role]
    return images


def _render_block(
    geometry: PhantomGeometry,
    appearance: Appearance,
    rng: np.random.Generator,
    roles: Items[str],
    local: npt.NDArray[np.intp],
) -> dict[str, FloatArray]:
    acquisition, spacing = appearance.acquisition, geometry.spacing_mm
    fractions = _mix_slices(geometry.fractions, local, slice_weights(acquisition))
    depth = geometry.depth_mm[local]
    brain = (depth > 0) & visible(acquisition, geometry.depth_mm.shape, local)
    steps = (spacing,) * 3
    grain = smooth_noise(rng, brain.shape, steps, appearance.texture_mm)
    lesion_grain = smooth_noise(rng, brain.shape, steps, appearance.texture_mm)
    template = appearance.template_texture * geometry.texture[local]
    gyri = appearance.gyral * smooth_noise(rng, brain.shape, steps, appearance.gyral_mm)
    gain = _slice_gain(rng, local, spacing, acquisition.gain_spread)[:, None, None]
    rim = skull_strip_rim(rng, depth, acquisition, spacing) if acquisition.rim > 0 else None
    left = remnants(rng, depth, acquisition, spacing) if acquisition.remnants > 0 else None
    flow = None
    if acquisition.csf_artefacts > 0:
        flow = np.clip(smooth_noise(rng, brain.shape, steps, 9.0), 0.0, 2.0)
    vessels = None
    if "t1ce" in roles:
        sheets = np.exp(-((smooth_noise(rng, brain.shape, steps, 7.0) / 0.15) ** 2))
        vessels = appearance.vessels * sheets * (fractions[_CSF] + 0.3 * fractions[_VENTRICLE])
    shown = brain if left is None else brain | (left > 0)

    images = {}
    for role in roles:
        weights, signals = tissue_mix(appearance, role)
        # T1 weighting darkens where water (texture) brightens the others.
        sign = -0.5 if role in ("t1", "t1ce") else 1.0
        image = np.tensordot(weights, fractions, axes=(0, 0))
        healthy = (appearance.texture * signals)[[_WM, _GM]]
        image += sign * grain * np.tensordot(healthy, fractions[[_WM, _GM]], axes=(0, 0))
        image += sign * gyri * (signals[_GM] * fractions[_GM])
        sick = (appearance.texture * signals)[_ENHANCING : _OEDEMA + 1]
        image += (
            sign
            * lesion_grain
            * np.tensordot(sick, fractions[_ENHANCING : _OEDEMA + 1], axes=(0, 0))
        )
        image += (
            -2.0
            * sign
            * template
            * np.tensordot(signals[[_WM, _GM]], fractions[[_WM, _GM]], axes=(0, 0))
        )
        parenchyma = float(0.5 * (signals[_WM] + signals[_GM]))
        if flow is not None and role in ("flair", "t2"):
            fluid = fractions[_CSF] + fractions[_VENTRICLE]
            part = acquisition.csf_artefacts * (1.0 if role == "flair" else -0.2)
            image += part * parenchyma * flow * fluid
        if rim is not None:
            image += acquisition.rim * parenchyma * rim
        if vessels is not None and role == "t1ce":
            image += vessels * vessel_signal(appearance.tissues, appearance.sequences[role])
        if left is not None:
            image += acquisition.remnants * parenchyma * left
        image = np.clip(image, 0.0, None).astype(np.float32)
        noise = acquisition.noise * parenchyma
        image = through_scanner(rng, image, acquisition, noise)
        images[role] = np.where(shown, gain * image, np.float32(0.0)).astype(np.float32)
    return images


def _mix_slices(
    fractions: FloatArray, local: npt.NDArray[np.intp], weights: tuple[float, float, float]
) -> FloatArray:
    """Fractions (tissues, n, p, l) of slices that overlap their neighbours."""
    middle = fractions[:, local]
    if weights[0] == 0.0:
        return middle
    top = fractions.shape[1] - 1
    below = fractions[:, np.clip(local - 1, 0, top)]
    above = fractions[:, np.clip(local + 1, 0, top)]
    return np.float32(weights[1]) * middle + np.float32(weights[0]) * (below + above)


def _slice_gain(
    rng: np.random.Generator, local: npt.NDArray[np.intp], spacing: float, spread: float
) -> FloatArray:
    """Gain of every slice; neighbours within about 25 mm share most of theirs."""
    extent = int(local.max() - local.min()) + 1
    return np.exp(spread * smooth_noise(rng, (extent,), (spacing,), 25.0)[local - local.min()])
