"""The scalar that attribution explains: fixed masks, unions of classes, and every refusal."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from napari_sparseexplain.errors import ModelError, StudyError
from napari_sparseexplain.explanation.class_regions import class_channels
from napari_sparseexplain.explanation.score_function import ScoreFunction, score_function
from napari_sparseexplain.explanation.target import Target
from napari_sparseexplain.networks.bundle.external_model import ExternalNetwork
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.modules.clip_head import ClipHead
from napari_sparseexplain.networks.modules.unet import UNet
from napari_sparseexplain.networks.running.preparation import Prepared
from napari_sparseexplain.progress import drain
from napari_sparseexplain.volumes import Grid, Source, Study, Volume

BRATS = {
    "0": "healthy tissue",
    "2": "oedema",
    "1": "necrotic and non-enhancing core",
    "4": "enhancing tumour",
}
SHAPE = (3, 16, 12)


class Pointwise(nn.Module):
    """Logits that are a fixed linear map of the pixel itself, with a softmax or clip head."""

    def __init__(self, weights: list[float], head: str = "softmax") -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.tensor(weights).view(1, -1, 1, 1))
        self.head = ClipHead(len(weights)) if head == "clip" else nn.Softmax(dim=1)

    def forward(self, x: torch.Tensor, alpha: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
        signal = x[:, :1] * self.weights
        return self.head(signal), signal


class Scorer(nn.Module):
    """A classifier: two classes, linear in the mean of the image."""

    def forward(self, x: torch.Tensor, alpha: float = 1.0) -> torch.Tensor:
        mean = x.flatten(1).mean(dim=1)
        return torch.stack((mean, -2 * mean), dim=1)


class Given(nn.Module):
    """A model that answers with whatever it is told."""

    def __init__(self, answer) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, x: torch.Tensor, alpha: float = 1.0):
        return self.answer(x)


def card_of(classes: dict[str, str]) -> ModelCard:
    inputs = Inputs(("flair",), "unit", spacing_mm=2.0, size=16)
    return ModelCard("tested", "Tested", "unet", {}, "segmentation", inputs, classes)


def model_of(network: nn.Module, classes: dict[str, str]) -> Model:
    return Model.of_network(card_of(classes), network)


def slices(seed: int = 0) -> Prepared:
    array = np.random.default_rng(seed).random((SHAPE[0], 1, *SHAPE[1:])).astype(np.float32)
    grid = Grid(SHAPE, np.diag([2.0, 2.0, 2.0, 1.0]))
    return Prepared(array, grid, slice(0, SHAPE[0]), (2.0, 2.0), "model", {"flair": (0.0, 1.0)})


def scored(network: nn.Module, classes: dict[str, str], target: Target, **more) -> ScoreFunction:
    return drain(score_function(model_of(network, classes), slices(), target, **more))


ONE = {"1": "lesion"}


@pytest.mark.parametrize(
    ("name", "channels"),
    [("WT", (1, 2, 3)), ("TC", (2, 3)), ("et", (3,)), ("oedema", (1,)), ("4", (3,)), ("0", (0,))],
)
def test_unions_of_exclusive_classes(name: str, channels: tuple[int, ...]) -> None:
    assert class_channels(card_of(BRATS), name) == channels


def test_names_decide_before_numbers_and_numbers_where_names_are_mute() -> None:
    mute = {"0": "a", "1": "b", "2": "c", "3": "d"}
    assert class_channels(card_of(mute), "TC") == (1, 3)
    nested = {"1": "tumor core", "2": "whole tumor", "3": "enhancing tumor"}
    assert [class_channels(card_of(nested), n) for n in ("WT", "TC", "ET")] == [(1,), (0,), (2,)]


def test_the_only_class_is_the_whole_tumour_and_nothing_else() -> None:
    assert class_channels(card_of(ONE), "WT") == (0,)
    with pytest.raises(StudyError, match=r"no class 'TC'.*lesion \(1\).*regions WT"):
        class_channels(card_of(ONE), "TC")


def test_the_mask_is_predicted_once_and_then_fixed() -> None:
    score = scored(Pointwise([2.0], "clip"), ONE, Target.region("WT"))
    x = torch.from_numpy(slices().array)
    inside = (2 * x >= 0.5).float()
    values, gradients = score.gradient(x)
    torch.testing.assert_close(values, (2 * x * inside).flatten(1).sum(dim=1))
    torch.testing.assert_close(gradients, 2 * inside)
    torch.testing.assert_close(score(x / 10), values / 10)  # nothing is above 0.5 any more


def test_a_union_adds_its_logits_over_the_pixels_where_one_of_it_is_likeliest() -> None:
    weights = [0.5, -1.0, 1.0, 3.0]
    score = scored(Pointwise(weights), BRATS, Target.region("TC"))
    x = torch.from_numpy(slices().array)
    values, gradients = score.gradient(x)
    torch.testing.assert_close(gradients, torch.full_like(x, 4.0))
    torch.testing.assert_close(values, 4 * x.flatten(1).sum(dim=1))


def test_rows_say_whose_mask_an_image_is_seen_through() -> None:
    score = scored(Pointwise([2.0], "clip"), ONE, Target.region("WT"))
    x = torch.from_numpy(slices().array)
    turned = score(x[[2, 0]], [2, 0])
    torch.testing.assert_close(turned, score(x)[[2, 0]])


def test_a_negative_head_does_not_turn_the_sign_of_the_score() -> None:
    torch.manual_seed(1)
    network = UNet(maps=2, levels=1).eval()
    network.head.scale.weight.data.fill_(-1.0)
    score = scored(network, ONE, Target.of_class("lesion"))
    x = torch.from_numpy(slices().array)
    torch.testing.assert_close(score(x), -network.signal(x).flatten(1).sum(dim=1))


def test_a_clicked_voxel_explains_its_own_slice_only() -> None:
    score = scored(Pointwise([0.1, 1.0, 2.0, -1.0]), BRATS, Target.voxel((1, 5, 7)))
    x = torch.from_numpy(slices().array)
    _, gradients = score.gradient(x)
    expected = torch.zeros_like(x)
    expected[1, 0, 5, 7] = 2.0  # the strongest class there but background
    torch.testing.assert_close(gradients, expected)
    assert score.active is not None
    assert score.active.tolist() == [False, True, False]
    assert "necrotic" in score.label


def test_a_drawn_region_stands_in_for_the_mask() -> None:
    region = np.zeros(SHAPE, bool)
    region[2, 3:5, 4] = True
    score = scored(Pointwise([2.0], "clip"), ONE, Target.region("WT"), region=region)
    _, gradients = score.gradient(torch.from_numpy(slices().array))
    np.testing.assert_array_equal(gradients[:, 0].numpy(), 2.0 * region)


def test_a_label_volume_is_a_region_by_its_role() -> None:
    grid = slices().grid
    data = np.zeros(SHAPE, np.uint8)
    data[0, 1, 1] = 3
    source = Source((), "memory", SHAPE, np.eye(4), data.dtype, np.array([[0, 1], [1, 1], [2, 1]]))
    study = Study(
        "made", None, {}, {"seg": Volume(data, grid, "seg", "label", source)}, grid, "seg"
    )
    for name, channels in (("seg", (1, 2, 3)), ("ET@seg", (3,))):
        score = scored(Pointwise([1.0, 1, 1, 1]), BRATS, Target.region(name), study=study)
        assert score.channels == channels
        np.testing.assert_array_equal(score.weights.numpy(), data != 0)
    with pytest.raises(StudyError, match=r"no mask 'drawn'.*It has seg"):
        scored(Pointwise([1.0, 1, 1, 1]), BRATS, Target.region("ET@drawn"), study=study)


def test_a_classifier_gives_its_logit_and_on_request_its_probability() -> None:
    classes = {"0": "none", "1": "meningioma"}
    x = torch.from_numpy(slices().array)
    for target in (Target.of_class("meningioma"), Target.of_class(1), Target.parse("meningioma")):
        score = scored(Scorer(), classes, target)
        torch.testing.assert_close(score(x), -2 * x.flatten(1).mean(dim=1))
        assert score.active is None
    mean = x.flatten(1).mean(dim=1)
    wanted = torch.softmax(torch.stack((mean, -2 * mean), dim=1), dim=1)[:, 1]
    for target in (Target.probability(1), Target.parse("probability:meningioma")):
        score = scored(ExternalNetwork(Scorer()), classes, target)
        torch.testing.assert_close(score(x), wanted)
        assert score.label == f"probability of {target.name}"
    with pytest.raises(StudyError, match="of classifiers alone"):
        scored(Pointwise([1.0, 1.0]), classes, Target.probability(1))
    with pytest.raises(StudyError, match="one score an image"):
        scored(Scorer(), classes, Target.voxel((0, 0, 0)))


def test_double_precision_goes_through_in_double_precision() -> None:
    score = scored(Pointwise([2.0], "clip").double(), ONE, Target.region("WT"))
    x = torch.from_numpy(slices().array).double()
    values, gradients = score.gradient(x)
    assert values.dtype == gradients.dtype == torch.float64


def test_scores_of_arrays_are_those_of_tensors() -> None:
    score = scored(Pointwise([2.0], "clip"), ONE, Target.region("WT"))
    array = slices().array
    np.testing.assert_allclose(score.scores(array), score(torch.from_numpy(array)), rtol=1e-6)


def test_an_empty_region_is_said() -> None:
    with pytest.raises(StudyError, match="'WT' is empty on these slices"):
        scored(Pointwise([0.1], "clip"), ONE, Target.region("WT"))
    with pytest.raises(StudyError, match="drawn region' is empty"):
        scored(Pointwise([0.1], "clip"), ONE, Target.region("WT"), region=np.zeros(SHAPE, bool))


@pytest.mark.parametrize("target", [Target.of_class(7), Target.voxel((0, 1, 1), 7)])
def test_a_class_that_is_not_there_is_said(target: Target) -> None:
    with pytest.raises(StudyError, match=r"no class '7'.*lesion \(1\)"):
        scored(Pointwise([1.0], "clip"), ONE, target)


def test_a_voxel_off_the_slices_is_said() -> None:
    with pytest.raises(StudyError, match="slice 6, row 1, column 1 does not lie on slices 1–3"):
        scored(Pointwise([1.0], "clip"), ONE, Target.voxel((5, 0, 0)))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda x: (x, x, x), r"gives 3 outputs .* where scores"),
        (lambda x: {"out": x}, "gives a dict where"),
        (lambda x: x.mean(dim=(1, 2, 3)), r"output of shape \(3,\)|output of shape \(1,\)"),
        (lambda x: torch.cat((x, x), dim=1), "gives 2 outputs, and its card names 1 classes"),
    ],
)
def test_an_output_of_another_kind_is_said(answer, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        scored(Given(answer), ONE, Target.region("WT"))


def test_a_smaller_output_than_the_input_is_said() -> None:
    region = np.ones(SHAPE, bool)
    score = scored(Given(lambda x: x[..., ::2, ::2]), ONE, Target.region("WT"), region=region)
    with pytest.raises(
        ModelError, match=r"output of shape \(8, 6\) for a mask of shape \(16, 12\)"
    ):
        score(torch.from_numpy(slices().array))


@pytest.mark.parametrize(
    "answer", [lambda x: (x > 0.5).float(), lambda x: x.detach(), lambda x: torch.ones_like(x)]
)
def test_without_a_gradient_the_methods_that_remain_are_named(answer) -> None:
    score = scored(Given(answer), ONE, Target.region("WT"))
    with pytest.raises(ModelError, match=r"not differentiable.*still work: occlusion"):
        score.gradient(torch.from_numpy(slices().array))


def test_a_function_that_leaves_torch_is_not_differentiable_either() -> None:
    def answer(x: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(np.tanh(x.numpy()))  # torch refuses this of a gradient's tensor

    for network in (Given(answer), ExternalNetwork(answer)):
        score = scored(network, ONE, Target.region("WT"))
        with pytest.raises(ModelError, match=r"not differentiable.*still work: occlusion"):
            score.gradient(torch.from_numpy(slices().array))


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_a_gradient_that_is_not_finite_names_its_step(bad: float) -> None:
    score = scored(Given(lambda x: x), ONE, Target.region("WT"))
    x = torch.from_numpy(slices().array)
    broken = ScoreFunction(
        model_of(Given(lambda x: x * bad), ONE), score.channels, score.weights, "WT"
    )
    with pytest.raises(ModelError, match="NaN or infinite at step 3 of 50"):
        broken.gradient(x, step="step 3 of 50")
