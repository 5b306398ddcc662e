"""The methods of the family *Proxy*: a network's mask, its signals, and what its linear part does.

Loads no torch. Papers and equations stand in the files that ``work`` names.
"""

from __future__ import annotations

from ..method import ALPHA, RESOLUTION, MethodInfo, Parameter

#: The floor on which this family's room is.
_FLOOR = __name__.rpartition(".proxy.")[0]

_THRESHOLD = Parameter(
    "threshold",
    0.5,
    "Probability from which a voxel counts as lesion",
    low=0.0,
    high=1.0,
)

PROXY_METHODS = (
    MethodInfo(
        name="segmentation",
        title="Segmentation",
        summary="The model's mask on the study's grid, scored if there is a reference segmentation",
        work=f"{_FLOOR}.segmentation:segmentation_work",
        heat=None,
        parameters=(
            _THRESHOLD,
            ALPHA,
            RESOLUTION,
        ),
        tasks=("segmentation",),
    ),
    MethodInfo(
        name="signals",
        title="Signals",
        summary="Input, linear part, signal before the output layer and mask, for any α",
        work=f"{__package__}.signals:signals_work",
        heat=None,
        parameters=(
            ALPHA,
            _THRESHOLD,
            Parameter(
                "bands", False, "Also the bands of every level before and after their thresholds"
            ),
            RESOLUTION,
        ),
        architectures=("sum", "unet"),
    ),
    MethodInfo(
        name="responses",
        title="Responses",
        summary="Impulse and frequency response of the linear part, and their range over phases",
        work=f"{__package__}.responses:responses_work",
        heat=None,
        parameters=(
            Parameter("phases", True, "Also the responses to an impulse at each of all phases"),
            Parameter("crop", 128, "Side of the response kept, in pixels", low=16, high=512),
        ),
        takes_study=False,
        takes_slices=False,
    ),
    MethodInfo(
        name="effective-response",
        title="Effective response",
        short="Filter in effect",
        summary="The filter in effect at one voxel of this image, thresholds on, and its spectrum",
        work=f"{__package__}.effective_response:effective_response_work",
        heat=None,
        parameters=(
            ALPHA,
            Parameter("crop", 128, "Side of the response kept, in pixels", low=16, high=512),
            RESOLUTION,
        ),
        target="required",
        takes_slices=False,  # the voxel says which
    ),
    MethodInfo(
        name="fidelity",
        title="Fidelity",
        summary="How far a distilled proxy agrees with its teacher, beside the accuracy of both",
        work=f"{__package__}.fidelity:fidelity_work",
        heat=None,
        parameters=(
            Parameter(
                "teacher", "", "Bundled name or folder of the teacher; when empty, from its card"
            ),
            Parameter(
                "floor",
                0.85,
                "Smallest Dice with the teacher at which the proxy may be interpreted",
                low=0.0,
                high=1.0,
            ),
            RESOLUTION,
        ),
        tasks=("segmentation",),
    ),
    MethodInfo(
        name="feature-bias",
        title="Texture and size bias",
        short="Bias",
        summary="Which feature maps the mask needs, and the period and size these are tuned to",
        work=f"{__package__}.feature_bias:feature_bias_work",
        heat=None,
        parameters=(
            ALPHA,
            Parameter(
                "share",
                0.9,
                "Share of the full IoU that the essential maps must keep",
                low=0.1,
                high=1.0,
            ),
            Parameter(
                "reference",
                "model",
                "Mask to keep: the model's own, or the reference segmentation",
                choices=("model", "truth"),
            ),
            RESOLUTION,
        ),
        tasks=("segmentation",),
        architectures=("sum",),
    ),
)
