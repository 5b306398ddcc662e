"""The methods of the family *Decompose*: a scan as a sum of parts. Loads no torch.

By a trained model, each part what a class contributed; or by a pursuit alone, without any model.
"""

from __future__ import annotations

from ...sparse.pursuit_settings import METHODS, Method, PursuitSettings
from ..method import ALPHA, RESOLUTION, MethodInfo, Parameter

_DEFAULT = PursuitSettings()

SPARSITY = Parameter(
    "sparsity",
    _DEFAULT.sparsity,
    "λ, as a share of the smallest λ at which all codes are 0",
    title="λ",
    low=0.0,
    high=1.0,
)
FILTERS = Parameter(
    "filters",
    _DEFAULT.filters,
    "Atoms that need no training: cosine or gabor",
    choices=("cosine", "gabor"),
)
WIDTH = Parameter("width", _DEFAULT.width, "Width of an atom in pixels; odd", low=1)
ATOMS = Parameter("atoms", 0, "How many atoms; 0: all that there are, or 16 learned ones", low=0)
TOLERANCE = Parameter(
    "tolerance", _DEFAULT.tolerance, "Stop at this certified relative gap", low=0.0
)
POSITIVE = Parameter(
    "positive",
    _DEFAULT.prox == "relu",
    "No codes below 0",
    in_records=(("prox", "relu", True), ("prox", "soft", False)),
)
LEARN = Parameter("learn", _DEFAULT.learn, "Learn the atoms from the slices themselves")
SEED = Parameter("seed", _DEFAULT.seed, "Random seed of the learning")


def _pursuit(
    name: Method,
    title: str,
    summary: str,
    *parameters: Parameter,
    steps: str = "Iterations, at most",
) -> MethodInfo:
    iterations = Parameter("iterations", METHODS[name], steps, low=1)
    return MethodInfo(
        name=name,
        title=title,
        summary=summary,
        work=f"{__package__}.image_pursuit:{name.replace('-', '_')}_work",
        heat=None,
        parameters=(SPARSITY, *parameters, WIDTH, iterations),
        takes_model=False,
    )


_ATOMS = (FILTERS, ATOMS, LEARN, SEED, TOLERANCE)

COMPONENT_METHODS = (
    MethodInfo(
        name="components",
        title="Components",
        summary="What each class contributed to every modality, and what no class explains",
        work=f"{__package__}.class_components:components_work",
        heat=None,
        parameters=(
            ALPHA,
            Parameter(
                "outer",
                0,
                "Rounds from salient to fine; 0: as many as the model was trained with",
                title="Rounds T",
                low=0,
                high=20,
            ),
            RESOLUTION,
        ),
        tasks=("segmentation",),
        architectures=("jf-ml-ista",),
    ),
    _pursuit(
        "ista",
        "ISTA",
        "Each scan as a sum of few atoms, by iterative shrinkage",
        *_ATOMS,
        POSITIVE,
    ),
    _pursuit(
        "fista",
        "FISTA",
        "Each scan as a sum of few atoms, by iterative shrinkage with momentum",
        *_ATOMS,
        POSITIVE,
    ),
    _pursuit(
        "ml-ista",
        "ML-ISTA",
        "Each scan as a sum of few atoms, which are sums of few atoms themselves",
        *_ATOMS,
        POSITIVE,
    ),
    _pursuit(
        "admm",
        "ADMM",
        "Each scan as a sum of few atoms, by solving in the Fourier domain, borders wrapped around",
        *_ATOMS,
    ),
    _pursuit(
        "jf-ml-ista",
        "Smooth and edges",
        "The smooth part and the edges of each scan, extracted in turn",
        POSITIVE,
        steps="Rounds from salient to fine",
    ),
)
