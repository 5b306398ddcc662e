"""The trust table: what is red, and the one sentence that says why."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import napari_sparseexplain as se
from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.evidence import Explanation, ExplanationMap, Provenance
from napari_sparseexplain.evidence.attribution_scores import (
    LOCALISATION,
    Localisation,
    centre_map,
    edge_map,
)
from napari_sparseexplain.explanation.target import Target
from napari_sparseexplain.explanation.trust.map_figures import FIGURES, Effort
from napari_sparseexplain.explanation.trust.table import (
    Trust,
    explained_target,
    trust_of,
    trust_rows,
    trust_work,
)
from napari_sparseexplain.explanation.trust.weight_randomisation import (
    Randomisation,
    RandomisationStage,
)
from napari_sparseexplain.progress import drain
from napari_sparseexplain.volumes.brain_mask import brain_mask
from tests.explanation.bright_ball import ball_study, bright_model


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> se.Study:
    return ball_study(tmp_path_factory.mktemp("ball"))


def explanation_of(study: se.Study, data: np.ndarray, *, gap: float | None = None) -> Explanation:
    heat = ExplanationMap("heatmap", data.astype(np.float32), "heatmap")
    noted = {"target": {"kind": "region", "name": "WT", "index": None}}
    provenance = Provenance(method="integrated-gradients", parameters=noted)
    return Explanation(
        method="integrated-gradients",
        maps=(heat,),
        provenance=provenance,
        grid=study.grid,
        slices=slice(0, study.grid.shape[0]),
        target="WT",
        scores={"completeness error": gap},
    )


def located(auprc: float, random: float = 0.2, edge: float = 0.3) -> Localisation:
    def figures(value: float) -> dict[str, float | None]:
        return dict.fromkeys(LOCALISATION, value)

    return Localisation(figures(auprc), figures(random), figures(edge), 0.1)


def failed(rows: tuple) -> list[str]:
    return [row.name for row in rows if row.failed]


@pytest.mark.parametrize(("gap", "red"), [(0.0, False), (0.1, False), (0.11, True), (6.0, True)])
def test_a_gap_over_a_tenth_is_red(gap: float, red: bool) -> None:
    rows = trust_rows(None, {"completeness error": gap})
    assert failed(rows) == (["completeness error"] if red else [])
    assert (f"{gap:.0%}" in rows[0].sentence) == red


@pytest.mark.parametrize(
    ("auprc", "other"), [(0.31, ""), (0.3, "outlines"), (0.25, "outlines"), (0.1, "random map")]
)
def test_no_better_than_edges_or_chance_is_red(auprc: float, other: str) -> None:
    rows = trust_rows(located(auprc), {})
    assert failed(rows) == (["AUPRC"] if other else [])
    assert other in rows[-1].sentence


@pytest.mark.parametrize(
    ("centre", "untrained", "missed"),
    [
        (0.1, 0.2, ()),
        (0.1, None, ()),
        (0.6, 0.2, ("centre of the head (0.600)",)),
        (0.1, 0.5, ("random weights (0.500)",)),
        (0.6, 0.7, ("centre of the head (0.600)", "random weights (0.700)")),
    ],
)
def test_the_centre_of_the_head_and_random_weights_must_be_beaten_too(
    centre: float, untrained: float | None, missed: tuple[str, ...]
) -> None:
    def figures(value: float | None) -> dict[str, float | None]:
        return {} if value is None else dict.fromkeys(LOCALISATION, value)

    place = replace(located(0.5), centre=figures(centre), untrained=figures(untrained))
    row = trust_rows(place, {})[-1]
    assert row.failed == bool(missed)
    assert all(said in row.sentence for said in missed)
    assert "random map" not in row.sentence or not missed
    if not missed:
        named = ["a random map (0.200)", "outlines", "centre of the head"]
        named += [] if untrained is None else ["random weights (0.200)"]
        assert row.sentence.startswith("Beats all of ")
        assert all(name in row.sentence for name in named)
        assert ("random weights" in row.sentence) == (untrained is not None)


def test_a_map_of_the_middle_does_not_beat_the_middle(study: se.Study) -> None:
    head = study["flair"].spatial()
    middle = np.stack([centre_map(brain_mask(np.asarray(image))) for image in head])
    row = trust_of(study, explanation_of(study, middle))["AUPRC"]
    assert row.value == pytest.approx(row.centre)
    assert row.failed
    assert "Gaussian at the centre of the head" in row.sentence
    assert row.untrained is None


@pytest.mark.parametrize(("rho", "red"), [(0.1, False), (-0.2, False), (0.5, True), (-0.9, True)])
def test_what_survives_randomisation_is_red(rho: float, red: bool) -> None:
    stages = Randomisation((RandomisationStage("head", 0.9), RandomisationStage("first", rho)))
    rows = trust_rows(None, {"parameter randomisation": rho}, stages)
    assert failed(rows) == (["parameter randomisation"] if red else [])
    assert stages.survives == red


def test_a_model_without_weights_has_nothing_to_draw_anew() -> None:
    rows = trust_rows(None, {"parameter randomisation": None}, Randomisation(()))
    assert "no weights" in rows[0].sentence


def test_what_does_not_apply_says_so_and_is_not_red() -> None:
    rows = trust_rows(None, dict.fromkeys(FIGURES))
    assert not failed(rows)
    assert all(row.sentence for row in rows)
    assert [row.name for row in rows] == [*FIGURES, *LOCALISATION]


def test_the_true_mask_as_a_map_is_trusted_and_its_outlines_are_not(study: se.Study) -> None:
    truth = study.labels["seg"].data != 0
    good = trust_of(study, explanation_of(study, 1.0 * truth, gap=0.0))
    assert good["AUPRC"].value == 1.0
    assert good.failures == ()
    edges = np.stack([edge_map(image) for image in study.images["flair"].spatial().astype(float)])
    bad = trust_of(study, explanation_of(study, edges, gap=0.5))
    assert len(bad.failures) == 2
    assert bad["AUPRC"].value == pytest.approx(bad["AUPRC"].edge, abs=0.05)


def test_slices_that_were_not_explained_do_not_count(study: se.Study) -> None:
    truth = study.labels["seg"].data != 0
    part = 1.0 * truth
    part[:3] = 0
    assert trust_of(study, explanation_of(study, part))["AUPRC"].value == 1.0


def test_without_a_mask_the_gap_remains(study: se.Study) -> None:
    bare = replace(study, labels={})
    found = trust_of(bare, explanation_of(study, np.ones(study.grid.shape), gap=0.02))
    assert found["completeness error"].value == 0.02
    assert "no reference segmentation" in found["AUPRC"].sentence


def test_text_and_json_hold_every_row_and_failure(study: se.Study) -> None:
    found = Trust("IG · WT", trust_rows(located(0.2), {"completeness error": 0.3}), ("A note.",))
    text = found.text()
    assert all(sentence in text for sentence in found.failures)
    assert len(found.failures) == 2
    assert text.count(" !") == 2
    assert text.endswith("A note.\n")
    assert json.loads(json.dumps(found.to_json()))["failures"] == list(found.failures)
    with pytest.raises(KeyError, match="AUPRC"):
        found["speed"]


def test_the_whole_table_runs_the_method_again_with_its_parameters(study: se.Study) -> None:
    model = bright_model()
    explanation = se.explain(
        study, model, "integrated-gradients", target="WT", slices=slice(2, 5), n_steps=6
    )
    effort = Effort(steps=6, perturbations=6, neighbours=1, stages=1)
    found = drain(trust_work(study, model, explanation, effort, count=1))
    assert {row.name for row in found.rows} == {*FIGURES, *LOCALISATION}
    assert found["insertion AUC"].value is not None
    assert found["AUPRC"].untrained is not None
    assert found["AUPRC"].centre is not None
    assert "random weights" in found.text().splitlines()[2]
    assert found.to_json()["rows"][-1]["untrained"] == found["AUPRC"].untrained
    some = Effort(kinds=("insertion-deletion",), steps=4)
    less = drain(trust_work(study, model, explanation, some, count=1))
    assert less["AUPRC"].untrained is None  # a run of its own, which nobody asked for
    assert "random weights" not in less.text().splitlines()[2]
    quick = trust_of(study, explanation, model)
    assert quick["completeness error"].value == explanation.scores["completeness error"]
    assert found["AUPRC"].value == pytest.approx(quick["AUPRC"].value, abs=0.2)


def test_the_target_comes_from_the_provenance_and_another_study_is_refused(
    study: se.Study, tmp_path: Path
) -> None:
    explanation = explanation_of(study, np.ones(study.grid.shape))
    assert explained_target(explanation) == Target.region("WT")
    bare = replace(explanation, provenance=replace(explanation.provenance, parameters={}))
    with pytest.raises(SparseExplainError, match="no target"):
        explained_target(bare)
    short = replace(explanation, slices=slice(0, 3))
    with pytest.raises(SparseExplainError, match="shape"):
        trust_of(study, short)
