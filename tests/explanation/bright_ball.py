"""A study with one bright ball and a network that finds what is bright, for tests."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np

import napari_sparseexplain as se
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.modules.sum_network import SumNetwork

CARD = ModelCard(
    name="bright",
    title="Bright",
    architecture="sum",
    arguments={"maps": 2, "levels": 1},
    task="segmentation",
    inputs=Inputs(("flair",), "brain-range", 2.0, 32),
    classes={"2": "lesion"},
)


def write_ball(folder: Path, *, mask: bool = True) -> Path:
    """A head of 40 x 40 pixels of 2 mm on 6 slices, with texture and one bright ball."""
    i, j, k = np.ogrid[:40, :40, :6]
    head = ((i - 20) / 17) ** 2 + ((j - 20) / 18) ** 2 < 1 + 0 * k
    ball = (i - 26) ** 2 + (j - 16) ** 2 + (4 * (k - 3)) ** 2 < 6**2
    rng = np.random.default_rng(0)
    scan = 300 * head + rng.normal(0, 25, head.shape) * head
    scan[head & (rng.random(head.shape) < 0.01)] = 20
    scan[ball] = 800 + rng.normal(0, 40, int(ball.sum()))
    affine = np.diag([2.0, 2.0, 4.0, 1.0])
    folder.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(scan.astype(np.int16), affine), folder / "case_flair.nii.gz")
    if mask:
        seg = nib.Nifti1Image((4 * ball).astype(np.uint8), affine)
        nib.save(seg, folder / "case_seg.nii.gz")
    return folder


def ball_study(folder: Path) -> se.Study:
    """The study of `write_ball`."""
    return se.open_study(write_ball(folder))


def bright_model() -> Model:
    """A network that hands its input through a little smoothed: what is bright is lesion."""
    network = SumNetwork(maps=2, levels=1)
    for parameter in network.parameters():
        parameter.data.zero_()
    network.encoder[0].convolution_a.weight.data[0, 0] = 0.05
    network.encoder[0].convolution_a.weight.data[0, 0, 1, 1] = 0.6
    network.encoder[0].convolution_b.weight.data[0, 0, 1, 1] = 1
    network.decoder[0].convolution_across.weight.data[0, 0, 1, 1] = 1
    network.decoder[0].convolution_above.weight.data[0, 0, 1, 1] = 1
    network.head.scale.weight.data.fill_(1)
    return Model.of_network(CARD, network)
