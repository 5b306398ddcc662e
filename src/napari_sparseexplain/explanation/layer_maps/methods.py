"""The methods of the family *Layers*: what hidden layers hold, and how far they see.

Loads no torch.
"""

from __future__ import annotations

from ..method import RESOLUTION, MethodInfo, Parameter

_LAYERS = Parameter(
    "layers", "", "Layers by name, separated by commas; all of them when empty", title="Layers"
)

LAYER_METHODS = (
    MethodInfo(
        name="layer-maps",
        title="Layer maps",
        summary="What every layer holds for the slice: the rms of its maps, and single maps",
        work=f"{__package__}.layer_maps:layer_maps_work",
        heat=None,
        aliases=("hidden-layers", "activations"),
        parameters=(
            _LAYERS,
            Parameter(
                "maps", 3, "Single maps of each layer, besides the rms of all", low=0, high=64
            ),
            Parameter(
                "order",
                "energy",
                "Which maps come first: those of most energy, those that agree with the mask, or "
                "those without which the score of the target falls most",
                choices=("energy", "agreement", "effect"),
            ),
            RESOLUTION,
        ),
        target="optional",
    ),
    MethodInfo(
        name="receptive-field",
        title="Receptive field",
        summary="Which pixels a layer can see, and does see, at a voxel of this image",
        work=f"{__package__}.seen_by_voxel:receptive_field_work",
        heat=None,
        parameters=(
            Parameter("layer", "", "Layer by name; the last one when empty", title="Layer"),
            RESOLUTION,
        ),
        target="required",
        takes_slices=False,  # the voxel says which
    ),
    MethodInfo(
        name="layer-probes",
        title="Layer probes",
        summary="How well the reference mask can be read from each layer by a linear rule",
        work=f"{__package__}.layer_probes:layer_probes_work",
        heat=None,
        parameters=(_LAYERS, RESOLUTION),
    ),
)
