"""Pictures drawn without a window: what is where, what stands in them, and that they repeat."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations, product
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

import napari_sparseexplain as se
from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.export.pictures.compositor import Picture, PictureSize, compose
from napari_sparseexplain.export.pictures.picture_file import png_bytes, write_picture
from napari_sparseexplain.export.pictures.plane_picture import draw_panel, sampled
from napari_sparseexplain.export.pictures.plane_view import PlaneView
from napari_sparseexplain.review.default_review import default_reading
from napari_sparseexplain.review.reading import Reading
from napari_sparseexplain.review.review import Camera, Overlay, Panel, Review, ScanLayer

TIME = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

#: All 48 ways to lay three patient axes along a file's axes.
AXIS_ORDERS = [
    "".join(pair[flip] for pair, flip in zip(order, flips, strict=True))
    for order in permutations(("LR", "PA", "IS"))
    for flips in product((0, 1), repeat=3)
]

SPACING = {"L": 0.8, "R": 0.8, "P": 1.1, "A": 1.1, "I": 2.5, "S": 2.5}
COUNT = {"L": 24, "R": 24, "P": 20, "A": 20, "I": 9, "S": 9}

#: Unit vectors in RAS+ of what a letter stands for.
VECTOR = {
    letter: np.eye(3)["RAS".find(letter) if letter in "RAS" else "LPI".find(letter)]
    * (1 if letter in "RAS" else -1)
    for letter in "RASLPI"
}


def write_scan(path: Path, codes: str, data: np.ndarray | None = None) -> Path:
    """A scan whose file axes grow towards ``codes``."""
    shape = tuple(COUNT[c] for c in codes)
    linear = np.stack([VECTOR[c] * SPACING[c] for c in codes], axis=1)
    affine = np.eye(4)
    affine[:3, :3] = linear
    affine[:3, 3] = -linear @ ((np.array(shape) - 1) / 2)
    if data is None:
        data = np.random.default_rng(1).integers(20, 100, shape)
    nib.save(nib.Nifti1Image(data.astype(np.int16), affine), path)
    return path


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Reading:
    folder = tmp_path_factory.mktemp("case")
    write_scan(folder / "case_flair.nii.gz", "LPS")
    write_scan(folder / "case_t1.nii.gz", "LPS")
    seg = np.zeros((24, 20, 9))
    seg[5:10, 5:9, 3:6] = 2
    write_scan(folder / "case_seg.nii.gz", "LPS", seg)
    return default_reading(se.open_study(folder))


@pytest.mark.parametrize("codes", AXIS_ORDERS)
def test_a_marked_place_of_the_patient_lies_on_the_side_of_its_letter(
    codes: str, tmp_path: Path
) -> None:
    """The file's voxel furthest towards each direction (by nibabel) is drawn at that letter."""
    assert nib.aff2axcodes(nib.load(write_scan(tmp_path / "a_t1.nii", codes)).affine) == tuple(
        codes
    )
    for direction in "RLAPSI":
        axis = next(i for i, c in enumerate(codes) if (VECTOR[c] * VECTOR[direction]).any())
        data = np.zeros(tuple(COUNT[c] for c in codes))
        place: list[slice | int] = [slice(None)] * 3
        place[axis] = -1 if codes[axis] == direction else 0
        data[tuple(place)] = 100
        study = se.open_study(write_scan(tmp_path / "a_t1.nii", codes, data))
        for plane in ("axial", "coronal", "sagittal"):
            for convention in ("radiological", "neurological"):
                middle = [n // 2 for n in study.grid.shape]
                index = middle[("axial", "coronal", "sagittal").index(plane)]
                panel = Panel("study", plane, index, ScanLayer("study", "t1", (0.0, 100.0)))
                view = PlaneView(study.grid, plane, index, (90, 90), convention=convention)
                sides = [side for side, letter in view.letters.items() if letter == direction]
                base = Reading(Review({}, ()), {"study": study})
                grey = draw_panel(base, panel, view)[..., 0]
                if not sides:
                    assert grey.max() == 0
                    continue
                rows, columns = np.nonzero(grey)
                centre = {"left": columns.mean() < 45, "right": columns.mean() > 45,
                          "top": rows.mean() < 45, "bottom": rows.mean() > 45}  # fmt: skip
                assert len(sides) == 1
                assert centre[sides[0]], (codes, direction, plane, convention)


def test_conventions_swap_left_and_right_only(reading: Reading) -> None:
    grid = reading.studies["study"].grid
    for plane, letters in (("axial", "RLAP"), ("coronal", "RLSI"), ("sagittal", "APSI")):
        found = {
            convention: PlaneView(grid, plane, 0, (50, 50), convention=convention).letters
            for convention in ("radiological", "neurological")
        }
        sides = ("left", "right", "top", "bottom")
        assert "".join(found["radiological"][s] for s in sides) == letters
        swapped = letters[1] + letters[0] + letters[2:] if letters[0] == "R" else letters
        assert "".join(found["neurological"][s] for s in sides) == swapped


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
@pytest.mark.parametrize("convention", ["radiological", "neurological"])
def test_a_voxel_has_its_colour_at_its_pixel(reading: Reading, plane: str, convention: str) -> None:
    """Every voxel's grey, by the window, at the pixel to which its millimetres go."""
    study = reading.studies["study"]
    index = 4
    panel = Panel("study", plane, index, ScanLayer("study", "flair", (10.0, 110.0)))
    view = PlaneView(study.grid, plane, index, (400, 400), convention=convention)
    drawn = draw_panel(reading, panel, view)
    axis = ("axial", "coronal", "sagittal").index(plane)
    rng = np.random.default_rng(3)
    for _ in range(40):
        voxel = [int(rng.integers(n)) for n in study.grid.shape]
        voxel[axis] = index
        x, y = view.pixels(study.grid.world(voxel))
        value = int(study["flair"].data[tuple(voxel)])
        assert drawn[int(y), int(x), 0] == round((value - 10) / 100 * 255)


def test_zoom_and_centre_are_the_viewers(reading: Reading) -> None:
    """A voxel in the camera's centre is in the middle; millimetres are ``zoom`` pixels long."""
    grid = reading.studies["study"].grid
    camera = Camera(zoom=12.0, centre=(5 * 1.1, 7 * 0.8), canvas=(300, 300))
    view = PlaneView(grid, "axial", 2, (300, 300), camera)
    assert view.pixels_of_index((2, 5, 7)) == pytest.approx((150, 150))
    assert view.pixels_of_index((2, 5, 8)) == pytest.approx((150 + 0.8 * 12, 150))
    larger = PlaneView(grid, "axial", 2, (600, 900), camera)
    assert larger.zoom == pytest.approx(24)


def test_nearest_and_linear_interpolation() -> None:
    """Constant over a voxel, resp. exact for a ramp between the middles of its ends."""
    from napari_sparseexplain.volumes import Grid

    grid = Grid((1, 6, 6), np.diag([1.0, 1.0, 1.0, 1.0]))
    ramp = np.add.outer(np.arange(6) * 10.0, np.arange(6))
    view = PlaneView(grid, "axial", 0, (120, 120), Camera(20.0, None, (120, 120)))
    nearest, inside = sampled(ramp, view, "nearest")
    assert inside.all()
    assert (nearest == np.repeat(np.repeat(ramp, 20, 0), 20, 1)).all()
    linear, _ = sampled(ramp, view, "linear")
    rows = np.clip(view.row_indices(), 0, 5)
    columns = np.clip(view.column_indices(), 0, 5)
    np.testing.assert_allclose(linear, np.add.outer(rows * 10, columns), atol=1e-4)


def test_overlays_blend_and_are_clear_below_their_threshold(reading: Reading) -> None:
    study = reading.studies["study"]
    colours = {2: "#FF8000"}
    panel = Panel(
        "study", "axial", 4, ScanLayer("study", "flair", (0.0, 200.0)),
        (Overlay("study", "study", "seg", colours=colours, opacity=0.25),),
    )  # fmt: skip
    view = PlaneView(study.grid, "axial", 4, (200, 200))
    with_mask = draw_panel(reading, panel, view).astype(float)
    without = draw_panel(reading, replace(panel, overlays=()), view).astype(float)
    mask, inside = sampled(study["seg"].data[4], view, "nearest")
    on = (mask == 2) & inside
    assert on.any()
    assert not on.all()
    np.testing.assert_allclose(
        with_mask[on], 0.75 * without[on] + 0.25 * np.array([255, 128, 0]), atol=1
    )
    assert (with_mask[~on] == without[~on]).all()
    heat = Overlay("study", "study", "flair", limits=(0.0, 200.0), threshold=60.0)
    values, _ = sampled(study["flair"].data[4], view, "nearest")
    drawn = draw_panel(reading, replace(panel, scan=None, overlays=(heat,)), view)
    low = inside & (values < 60)
    assert low.any()
    assert (drawn[low] == 0).all()
    assert (drawn[inside & (values >= 60)] > 0).all()


def test_the_same_reading_gives_the_same_bytes_and_other_times_only_other_words(
    reading: Reading,
) -> None:
    size = PictureSize(800, 700)
    first = png_bytes(compose(reading, size, created=TIME))
    assert first == png_bytes(compose(reading, size, created=TIME))
    later = png_bytes(compose(reading, size, created=TIME.replace(hour=9)))
    assert first != later
    a, b = (np.asarray(Image.open(io.BytesIO(data))) for data in (first, later))
    changed = np.flatnonzero((a != b).any(axis=(1, 2)))
    assert changed.min() > 0.9 * 700  # the foot alone


def test_the_png_says_what_stands_in_it(reading: Reading, tmp_path: Path) -> None:
    png, beside = write_picture(compose(reading, PictureSize(900, 700, 300)), tmp_path / "a")
    with Image.open(png) as image:
        image.load()
        assert image.size == (900, 700)
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        record = json.loads(image.info["sparseexplain"])
        assert "NOT FOR DIAGNOSTIC USE" in image.info["Disclaimer"]
    assert record == json.loads(beside.read_text(encoding="utf-8"))
    panel = record["panels"][0]
    assert (panel["plane"], panel["slice"], panel["slices"]) == ("axial", 4, 9)
    assert panel["letters"] == {"left": "R", "right": "L", "top": "A", "bottom": "P"}
    assert panel["scan"]["role"] == "flair"
    assert panel["overlays"][0]["opacity"] == 0.45


def test_a_ring_marks_the_probe_on_its_own_slice_alone(reading: Reading) -> None:
    """It moves as many pixels as its voxel; another slice is as without it."""
    panel = replace(reading.review.panels[0], overlays=())
    grid = reading.studies["study"].grid

    def pictured(column: int | None, index: int = panel.index) -> Picture:
        probe = None if column is None else tuple(grid.world((panel.index, 10, column)).tolist())
        review = replace(reading.review, panels=(replace(panel, index=index),), probe=probe)
        return compose(reading.with_review(review), PictureSize(500, 500), created=TIME)

    def ring(column: int) -> np.ndarray:
        shown = np.asarray(pictured(column).image).astype(int)
        return np.argwhere(np.abs(shown - (240, 228, 66)).max(axis=2) < 12)[:, ::-1]

    bare = np.asarray(pictured(None).image).astype(int)
    letters = {
        tuple(p) for p in np.argwhere(np.abs(bare - (240, 228, 66)).max(axis=2) < 12)[:, ::-1]
    }
    middles = []
    for column in (7, 12):
        found = np.array([p for p in ring(column) if tuple(p) not in letters])
        assert len(found) > 8
        middles.append((found.min(axis=0) + found.max(axis=0)) / 2)
    zoom = pictured(7).record["panels"][0]["zoom_px_per_mm"]
    expected = (5 * grid.spacing[2] * zoom, 0)
    assert middles[1] - middles[0] == pytest.approx(expected, abs=1.5)
    other = panel.index + 1
    assert png_bytes(pictured(7, other)) == png_bytes(pictured(None, other))


def test_nothing_is_drawn_while_something_is_computed(reading: Reading) -> None:
    with pytest.raises(SparseExplainError, match="XRAI is still being computed"):
        compose(replace(reading, pending=("XRAI",)))


def test_a_slice_that_is_not_there_is_refused(reading: Reading) -> None:
    panels = (reading.review.panels[0].at(99),)
    with pytest.raises(SparseExplainError, match="no axial slice 100"):
        compose(reading.with_review(replace(reading.review, panels=panels)))


def test_no_file_is_overwritten_unasked(reading: Reading, tmp_path: Path) -> None:
    picture = compose(reading, PictureSize(500, 500))
    (tmp_path / "a.png").write_text("mine")
    with pytest.raises(SparseExplainError, match="there already"):
        write_picture(picture, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_text() == "mine"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png"]


@pytest.mark.parametrize("columns", [0, 1, 3])
def test_any_number_of_panels_has_a_place(reading: Reading, columns: int) -> None:
    one = reading.review.panels[0]
    for count in (1, 2, 5):
        review = replace(reading.review, panels=(one,) * count, columns=columns)
        picture = compose(reading.with_review(review), PictureSize(1500, 2600), created=TIME)
        assert len(picture.record["panels"]) == count
