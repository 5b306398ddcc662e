"""The room *layer_maps*: where layers lie, what they see, which maps matter, what a probe reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import napari_sparseexplain as se
from napari_sparseexplain.errors import ModelError, ParameterError, StudyError
from napari_sparseexplain.explanation.layer_maps import layer_maps as layer_maps_module
from napari_sparseexplain.explanation.layer_maps.layer_order import MapStatistics
from napari_sparseexplain.explanation.layer_maps.linear_probe import (
    RidgeProbe,
    probe_values,
    score_probe,
)
from napari_sparseexplain.explanation.layer_maps.receptive_field import receptive_field
from napari_sparseexplain.explanation.layer_maps.seen_layers import SeenLayers, mask_at_layer
from napari_sparseexplain.networks.modules.architectures import build_network
from napari_sparseexplain.networks.modules.left_ventricle_fcn import LeftVentricleFcn
from napari_sparseexplain.networks.running.layer_geometry import (
    LayerGeometry,
    layer_geometries,
)
from napari_sparseexplain.networks.running.layer_outputs import layer_outputs, watched_layers


class Mixed(nn.Module):
    """Strided, padded without symmetry, dilated, transposed."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 3, 3, stride=2)  # no padding: centred on 2 i + 1
        self.far = nn.Conv2d(3, 3, 3, padding=2, dilation=2)
        self.relu = nn.ReLU(inplace=True)
        self.up = nn.ConvTranspose2d(3, 2, 4, stride=2, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.up(self.relu(self.far(self.first(x))))


class Residual(nn.Module):
    """A block with an addition, after a strided convolution beside a strided shortcut."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Conv2d(1, 4, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.two = nn.Conv2d(4, 4, 3, padding=1)
        self.short = nn.Conv2d(1, 4, 1, stride=2)
        self.relu = nn.ReLU()
        self.last = nn.Conv2d(4, 2, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.relu(self.two(self.relu(self.norm(self.one(x)))) + self.short(x)))


def sizes_of(network: nn.Module, shape: tuple[int, int]) -> dict[str, tuple[int, int]]:
    x = torch.zeros(1, 1, *shape)
    found = layer_outputs(network.eval(), lambda: network(x))
    return {name: (output.shape[-2], output.shape[-1]) for name, output in found.items()}


def geometry_of(network: nn.Module, shape: tuple[int, int]) -> dict[str, LayerGeometry]:
    return layer_geometries(network, 1, shape, sizes_of(network, shape))


def small_unet() -> nn.Module:
    return build_network("unet", {"in_channels": 1, "classes": 1, "maps": 4, "levels": 4})


def small_sum() -> nn.Module:
    return build_network("sum", {"in_channels": 1, "classes": 1, "maps": 2, "levels": 3})


# -- where layers lie ------------------------------------------------------------------------------


def centre_of_field(network: nn.Module, shape: tuple[int, int], layer: str) -> tuple[float, ...]:
    """Middle of the theoretical field of the layer's middle pixel, and that pixel."""
    rows, columns = sizes_of(network, shape)[layer]
    index = rows // 2, columns // 2
    field = receptive_field(network, torch.randn(1, 1, *shape), layer, index)
    top, bottom, left, right = field.box
    assert min(top, left) > 0
    assert bottom < shape[0] - 1
    assert right < shape[1] - 1
    return (top + bottom) / 2, (left + right) / 2, *index


@pytest.mark.parametrize(
    ("make", "layers", "shape"),
    [
        (lambda: LeftVentricleFcn(widths=[2, 2, 2, 2]), ("conv1", "conv2", "relu4"), (192, 160)),
        (small_unet, ("encoder.0.5", "pool", "encoder.1.5", "encoder.2.2"), (160, 128)),
        (small_sum, ("encoder.0.b", "encoder.1.b", "encoder.2.convolution_a"), (96, 128)),
        (Mixed, ("first", "far", "relu"), (64, 50)),
        (Residual, ("one", "norm", "two", "last"), (64, 50)),
    ],
)
def test_a_layer_lies_where_its_theoretical_field_has_its_middle(
    make: Any, layers: tuple[str, ...], shape: tuple[int, int]
) -> None:
    torch.manual_seed(0)
    network = make().eval()
    geometries = geometry_of(network, shape)
    for layer in layers:
        geometry = geometries[layer]
        assert geometry.measured
        row, column, i, j = centre_of_field(network, shape, layer)
        # The mean of what is seen, of paths of several widths, is at most half a pixel off the
        # middle of the widest.
        assert geometry.offset[0] + geometry.stride[0] * i == pytest.approx(row, abs=0.51)
        assert geometry.offset[1] + geometry.stride[1] * j == pytest.approx(column, abs=0.51)


def test_the_fcn_of_the_paper_scores_at_16_k_plus_10_and_lays_it_2_pixels_away() -> None:
    geometries = geometry_of(LeftVentricleFcn(widths=[2, 2, 2, 2]).eval(), (192, 160))
    assert geometries["score"].stride == (16, 16)
    assert geometries["score"].offset == pytest.approx((10, 10), abs=0.05)
    assert geometries["head"].stride == (1, 1)
    assert geometries["head"].offset == pytest.approx((2, 2), abs=0.05)


def test_every_layer_of_a_unet_and_back_up_has_its_power_of_two() -> None:
    """Also the deepest, which see beyond the image on all sides, and those above them."""
    geometries = geometry_of(small_unet().eval(), (64, 96))
    sizes = sizes_of(small_unet(), (64, 96))
    for name, geometry in geometries.items():
        stride = 64 / sizes[name][0]
        assert geometry.stride == (stride, stride), name
        assert geometry.offset == pytest.approx(((stride - 1) / 2,) * 2, abs=0.05), name


def test_a_transposed_convolution_goes_back_to_the_image() -> None:
    geometry = geometry_of(Mixed().eval(), (64, 50))["up"]
    assert geometry.stride == (1, 1)
    assert geometry.offset == pytest.approx((0.5, 0.5), abs=0.3)


def test_a_network_for_one_size_is_laid_from_edge_to_edge() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 4, stride=4), nn.Flatten(), nn.Linear(2 * 16, 2)).eval()
    geometry = geometry_of(network, (16, 16))["0"]
    assert not geometry.measured
    assert (geometry.stride, geometry.offset) == ((4, 4), (1.5, 1.5))


