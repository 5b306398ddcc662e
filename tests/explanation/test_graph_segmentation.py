"""Our graph segmentation gives the labels of scikit-image's, at every scale, ties included."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from skimage.segmentation import felzenszwalb

from napari_sparseexplain.explanation.attribution.xrai.graph_segmentation import graph_segmentations
from napari_sparseexplain.explanation.attribution.xrai.segment_scales import SCALES, SIGMA


def pictures() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    rows, columns = np.mgrid[:90, :110]
    disk = ((rows - 45) ** 2 + (columns - 50) ** 2 < 900) * 1.2 - 0.8
    return {
        "noise": rng.uniform(-1, 1, (60, 75, 1)),
        # Equal differences everywhere: the order among equals decides.
        "few grey values": np.round(rng.uniform(0, 1, (48, 48, 2)) * 3) / 3,
        "a disk on black": disk[..., None],
        "four modalities": np.stack([disk + rng.normal(0, s, disk.shape) for s in (0.1,) * 4], -1),
        "constant": np.zeros((20, 30, 1)),
        "one row": rng.uniform(-1, 1, (1, 40, 1)),
    }


@pytest.mark.parametrize("name", list(pictures()))
@pytest.mark.parametrize("smallest", [1, 40])
def test_the_labels_are_those_of_scikit_image(name: str, smallest: int) -> None:
    picture = pictures()[name]
    ours = graph_segmentations(picture, SCALES, sigma=SIGMA, min_size=smallest)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = [felzenszwalb(picture, scale=s, sigma=SIGMA, min_size=smallest) for s in SCALES]
    assert len(ours) == len(SCALES)
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(mine, other)
