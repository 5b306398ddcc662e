"""Information curves: as in the authors' package for one channel, and what must hold for all."""

from __future__ import annotations

import numpy as np
import pytest
from saliency.metrics import pic

from napari_sparseexplain.explanation.trust.performance_information_curve import (
    THRESHOLDS,
    InformationCurve,
    InformationCurves,
    as_bytes,
    as_network_input,
    information,
    information_curve,
    interpolated,
    reveal,
    seed_pixels,
)
from napari_sparseexplain.progress import drain

SIDE = 48
ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE]
LESION = np.hypot(ROWS - 30, COLUMNS - 18) < 8


def picture() -> np.ndarray:
    rng = np.random.default_rng(7)
    return as_bytes(0.3 * rng.random((SIDE, SIDE)) + 0.6 * LESION * rng.random((SIDE, SIDE)))[None]


def answer(images: np.ndarray) -> np.ndarray:
    """A network that measures the spread inside the lesion."""
    spread = (images / 255.0)[..., LESION].std(axis=-1).mean(axis=1)
    return np.clip(spread / 0.2, 0, 1)


SEEDS = seed_pixels((SIDE, SIDE), seed=1)


def run(heat: np.ndarray, monotonous: bool = True) -> InformationCurve:
    shown = drain(reveal(picture(), heat, SEEDS))
    found = information_curve(shown, answer(shown.images), least=0.5, monotonous=monotonous)
    assert isinstance(found, InformationCurve), found
    return found


@pytest.mark.parametrize("monotonous", [True, False])
@pytest.mark.parametrize("levels", [4, None])
def test_curve_of_one_channel_is_that_of_the_package(
    monkeypatch: pytest.MonkeyPatch, levels: int | None, monotonous: bool
) -> None:
    monkeypatch.setattr(np, "trapz", np.trapezoid, raising=False)  # gone in NumPy 2.4
    heat = np.random.default_rng(2).random((SIDE, SIDE)) + LESION
    if levels is not None:
        heat = np.round(heat * levels)
    image = picture()
    peer = pic.compute_pic_metric(
        image[0],
        heat,
        SEEDS,
        lambda images: answer(images[:, None]),
        THRESHOLDS,
        min_pred_value=0.5,
        keep_monotonous=monotonous,
    )
    ours = run(heat, monotonous=monotonous)
    assert np.array_equal(ours.information, peer.curve_x)
    assert np.allclose(ours.answer, peer.curve_y, atol=1e-12)
    assert ours.auc == pytest.approx(peer.auc, abs=1e-12)
    mine = InformationCurves.of([ours, run(-heat)]).aggregate()
    assert mine is not None
    both = pic.aggregate_individual_pic_results([peer, peer._replace(curve_y=run(-heat).answer)])
    assert mine.auc == pytest.approx(both.auc, abs=1e-12)


def test_interpolation_keeps_what_is_known_and_is_the_package_s() -> None:
    image = picture()
    known = np.random.default_rng(3).random((SIDE, SIDE)) < 0.2
    ours = interpolated(image, known)
    assert np.array_equal(ours[:, known], image[:, known])
    assert np.array_equal(ours[0], pic.create_blurred_image(image[0], known))
    assert np.array_equal(interpolated(image, np.ones_like(known)), image)


def test_channels_are_interpolated_and_counted_each() -> None:
    image = np.concatenate([picture(), 255 - picture()])
    known = SEEDS.copy()
    assert np.array_equal(interpolated(image, known)[1], interpolated(image[1:], known)[0])
    assert information(image) == information(image[:1]) + information(image[1:])
    assert information(interpolated(image, known)) < information(image)


def test_what_points_at_the_lesion_has_more_area_than_what_points_away() -> None:
    assert (
        run(LESION + 0.01 * np.random.default_rng(0).random(LESION.shape)).auc
        > run(-1.0 * LESION + 0.01 * np.random.default_rng(0).random(LESION.shape)).auc
    )
    curve = run(LESION.astype(float))
    assert (np.diff(curve.answer) >= 0).all()
    assert (curve.answer[0], curve.answer[-1]) == (0.0, 1.0)


def test_skipped_images_say_why_and_are_counted() -> None:
    heat = LESION.astype(float)
    image = picture()
    shown = drain(reveal(image, heat, SEEDS))
    unsure = information_curve(shown, 0.3 * answer(shown.images))
    upside = information_curve(shown, np.ones(len(shown.images)))
    flat = drain(reveal(np.zeros_like(image), heat, SEEDS))
    empty = information_curve(flat, np.linspace(0, 1, len(flat.images)))
    assert isinstance(unsure, str)
    assert "below 0.8" in unsure
    assert isinstance(upside, str)
    assert "as high as" in upside
    assert isinstance(empty, str)
    assert "bytes" in empty
    several = InformationCurves.of([unsure, run(heat), upside, empty])
    assert several.skip_rate == 0.75
    assert InformationCurves.of([unsure]).aggregate() is None
    assert InformationCurves.of([]).skip_rate is None


def test_bytes_and_back_and_same_seed_same_pixels() -> None:
    values = np.linspace(0, 1, 256).reshape(1, 16, 16)
    assert np.allclose(as_network_input(as_bytes(values)), values, atol=1e-6)
    assert np.array_equal(seed_pixels((SIDE, SIDE), 1), SEEDS)
    assert SEEDS.sum() == int(0.01 * SIDE * SIDE)
    with pytest.raises(ValueError, match="uint8"):
        drain(reveal(values, values[0], SEEDS))  # type: ignore[arg-type]
