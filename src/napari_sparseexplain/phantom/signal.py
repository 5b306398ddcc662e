"""Tissue relaxation times and sequence timings to the signal of T1, T1ce, T2 and FLAIR.

Relaxation times in ms, proton density relative to CSF, ranges as measured at 1.5 T and 3 T
(J. Z. Bojorquez et al., Magn. Reson. Imaging 35, 2017; G. J. Stanisz et al., Magn. Reson. Med.
54, 2005), widened for tumours. Signal equations: spin echo and inversion recovery, e.g.
R. W. Brown et al., Magnetic Resonance Imaging: Physical Principles and Sequence Design, 2nd ed.,
Wiley 2014, chapter 8.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .geometry import TISSUES

#: (T1 low, T1 high, T2 low, T2 high, PD low, PD high) by tissue.
RELAXATION: dict[str, tuple[float, float, float, float, float, float]] = {
    "wm": (650, 950, 62, 85, 0.66, 0.74),
    "gm": (1100, 1600, 78, 108, 0.76, 0.86),
    "csf": (3600, 4400, 400, 1800, 1.0, 1.0),
    "ventricle": (3600, 4400, 600, 2000, 1.0, 1.0),
    "enhancing": (1000, 1700, 90, 170, 0.8, 0.92),
    "necrosis": (1300, 3200, 110, 420, 0.82, 0.98),
    "oedema": (1100, 1800, 105, 200, 0.8, 0.92),
    "periventricular": (950, 1500, 95, 150, 0.75, 0.88),
    "punctate": (950, 1500, 95, 150, 0.75, 0.88),
}

#: One factor for the field strength on the T1 of every tissue but these.
FIELD_FACTOR = (0.8, 1.15)
_NO_FIELD_FACTOR = ("csf", "ventricle", "necrosis")

CSF_LIKE_CORE = 0.30
FAINT_OEDEMA = 0.50
FAINT_OEDEMA_CONTRAST = (0.15, 0.8)
FLAIR_NULL_MS = 4200.0

_INDEX = {name: i for i, name in enumerate(TISSUES)}


@dataclass(frozen=True, eq=False)
class TissueProperties:
    """One draw of the tissues: arrays of length ``len(TISSUES)``, times in ms."""

    t1: npt.NDArray[np.float64]
    t2: npt.NDArray[np.float64]
    pd: npt.NDArray[np.float64]
    #: T1 of the enhancing tissue after contrast agent.
    enhanced_t1: float
    #: The part of the oedema's contrast against white and grey matter that is left.
    oedema_contrast: float


@dataclass(frozen=True)
class Sequence:
    """Timings in ms; ``ti`` 0 for a plain spin echo."""

    tr: float
    te: float
    ti: float = 0.0


def draw_tissues(rng: np.random.Generator) -> TissueProperties:
    """Draw T1, T2 and PD of every tissue."""
    ranges = np.array([RELAXATION[name] for name in TISSUES])
    t1 = rng.uniform(ranges[:, 0], ranges[:, 1])
    t2 = rng.uniform(ranges[:, 2], ranges[:, 3])
    pd = rng.uniform(ranges[:, 4], ranges[:, 5])
    field = rng.uniform(*FIELD_FACTOR)
    t1 *= np.array([1.0 if name in _NO_FIELD_FACTOR else field for name in TISSUES])
    if rng.random() < CSF_LIKE_CORE:
        # A cavity: its fluid lies between necrosis and CSF.
        share, core, fluid = rng.uniform(0.5, 1.0), _INDEX["necrosis"], _INDEX["csf"]
        for values in (t1, t2, pd):
            values[core] += share * (values[fluid] - values[core])
    faint = rng.random() < FAINT_OEDEMA
    return TissueProperties(
        t1=t1,
        t2=t2,
        pd=pd,
        enhanced_t1=rng.uniform(260.0, 480.0),
        oedema_contrast=rng.uniform(*FAINT_OEDEMA_CONTRAST) if faint else 1.0,
    )


def draw_sequences(rng: np.random.Generator) -> dict[str, Sequence]:
    """Timings by role. T1ce has the timings of T1: it is the same sequence after contrast."""
    spin_echo = Sequence(tr=rng.uniform(400, 700), te=rng.uniform(8, 20))
    prepared = Sequence(tr=rng.uniform(1900, 2500), te=rng.uniform(2, 5), ti=rng.uniform(850, 1100))
    t1 = spin_echo if rng.random() < 0.6 else prepared
    t2 = Sequence(tr=rng.uniform(3500, 6500), te=rng.uniform(80, 120))
    tr = rng.uniform(7500, 11000)
    null = FLAIR_NULL_MS * np.log(2.0 / (1.0 + np.exp(-tr / FLAIR_NULL_MS)))
    flair = Sequence(tr=tr, te=rng.uniform(85, 150), ti=null * rng.uniform(0.9, 1.06))
    return {"t1": t1, "t1ce": t1, "t2": t2, "flair": flair}


def tissue_signals(
    tissues: TissueProperties, sequence: Sequence, *, contrast_agent: bool
) -> npt.NDArray[np.float32]:
    """Signal of every tissue (len(TISSUES),), in proton-density units.

    Spin echo: PD (1 - exp(-TR/T1)) exp(-TE/T2). Inversion recovery, magnitude:
    PD abs(1 - 2 exp(-TI/T1) + exp(-TR/T1)) exp(-TE/T2).
    """
    t1 = tissues.t1.copy()
    if contrast_agent:
        t1[_INDEX["enhancing"]] = tissues.enhanced_t1
        # A little leaks into the core beside the rim.
        t1[_INDEX["necrosis"]] *= 0.9
    recovery = 1.0 - np.exp(-sequence.tr / t1)
    if sequence.ti > 0:
        recovery = np.abs(1.0 - 2.0 * np.exp(-sequence.ti / t1) + np.exp(-sequence.tr / t1))
    signal = tissues.pd * recovery * np.exp(-sequence.te / tissues.t2)
    around = 0.7 * signal[_INDEX["wm"]] + 0.3 * signal[_INDEX["gm"]]
    oedema = _INDEX["oedema"]
    signal[oedema] = around + tissues.oedema_contrast * (signal[oedema] - around)
    return signal.astype(np.float32)


def vessel_signal(tissues: TissueProperties, sequence: Sequence) -> float:
    """Signal of vessels and dura after contrast agent, in proton-density units."""
    t1, t2 = 0.9 * tissues.enhanced_t1, 100.0
    recovery = 1.0 - np.exp(-sequence.tr / t1)
    if sequence.ti > 0:
        recovery = np.abs(1.0 - 2.0 * np.exp(-sequence.ti / t1) + np.exp(-sequence.tr / t1))
    return float(0.9 * recovery * np.exp(-sequence.te / t2))
