"""Scans that are not registered say so in the picture; the Study tab applies their transforms."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .conftest import settle, until

sys.path.append(str(Path(__file__).resolve().parents[1] / "volumes"))

pytestmark = pytest.mark.gui


def test_transforms_are_offered_said_and_applied(workspace: Any, tmp_path: Path) -> None:
    from test_registration import BASE, MOVED, head, itk, save

    folder = tmp_path / "visits"
    save(folder, "ses-01_FLAIR.nii.gz", head(), BASE)
    save(folder, "ses-02_FLAIR.nii.gz", 1200 - head(), MOVED @ BASE)
    itk(folder / "ses-02_FLAIR_to_ses-01_FLAIR.txt", MOVED)
    workspace.open_path(folder)
    assert workspace.wait(30)
    settle()
    tab, study = workspace.page("study"), workspace.study
    (off,) = study.unregistered
    assert tab.transforms.isVisibleTo(tab)
    assert "why" in tab.rows[off].combo.toolTip().lower()
    for role in study.images:
        workspace.study_layer(role).visible = role != off
    until(lambda: "NOT REGISTERED" not in workspace.title.text)
    workspace.study_layer(off).visible = True
    until(lambda: "NOT REGISTERED" in workspace.title.text)
    tab.transforms.click()
    assert workspace.wait(30)
    settle()
    assert workspace.study is not study
    assert workspace.study.unregistered == ()
    assert not tab.transforms.isVisibleTo(tab)
    until(lambda: "NOT REGISTERED" not in workspace.title.text)


def test_a_negative_opens_as_the_film_is_read(workspace: Any, tmp_path: Path) -> None:
    from dicom_writing import image, save

    ramp = np.tile(np.linspace(0, 4000, 64), (48, 1)).astype("u2")
    film = image(ramp, PhotometricInterpretation="MONOCHROME1", Modality="CR")
    workspace.open_path(save(film, tmp_path / "a.dcm"))
    assert workspace.wait(30)
    settle()
    (layer,) = workspace.layers_of(workspace.study)
    assert layer.colormap.name == "gray_r"