def test_maps_are_laid_where_they_belong() -> None:
    geometry = LayerGeometry((2.0, 4.0), (0.5, 1.5))
    rows = geometry.offset[0] + geometry.stride[0] * np.arange(6)
    columns = geometry.offset[1] + geometry.stride[1] * np.arange(4)
    plane = (rows[:, None] + 10 * columns[None, :])[None]
    laid = geometry.resampled(plane, (12, 16))[0]
    inside = laid[1:11, 2:14]
    expected = np.arange(12)[1:11, None] + 10 * np.arange(16)[None, 2:14]
    np.testing.assert_allclose(inside, expected, rtol=1e-5)
    assert geometry.index_of(4.4, 13.0, (6, 4)) == (2, 3)
    assert geometry.index_of(400, -3, (6, 4)) == (5, 0)


def test_a_mask_at_a_layer_is_the_share_of_each_pixel() -> None:
    mask = np.zeros((8, 8), np.float32)
    mask[:, :3] = 1
    share = mask_at_layer(LayerGeometry((2, 2), (0.5, 0.5)), mask, (4, 4))
    np.testing.assert_allclose(share, np.tile([1, 0.5, 0, 0], (4, 1)))
    finer = mask_at_layer(LayerGeometry((0.5, 0.5), (-0.25, -0.25)), mask, (16, 16))
    assert finer[:, :5].all()
    assert not finer[:, 7:].any()


def test_blocks_are_the_last_layers_of_one_size() -> None:
    sizes = {"a": (4, 8, 8), "b": (4, 8, 8), "c": (8, 4, 4), "d": (8, 4, 4), "e": (1, 8, 8)}
    seen = SeenLayers(sizes, {})
    assert seen.blocks == ["b", "d", "e"]
    assert seen.deepest == "d"
    assert seen.number("d") == "04-d"
    many = SeenLayers({f"l{i}": (1, 8 + i % 2, 8) for i in range(40)}, {})
    assert len(many.blocks) == 11
    assert (many.blocks[0], many.blocks[-1]) == ("l0", "l39")


