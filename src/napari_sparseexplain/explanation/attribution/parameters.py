"""Parameters that several attribution methods share. Loads no torch."""

from __future__ import annotations

from ..method import Parameter

BASELINE = (
    Parameter(
        "baseline",
        "zero",
        "Image in which there is nothing to see; zero is the value outside the brain",
        choices=("zero", "minimum", "maximum", "blurred", "mean", "user"),
    ),
    Parameter(
        "baseline_image",
        "",
        "Scan or study on the same grid, for the baseline 'user'",
        title="Baseline image",
    ),
)

SMOOTHING = (
    Parameter("samples", 25, "Noisy copies that are averaged", low=1, high=1000),
    Parameter("noise", 0.15, "Noise, as a share of the image's range", low=0.0, high=1.0),
    Parameter("squared", False, "Average the squares: the map loses its sign"),
    Parameter("seed", 0, "The same seed gives the same map", low=0, high=2**31 - 1),
)

BLUR = Parameter(
    "max_sigma",
    50.0,
    "Blur at the far end of the path, in network pixels",
    title="Largest blur σ",
    low=0.1,
    high=500.0,
    unit="px",
)

GUIDED = (
    Parameter(
        "n_steps",
        200,
        "Steps of the path, one gradient each, at most; more lower the error",
        title="Steps",
        low=1,
        high=5000,
        former=("steps",),
    ),
    Parameter(
        "fraction",
        0.25,
        "Share of the pixels that move at a time, those with the smallest gradients first",
        low=0.01,
        high=1.0,
    ),
    Parameter(
        "max_dist",
        0.02,
        "How far a pixel may leave the straight path; 0 is integrated gradients, 1 unbounded",
        title="Largest deviation",
        low=0.0,
        high=1.0,
    ),
    Parameter(
        "quantile_over",
        "movable",
        "Share of the pixels that differ from the baseline or, as the authors do, of all",
        title="Share of",
        choices=("movable", "all"),
    ),
    Parameter(
        "rule",
        "adaptive",
        "adaptive: steps as long as the gradient allows, until the tolerance is reached; "
        "equal: all steps, of equal length, as the authors do",
        choices=("adaptive", "equal"),
        before="equal",
    ),
    Parameter(
        "tolerance",
        0.05,
        "Stop at this expected error of the sum along the path, relative to its norm "
        "(rule adaptive)",
        low=0.0,
        high=1.0,
    ),
)

REGIONS = (
    Parameter(
        "mode",
        "full",
        "full: gains are computed again after each region; fast: segments are ordered once",
        choices=("full", "fast"),
    ),
    Parameter(
        "top_fraction",
        0.3,
        "Share that the map 'top' keeps; it can be changed afterwards without running again",
        low=0.01,
        high=1.0,
        former=("top",),
    ),
    Parameter("exact", True, "Decide near ties by new sums, as the plain algorithm would"),
    Parameter(
        "merge",
        "sum",
        "How modalities become one attribution: their sum, or the largest as the authors do",
        choices=("sum", "max"),
    ),
    Parameter(
        "n_steps",
        100,
        "Gradients from each of the two baselines, at most",
        title="Steps",
        low=1,
        high=5000,
        former=("nodes",),
    ),
    Parameter(
        "rule",
        "adaptive",
        "adaptive: gradients where the path changes, until the tolerance is reached; "
        "gauss-legendre: all of them, at fixed positions",
        choices=("adaptive", "gauss-legendre"),
        before="gauss-legendre",
    ),
    Parameter(
        "tolerance",
        0.05,
        "Stop at this expected error of the integrated gradients, relative to their norm "
        "(rule adaptive)",
        low=0.0,
        high=1.0,
    ),
    Parameter(
        "min_size",
        50,
        "A segment that would add fewer pixels is dropped",
        title="Smallest region",
        low=1,
        high=100000,
        unit="px",
        former=("least",),
    ),
)

LAYER = Parameter(
    "layer",
    "",
    "Name of a layer; empty: the one that the network names, else the last convolution at the "
    "lowest resolution",
)
