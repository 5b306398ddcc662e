"""The method of the family *Decompose*: what each class contributed to a scan. Loads no torch."""

from __future__ import annotations

from ..method import ALPHA, RESOLUTION, MethodInfo, Parameter

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
)
