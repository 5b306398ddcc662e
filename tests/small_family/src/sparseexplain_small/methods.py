"""What the family can do, without torch: a name, a title, parameters."""

from __future__ import annotations

from napari_sparseexplain.explanation.method import RESOLUTION, MethodInfo, Parameter

METHODS = (
    MethodInfo(
        name="gradient-times-input",
        title="Gradient × input",
        summary="The slope of the score at each pixel, times the pixel",
        work="sparseexplain_small.gradient_times_input:gradient_times_input_work",
        heat="contribution",
        aliases=("gxi",),
        parameters=(
            Parameter("positive", False, "Only what raises the score"),
            RESOLUTION,
        ),
        tasks=("segmentation", "classification"),
        target="required",
    ),
)
