"""Window presets: CT by number, MR by the tissue's own values, and what a person writes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_sparseexplain.errors import StudyError
from napari_sparseexplain.volumes import Volume
from napari_sparseexplain.volumes.intensity.intensity_window import display_limits
from napari_sparseexplain.volumes.intensity.window_presets import (
    AUTO,
    FULL,
    parse_presets,
    preset_limits,
    presets_for,
    slice_limits,
)
from napari_sparseexplain.volumes.opening.array_study import study_of_arrays


def scan(role: str, gain: float = 1.0) -> Volume:
    """A stripped head: zeros around values that are spread evenly over 100 to 300."""
    array = np.zeros((6, 20, 20), dtype=np.float32)
    inside = array[:, 4:16, 4:16]
    inside[...] = np.linspace(100, 300, inside.size).reshape(inside.shape)
    return study_of_arrays({role: array * gain}).images[role]


def named(volume: Volume, name: str) -> tuple[float, float]:
    return preset_limits(volume, next(p for p in presets_for(volume) if p.name == name))


def test_ct_windows_are_numbers_whatever_the_scan_holds() -> None:
    ct = replace(scan("ct"), unit="HU")
    assert named(ct, "Brain") == (0, 80)
    assert named(ct, "Lung") == (-1350, 150)
    assert named(ct, "Bone") == (-500, 1500)
    assert named(ct, "Abdomen") == (-150, 250)


@pytest.mark.parametrize("role", ["t1", "t1ce", "t2", "flair", "dwi", "adc", "t1 (2)"])
def test_mr_windows_go_with_the_gain_of_the_receiver(role: str) -> None:
    """Quantiles are equivariant under scaling, so the same tissues are seen in every scan."""
    plain, louder = scan(role), scan(role, gain=7.0)
    presets = presets_for(plain)
    assert [p.name for p in presets] == [p.name for p in presets_for(louder)]
    windows = [p.quantiles for p in presets if p.quantiles is not None]
    assert len(windows) == len(set(windows))  # none under two names
    for preset in presets:
        low, high = preset_limits(plain, preset)
        assert low < high
        np.testing.assert_allclose(
            preset_limits(louder, preset), (7 * low, 7 * high), rtol=1e-5, atol=1e-4
        )


def test_quantiles_are_of_the_brain_and_not_of_the_zeros_around_it() -> None:
    low, high = named(scan("flair"), "Oedema")
    assert low == pytest.approx(200, abs=1)
    assert high == pytest.approx(300, abs=1)


def test_auto_is_how_a_scan_opens_and_full_hides_nothing() -> None:
    volume = scan("t2")
    assert preset_limits(volume, AUTO) == display_limits(volume)
    assert preset_limits(volume, FULL) == (0, 300)


def test_the_window_of_a_dicom_header_comes_second() -> None:
    asked = replace(scan("t1"), details={"WindowCenter": [40, 300], "WindowWidth": [400, 1500]})
    assert presets_for(asked)[1].name == "As the file asks"
    assert named(asked, "As the file asks") == (-160, 240)
    for width in (0, None, "none"):
        broken = replace(scan("t1"), details={"WindowCenter": 40, "WindowWidth": width})
        assert all(p.name != "As the file asks" for p in presets_for(broken))


def test_a_slice_of_its_own() -> None:
    plane = np.zeros((20, 20))
    plane[5:15, 5:15] = np.linspace(50, 90, 100).reshape(10, 10)
    low, high = slice_limits(plane) or (0, 0)
    assert 40 < low < 51
    assert 88 < high <= 90
    assert slice_limits(np.zeros((4, 4))) is None
    assert slice_limits(np.full((4, 4), np.nan)) is None


def head() -> tuple[np.ndarray, np.ndarray]:
    """An ellipsoid of grey tissue in zeros, and where it is."""
    z, y, x = np.indices((12, 48, 48))
    inside = ((z - 6) / 5) ** 2 + ((y - 24) / 21) ** 2 + ((x - 24) / 18) ** 2 < 1
    values = np.random.default_rng(0).normal(600, 120, inside.shape).clip(50)
    return np.where(inside, values, 0.0), inside


@pytest.mark.parametrize("times", [10, 20])
def test_a_lesion_many_times_brighter_leaves_the_tissue_grey(times: float) -> None:
    """Also on a slice of its own; without one nothing is bounded."""
    scan, inside = head()
    whole = display_limits(study_of_arrays({"flair": scan})["flair"])
    assert whole[1] == pytest.approx(np.quantile(scan[inside], 0.995), rel=1e-3)
    with_lesion = scan.copy()
    with_lesion[5:8, 20:26, 20:26] = 600 * times  # 1.5 %
    volume = study_of_arrays({"flair": with_lesion})["flair"]
    for limits in (display_limits(volume), slice_limits(with_lesion[6])):
        assert limits is not None
        low, high = limits
        assert 0.2 < (600 - low) / (high - low) < 0.6
        assert high < 600 * times / 3


@pytest.mark.parametrize("outside", [0.0, -3.5, -9.0])
def test_a_z_scored_scan_opens_between_the_ends_of_its_tissue(outside: float) -> None:
    """Negative values are tissue too, whichever value stands around the brain."""
    scan, inside = head()
    scores = (scan - scan[inside].mean()) / scan[inside].std()
    low, high = display_limits(
        study_of_arrays({"flair": np.where(inside, scores, outside)})["flair"]
    )
    assert low == pytest.approx(np.quantile(scores[inside], 0.01), abs=0.1)
    assert high == pytest.approx(np.quantile(scores[inside], 0.995), abs=0.1)


def test_a_noisy_scan_with_an_empty_rim_keeps_its_tissue_grey() -> None:
    """Resampled, with noise in the air: what is not the rim is mostly noise, and no tissue."""
    z, y, x = np.indices((16, 64, 64))
    inside = ((z - 8) / 4) ** 2 + ((y - 32) / 16) ** 2 + ((x - 32) / 14) ** 2 < 1
    rng = np.random.default_rng(1)
    noisy = np.where(inside, rng.normal(600, 60, inside.shape), rng.normal(0, 30, inside.shape))
    noisy[:2] = noisy[-2:] = noisy[:, :3] = noisy[:, -3:] = noisy[:, :, :3] = noisy[:, :, -3:] = 0
    _, high = display_limits(study_of_arrays({"flair": noisy})["flair"])
    assert high > np.quantile(noisy[inside], 0.9), "the head is not white"


def test_hot_spots_of_a_tracer_are_not_bounded() -> None:
    """What takes it up is the little that is bright, and is to be told apart."""
    scan = np.random.default_rng(0).rayleigh(1.0, (12, 48, 48))
    scan[4:8, 20:28, 20:26] = np.linspace(20, 60, 6)
    assert display_limits(study_of_arrays({"pet": scan})["pet"])[1] > 20


def test_windows_of_ones_own() -> None:
    liver, spine = parse_presets("Liver 60/160; Thoracic spine: −300/1500.5;")
    assert (liver.name, liver.level, liver.width) == ("Liver", 60, 160)
    assert (spine.name, spine.level, spine.width) == ("Thoracic spine", -300, 1500.5)
    assert parse_presets("  ") == ()
    ct = replace(scan("ct"), unit="HU")
    assert liver in presets_for(ct, (liver,))
    assert liver not in presets_for(scan("t1"), (liver,))


@pytest.mark.parametrize("text", ["Liver", "Liver 60", "60/160", "Liver 60/0", "Liver 60/-5"])
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(StudyError, match="level/width"):
        parse_presets(text)