# -- what they see ---------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [Mixed, Residual, small_unet, small_sum])
def test_what_moves_a_pixel_lies_inside_what_can(make: Any) -> None:
    torch.manual_seed(1)
    network = make().eval()
    x = torch.rand(1, 1, 64, 64)
    for layer, (rows, columns) in list(sizes_of(network, (64, 64)).items())[::4]:
        field = receptive_field(network, x, layer, (rows // 2, columns // 3))
        assert not (field.effective[~field.theoretical] > 0).any(), layer
        assert field.effective.sum() == pytest.approx(1, abs=1e-4) or not field.effective.any()
        assert np.isnan(field.radii[0.5]) or field.radii[0.5] <= field.radii[0.95]


class Choosing(nn.Module):
    """Pools and normalises in ``forward`` itself, and takes what a pooling chose back."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.one = nn.Conv2d(1, 2, 3, padding=1)
        self.two = nn.Conv2d(2, 2, 3, padding=1)
        self.dilated = nn.MaxPool2d(3, stride=1, padding=1, dilation=2)
        self.even = nn.MaxPool2d(3, stride=1, padding=1)
        self.choosing = nn.MaxPool2d(2, return_indices=True)
        self.back = nn.MaxUnpool2d(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.relu(self.one(x))
        if self.kind == "function":
            x = functional.max_pool2d(functional.instance_norm(x), 3, 2, ceil_mode=True)
        elif self.kind == "softmax":
            x = functional.max_pool2d(torch.softmax(x, dim=1), 3, 1, padding=1)
        elif self.kind == "back":
            x, chosen = self.choosing(x)
            x = self.back(x, chosen)
        else:
            x = getattr(self, self.kind)(x)
        return self.two(x)


@pytest.mark.parametrize(
    ("kind", "box"),
    [
        # Of pixel 8 at stride 1: one to each side by each convolution, and the pooling's own.
        ("dilated", (5, 13)),
        ("even", (5, 11)),
        ("softmax", (5, 11)),
        # Stride 2, windows of 3 from 2 i on: convolved rows 14 to 20 of pixels 7 to 9.
        ("function", (13, 21)),
        # Of rows 7 to 9 the pairs 6, 7 and 8, 9.
        ("back", (5, 10)),
    ],
)
def test_the_field_takes_in_all_that_a_pooling_looks_at(kind: str, box: tuple[int, int]) -> None:
    torch.manual_seed(0)
    network = Choosing(kind).eval()
    field = receptive_field(network, torch.rand(1, 1, 40, 40), "two", (8, 8))
    assert field.box == (*box, *box)
    assert field.theoretical.sum() == (box[1] - box[0] + 1) ** 2
    geometry = geometry_of(network, (40, 40))["two"]
    assert geometry.measured
    assert geometry.offset[0] + geometry.stride[0] * 8 == pytest.approx(sum(box) / 2, abs=0.76)


def test_a_module_that_was_changed_is_measured_again() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU()).eval()
    assert geometry_of(network, (32, 32))["0"].offset == pytest.approx((0, 0), abs=1e-4)
    network[0].padding = (0, 0)
    assert geometry_of(network, (32, 32))["0"].offset == pytest.approx((1, 1), abs=1e-4)
    network.append(nn.MaxPool2d(2))
    assert geometry_of(network, (32, 32))["2"].stride == (2, 2)


def test_the_field_of_a_known_network() -> None:
    """Two convolutions of 3, the second dilated by 2: 7 pixels, of which 5 by 5 rows of two."""
    network = nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=2, dilation=2)
    )
    field = receptive_field(network, torch.rand(1, 1, 20, 20), "1", (10, 8))
    assert field.box == (7, 13, 5, 11)
    assert field.size == (7, 7)


def test_a_layer_that_is_not_there_is_refused() -> None:
    with pytest.raises(ModelError, match="no layer 'conv9'"):
        receptive_field(Mixed(), torch.rand(1, 1, 32, 32), "conv9", (0, 0))


def test_what_another_thread_runs_is_not_taken_for_this_ones() -> None:
    from threading import Thread

    network = nn.Sequential(nn.Conv2d(1, 1, 1))
    seen: list[str] = []
    with watched_layers(network, lambda name, output: seen.append(name)):
        other = Thread(target=lambda: network(torch.zeros(1, 1, 2, 2)))
        other.start()
        other.join()
        assert not seen
        network(torch.zeros(1, 1, 2, 2))
    assert seen == ["0"]


# -- which maps matter -----------------------------------------------------------------------------


class Known(nn.Module):
    """Maps: the image, its negative at a third, a constant: the output reads the first two."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.Conv2d(1, 3, 1)
        self.out = nn.Conv2d(3, 2, 1, bias=False)
        with torch.no_grad():
            self.maps.weight[:] = torch.tensor([1.0, -1 / 3, 0.0])[:, None, None, None]
            self.maps.bias[:] = torch.tensor([0.0, 0.0, 5.0])  # pyright: ignore
            self.out.weight.zero_()
            self.out.weight[1, 0], self.out.weight[1, 1] = 1.0, -9.0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.maps(x))


@pytest.fixture(scope="module")
def study() -> se.Study:
    """A bright square in noise, with its mask, on six slices."""
    rng = np.random.default_rng(0)
    image = rng.random((6, 24, 32)).astype(np.float32) * 0.1
    mask = np.zeros(image.shape, np.uint8)
    for number in range(6):
        mask[number, 6 + number : 14 + number, 8:16] = 1
    image[mask > 0] += 1
    return se.study_of_arrays({"flair": image}, labels={"seg": mask})


def explained(study: se.Study, method: str, module: nn.Module | None = None, **given: Any) -> Any:
    given = {"roles": "flair", "slices": 2, **given}
    return se.explain(study, module or Known().eval(), method, **given)


def singles(found: se.Explanation) -> list[int]:
    return [int(m.name.rpartition("-map-")[2]) for m in found.maps if "-map-" in m.name]


def test_energy_puts_the_largest_first(study: se.Study) -> None:
    found = explained(study, "layer-maps", layers="maps", maps=3)
    assert singles(found) == [2, 0, 1]
    rms, maps = found.maps[0], [item.data for item in found.maps[1:]]
    np.testing.assert_allclose(rms.data, np.sqrt(np.square(maps).mean(axis=0)), rtol=1e-4)
    assert rms.data.shape == (1, 24, 32)
    assert [item.name for item in found.maps][:2] == ["01-maps", "01-maps-map-2"]


def test_agreement_puts_what_is_like_the_mask_first_whichever_its_sign(study: se.Study) -> None:
    found = explained(study, "layer-maps", layers="maps", maps=3, order="agreement")
    assert singles(found)[2] == 2
    assert abs(found.scores["maps: best correlation with the mask"] or 0) > 0.9
    assert any("mask 'seg'" in note for note in found.notes)


def test_effect_puts_what_the_output_reads_first_and_the_curve_ends_with_all_held(
    study: se.Study,
) -> None:
    """Map 1 carries three times what map 0 does; the constant one, held at its mean, nothing."""
    found = explained(study, "layer-maps", layers="maps", maps=3, order="effect", target=1)
    assert singles(found) == [1, 0, 2]
    counts, shares = found["ablation-curve"].data
    assert counts.tolist() == [0, 1, 2, 3]
    assert shares[0] == pytest.approx(1)
    assert shares[2] < shares[1] < shares[0]
    assert shares[3] == pytest.approx(shares[2], abs=1e-5)
    assert found.target


def test_without_a_mask_agreement_is_with_the_models_own(study: se.Study) -> None:
    alone = se.study_of_arrays({"flair": np.asarray(study["flair"].data)})
    found = explained(alone, "layer-maps", layers="maps", maps=1, order="agreement")
    assert any("model's own mask" in note for note in found.notes)


def test_map_statistics_are_those_of_numpy() -> None:
    rng = np.random.default_rng(1)
    maps = rng.random((3, 4, 6, 5)).astype(np.float32)  # slices, maps, rows, columns
    maps[:, 3] = 2
    masks = (rng.random((3, 6, 5)) > 0.6).astype(np.float32)
    found = MapStatistics(4)
    for one, mask in zip(maps, masks, strict=True):
        found.add(one, mask)
    flat = maps.transpose(1, 0, 2, 3).reshape(4, -1).astype(np.float64)
    np.testing.assert_allclose(found.means, flat.mean(axis=1))
    np.testing.assert_allclose(found.energies, np.square(flat).mean(axis=1))
    wanted = [np.corrcoef(row, masks.ravel())[0, 1] for row in flat[:3]]
    np.testing.assert_allclose(found.agreements[:3], wanted, atol=1e-9)
    assert found.agreements[3] == 0


# -- probes ----------------------------------------------------------------------------------------


def test_a_probe_finds_the_map_that_is_the_mask() -> None:
    rng = np.random.default_rng(2)
    masks = (rng.random((4, 12, 12)) > 0.7).astype(np.float32)
    maps = rng.random((4, 3, 12, 12)).astype(np.float32)
    maps[:, 1] = masks
    probe = RidgeProbe(3)
    pairs = list(zip(maps, masks, strict=True))
    for one, mask in pairs[:2]:
        probe.add(one, mask)
    read = [(probe_values(probe.weights(), one), mask) for one, mask in pairs]
    score = score_probe("layer", probe.weights(), read[:2], read[2:])
    assert score.dice == 1
    assert score.correlation > 0.99
    assert abs(probe.weights()[1]) > 20 * abs(probe.weights()[0])


def test_probes_of_a_study(study: se.Study) -> None:
    found = explained(study, "layer-probes", slices=None)
    assert found.scores["maps: Dice of the probe"] == pytest.approx(1)
    assert not found.maps
    with pytest.raises(StudyError, match="four slices"):
        explained(study, "layer-probes", slices=slice(0, 2))


# -- in one piece, too large, and from outside -----------------------------------------------------


def test_receptive_field_of_a_voxel(study: se.Study) -> None:
    module = nn.Conv2d(1, 2, 5, padding=2)
    found = explained(
        study, "receptive-field", nn.Sequential(module), target="voxel:2,12,16", slices=None
    )
    theoretical = np.asarray(found["theoretical-field"].data)
    assert theoretical.sum() == 25
    assert theoretical[0, 10:15, 14:19].all()
    assert found.scores["theoretical field, rows (mm)"] == 5
    border = np.asarray(found["fields"].data) == -1
    assert border.sum() == 16
    with pytest.raises(StudyError, match="does not lie"):
        explained(study, "receptive-field", nn.Sequential(module), target="voxel:2,99,1")


def test_a_field_that_the_image_cuts_off_says_so(study: se.Study) -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 5, padding=2))
    found = explained(study, "receptive-field", module, target="voxel:2,0,16", slices=None)
    assert any("edge of the image" in note for note in found.notes)


