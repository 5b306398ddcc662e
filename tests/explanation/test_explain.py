"""The one way to run a method: checked names, parameters, slices; segmentation end to end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

import napari_sparseexplain as se
from napari_sparseexplain.errors import ModelError, SparseExplainError, StudyError
from napari_sparseexplain.evidence.store import load_explanation, write_explanation
from napari_sparseexplain.explanation.catalogue import explain_work, slice_range
from napari_sparseexplain.explanation.class_maps import label_map
from napari_sparseexplain.explanation.method import Parameter
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.bundle.saving import save_bundle
from napari_sparseexplain.networks.modules.sum_network import SumNetwork
from napari_sparseexplain.progress import Progress, drain

CARD = ModelCard(
    name="small",
    title="Small",
    architecture="sum",
    arguments={"maps": 2, "levels": 1},
    task="segmentation",
    inputs=Inputs(("flair",), "brain-range", 1.875, 32),
    classes={"2": "lesion"},
)


@pytest.fixture
def network() -> SumNetwork:
    """A network that hands its input through, so that the mask shows where the scan is bright."""
    network = SumNetwork(maps=2, levels=1)
    for parameter in network.parameters():
        parameter.data.zero_()
    network.encoder[0].convolution_a.weight.data[0, 0, 1, 1] = 1
    network.encoder[0].convolution_b.weight.data[0, 0, 1, 1] = 1
    network.decoder[0].convolution_across.weight.data[0, 0, 1, 1] = 1
    network.decoder[0].convolution_above.weight.data[0, 0, 1, 1] = 1
    network.head.scale.weight.data.fill_(1)
    return network


@pytest.fixture
def study(tmp_path: Path) -> se.Study:
    """Anisotropic, odd-sized, stored in another orientation; one bright ball, marked as 4."""
    i, j, k = np.ogrid[:45, :9, :38]
    brain = ((i - 22) / 20) ** 2 + ((k - 19) / 17) ** 2 < 1 + 0 * j
    ball = (1.3 * (i - 16)) ** 2 + (1.7 * (k - 24)) ** 2 + (3.0 * (j - 4)) ** 2 < 11**2
    scan = np.where(brain, 300, 0) + np.random.default_rng(0).normal(0, 5, brain.shape) * brain
    scan[brain & (np.random.default_rng(1).random(brain.shape) < 0.01)] = 20
    scan[ball] = 800
    # (i, j, k) run towards left, superior, anterior.
    affine = np.array([[-1.3, 0, 0, 30], [0, 0, 1.7, -40], [0, 3.0, 0, 10], [0, 0, 0, 1.0]])
    folder = tmp_path / "case"
    folder.mkdir()
    nib.save(nib.Nifti1Image(scan.astype(np.int16), affine), folder / "case_flair.nii.gz")
    seg = nib.Nifti1Image((4 * ball).astype(np.uint8), affine)
    nib.save(seg, folder / "case_seg.nii.gz")
    return se.open_study(folder)


@pytest.mark.parametrize("resolution", ["model", "native"])
def test_a_mask_lies_on_the_lesion_and_is_scored(study, network, resolution: str) -> None:
    """A network that passes its input on, at .7: the mask is the ball, at any pixel size."""
    model = Model.of_network(CARD, network)
    found = se.explain(study, model, "segmentation", threshold=0.7, resolution=resolution)
    assert found["mask"].data.shape == study.grid.shape
    assert set(np.unique(found["mask"].data)) == {0, 2}
    assert found.scores["dice"] > (0.93 if resolution == "model" else 0.99)
    assert found.scores["sensitivity"] > 0.9
    assert any("all its labels merged" in note for note in found.notes)
    assert found.provenance.parameters["resolution"] == resolution
    assert len(found.provenance.inputs["flair"]["sha256"]) == 64


def test_some_slices_are_those_slices_of_the_whole(study, network) -> None:
    model = Model.of_network(CARD, network)
    whole = se.explain(study, model, "segmentation")
    part = se.explain(study, model, "segmentation", slices=slice(3, 6))
    assert part.slices == slice(3, 6)
    assert np.array_equal(part["mask"].data, whole["mask"].data[3:6])
    assert part.provenance.parameters["slices"] == [3, 6]
    one = se.explain(study, model, "segmentation", slices=-1)
    assert one.slices == slice(8, 9)


def test_explained_saved_loaded(study, network, tmp_path: Path) -> None:
    save_bundle(tmp_path / "bundle", CARD, network)
    found = se.explain(study, tmp_path / "bundle", "segmentation", device="cpu", slices=slice(2, 7))
    write_explanation(found, study, tmp_path / "out")
    again = load_explanation(tmp_path / "out")
    assert np.array_equal(again["mask"].data, found["mask"].data)
    on_file = nib.load(tmp_path / "out" / "segmentation_mask.nii.gz")
    assert on_file.shape == (45, 9, 38)
    assert again.provenance.weights_sha256 == se.load_model(tmp_path / "bundle").card.weights_sha256


def test_progress_ends_and_names_the_model(study, network) -> None:
    steps: list[Progress] = []
    drain(explain_work(study, Model.of_network(CARD, network), "segmentation"), steps.append)
    assert steps[-1].done == steps[-1].total > 0
    assert "Small" in steps[-1].message


def test_full_memory_is_noted_on_the_explanation(study, network, monkeypatch) -> None:
    model = replace(Model.of_network(CARD, network), device=torch.device("mps"))
    real = SumNetwork.forward
    calls = []

    def full(self, x, alpha=1.0):
        calls.append(x.device)
        if len(calls) == 1:
            raise RuntimeError("MPS backend out of memory")
        return real(self, x, alpha)

    monkeypatch.setattr(SumNetwork, "forward", full)
    monkeypatch.setattr(
        "napari_sparseexplain.networks.running.inference.network_tensor",
        lambda array, device: torch.from_numpy(array),
    )
    found = se.explain(study, model, "segmentation", slices=slice(3, 5))
    assert found.provenance.device == "cpu"
    assert any("ran on the CPU" in note for note in found.notes)


def test_methods_are_listed_with_what_a_form_needs() -> None:
    listed = se.methods()
    assert {"segmentation", "signals", "responses", "effective-response"} <= listed.keys()
    for name, info in listed.items():
        assert info.name == name
        assert info.title
        assert info.summary
        for parameter in info.parameters:
            assert parameter.tooltip
            assert parameter.checked(parameter.default) == parameter.default


def test_unknown_names_list_the_choices(study, network) -> None:
    model = Model.of_network(CARD, network)
    with pytest.raises(SparseExplainError, match=r"no method 'xray'.*segmentation, signals"):
        se.explain(study, model, "xray")
    with pytest.raises(SparseExplainError, match=r"no parameter 'beta'.*threshold, alpha"):
        se.explain(study, model, "segmentation", beta=1)
    with pytest.raises(SparseExplainError, match=r"'resolution' cannot be 'full'.*model, native"):
        se.explain(study, model, "segmentation", resolution="full")
    with pytest.raises(SparseExplainError, match="takes no target"):
        se.explain(study, model, "segmentation", target="WT")
    with pytest.raises(SparseExplainError, match="needs a target"):
        se.explain(study, model, "effective-response")


def test_a_denoiser_does_not_segment(study, network) -> None:
    model = Model.of_network(replace(CARD, task="denoising"), network)
    with pytest.raises(ModelError, match="this model does denoising"):
        se.explain(study, model, "segmentation")


def test_a_card_with_too_few_classes_is_refused(study, network) -> None:
    model = Model.of_network(replace(CARD, classes={"1": "core", "2": "oedema"}), network)
    with pytest.raises(ModelError, match="names 2 classes and the network gives 1"):
        se.explain(study, model, "segmentation")


@pytest.mark.parametrize(
    ("given", "meant"),
    [(None, (0, 9)), (3, (3, 4)), (slice(2, None), (2, 9)), (slice(-2, None), (7, 9))],
)
def test_slices_meant(study, given: slice | int | None, meant: tuple[int, int]) -> None:
    assert slice_range(study, given) == slice(*meant)


@pytest.mark.parametrize("given", [9, -10, slice(5, 5), slice(0, 10), slice(0, 9, 2), slice(6, 2)])
def test_slices_that_are_not_there(study, given: slice | int) -> None:
    with pytest.raises(StudyError, match="no slices"):
        slice_range(study, given)


def test_parameters_take_their_type_and_limits_only() -> None:
    whole = Parameter("crop", 128, "Side", low=16, high=512)
    assert whole.checked(64.0) == 64
    assert isinstance(whole.checked("64"), int)
    share = Parameter("alpha", 1.0, "Share", low=0, high=1)
    assert share.checked(0) == 0.0
    for parameter, value in (
        (whole, 1.5),
        (whole, 8),
        (whole, "many"),
        (whole, True),
        (share, float("nan")),
        (share, 1.01),
        (Parameter("bands", False, "Bands"), 1),
    ):
        with pytest.raises(SparseExplainError, match="cannot be"):
            parameter.checked(value)


def test_labels_are_those_of_the_likeliest_class_that_reaches_the_threshold() -> None:
    probability = np.array([[0.9, 0.6, 0.4, 0.2], [0.1, 0.7, 0.3, 0.5]], np.float32)
    labels = label_map(probability[None, :, None, :], [1, 4], 0.5)
    assert labels.ravel().tolist() == [1, 4, 0, 4]
