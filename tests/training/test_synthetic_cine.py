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
from napari_sparseexplain.training.left_ventricle.cine_tables import cine_csv, cine_text
from napari_sparseexplain.training.left_ventricle.cine_volumes import (
    cine_scan,
    missing_in,
    spread_of,
    volumes_of_masks,
)
from napari_sparseexplain.volumes.finding import Finding


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
    smaller[2, 1] = False  # as if the apex had left its slice
    found = [
        volumes_of_masks("one", cine.cavity, cine.spacing),
        volumes_of_masks("other", smaller, cine.spacing),
    ]
    assert found[1].not_added.startswith("not added")
    text = cine_text(found)
    assert f"other: {found[1].not_added}" in text
    assert f"other: {found[1].used.sum()} slices 12 mm apart" in text
    # Over the slices that both use they are the same; what only one of them adds is no difference.
    assert found[0].edv > found[1].edv
    assert spread_of(found) == dict.fromkeys(("EDV", "ESV", "SV", "EF"), 0.0)
    thinner = cine.cavity.copy()
    thinner[:, 1] &= np.arange(thinner.shape[-1]) % 2 == 0
    other = volumes_of_masks("thinner", thinner, cine.spacing)
    assert spread_of([found[0], other])["EDV"] == pytest.approx(found[0].edv - other.edv)
    assert "Research figures, not for diagnosis" in text
    assert "Research figures, not for diagnosis" in cine_csv(found)
    assert "EDV 32 %" in text


def test_what_is_no_whole_ventricle_and_what_is_missing_is_said_beside_the_figures(
    cine: ShortAxisCine, tmp_path: Path
) -> None:
    one = volumes_of_masks("one", cine.cavity[:, 1:3], cine.spacing, ("8 time points are missing",))
    assert one.incomplete == (
        "not a whole ventricle: 2 slices are used; the ventricle is still in the first and the "
        "last slice, so that it may go on beyond."
    )
    nothing = volumes_of_masks("none", np.zeros_like(cine.cavity[:, 1:3]), cine.spacing)
    text = cine_text([one, nothing])
    assert "WARNING: 8 time points are missing" in text
    assert "nan" not in text
    assert "nan" not in cine_csv([one, nothing])
    assert "none: no ventricle was found in any slice" in text
    assert "they have no slice in common" in text
    padded = np.pad(cine.cavity[:, 1:4], ((0, 0), (1, 1), (0, 0), (0, 0)))
    assert volumes_of_masks("inside", padded, cine.spacing).incomplete == ""
    study = se.open_study(write_short_axis_cine(cine, tmp_path / "heart"))
    assert missing_in(study) == ()
    finding = Finding("warning", "missing-time-points", "17 of the 25 time points", "Se1")
    assert missing_in(replace(study, findings=(finding,))) == ("Se1: 17 of the 25 time points",)
