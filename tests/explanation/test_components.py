"""The method ``components``: sums, scores, switching a class off, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_sparseexplain.errors import ModelError, SparseExplainError, StudyError
from napari_sparseexplain.explanation.catalogue import explain
from napari_sparseexplain.explanation.components import class_components as module
from napari_sparseexplain.explanation.components.scores import (
    effective_atoms,
    in_class_energy,
    mutual_coherence,
)
from napari_sparseexplain.explanation.components.slice_decomposition import decompose_slices
from napari_sparseexplain.explanation.components.sparse_parameters import parameter_table
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.modules.jf_ml_ista_network import JfMlIstaNetwork
from napari_sparseexplain.networks.modules.unet import UNet
from napari_sparseexplain.volumes import Grid, Source, Study, Volume

SHAPE = (5, 24, 20)
ROLES = ("t1", "flair")


def volume(data: np.ndarray, role: str, kind: str = "image") -> Volume:
    source = Source((), "memory", SHAPE, np.eye(4), data.dtype, np.array([[0, 1], [1, 1], [2, 1]]))
    return Volume(data, Grid(SHAPE, np.eye(4)), role, kind, source)  # type: ignore[arg-type]


def study(**changes: np.ndarray) -> Study:
    rng = np.random.default_rng(0)
    images = {role: rng.random(SHAPE).astype(np.float32) for role in ROLES}
    for image in images.values():
        image[0] = image[-1] = 0
    images |= changes
    mask = np.zeros(SHAPE, np.uint8)
    mask[1:3, 5:12, 4:9] = 2
    mask[2, 6:9, 5:8] = 4
    volumes = {role: volume(image, role) for role, image in images.items()}
    seg = volume(mask, "seg", "label")
    made = Study("made", None, volumes, {"seg": seg}, seg.grid, "flair")
    return made.with_label_numbering("brats-2021")


def model(separate: bool = False) -> Model:
    torch.manual_seed(0)
    network = JfMlIstaNetwork(2, 4, 4, 2, separate=separate)
    network.initialise(torch.rand(2, 2, 24, 20))
    names = {"0": "healthy tissue", "2": "oedema", "1": "core", "4": "enhancing tumour"}
    inputs = Inputs(ROLES, "unit", 1.0, 24)
    card = ModelCard("tested", "Tested", "jf-ml-ista", {}, "segmentation", inputs, names)
    return Model.of_network(card, network)


@pytest.mark.parametrize("separate", [False, True])
def test_every_modality_is_the_sum_of_its_components_and_the_residual(separate: bool) -> None:
    made = study()
    found = explain(made, model(separate), "components")
    for role in ROLES:
        parts = [
            m.data
            for m in found.maps
            if m.name.startswith("component-") and m.name.endswith("-" + role)
        ]
        assert len(parts) == 4
        total = sum(parts) + found[f"residual-{role}"].data
        np.testing.assert_allclose(total, made[role].spatial(), atol=1e-5)
        np.testing.assert_allclose(sum(parts), found[f"reconstruction-{role}"].data, atol=1e-5)
        scales = {m.value_range for m in found.maps if m.name.endswith("-" + role)} - {(0.0, 1.0)}
        assert len(scales) == 1, "the classes of a modality share one scale"


def test_empty_slices_get_the_result_of_an_empty_slice() -> None:
    found = explain(study(), model(), "components")
    alone = explain(study(), model(), "components", slices=slice(0, 2))
    for item in alone.maps:
        if item.space == "study" and item.kind == "component":
            np.testing.assert_allclose(found[item.name].data[:2], item.data, atol=1e-6)
    assert not found["residual-t1"].data[0].any()


def test_scores_compare_with_the_true_mask_and_with_the_area() -> None:
    found = explain(study(), model(), "components")
    assert found.scores["area share, enhancing tumour"] == pytest.approx(9 / (3 * 24 * 20))
    assert set(found.scores) >= {"Dice WT", "in-class energy, oedema"}
    # Without its codes a class has the constant logit of no code, so its Dice can only change by
    # what it had.
    lost = found.scores["Dice WT lost without oedema"]
    assert lost is None or -1 <= lost <= 1


def test_the_largest_piece_of_a_volumes_mask_stands_beside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two pieces, the larger one true: without the other one nothing is wrong."""
    true = study().labels["seg"].spatial()[1:4]

    def seen(_model: Model, logits: np.ndarray, inside: object) -> np.ndarray:
        labels = true.copy()
        labels[1, 16:19, 12:15] = 2
        return labels

    monkeypatch.setattr(module, "likeliest_labels", seen)
    found = explain(study(), model(), "components", slices=slice(1, 4))
    np.testing.assert_array_equal(found["mask-largest-component"].data, true)
    assert (np.asarray(found["mask"].data) != true).sum() == 9
    assert found.scores["Dice WT, largest connected component"] == 1
    assert found.scores["Dice WT"] < 1
    assert found["mask-largest-component"].classes == found["mask"].classes
    monkeypatch.undo()
    one = explain(study(), model(), "components", slices=slice(2, 3))
    assert "mask-largest-component" not in [item.name for item in one.maps]


def test_a_switched_off_class_has_the_logit_of_no_codes() -> None:
    found = decompose_slices(model(), np.random.default_rng(0).random((1, 2, 24, 20), np.float32))
    without = found.logits_without((1,))
    assert np.unique(without[:, 1]).size == 1
    np.testing.assert_array_equal(without[:, [0, 2, 3]], found.logits[:, [0, 2, 3]])


