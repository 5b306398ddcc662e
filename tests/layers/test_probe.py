"""The probe's words: classes are called in the window as in an exported picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from napari.layers import Layer

from napari_sparseexplain.export.pictures.burned_in import panel_facts
from napari_sparseexplain.export.pictures.panel_lettering import bottom_left_lines
from napari_sparseexplain.export.pictures.plane_view import PlaneView
from napari_sparseexplain.layers import mask_names
from napari_sparseexplain.layers.canvas.probe import layer_captions
from napari_sparseexplain.layers.study_layers import study_layers
from napari_sparseexplain.review.default_review import default_reading
from napari_sparseexplain.volumes import Study
from napari_sparseexplain.volumes.opening.open_study import open_study


@pytest.fixture
def glioma(tmp_path: Path) -> Study:
    """A study with the four scans of BraTS and a mask of its values."""
    mask = np.zeros((16, 14, 9), dtype=np.uint8)
    mask[4:8, 4:8, 3:6], mask[5, 5, 4] = 2, 4
    for role in ("t1", "t1ce", "t2", "flair", "seg"):
        array = mask if role == "seg" else np.full(mask.shape, 80, np.int16) + mask
        nib.save(
            nib.Nifti1Image(array, np.diag([-1, -1, 1, 1])), tmp_path / f"BraTS2021_1_{role}.nii.gz"
        )
    return open_study(tmp_path)


def test_the_probe_and_the_picture_call_a_class_alike(glioma: Study) -> None:
    layers = [Layer.create(*item) for item in study_layers(glioma)]
    oedema = np.argwhere(glioma["seg"].spatial() == 2)[0]
    assert "Mask oedema" in layer_captions(layers, glioma, oedema)
    assert "Mask 0" in layer_captions(layers, glioma, (0, 0, 0))
    reading = default_reading(glioma)
    point = tuple(float(v) for v in glioma.grid.world(oedema))
    reading = reading.with_review(replace(reading.review, probe=point))
    panel = next(p for p in reading.review.panels if p.overlays)
    panel = replace(panel, index=int(oedema[0]))
    view = PlaneView(glioma.grid, panel.plane, panel.index, (300, 300))
    facts = panel_facts(reading, panel, view)
    assert facts["probe"]["values"]["Mask"] == 2
    assert any("Mask oedema" in line for line in bottom_left_lines(facts))


def test_a_mask_is_read_for_its_names_once(glioma: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    names = mask_names.label_names
    monkeypatch.setattr(
        mask_names, "label_names", lambda study, role: (read.append(role), names(study, role))[1]
    )
    layers = [Layer.create(*item) for item in study_layers(glioma)]
    for place in range(9):
        layer_captions(layers, glioma, (place, 5, 5))
    assert read == ["seg"]
