"""A torch module in place of a model: what a user of Captum, MONAI or dipy types first works."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import napari_sparseexplain as se
from napari_sparseexplain.errors import ModelError, ParameterError, StudyError
from napari_sparseexplain.explanation.method import MethodInfo, Parameter
from napari_sparseexplain.explanation.target import Target
from napari_sparseexplain.explanation.trust.explained_slices import explained_slices
from napari_sparseexplain.explanation.trust.map_figures import Effort
from napari_sparseexplain.explanation.trust.table import trust_work
from napari_sparseexplain.networks.bundle.external_model import wrap_callable
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.running.preparation import prepare
from napari_sparseexplain.progress import drain

SAID: dict[str, Any] = {"roles": ("flair",), "normalisation": "z-score"}


@pytest.fixture(scope="module")
def study() -> se.Study:
    """A bright square on a grey head in black air; pixels that are no squares."""
    scan = np.zeros((3, 30, 34), np.float32)
    scan[:, 4:26, 5:29] = 100 + 10 * np.random.default_rng(0).random((3, 22, 24))
    scan[:, 10:16, 12:20] += 200
    return se.study_of_arrays({"flair": scan, "t1": scan + 1}, spacing=(3.0, 1.2, 0.9))


class Bright(nn.Module):
    """Class 1 where the first channel is above the mean of what is fed."""

    def __init__(self, channels: int = 1, gain: float = 1.0) -> None:
        super().__init__()
        self.mix = nn.Conv2d(channels, 1, 1, bias=False)
        self.noise = nn.Dropout(0.5)
        nn.init.constant_(self.mix.weight, gain)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        value = self.noise(self.mix(x))
        return torch.cat([torch.zeros_like(value), value - 1.0], dim=1)


class Answering(nn.Module):
    """Whatever is wanted in place of logits."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.net, self.answer = Bright(), answer

    def forward(self, x: torch.Tensor) -> Any:
        return self.answer(self.net(x))


def test_the_first_line_works_and_gives_the_module_back(study: se.Study) -> None:
    net = Bright().train()
    net.mix.eval()
    net.mix.weight.grad = torch.full_like(net.mix.weight, 7.0)
    before = [m.training for m in net.modules()]
    one, two = (
        se.explain(study, net, "vanilla-gradient", target=1, slices=1, **SAID) for _ in range(2)
    )
    assert np.array_equal(one["heatmap"].data, two["heatmap"].data)
    shown = one["heatmap"].data[0] != 0
    assert shown[11:15, 13:19].all()
    assert not shown[5:9].any()
    assert [m.training for m in net.modules()] == before
    assert net.mix.weight.requires_grad
    assert (net.mix.weight.grad == 7.0).all()
    record = one.provenance
    assert record.model == "Bright"
    assert record.model_origin == "memory"
    assert record.weights_sha256 == two.provenance.weights_sha256 != ""
    assert record.parameters["normalisation"] == "z-score"
    assert record.parameters["target"] == {"kind": "region", "name": "1", "index": None}
    assert list(record.inputs) == ["flair"]
    assert any("fed flair, normalisation z-score" in note for note in one.notes)


def test_xrai_ranks_regions_of_ones_own_module(study: se.Study) -> None:
    found = se.explain(study, Bright(), "xrai", target=1, slices=1, n_steps=8, min_size=4, **SAID)
    heat = found["heatmap"].data[0]
    assert heat[10:16, 12:20].mean() > heat[4:10, 5:29].mean()


def test_a_number_means_the_class_over_its_prediction_also_of_a_bundle(study: se.Study) -> None:
    inputs = Inputs(("flair",), "z-score", 1.0, 32, mask="non-zero")
    classes = {"0": "none", "1": "lesion"}
    model = wrap_callable(
        Bright(), ModelCard("b", "B", "callable", {}, "segmentation", inputs, classes)
    )
    given = {"slices": 1, "resolution": "native"}
    by_number, by_name = (
        se.explain(study, model, "vanilla-gradient", target=target, **given)
        for target in (1, "lesion")
    )
    own = se.explain(study, Bright(), "vanilla-gradient", target=1, slices=1, **SAID)
    assert np.array_equal(by_number["heatmap"].data, by_name["heatmap"].data)
    assert np.array_equal(by_number["heatmap"].data, own["heatmap"].data)


