"""The exclusive classes a multimodal network tells apart, and the nested regions scores are for.

A softmax over nested regions (WT ⊃ TC ⊃ ET) is ill-defined, so networks learn exclusive classes,
and the regions of the BraTS tables are unions of them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

#: Label value and name of every class, in the order of a network's channels.
TUMOUR_CLASSES: Mapping[int, str] = {
    0: "healthy tissue",
    2: "oedema",
    1: "necrotic and non-enhancing core",
    4: "enhancing tumour",
}

#: Channels that make a region, in the order of the paper's Table II.
REGION_CHANNELS: Mapping[str, tuple[int, ...]] = {"ET": (3,), "WT": (1, 2, 3), "TC": (2, 3)}


#: Sets of slices that were made before numberings were told apart number the enhancing tumour so
#: where their studies did. The own numbering has no 3 that it could be taken for.
_ALSO = {3: 4}


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
