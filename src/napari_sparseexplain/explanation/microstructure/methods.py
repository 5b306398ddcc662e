"""The methods of the family *Microstructure*. Loads no torch."""

from __future__ import annotations

from ..method import MethodInfo, Parameter
from .corrections import NO, NOT_KNOWN, YES

SCAN = Parameter("scan", "", "Role of the diffusion scan; empty: the one that has gradients")
SMALL_DELTA = Parameter(
    "small_delta", 0.0, "Length δ of a gradient pulse; 0: as the files say",
    title="δ", low=0.0, high=200.0, unit="ms",
)  # fmt: skip
BIG_DELTA = Parameter(
    "big_delta", 0.0, "From the start of one gradient pulse to the next, Δ; 0: as the files say",
    title="Δ", low=0.0, high=500.0, unit="ms",
)  # fmt: skip
DICTIONARY = Parameter(
    "dictionary", "", "File of simulate; empty: the one that ships, for δ 12.9 and Δ 21.8 ms"
)
POPULATIONS = Parameter(
    "populations", 0,
    "Fibre populations a voxel; 0: as many as it has clear peaks, at most 2; 1: one; 2: two "
    "wherever there is a second peak, however small",
    low=0, high=2,
)  # fmt: skip
UP_TO_THREE = Parameter(
    "populations", 0,
    "Fibre populations a voxel; 0: as many as it has clear peaks, at most 2; 1: one; 2: two "
    "wherever there is a second peak, however small; 3: as many as it has clear peaks, at most 3, "
    "each voxel of three in seconds",
    low=0, high=3,
)  # fmt: skip
SIGMA = Parameter(
    "sigma", 0.0, "Standard deviation of the noise in the scan's unit; 0: measured in the scan",
    title="σ", low=0.0, high=1e9,
)  # fmt: skip
WATER = Parameter(
    "water", False,
    "Add free water where the Bayesian information criterion prefers it; without it, free water is "
    "fitted as axons",
    title="Free water",
)  # fmt: skip
#: The information criterion decides how many of the populations are kept.
BY_BIC = "bic"
COUNT_BY = Parameter(
    "count_by", "peaks",
    "Number of populations: that of the peaks, or some of them left out where the Bayesian "
    "information criterion prefers it",
    title="Populations by", choices=("peaks", BY_BIC),
)  # fmt: skip
NETWORK = Parameter(
    "network", "", "Folder of sparseexplain train microstructure-…; empty: the one that ships"
)
REFINE_TOO = Parameter(
    "refine", False,
    "Move the fibre directions as the search over pairs does; takes as long as that search",
)  # fmt: skip
REFINE = Parameter("refine", True, "Move the fibre directions a little where that explains more")

CORRECTED = Parameter(
    "corrected", NOT_KNOWN, "Whether motion and eddy currents were corrected; recorded, and noted "
    "unless they were",
    title="Motion corrected", choices=(NOT_KNOWN, YES, NO),
)  # fmt: skip
DENOISE = Parameter(
    "denoise", False, "Leave out what is noise alone (MP-PCA) before anything is computed; slow"
)

MICROSTRUCTURE_METHODS = (
    MethodInfo(
        name="fingerprint",
        title="Fingerprint",
        summary="Radius, density and share of the axons in each fibre population, by comparing "
        "each voxel with all pairs of simulated signals",
        work=f"{__package__}.fingerprint:fingerprint_work",
        heat=None,
        parameters=(
            *(SCAN, SMALL_DELTA, BIG_DELTA, DICTIONARY, UP_TO_THREE, SIGMA, REFINE),
            *(CORRECTED, DENOISE, WATER, COUNT_BY),
        ),
        takes_model=False,
        takes_device=True,
    ),
    MethodInfo(
        name="tensor",
        title="Diffusion tensor",
        short="Tensor",
        summary="Anisotropy, mean diffusivity and principal direction of each voxel, and FA in the "
        "colours of direction; one shell without timings will do",
        work=f"{__package__}.tensor:tensor_work",
        heat=None,
        parameters=(SCAN, CORRECTED, DENOISE),
        takes_model=False,
    ),
    MethodInfo(
        name="hybrid-microstructure",
        title="Hybrid network",
        short="Hybrid",
        summary="Radius, density and share of the axons in each fibre population, by a network "
        "that reads the sparse projection of each voxel on simulated signals",
        work=f"{__package__}.network_maps:hybrid_work",
        heat=None,
        parameters=(
            *(SCAN, SMALL_DELTA, BIG_DELTA, DICTIONARY, POPULATIONS, SIGMA, NETWORK),
            *(REFINE_TOO, CORRECTED, DENOISE),
        ),
        takes_model=False,
    ),
    MethodInfo(
        name="learned-microstructure",
        title="Learned network",
        short="Learned",
        summary="Radius, density and share of the axons in each fibre population, by a network "
        "that reads the measurements it was trained with",
        work=f"{__package__}.network_maps:learned_work",
        heat=None,
        parameters=(SCAN, SMALL_DELTA, BIG_DELTA, SIGMA, NETWORK, CORRECTED, DENOISE),
        takes_model=False,
    ),
)
