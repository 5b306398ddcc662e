"""A slice kept whole: rounds, switches and readings agree with the method and with each other."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sparseexplain.errors import SparseExplainError, StudyError
from napari_sparseexplain.evidence.scores import dice, union
from napari_sparseexplain.explanation.catalogue import explain
from napari_sparseexplain.explanation.components.slice_components import decompose_slice

from .test_components import ROLES, model, study

INDEX = 2


def test_the_end_is_what_the_method_finds() -> None:
    made, trained = study(), model()
    found = decompose_slice(made, trained, INDEX).explanation()
    expected = explain(made, trained, "components", slices=INDEX)
    for item in found.maps:
        np.testing.assert_allclose(item.data, expected[item.name].data, atol=1e-6)
    for name, value in found.scores.items():
        assert value == pytest.approx(expected.scores[name]), name
    assert found.slices == expected.slices


def test_every_round_adds_to_the_scan_and_the_last_is_the_end() -> None:
    found = decompose_slice(study(), model(), INDEX)
    assert found.rounds == 3
    for stage in (1, 2, 3):
        after = found.after(stage)
        added = after.components.sum(axis=1) + after.residual
        np.testing.assert_allclose(added, found.prepared.array, atol=1e-5)
    np.testing.assert_array_equal(found.after(3).components, found.found.components)
    np.testing.assert_array_equal(found.after(3).logits, found.found.logits)
    assert not np.array_equal(found.after(1).components, found.found.components)


@pytest.mark.parametrize(("separate", "stage"), [(False, 4), (False, -1), (True, 1)])
def test_a_round_that_there_is_not_is_refused(separate: bool, stage: int) -> None:
    with pytest.raises(SparseExplainError, match="there is no round"):
        decompose_slice(study(), model(separate), INDEX).after(stage)


def test_a_class_switched_off_changes_the_mask_and_nothing_else() -> None:
    made = study()
    found = decompose_slice(made, model(), INDEX)
    whole, without = found.explanation(), found.explanation(without=[1])
    for item in whole.maps:
        if item.name != "mask":
            np.testing.assert_array_equal(item.data, without[item.name].data)
    values = np.array([0, 2, 1, 4])
    np.testing.assert_array_equal(
        without["mask"].data, values[found.found.class_channels(without=[1])]
    )
    truth = made.labels["seg"].spatial()[INDEX : INDEX + 1]
    for region in ("ET", "WT", "TC"):
        shown = dice(union(without["mask"].data, region), union(truth, region))
        assert without.scores[f"Dice {region} shown"] == shown
        assert without.scores[f"Dice {region}"] == whole.scores[f"Dice {region}"]
        lost = whole.scores[f"Dice {region} lost without oedema"]
        before = whole.scores[f"Dice {region}"]
        if lost is not None and before is not None and shown is not None:
            assert lost == pytest.approx(before - shown)


def test_a_reading_is_the_maps_at_that_voxel() -> None:
    found = decompose_slice(study(), model(), INDEX)
    maps = found.explanation()
    reading = found.reading(7, 9)
    for i, role in enumerate(ROLES):
        assert reading.input[i] == pytest.approx(
            float((maps[f"reconstruction-{role}"].data + maps[f"residual-{role}"].data)[0, 7, 9]),
            abs=1e-5,
        )
        assert reading.residual[i] == pytest.approx(float(maps[f"residual-{role}"].data[0, 7, 9]))
    np.testing.assert_allclose(
        reading.components.sum(axis=0) + reading.residual, reading.input, atol=1e-5
    )
    assert reading.shares.sum() == pytest.approx(1.0)
    assert reading.probabilities.sum() == pytest.approx(1.0)
    values = np.array([0, 2, 1, 4])
    assert maps["mask"].data[0, 7, 9] == values[reading.probabilities.argmax()]
    assert reading.codes.shape == (4, 4)


def test_a_blank_slice_is_said_to_be_blank() -> None:
    found = decompose_slice(study(), model(), 0)
    assert found.blank
    assert any("holds no brain" in note for note in found.explanation().notes)
    assert all(row.active is None for row in found.parameters())


def test_a_missing_modality_is_named() -> None:
    made = study().with_role("t1", "pd")
    with pytest.raises(StudyError, match="lacks t1"):
        decompose_slice(made, model(), INDEX)
