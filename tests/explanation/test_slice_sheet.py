"""A sheet of one slice: what fits, parts as they come, what fails alone, the verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import napari_sparseexplain as se
from napari_sparseexplain.errors import ModelError, StudyError
from napari_sparseexplain.explanation.slice_sheet.plan import PARTS, SheetPlan, plan_sheet
from napari_sparseexplain.explanation.slice_sheet.sheet import SheetPart, SliceSheet
from napari_sparseexplain.explanation.slice_sheet.sheet_work import (
    randomisation_work,
    slice_sheet_work,
)
from napari_sparseexplain.explanation.slice_sheet.verdict import map_verdict
from napari_sparseexplain.explanation.trust.table import Trust
from napari_sparseexplain.explanation.trust.verdicts import TrustRow
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.modules.architectures import build_network
from napari_sparseexplain.progress import Progress, drain

SIZE, CPU = 32, torch.device("cpu")


class Bright(torch.nn.Module):
    """Logits of tissue and lesion: above 0.7 of the range it is a lesion."""

    def __init__(self) -> None:
        super().__init__()
        self.blur = torch.nn.Conv2d(1, 2, 3, padding=1)
        weight = torch.tensor([-0.5, 0.5]).view(2, 1, 1, 1).expand(2, 1, 3, 3).contiguous()
        bias = torch.tensor([3.15, -3.15])
        self.blur.load_state_dict({"weight": weight, "bias": bias})

    def forward(self, x: torch.Tensor, alpha: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
        logits = self.blur(x)
        return logits.softmax(dim=1), logits


def card(name: str = "bright", **changed: Any) -> ModelCard:
    made = ModelCard(
        name=name,
        title=name.capitalize(),
        architecture="external",
        arguments={},
        task="segmentation",
        inputs=Inputs(("flair",), "unit", 1.0, SIZE),
        classes={"0": "tissue", "1": "lesion"},
    )
    return replace(made, **changed)


def bright() -> Model:
    return Model(card(), Bright().eval(), CPU)


def pursuit() -> Model:
    arguments = {"modalities": 1, "classes": 2, "features": 4, "layers": 2}
    torch.manual_seed(0)
    made = card("parts", architecture="jf-ml-ista", arguments=arguments)
    return Model(made, build_network("jf-ml-ista", arguments).eval(), CPU)


def study(slices: int = 3, truth: bool = True, **more: np.ndarray) -> se.Study:
    rng = np.random.default_rng(0)
    scan = 0.3 + 0.05 * rng.random((slices, SIZE, SIZE), dtype=np.float32)
    mask = np.zeros(scan.shape, np.uint8)
    mask[slices // 2, 8:18, 10:20] = 1
    scan[mask > 0] = 0.95
    labels = {"seg": mask} if truth else {}
    return se.study_of_arrays({"flair": scan, **more}, labels)


def steps_of(work: Any) -> tuple[list[Progress], SliceSheet]:
    steps = []
    while True:
        try:
            steps.append(next(work))
        except StopIteration as end:
            return steps, end.value


@pytest.fixture(scope="module")
def made() -> tuple[list[Progress], SliceSheet]:
    return steps_of(slice_sheet_work(study(), 1, models=[bright(), pursuit()]))


def test_parts_come_one_by_one_from_cheap_to_dear(made: tuple[list[Progress], SliceSheet]) -> None:
    steps, sheet = made
    previews = [step.preview for step in steps if step.preview is not None]
    assert isinstance(previews[0], SheetPlan)
    assert [part.name for part in previews[1:]] == list(PARTS)
    assert tuple(previews[1:]) == sheet.parts
    done = [step.done for step in steps]
    assert done == sorted(done)
    assert done[-1] == steps[-1].total


def test_a_part_that_fails_is_said_and_the_others_go_on(
    made: tuple[list[Progress], SliceSheet],
) -> None:
    _, sheet = made
    assert sheet["responses"].explanation is None
    assert "no impulse response" in sheet["responses"].why_not
    assert "not made" in sheet["responses"].line
    assert set(sheet.explanations) == set(PARTS) - {"responses"}
    assert sheet["components"].model == "parts"


def test_each_part_is_a_result_with_its_record(made: tuple[list[Progress], SliceSheet]) -> None:
    for name, found in made[1].explanations.items():
        assert found.method == name
        assert found.slices == slice(1, 2)
        assert (found.provenance.model, *found.provenance.inputs) == (made[1][name].model, "flair")
    assert made[1]["xrai"].made()[0]["heatmap"].data.shape == (1, SIZE, SIZE)


def test_the_verdict_says_no_more_than_the_figures(
    made: tuple[list[Progress], SliceSheet],
) -> None:
    sheet = made[1]
    part = sheet["guided-integrated-gradients"]
    assert part.against == "reference"
    assert part.trust is not None
    row = part.trust["AUPRC"]
    assert f"{row.value:.2f} (edge map {row.edge:.2f}" in part.line
    assert "parameter randomisation pending" in part.line
    assert sheet.verdict.pending
    said = sheet.text().lower()
    assert not [word for word in ("trustworthy", "correct", "reliable", "proves") if word in said]
    assert "may still be wrong" in said


def test_randomisation_takes_the_place_of_pending(made: tuple[list[Progress], SliceSheet]) -> None:
    before = made[1]
    work = randomisation_work(study(), before, lambda choice: bright())
    steps, after = steps_of(work)
    assert not after.verdict.pending
    part = after["guided-integrated-gradients"]
    assert "ρ with random weights" in part.line or "has no value" in part.line
    assert "random weights" in part.line
    assert [s.preview.name for s in steps if s.preview] == ["guided-integrated-gradients", "xrai"]
    assert after["segmentation"] is before["segmentation"]


def test_without_a_reference_maps_are_compared_with_the_estimate() -> None:
    sheet = se.explain_slice(study(slices=1, truth=False), 0, models=[bright()])
    part = sheet["xrai"]
    assert part.against == "estimate"
    assert "the model's own estimate" in part.line
    assert "no reference segmentation" in sheet["segmentation"].line
    assert sheet["components"].why_not == "none of the models is for it"


def test_a_slice_without_tumour_has_a_mask_and_no_maps() -> None:
    sheet = se.explain_slice(study(), 0, models=[bright()])
    assert not np.asarray(sheet["segmentation"].made()[0]["mask"].data).any()
    assert "is empty on these slices" in sheet["xrai"].why_not
    assert sheet.verdict.headline == "No map to judge."
    assert sheet.target == "WT"


def test_what_a_study_lacks_is_said() -> None:
    bare = se.study_of_arrays({"t2": np.zeros((1, 8, 8), np.float32)})
    with pytest.raises(ModelError, match="sum-seg needs flair"):
        plan_sheet(bare)
    with pytest.raises(StudyError, match="has no slices 7"):
        se.explain_slice(study(), 7, models=[bright()])
    with pytest.raises(StudyError, match="one slice is explained"):
        se.explain_slice(study(), slice(0, 2), models=[bright()])  # type: ignore[arg-type]


def test_nan_is_no_end_of_the_sheet() -> None:
    given = study()
    given["flair"].data[1, 0, 0] = np.nan
    sheet = se.explain_slice(given, 1, models=[bright()])
    assert [part.name for part in sheet.parts] == list(PARTS)
    for found in sheet.explanations.values():
        assert all(np.isfinite(np.asarray(item.data)).all() for item in found.maps)


def test_it_is_cancelled_between_parts_and_within_them() -> None:
    work = slice_sheet_work(study(), 1, models=[bright()])
    within = next(
        step for step in work if step.message.startswith("Guided IG: ") and step.done % 100
    )
    assert within.preview is None
    work.close()
    assert list(work) == []


def test_a_classifier_is_explained_where_nothing_segments() -> None:
    class Sorting(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = torch.nn.Conv2d(1, 2, 3, padding=1)

        def forward(self, x: torch.Tensor, alpha: float = 1.0) -> torch.Tensor:
            return self.body(x).relu().mean(dim=(2, 3))

    torch.manual_seed(1)
    made = card("sorting", task="classification", classes={"1": "a", "2": "b"})
    sorting = Model(made, Sorting(), CPU)
    sheet = drain(slice_sheet_work(study(truth=False), 1, models=[sorting]))
    assert sheet["segmentation"].why_not == "none of the models is for it"
    assert sheet.target in ("a", "b")
    assert sheet["xrai"].explanation is not None
    assert "no mask to compare with" in sheet["xrai"].line


@pytest.mark.parametrize(
    ("rows", "state"),
    [
        ([TrustRow("completeness error", 0.02), TrustRow("AUPRC", 0.5)], "no test failed so far"),
        ([TrustRow("completeness error", 0.3, failed=True)], "fails"),
        ([TrustRow("AUPRC", 0.5), TrustRow("parameter randomisation", 0.1)], "no test failed"),
        ([TrustRow("completeness error", None), TrustRow("AUPRC", None)], "not judged"),
    ],
)
def test_the_state_of_a_map_follows_from_its_rows(rows: list[TrustRow], state: str) -> None:
    assert map_verdict(Trust("", tuple(rows)), "reference").state == state


def test_a_part_without_a_table_says_why() -> None:
    assert SheetPart("xrai", "XRAI", why_not="no memory").line == "XRAI: not made: no memory"
    assert map_verdict(None, "", "no grid").figures == "no grid"