def test_a_z_score_has_mean_0_and_deviation_1_where_there_is_a_scan(study: se.Study) -> None:
    """As MONAI's NormalizeIntensity(nonzero=True): over the voxels that are not background."""
    card = ModelCard(
        "z", "Z", "callable", {}, "segmentation", Inputs(("flair",), "z-score", 1.0, 32,
        mask="non-zero"), {"1": "x"}
    )  # fmt: skip
    array = prepare(study, card, resolution="native").array[:, 0]
    there = study["flair"].data != 0
    assert not array[~there].any()
    assert array[there].mean() == pytest.approx(0, abs=1e-5)
    assert array[there].std() == pytest.approx(1, abs=1e-5)
    part = prepare(study, card, slice(1, 2), resolution="native").array[:, 0]
    assert np.array_equal(part, array[1:2])
    flat = se.study_of_arrays({"flair": np.ones((2, 8, 8), np.float32)})
    with pytest.raises(StudyError, match="no contrast"):
        prepare(flat, card)


def test_scores_of_trust_see_what_the_module_was_fed(study: se.Study) -> None:
    """Slices that are explained again hold values below 0 and above 1."""
    found = se.explain(study, Bright(), "occlusion", target=1, slices=1, window=4, stride=2, **SAID)
    assert found.scores is not None
    inputs = Inputs(("flair",), "z-score", 1.0, 34, mask="non-zero")
    card = ModelCard("b", "B", "callable", {}, "segmentation", inputs, {"0": "none", "1": "lesion"})
    model = wrap_callable(Bright(), card)
    slices = drain(
        explained_slices(study, model, Target.region("1"), slice(1, 2), resolution="native")
    )
    again = drain(slices.explain("occlusion", {"window": 4, "stride": 2}))
    assert np.allclose(again["heatmap"].data, found["heatmap"].data, atol=1e-4)
    effort = Effort(steps=4, perturbations=4, neighbours=1, stages=1)
    net = Bright().train()
    table = se.trust(study, net, found, effort=effort)
    assert table.text() == drain(trust_work(study, model, found, effort)).text()
    assert table["deletion AUC"].value is not None
    assert all(m.training for m in net.modules())
    with pytest.raises(se.SparseExplainError, match="other weights"):
        se.trust(study, Bright(gain=2.0), found)


@pytest.mark.parametrize(
    ("answer", "taken"),
    [
        (lambda y: {"aux": y * 0, "out": y}, "'out' was taken"),
        (lambda y: (y, y.mean()), "0 was taken"),
        (lambda y: [y], ""),
        (lambda y: {"seg": y}, ""),
    ],
)
def test_of_several_outputs_it_is_said_which_is_taken(study, answer: Any, taken: str) -> None:
    plain = se.explain(study, Bright(), "vanilla-gradient", target=1, slices=1, **SAID)
    found = se.explain(study, Answering(answer), "vanilla-gradient", target=1, slices=1, **SAID)
    assert np.array_equal(found["heatmap"].data, plain["heatmap"].data)
    assert any("was taken as its logits" in note for note in found.notes) == bool(taken)
    assert any(taken in note for note in found.notes)