def test_a_layer_that_is_not_there_lists_those_there_are(study: se.Study) -> None:
    with pytest.raises(ModelError, match="It has maps, out"):
        explained(study, "layer-maps", layers="conv9")


def test_more_than_a_laptop_holds_is_refused(
    study: se.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layer_maps_module, "_MOST_BYTES", 10_000)
    with pytest.raises(ParameterError, match="maps of 6 slices would take"):
        explained(study, "layer-maps", slices=None)


def test_one_slice_runs_once(study: se.Study) -> None:
    module = Known().eval()
    passes: list[int] = []
    explained(study, "layer-maps", module)  # where layers lie is measured once
    handle = module.maps.register_forward_hook(lambda *_: passes.append(1))
    explained(study, "layer-maps", module)
    handle.remove()
    assert len(passes) == 2  # one of them the trial of a module that nobody described


def test_a_layer_that_works_in_place_leaves_the_one_before_it_as_it_was() -> None:
    network = Mixed().eval()
    x = torch.randn(1, 1, 16, 16)
    found = layer_outputs(network, lambda: network(x))
    assert (found["far"] < 0).any()
    torch.testing.assert_close(found["relu"], functional.relu(found["far"]))


def test_an_addition_in_place_leaves_the_layer_before_it_as_it_was() -> None:
    class Added(Residual):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = self.two(self.one(x))
            y += self.short(x)
            return y

    network = Added().eval()
    x = torch.randn(1, 1, 16, 16)
    found = layer_outputs(network, lambda: network(x))
    torch.testing.assert_close(found["two"], network.two(found["one"]))
