"""The attribution methods: names, parameters with the defaults of the literature, tooltips.

Loads no torch. Papers and algorithms stand in the files that ``work`` names.
"""

from __future__ import annotations

from ..method import RESOLUTION, MethodInfo, Parameter

#: What attribution methods explain: a network that tells classes apart.
_EXPLAINED = ("segmentation", "classification")

_BASELINE = (
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

_SMOOTHING = (
    Parameter("samples", 25, "Noisy copies that are averaged", low=1, high=1000),
    Parameter("noise", 0.15, "Noise, as a share of the image's range", low=0.0, high=1.0),
    Parameter("squared", False, "Average the squares: the map loses its sign"),
    Parameter("seed", 0, "The same seed gives the same map", low=0, high=2**31 - 1),
)

_BLUR = Parameter(
    "max_sigma",
    50.0,
    "Blur at the far end of the path, in network pixels",
    title="Largest blur σ",
    low=0.1,
    high=500.0,
    unit="px",
)

_GUIDED = (
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

_REGIONS = (
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

_LAYER = Parameter(
    "layer", "", "Name of a layer; empty: the last convolution at the lowest resolution"
)

ATTRIBUTION_METHODS = (
    MethodInfo(
        name="vanilla-gradient",
        title="Vanilla gradient",
        short="Gradient",
        summary="How the score changes with each pixel, at the image itself",
        work=f"{__package__}.vanilla_gradient:vanilla_gradient_work",
        heat="gradient",
        aliases=("vanilla",),
        parameters=(RESOLUTION,),
        tasks=_EXPLAINED,
        target="required",
    ),
    MethodInfo(
        name="smoothgrad",
        title="SmoothGrad",
        summary="The gradient, or its square, averaged over noisy copies of the image",
        work=f"{__package__}.smoothgrad:smoothgrad_work",
        heat="gradient",
        parameters=(*_SMOOTHING, RESOLUTION),
        tasks=_EXPLAINED,
        target="required",
    ),
    MethodInfo(
        name="integrated-gradients",
        title="Integrated gradients",
        short="IG",
        summary="The change of score from a baseline to the image, shared among the pixels",
        work=f"{__package__}.integrated_gradients:integrated_gradients_work",
        heat="contribution",
        aliases=("ig",),
        parameters=(
            Parameter(
                "n_steps",
                50,
                "Gradients along the path",
                title="Steps",
                low=1,
                high=5000,
                former=("nodes",),
            ),
            Parameter(
                "rule",
                "adaptive",
                "Where gradients are taken: where they change, which suits networks with "
                "thresholds; at Gauss-Legendre's nodes, for smooth ones; or evenly, as the "
                "authors do",
                choices=("adaptive", "gauss-legendre", "peer"),
            ),
            *_BASELINE,
            RESOLUTION,
        ),
        tasks=_EXPLAINED,
        target="required",
    ),
    MethodInfo(
        name="guided-integrated-gradients",
        title="Guided integrated gradients",
        short="Guided IG",
        summary="Integrated gradients on a path that changes the pixels of least influence first",
        work=f"{__package__}.guided_integrated_gradients:guided_integrated_gradients_work",
        heat="contribution",
        aliases=("guided-ig",),
        parameters=(*_GUIDED, *_BASELINE, RESOLUTION),
        tasks=_EXPLAINED,
        target="required",
    ),
    MethodInfo(
        name="blur-integrated-gradients",
        title="Blur integrated gradients",
        short="Blur IG",
        summary="Integrated gradients from the image to its blur, through every scale between",
        work=f"{__package__}.blur_integrated_gradients:blur_integrated_gradients_work",
        heat="contribution",
        aliases=("blur-ig",),
        parameters=(
            _BLUR,
            Parameter(
                "n_steps",
                100,
                "Blurs along the path, one gradient each",
                title="Steps",
                low=1,
                high=5000,
                former=("steps",),
            ),
            Parameter(
                "rule",
                "secant",
                "How the path is summed: by secants, or as the authors do",
                choices=("secant", "peer"),
            ),
            RESOLUTION,
        ),
        tasks=_EXPLAINED,
        target="required",
    ),
    MethodInfo(
        name="smooth-blur-ig",
        title="Smooth Blur IG",
        summary="SmoothGrad over blur integrated gradients",
        work=f"{__package__}.smooth_blur_ig:smooth_blur_ig_work",
        heat="contribution",
        parameters=(
            *_SMOOTHING,
            _BLUR,
            Parameter(
                "n_steps",
                100,
                "Blurs along each copy's path, one gradient each",
                title="Steps",
                low=1,
                high=5000,
                former=("steps",),
            ),
            RESOLUTION,
        ),
        tasks=_EXPLAINED,
        target="required",
    ),
    MethodInfo(
        name="smooth-blur-gig",
        title="Smooth Blur GIG",
        summary="SmoothGrad over guided integrated gradients that start at the blurred image",
        work=f"{__package__}.smooth_blur_ig:smooth_blur_gig_work",
        heat="contribution",
        parameters=(*_SMOOTHING, _BLUR, *_GUIDED, RESOLUTION),
        tasks=_EXPLAINED,
        target="required",
    ),
    MethodInfo(
        name="gradient-shap",
        title="Gradient SHAP",
        summary="Integrated gradients averaged over many baselines, one random place on each path",
        work=f"{__package__}.gradient_shap:gradient_shap_work",
        heat="contribution",
        aliases=("expected-gradients",),
        parameters=(
            Parameter(
                "samples",
                50,
                "Baselines, one gradient each; four times as many halve the error of the sum",
                low=2,
                high=5000,
            ),
            Parameter(
                "background",
                "zero",
                "Where baselines are drawn from: zero, the value outside the brain, or the slice "
                "at a random blur; both with noise about them",
                choices=("zero", "blurred"),
            ),
            _BLUR,
            Parameter(
                "noise",
                0.15,
                "Noise about a baseline, as a share of the image's range",
                low=0.0,
                high=1.0,
            ),
            Parameter("seed", 0, "The same seed gives the same map", low=0, high=2**31 - 1),
            RESOLUTION,
        ),
        tasks=_EXPLAINED,
        target="required",
    ),
    MethodInfo(
        name="xrai",
        title="XRAI",
        summary="Regions of each slice by how much they matter, with gain and rank of each. Easy "
        "to read; of all methods it found unseen real tumours least well (AUPRC .34 to .68, others "
        ".87 to .96)",
        work=f"{__package__}.xrai.slices:xrai_work",
        heat="contribution",
        parameters=(*_REGIONS, RESOLUTION),
        tasks=_EXPLAINED,
        target="required",
    ),
    MethodInfo(
        name="xrai-3d",
        title="XRAI in 3-D",
        short="XRAI 3-D",
        summary="Regions through the slices, grown over supervoxels whose sizes are in mm",
        work=f"{__package__}.xrai.volumes:xrai_3d_work",
        heat="contribution",
        parameters=(
            *_REGIONS,
            Parameter(
                "dilation",
                2.0,
                "How far each supervoxel is dilated to include its edges",
                low=0.0,
                high=20.0,
                unit="mm",
            ),
            RESOLUTION,
        ),
        tasks=_EXPLAINED,
        target="required",
    ),
    MethodInfo(
        name="grad-cam",
        title="Grad-CAM",
        summary="Where the deep feature maps that raise the score are active; coarse",
        work=f"{__package__}.grad_cam:grad_cam_work",
        heat="contribution",
        parameters=(_LAYER, RESOLUTION),
        tasks=_EXPLAINED,
        target="required",
    ),
    MethodInfo(
        name="grad-cam-plus-plus",
        title="Grad-CAM++",
        summary="Grad-CAM with weighted gradients, so that a small object counts like a large one",
        work=f"{__package__}.grad_cam_plus_plus:grad_cam_plus_plus_work",
        heat="contribution",
        aliases=("grad-cam++",),
        parameters=(_LAYER, RESOLUTION),
        tasks=_EXPLAINED,
        target="required",
    ),
    MethodInfo(
        name="occlusion",
        title="Occlusion",
        summary="How far the score falls when a window is covered; needs no gradient",
        work=f"{__package__}.occlusion:occlusion_work",
        heat="contribution",
        parameters=(
            Parameter("window", 16, "Side of the window", low=1, high=512, unit="px"),
            Parameter("stride", 8, "Distance between windows", low=1, high=512, unit="px"),
            *_BASELINE,
            RESOLUTION,
        ),
        tasks=_EXPLAINED,
        target="required",
    ),
)
