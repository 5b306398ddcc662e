"""The exclusive classes a multimodal network tells apart, and the nested regions scores are for.

A softmax over nested regions (WT ⊃ TC ⊃ ET) is ill-defined, so networks learn exclusive classes,
and the regions of the BraTS tables are unions of them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ..volumes.labels.tumour import (
    CHANNEL_PARTS,
    ENHANCING,
    HEALTHY,
    LABELS_SINCE_2023,
    OWN_LABELS,
    PARTS,
    REGIONS,
    exclusive_parts,
)

#: Label value and name of every class, in the order of a network's channels.
TUMOUR_CLASSES: Mapping[int, str] = {
    0: HEALTHY,
    **{OWN_LABELS[part]: PARTS[part] for part in CHANNEL_PARTS},
}

#: Channels that make a region, in the order of the paper's Table II.
REGION_CHANNELS: Mapping[str, tuple[int, ...]] = {
    region: tuple(
        channel for channel, part in enumerate(CHANNEL_PARTS, 1) if part in exclusive_parts(region)
    )
    for region in REGIONS
}


#: Sets of slices that were made before numberings were told apart number the enhancing tumour so
#: where their studies did. The own numbering has no 3 that it could be taken for.
_ALSO = {LABELS_SINCE_2023[ENHANCING]: OWN_LABELS[ENHANCING]}


def class_channels(labels: npt.NDArray[np.integer]) -> npt.NDArray[np.uint8]:
    """Label values of `TUMOUR_CLASSES` to channel numbers; others become healthy tissue.

    Masks of other numberings come here by `volumes.reference_mask.ReferenceMask.own_labels`.
    """
    table = np.zeros(256, dtype=np.uint8)
    for channel, value in enumerate(TUMOUR_CLASSES):
        table[value] = channel
    for other, value in _ALSO.items():
        table[other] = table[value]
    return table[np.asarray(labels).astype(np.uint8)]
