"""Cells: where they lie, what each sees, and its pixels against what numpy says of the arrays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils.colormaps import DirectLabelColormap

from napari_sparseexplain.export.pictures.plane_picture import sampled
from napari_sparseexplain.layers.cells.cell_layout import CELL_SPACING, equal_places, large_places
from napari_sparseexplain.layers.cells.cell_pixels import cell_pixels, voxel_picture
from napari_sparseexplain.layers.cells.cell_view import CellView
from napari_sparseexplain.layers.cells.grid_view import GridView, Layout
from napari_sparseexplain.layers.cells.layer_slice import LayerSlice, layer_slice
from napari_sparseexplain.layers.cells.shown_cells import CellCamera, cells_of
from napari_sparseexplain.layers.mask_style import line_width, mask_style, set_mask_style


def as_bytes(pixels: np.ndarray) -> np.ndarray:
    """Red, green and blue of 0xFFRRGGBB."""
    return np.stack([pixels >> shift & 255 for shift in (16, 8, 0)], axis=-1).astype(np.uint8)


@pytest.mark.parametrize(
    "places",
    [
        equal_places(5, (2, 3), (401, 602)),
        equal_places(2, (1, 2), (300, 333)),
        large_places(4, (400, 600)),
        large_places(3, (700, 300)),
        large_places(1, (400, 600)),
    ],
)
def test_cells_lie_apart_and_on_the_canvas(places: list) -> None:
    taken = np.zeros((710, 610), int)
    for place in places:
        taken[place.top : place.top + place.height, place.left : place.left + place.width] += 1
    assert taken.max() == 1
    for one in places:
        right, low = one.left + one.width, one.top + one.height
        for other in places:
            beside = other.left >= right
            below = other.top >= low
            if other is not one and (beside or below):
                assert (beside and other.left - right >= CELL_SPACING - 1) or (
                    below and other.top - low >= CELL_SPACING - 1
                )


@pytest.mark.parametrize("down", [True, False])
@pytest.mark.parametrize("right", [True, False])
def test_pixels_and_places_are_each_other_s_inverse(down: bool, right: bool) -> None:
    view = CellView((80, 120), 1.7, (12.0, -4.0), down, right)
    rows, columns = view.row_places(), view.column_places()
    assert view.place(30.5, 10.5) == pytest.approx((rows[10], columns[30]))
    np.testing.assert_allclose(view.pixels([(rows[10], columns[30])]), [(30.5, 10.5)])
    assert (rows[1] > rows[0]) == down
    assert (columns[1] > columns[0]) == right


@pytest.fixture
def viewer() -> ViewerModel:
    made = ViewerModel()
    rng = np.random.default_rng(0)
    made.add_image(
        rng.random((4, 6, 8)).astype(np.float32),
        name="scan",
        scale=(2, 1, 1),
        contrast_limits=(0.2, 0.9),
    )
    made.add_image(
        rng.random((3, 4, 6, 8)).astype(np.float32),
        name="frames",
        scale=(1, 2, 1, 1),
        contrast_limits=(0, 1),
        colormap="viridis",
        opacity=0.4,
        blending="translucent",
    )
    mask = np.zeros((4, 6, 8), np.uint8)
    mask[1, 2:4, 3:6] = 1
    mask[1, 4, 4] = 2
    colours = DirectLabelColormap(color_dict={None: "black", 0: "transparent", 1: "red", 2: "blue"})
    made.add_labels(mask, name="mask", scale=(2, 1, 1), opacity=0.5, colormap=colours)
    made.dims.set_point((0, 1), (2, 2.0))
    return made


#: One pixel a voxel.
ONE = CellView((6, 8), 1.0, (2.5, 3.5))


def pixels(viewer: ViewerModel, *names: str, view: CellView = ONE) -> np.ndarray:
    found = []
    for name in names:
        plane = layer_slice(viewer.layers[name], viewer.dims)
        assert plane is not None
        found.append((viewer.layers[name], plane))
    pixels = as_bytes(cell_pixels(found, view))
    if (whole := voxel_picture(found)) is not None:
        for one in (view, CellView((31, 40), 3.3, (2.0, 4.5), False, True)):
            # One rounds once, the other after each layer.
            seen, again = as_bytes(whole.seen_from(one)), as_bytes(cell_pixels(found, one))
            np.testing.assert_allclose(seen.astype(int), again.astype(int), atol=1)
    return pixels


def test_a_slice_is_taken_at_the_viewer_s_point_also_of_a_layer_with_fewer_axes(
    viewer: ViewerModel,
) -> None:
    scan, frames = viewer.layers["scan"], viewer.layers["frames"]
    one, other = layer_slice(scan, viewer.dims), layer_slice(frames, viewer.dims)
    assert one is not None
    assert other is not None
    np.testing.assert_array_equal(one.values, scan.data[1])
    np.testing.assert_array_equal(other.values, frames.data[2, 1])
    scan.translate = (-20, 0, 0)
    assert layer_slice(scan, viewer.dims) is None, "beside it"
    scan.translate = (0, 0, 0)
    viewer.dims.set_point((0, 1), (2, 2.0))
    viewer.dims.order = (0, 2, 3, 1)  # rows are columns, and columns slices
    turned = layer_slice(scan, viewer.dims)
    assert turned is not None
    assert turned.values.shape == (8, 4)
    assert turned.step == (1.0, 2.0)
    scan.rotate = 10
    assert layer_slice(scan, viewer.dims) is None, "its rows are not the picture's"
    viewer.dims.ndisplay = 3
    assert layer_slice(frames, viewer.dims) is None


def test_layers_lie_over_each_other_as_their_opacity_says(viewer: ViewerModel) -> None:
    scan, frames, mask = (viewer.layers[name] for name in ("scan", "frames", "mask"))
    grey = np.clip((scan.data[1] - 0.2) / 0.7, 0, 1)[..., None]
    np.testing.assert_allclose(pixels(viewer, "scan"), np.repeat(grey, 3, -1) * 255, atol=1)
    colour = frames.colormap.map(frames.data[2, 1].ravel()).reshape(6, 8, 4)[..., :3]
    both = grey + 0.4 * (colour - grey)
    np.testing.assert_allclose(pixels(viewer, "scan", "frames"), both * 255, atol=1.5)
    red_blue = np.zeros((6, 8, 3))
    red_blue[mask.data[1] == 1] = (1, 0, 0)
    red_blue[mask.data[1] == 2] = (0, 0, 1)
    cover = 0.5 * (mask.data[1] > 0)[..., None]
    np.testing.assert_allclose(
        pixels(viewer, "scan", "mask"), (grey + cover * (red_blue - grey)) * 255, atol=1
    )
    frames.blending = "additive"
    np.testing.assert_allclose(
        pixels(viewer, "scan", "frames"), np.clip(grey + 0.4 * colour, 0, 1) * 255, atol=1.5
    )
    set_mask_style(mask, "outline")
    np.testing.assert_array_equal(pixels(viewer, "scan", "mask"), pixels(viewer, "scan"))


def test_values_that_are_none_let_see_what_is_below(viewer: ViewerModel) -> None:
    frames = viewer.layers["frames"]
    data = frames.data.copy()
    data[2, 1, :3] = np.nan
    frames.data = data
    over, alone = pixels(viewer, "scan", "frames"), pixels(viewer, "scan")
    np.testing.assert_allclose(over[:3].astype(int), alone[:3].astype(int), atol=1)
    assert (over[3:] != alone[3:]).any()


def test_smooth_pictures_weigh_values_and_not_colours(viewer: ViewerModel) -> None:
    """Half way between 0 and 1 a narrow window about 0.25 is white, not grey."""
    step = np.zeros((1, 1, 2), np.float32)
    step[..., 1] = 1
    layer = viewer.add_image(step, contrast_limits=(0.2, 0.3), interpolation2d="linear")
    viewer.dims.set_point((0, 1), (0, 0.0))
    plane = layer_slice(layer, viewer.dims)
    assert plane is not None
    seen = as_bytes(cell_pixels([(layer, plane)], CellView((1, 3), 2.0, (0.0, 0.5))))
    assert seen[0, :, 0].tolist() == [0, 255, 255]


def test_smooth_scans_are_the_weighed_neighbours_wherever_they_are_seen_from() -> None:
    """Larger, smaller, mirrored, beside the slice, and with gaps."""
    rng = np.random.default_rng(3)
    values = rng.random((7, 9)).astype(np.float32)
    gap = values.copy()
    gap[2, 3] = np.nan
    for zoom, down, right in ((3.3, True, True), (0.4, True, False), (1.7, False, True)):
        view = CellView((23, 31), zoom, (3.2, 4.7), down, right)
        plane = LayerSlice(values, (0.5, -1.0), (1.0, 1.3))
        seen = plane.seen_from(view)
        for array in (values, gap):
            found, inside = sampled(array, seen, "linear")
            for y, x in zip(*np.nonzero(inside), strict=True):
                row, column = (
                    np.clip(place, 0, count - 1)
                    for place, count in zip((seen.rows[y], seen.columns[x]), (7, 9), strict=True)
                )
                top, left = min(int(row), 5), min(int(column), 7)
                low, high = row - top, column - left
                weights = np.outer((1 - low, low), (1 - high, high))
                near = array[top : top + 2, left : left + 2]
                expected = (weights * np.where(weights > 0, near, 0)).sum()
                np.testing.assert_allclose(found[y, x], expected, atol=1e-5)


def test_a_mask_has_a_style_and_a_width(viewer: ViewerModel) -> None:
    mask = viewer.layers["mask"]
    assert mask_style(mask) == "fill"
    set_mask_style(mask, "outline", 3)
    assert (mask_style(mask), line_width(mask), mask.contour) == ("outline", 3, 3)
    set_mask_style(mask, "both")
    assert (mask_style(mask), line_width(mask), mask.contour) == ("both", 3, 0)
    set_mask_style(mask, "fill", 9)
    assert (mask_style(mask), line_width(mask)) == ("fill", 2)
    mask.contour = 2  # by napari's own controls
    assert mask_style(mask) == "outline"


def test_cells_of_other_sizes_see_the_same_and_one_may_see_something_of_its_own(
    viewer: ViewerModel,
) -> None:
    side, view = GridView(viewer), cells_of(viewer)
    scan, frames, mask = (viewer.layers[name] for name in ("scan", "frames", "mask"))
    side.show_cells([[scan, mask], [frames], [scan]])
    assert side.cells == ((scan, mask), (frames,), (scan,))
    assert mask.opacity == 0.5, "over a scan, which is seen through it"
    side.set_layout(Layout(one_large=True))
    large, small, _ = view.places(viewer.canvas.size)
    assert large is not None
    assert small is not None
    at_large, at_small = view.view(0, large, viewer), view.view(1, small, viewer)
    assert at_large.zoom > at_small.zoom
    for place, seen in ((large, at_large), (small, at_small)):
        high, wide = np.array([6, 8]) * seen.zoom
        assert max(high / place.height, wide / place.width) == pytest.approx(0.96)
    view.look(1, CellCamera(2.0, (1.0, 1.0)))
    assert view.view(1, small, viewer).centre == (1.0, 1.0)
    assert view.view(0, large, viewer) == at_large
    side.set_layout(Layout(2, 2))
    assert view.shape == (2, 2)
    assert view.camera(1) is None, "a fit is for all"
    side.enlarge(1)
    only = view.places(viewer.canvas.size)
    assert [place is None for place in only] == [True, False, True]
    side.fill_cell(1, [scan, frames])
    assert side.cells[1] == (scan, frames)
    viewer.layers.remove(scan)
    assert side.cells == ((mask,), (frames,)), "its cells go with it, those of others stay"
    viewer.dims.ndisplay = 3
    assert not side.active, "three dimensions are seen in the one view"


@pytest.mark.parametrize(("kind", "numpys"), [("max", np.max), ("min", np.min), ("mean", np.mean)])
def test_a_slab_is_the_projection_of_the_slices_within_it(
    viewer: ViewerModel, kind: str, numpys: Callable
) -> None:
    scan = viewer.layers["scan"]
    scan.projection_mode = kind
    for half, taken in ((0.9, slice(1, 2)), (2.0, slice(0, 3)), (50.0, slice(0, 4))):
        margins = [0.0] * viewer.dims.ndim
        margins[viewer.dims.order[-3]] = half
        viewer.dims.margin_left = viewer.dims.margin_right = tuple(margins)
        plane = layer_slice(scan, viewer.dims)
        assert plane is not None
        np.testing.assert_allclose(plane.values, numpys(scan.data[taken], axis=0))
    viewer.dims.order = (0, 2, 3, 1)
    viewer.dims.margin_left = viewer.dims.margin_right = (0.0, 0.0, 1.0, 0.0)
    turned = layer_slice(scan, viewer.dims)
    assert turned is not None
    assert turned.values.shape == (8, 4), "the margin is of an axis of the picture"