def test_double_precision_a_classifier_and_one_output_work(study: se.Study) -> None:
    single = se.explain(study, Bright(), "vanilla-gradient", target=1, slices=1, **SAID)
    double = se.explain(study, Bright().double(), "vanilla-gradient", target=1, slices=1, **SAID)
    assert np.allclose(single["heatmap"].data, double["heatmap"].data)
    assert se.explain(study, Bright().double(), "segmentation", slices=1, **SAID)
    pooled = nn.Sequential(Bright(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert se.explain(study, pooled, "occlusion", target=1, slices=1, **SAID)["heatmap"].data.any()
    one = Answering(lambda y: y[:, 1:])
    found = se.explain(study, one, "vanilla-gradient", target=1, slices=1, **SAID)
    assert np.array_equal(found["heatmap"].data, single["heatmap"].data)


def test_a_network_that_pools_is_given_padded_slices(study: se.Study) -> None:
    pooling = nn.Sequential(nn.MaxPool2d(8), nn.Upsample(scale_factor=8), Bright())
    found = se.explain(study, pooling, "vanilla-gradient", target=1, slices=1, **SAID)
    assert found["heatmap"].data.shape == (1, 30, 34)
    assert any("padded to multiples of 8" in note for note in found.notes)


def test_arrays_and_several_scans_come_in_the_order_of_roles(study: se.Study) -> None:
    scans = {role: volume.data for role, volume in study.images.items()}
    by_role = se.explain(
        scans, Bright(2), "vanilla-gradient", target=1, slices=1, roles=("t1", "flair")
    )
    assert [m.name for m in by_role.maps] == ["heatmap", "heatmap-t1", "heatmap-flair"]
    stacked = np.stack([scans["t1"], scans["flair"]])
    by_place = se.explain(
        stacked, Bright(2), "vanilla-gradient", target=1, slices=1, roles=("t1", "flair")
    )
    assert np.array_equal(by_role["heatmap"].data, by_place["heatmap"].data)


class TwoInputs(nn.Module):
    def forward(self, image: torch.Tensor, age: torch.Tensor) -> torch.Tensor:
        return image * age


@pytest.mark.parametrize(
    ("module", "said", "message"),
    [
        (Bright(), {}, "does not say which scans it takes.*roles=.*the study has flair, t1"),
        (Bright(), {"roles": "t2"}, "the study lacks t2"),
        (Bright(2), {"roles": "flair"}, "fails on images of shape .1, 1, 30, 34.*channel"),
        (Bright(), {"roles": "flair", "normalisation": "minmax"}, "no normalisation 'minmax'.*z-s"),
        (TwoInputs(), {"roles": "flair"}, r"takes 2 inputs \(image, age\)"),
        (Bright().to("meta"), {"roles": "flair"}, "'meta'.*no numbers"),
        (Answering(lambda y: {"a": 1}), {"roles": "flair"}, "a dict without a tensor"),
        (Answering(lambda y: y[..., ::2]), {"roles": "flair"}, "an output of shape .1, 2, 30, 17"),
        (Answering(lambda y: None), {"roles": "flair"}, "a NoneType without a tensor"),
        (nn.Conv3d(1, 2, 3, padding=1), {"roles": "flair"}, "takes volumes"),
        (nn.LazyConv2d(2, 3), {"roles": "flair"}, "lazy layers"),
        (3, {"roles": "flair"}, "a int is no model"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(study, module: Any, said: dict, message: str) -> None:
    with pytest.raises(se.SparseExplainError, match=message) as caught:
        se.explain(study, module, "vanilla-gradient", target=1, slices=1, **said)
    assert "\n" not in str(caught.value)


def test_a_class_that_is_not_there_names_those_there_are(study: se.Study) -> None:
    with pytest.raises(StudyError, match=r"no class '5'.*class 0 \(0\), class 1 \(1\)"):
        se.explain(study, Bright(), "vanilla-gradient", target=5, slices=1, **SAID)
    for wrong in (-1, True, 1.5):
        with pytest.raises(se.SparseExplainError, match="not understood"):
            se.explain(study, Bright(), "vanilla-gradient", target=wrong, slices=1, **SAID)


def test_a_model_with_a_card_takes_neither_word(study: se.Study) -> None:
    with pytest.raises(ParameterError, match="a model's card has them"):
        se.explain(study, "sum-seg", "segmentation", roles="flair")


@pytest.mark.parametrize("name", ["roles", "normalisation"])
def test_the_two_words_are_no_parameters_of_any_method(name: str) -> None:
    assert all(name not in {p.name for p in info.parameters} for info in se.methods().values())
    with pytest.raises(ValueError, match="a word of explain itself"):
        MethodInfo(
            name="x", title="X", summary="x", work="a:b", heat=None,
            parameters=(Parameter(name, 1, "x"),),
        )  # fmt: skip


def test_a_module_elsewhere_is_copied_and_stays(study: se.Study) -> None:
    """On this machine only the processor can be asked for; parts on two devices are refused."""
    net = Bright()
    found = se.explain(study, net, "vanilla-gradient", target=1, slices=1, device="cpu", **SAID)
    assert found.provenance.device == "cpu"
    net.extra = nn.Linear(2, 2, device="meta")
    with pytest.raises(ModelError, match="meta"):
        se.explain(study, net, "vanilla-gradient", target=1, slices=1, **SAID)
