"""The synthetic cine is as large as it says, and what was not summed is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import napari_sparseexplain as se
from napari_sparseexplain.errors import ModelError, StudyError
from napari_sparseexplain.phantom.short_axis_cine import (
    ShortAxisCine,
    short_axis_cine,
    write_short_axis_cine,
)
from napari_sparseexplain.training.left_ventricle.cine_volumes import (
    cine_scan,
    cine_text,
    spread_of,
    volumes_of_masks,
)


@pytest.fixture(scope="module")
def cine() -> ShortAxisCine:
    return short_axis_cine(points=6)


def test_the_synthetic_ventricle_has_the_volume_of_its_shape(cine: ShortAxisCine) -> None:
    """Simpson's rule over its true masks: half an ellipsoid is 2/3 π r² l."""
    found = volumes_of_masks("truth", cine.cavity, cine.spacing)
    whole = cine.cavity.sum(axis=(1, 2, 3)) * np.prod(cine.spacing) / 1000
    np.testing.assert_allclose(whole, cine.volumes, rtol=0.01)
    assert found.end_diastole == 0
    assert np.all(cine.outer >= cine.cavity)
    # Blood is bright, its wall dark.
    wall = cine.outer & ~cine.cavity
    assert np.median(cine.image[cine.cavity]) > 1.7 * np.median(cine.image[wall])


def test_the_synthetic_cine_opens_as_a_cine(cine: ShortAxisCine, tmp_path: Path) -> None:
    study = se.open_study(write_short_axis_cine(cine, tmp_path / "heart"))
    card = se.models()["left-ventricle-fcn"]
    scan = cine_scan(study, card)
    np.testing.assert_allclose(scan.data, np.round(cine.image))
    assert study.grid.spacing == pytest.approx(cine.spacing)
    assert not study.findings
    with pytest.raises(ModelError, match="takes 2 scans"):
        cine_scan(study, replace(card, inputs=replace(card.inputs, roles=("cine", "flair"))))
    with pytest.raises(StudyError, match="no scan 'flair' over time"):
        cine_scan(study, replace(card, inputs=replace(card.inputs, roles=("flair",))))


def test_what_was_not_added_and_how_networks_differ_is_said(cine: ShortAxisCine) -> None:
    smaller = cine.cavity.copy()
    smaller[2, 0] = False  # as if the apex had left its slice
    found = [
        volumes_of_masks("one", cine.cavity, cine.spacing),
        volumes_of_masks("other", smaller, cine.spacing),
    ]
    assert found[1].not_added.startswith("not added")
    text = cine_text(found)
    assert f"other: {found[1].not_added}" in text
    assert f"other: {found[1].used.sum()} slices 12 mm apart" in text
    spread = spread_of(found)
    assert spread["EDV"] == pytest.approx(found[0].edv - found[1].edv)
    assert spread["SV"] == pytest.approx(abs(found[0].stroke_volume - found[1].stroke_volume))
