"""Atlas labels of any size: what is made follows the labels that occur, not how large they are."""

from __future__ import annotations

import resource
import sys
import tracemalloc
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from napari.layers import Labels

import napari_sparseexplain as se
from napari_sparseexplain.evidence import Explanation, ExplanationMap, Provenance
from napari_sparseexplain.evidence.colours import BRATS_COLOURS, TRUE_MASK_COLOUR
from napari_sparseexplain.evidence.region_table import REGIONS
from napari_sparseexplain.layers.explanation_layers import map_layer
from napari_sparseexplain.layers.layer_overlays import layer_parts
from napari_sparseexplain.layers.review_keys import ReviewKeys
from napari_sparseexplain.layers.study_layers import study_layers
from napari_sparseexplain.review.default_review import label_overlay
from napari_sparseexplain.volumes.labels.names import label_names
from napari_sparseexplain.volumes.labels.values import as_label_array, labels_of, occurring_labels

#: Of the Allen mouse atlas, at the ends of each type, and below zero.
SETS = {
    "atlas": (np.uint32, (1, 997, 614454277)),
    "end of int32": (np.int32, (-7, 2, 2**31 - 1)),
    "end of uint32": (np.uint32, (2**31, 2**32 - 1)),
    "beyond 32 bits": (np.int64, (3, 2**40, 2**62)),
    "below zero": (np.int16, (-300, -1)),
    "floats": (np.float64, (2, 2**33)),
    "many": (np.int32, tuple(range(100_000, 100_900_000, 100_800))),
    "nothing": (np.uint8, ()),
}


def study_with(folder: Path, kind: type, labels: tuple[int, ...]) -> se.Study:
    scan = np.random.default_rng(0).integers(5, 90, (16, 14, 6)).astype(np.int16)
    mask = np.zeros(scan.shape, kind)
    mask.reshape(-1)[np.arange(len(labels)) + 50] = np.array(labels, kind)
    for name, voxels in (("flair", scan), ("seg", mask)):
        nib.save(nib.Nifti1Image(voxels, np.eye(4), dtype=voxels.dtype), folder / f"x_{name}.nii")
    return se.open_study(folder)


@pytest.mark.parametrize("name", SETS)
def test_what_is_made_follows_what_occurs(name: str, tmp_path: Path) -> None:
    kind, labels = SETS[name]
    study = study_with(tmp_path, kind, labels)
    assert labels_of(study["seg"]) == tuple(sorted(labels))
    tracemalloc.start()
    try:
        overlay = label_overlay(study, "seg")
        layers = [layer for layer in study_layers(study) if layer[2] == "labels"]
        names = label_names(study, "seg")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20
    assert set(overlay.colours) == (set(labels) or {1})
    assert len(names) <= len(labels) + 3
    layer = Labels(layers[0][0], **layers[0][1])
    part = layer_parts(layer, (0, 0, 0), ReviewKeys())[0]
    assert set(part.colours) == (set(labels) or {1})  # type: ignore[union-attr]
    se.compose(se.default_reading(study), se.PictureSize(300, 300))


def test_colours_of_tumour_masks_stay(tmp_path: Path) -> None:
    for number, (labels, colours) in enumerate(
        (((1, 2, 4), BRATS_COLOURS), ((1,), {1: TRUE_MASK_COLOUR}), ((), {1: TRUE_MASK_COLOUR}))
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        study = study_with(folder, np.uint8, labels)
        assert label_overlay(study, "seg").colours == colours


def test_labels_are_those_that_occur() -> None:
    voxels = np.array([[0, 3, 3], [2**62, -5, 0]])
    assert occurring_labels(voxels) == (-5, 3, 2**62)
    assert occurring_labels(np.array([[True, False]])) == (1,)
    assert occurring_labels(np.array([0.0, 7.0, np.nan, np.inf])) == (7,)
    assert occurring_labels(np.zeros((2, 2), np.uint16)) == ()


def test_a_float_is_a_label_as_far_as_its_type_tells_neighbours_apart() -> None:
    assert as_label_array(np.array([[0.0, 2.0**40 + 1]])) is not None
    assert as_label_array(np.array([[0.0, 2.0**54]])) is None
    assert as_label_array(np.array([[0.0, 2.0**40]], np.float32)) is None


def test_ranks_of_regions_from_a_file_cost_no_more(tmp_path: Path) -> None:
    study = study_with(tmp_path, np.uint8, (1,))
    ranks = np.zeros(study.grid.shape, np.int64)
    ranks[2, 3, 4:7] = 1, 2, 2**40
    item = ExplanationMap(REGIONS, ranks, "segmentation")
    span = slice(0, study.grid.shape[0])
    found = Explanation("xrai", (item,), Provenance("xrai"), study.grid, span)
    data, options, kind = map_layer(found, item, study)
    assert kind == "labels"
    assert {v for v in options["colormap"].color_dict if v} == {1, 2, 2**40}
    assert data is item.data


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads kilobytes as Linux gives")
def test_a_large_atlas_label_is_a_picture_in_little_memory(tmp_path: Path) -> None:
    """The reported case: one region of the Allen atlas in a small scan."""
    study = study_with(tmp_path, np.uint32, (614454277,))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    se.compose(se.default_reading(study), se.PictureSize(300, 300))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000