def test_rounds_replay_the_pursuit_and_end_in_its_result() -> None:
    array = np.random.default_rng(0).random((1, 2, 24, 20), np.float32)
    found = decompose_slices(model(), array, rounds=True)
    assert len(found.rounds) == 3
    parts, residual, logits = found.rounds[-1]
    np.testing.assert_array_equal(parts, found.components)
    np.testing.assert_array_equal(logits, found.logits)
    for parts, residual, _ in found.rounds:
        np.testing.assert_allclose(parts.sum(axis=1) + residual, array, atol=1e-6)
    left = [float(np.square(r).sum()) for _, r, _ in found.rounds]
    assert left[-1] < left[0], "finer rounds explain more"


def test_shares_of_a_voxel_add_to_one() -> None:
    found = decompose_slices(model(), np.random.default_rng(0).random((1, 2, 24, 20), np.float32))
    shares = found.shares(0, 10, 10)
    assert shares.sum() == pytest.approx(1)
    assert shares.min() >= 0


def test_in_class_energy_of_a_component_inside_its_class_is_one() -> None:
    channels = np.array([[0, 1], [1, 2]])
    energy = (channels == 1).astype(float)
    assert in_class_energy(energy, channels, 1) == 1
    assert in_class_energy(np.ones((2, 2)), channels, 1) == 0.5
    assert in_class_energy(np.zeros((2, 2)), channels, 1) is None
    assert in_class_energy(np.ones((2, 2)), channels, 3) is None


def test_classes_of_equal_dictionaries_are_fully_coherent() -> None:
    network = JfMlIstaNetwork(1, 2, 2, 1)
    with torch.no_grad():
        network.phi[1] = network.phi[0]
        network.dictionaries[0][1] = network.dictionaries[0][0]
    for deepest in (False, True):
        assert mutual_coherence(network, deepest)[0, 1] == pytest.approx(1, abs=1e-6)
    other = JfMlIstaNetwork(1, 2, 2, 1)
    assert mutual_coherence(other)[0, 1] < 1


def test_an_effective_atom_is_the_picture_of_one_code() -> None:
    network = JfMlIstaNetwork(2, 1, 3, 2)
    atoms = effective_atoms(network)
    assert atoms.shape == (1, 3, 2, 7, 7)
    one = network.class_models()[0]
    code = torch.zeros(1, 3, 15, 15)
    code[0, 2, 7, 7] = 1
    for weight in (*reversed(one.layers), one.phi):
        code = torch.nn.functional.conv_transpose2d(code, weight, padding=1)
    torch.testing.assert_close(code[0, :, 4:11, 4:11].double(), atoms[0, 2], atol=1e-6, rtol=1e-5)


def test_flags_name_what_no_sparse_model_has() -> None:
    tested = model()
    with torch.no_grad():
        tested.network.thresholds[1, 2] = -0.1
        tested.network.steps[2, 0] = 2.5
    active = np.ones((4, 3))
    active[3, 1] = 0
    rows = {(r.class_name, r.layer): r for r in parameter_table(tested, active.tolist())}
    assert rows["oedema", 2].flags == ("negative threshold",)
    assert rows["core", 0].flags == ("step too long",)
    assert rows["enhancing tumour", 1].flags == ("dead codes",)
    assert rows["healthy tissue", 0].flags == ()
    assert all(len(r.sentences) == len(r.flags) for r in rows.values())
    row = rows["core", 1]
    assert row.effective_threshold == pytest.approx(row.threshold / 2.5)


def test_a_negative_threshold_is_said_beside_the_result() -> None:
    tested = model()
    with torch.no_grad():
        tested.network.thresholds[1, 2] = -0.01
    found = explain(study(), tested, "components")
    assert any("negative threshold" in note for note in found.notes)


def test_memory_that_runs_out_makes_the_pieces_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def small(tested: Model, array: np.ndarray, **options: object) -> object:
        sizes.append(len(array))
        if len(array) > 2:
            raise torch.OutOfMemoryError("out of memory")
        return decompose_slices(tested, array, **options)  # type: ignore[arg-type]

    whole = explain(study(), model(), "components")
    monkeypatch.setattr(module, "decompose_slices", small)
    tested = model()
    monkeypatch.setattr(module, "ACCELERATOR_MICRO_BATCH", 4)
    elsewhere = replace(tested, device=torch.device("meta"))
    monkeypatch.setattr(
        module,
        "decompose_slices",
        lambda m, array, **options: small(tested, array, **options),
    )
    found = explain(study(), elsewhere, "components")
    assert sizes[0] == 4
    assert max(sizes[1:]) <= 2
    assert any("2 slices at a time" in note for note in found.notes)
    for item in whole.maps:
        np.testing.assert_allclose(found[item.name].data, item.data, atol=1e-5)


def test_what_has_no_components_is_refused() -> None:
    inputs = Inputs(ROLES, "unit", 1.0, 24)
    card = ModelCard("u", "U", "unet", {}, "segmentation", inputs, {"1": "lesion"})
    other = Model.of_network(card, UNet(2, 1, 2, 1))
    with pytest.raises(ModelError, match="jf-ml-ista"):
        explain(study(), other, "components")


def test_a_missing_modality_names_what_is_missing() -> None:
    whole = study()
    lacking = replace(whole, images={"flair": whole["flair"]})
    with pytest.raises(StudyError, match="lacks t1"):
        explain(lacking, model(), "components")


def test_slices_without_brain_are_refused() -> None:
    with pytest.raises(SparseExplainError, match="no brain"):
        explain(study(), model(), "components", slices=slice(0, 1))


def test_a_card_of_other_classes_is_refused() -> None:
    tested = model()
    card = replace(tested.card, classes={"0": "background", "1": "lesion"})
    with pytest.raises(ModelError, match="names 2 classes and the network has 4"):
        explain(study(), replace(tested, card=card), "components")
