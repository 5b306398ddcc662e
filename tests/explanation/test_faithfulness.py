"""Slices as a study of their own, every figure of a method, the table over methods and studies."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import napari_sparseexplain as se
from napari_sparseexplain.errors import SparseExplainError, StudyError
from napari_sparseexplain.evidence.attribution_scores import LOCALISATION
from napari_sparseexplain.explanation.target import Target
from napari_sparseexplain.explanation.trust.explained_slices import (
    ExplainedSlices,
    explained_slices,
    true_region,
)
from napari_sparseexplain.explanation.trust.faithfulness import Faithfulness, faithfulness_work
from napari_sparseexplain.explanation.trust.map_figures import (
    CENTRE,
    EDGES,
    FIGURES,
    RANDOM,
    Effort,
    Heat,
    map_figures,
)
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.running.input_region import fed_volume
from napari_sparseexplain.progress import drain
from napari_sparseexplain.volumes.intensity.normalisation import Normalisation
from tests.explanation.bright_ball import ball_study, bright_model, write_ball

WT = Target.region("WT")
QUICK = Effort(steps=8, perturbations=8, neighbours=2, stages=2)
CHEAP = Effort(kinds=())


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> se.Study:
    return ball_study(tmp_path_factory.mktemp("ball"))


@pytest.fixture(scope="module")
def model() -> Model:
    return bright_model()


@pytest.fixture(scope="module")
def slices(study: se.Study, model: Model) -> ExplainedSlices:
    return drain(explained_slices(study, model, WT, slice(0, 6)))


@pytest.fixture(scope="module")
def table(study: se.Study, model: Model) -> Faithfulness:
    names = ["vanilla-gradient", "integrated-gradients"]
    return drain(faithfulness_work([study], model, names, WT, count=2, effort=QUICK))


@pytest.mark.parametrize("method", ["integrated-gradients", "vanilla-gradient"])
def test_a_map_on_the_slices_is_that_of_the_study(study, model, slices, method: str) -> None:
    """No pixel is resampled, no intensity measured again, the mask is the predicted one."""
    there = drain(slices.explain(method, {}))
    here = se.explain(study, model, method, target="WT", slices=slice(0, 6))
    assert np.allclose(
        there["heatmap"].data, here["heatmap"].data[slices.rows], rtol=1e-4, atol=1e-6
    )
    assert there.scores["completeness error"] == pytest.approx(
        here.scores["completeness error"], abs=1e-6
    )


def test_the_mask_does_not_move_with_the_image_or_the_weights(slices: ExplainedSlices) -> None:
    place = slices.largest()
    dark = 0.3 * slices.images[place : place + 1]
    found = drain(slices.explain("vanilla-gradient", {}, dark, places=np.array([place])))
    assert found["heatmap"].data.any(), "a mask predicted on the dark image would be empty"
    other = bright_model().network
    other.encoder[0].convolution_a.weight.data.mul_(-1)
    turned = drain(slices.explain("vanilla-gradient", {}, places=np.array([place]), network=other))
    same = drain(slices.explain("vanilla-gradient", {}, places=np.array([place])))
    assert not np.allclose(turned["heatmap"].data, same["heatmap"].data)
    assert turned.provenance.weights_sha256 != same.provenance.weights_sha256


def test_where_a_slice_is_fed_is_not_judged_again(slices: ExplainedSlices) -> None:
    """An image with dark parts, as noise makes them, is fed where the slice was: alone or not."""
    place = slices.largest()
    dark = slices.images[place : place + 1].copy()
    dark[..., ::2, :] = 0.0
    both = np.concatenate([slices.images[place : place + 1], dark])
    alone = drain(slices.explain("vanilla-gradient", {}, dark, places=np.array([place])))
    beside = drain(slices.explain("vanilla-gradient", {}, both, places=np.array([place, place])))
    assert np.allclose(alone["heatmap"].data[0], beside["heatmap"].data[1], atol=1e-6)
    fed = fed_volume(
        study := slices._study(dark, np.array([place])),
        study["flair"],
        study["flair"].spatial(),
        "brain",
        slice(0, 1),
        normalisation=Normalisation.of("unit"),
    )
    assert np.array_equal(fed.shown[0], slices.prepared.inside_network[slices.rows[place]])


def test_scores_and_answers_are_those_of_the_network(slices: ExplainedSlices) -> None:
    place = slices.largest()
    image = slices.images[place : place + 1]
    probability, right = slices.answers(place, np.concatenate([image, np.zeros_like(image)]))
    assert right.tolist() == [1.0, 0.0]  # the predicted mask is all predicted, of nothing nothing
    assert 0.5 <= probability[0] <= 1
    scores = slices.scores(place, np.concatenate([image, np.zeros_like(image)]))
    assert scores[0] > scores[1]
    region = slices.region(place)
    assert region is not None
    assert region.sum() == max(
        r.sum() for k in range(len(slices.rows)) if (r := slices.region(k)) is not None
    )


def test_the_true_mask_is_that_of_the_target(study: se.Study) -> None:
    whole = true_region(study, WT, slice(0, 6))
    assert whole is not None
    assert whole.any()
    labels = study.labels["seg"].data.copy()
    labels[:, :, ::2] = np.where(labels[:, :, ::2] > 0, 2, 0)
    several = replace(study, labels={"seg": replace(study.labels["seg"], data=labels)})
    # Nothing tells what 2 and 4 stand for, until a person does.
    assert true_region(several, Target.region("TC"), slice(0, 6)) is None
    assert true_region(several, WT, slice(0, 6)) is not None
    several = several.with_label_numbering("brats-2021")
    core = true_region(several, Target.region("TC"), slice(0, 6))
    assert core is not None
    assert np.array_equal(core, labels == 4)
    assert true_region(replace(study, labels={}), WT, slice(0, 6)) is None
    with pytest.raises(StudyError, match="no mask 'drawn'"):
        true_region(study, Target.region("WT@drawn"), slice(0, 6))


def test_the_table_has_every_figure_of_every_method(table: Faithfulness) -> None:
    assert [m.method for m in table.methods] == [
        "vanilla-gradient",
        "integrated-gradients",
        RANDOM,
        EDGES,
        CENTRE,
        "vanilla-gradient, random weights",
        "integrated-gradients, random weights",
    ]
    assert set(table.columns) == {*LOCALISATION, *FIGURES}
    by_name = {m.method: m for m in table.methods}
    gradients = by_name["integrated-gradients"]
    gap = gradients.row("completeness error")
    assert gap is not None
    assert gap.value == pytest.approx(0, abs=0.02)
    vanilla = by_name["vanilla-gradient"].row("completeness error")
    assert vanilla is not None
    assert vanilla.value is None
    assert not vanilla.failed
    found, chance = (m.row("AUPRC") for m in (gradients, by_name[RANDOM]))
    assert found is not None
    assert chance is not None
    assert found.value is not None
    assert chance.value is not None
    assert found.value > 2 * chance.value
    assert found.random == chance.value
    assert not any(row.failed for name in (RANDOM, EDGES, CENTRE) for row in by_name[name].rows)
    middle, forgotten = (
        by_name[name].row("AUPRC") for name in (CENTRE, "integrated-gradients, random weights")
    )
    assert middle is not None
    assert forgotten is not None
    assert (found.centre, found.untrained) == (middle.value, forgotten.value)
    assert found.sentence.startswith("Beats all of a random map (")
    assert found.sentence in table.text()
    insertion = gradients.row("insertion AUC"), by_name[RANDOM].row("insertion AUC")
    assert insertion[0] is not None
    assert insertion[1] is not None
    assert (insertion[0].value or 0) > (insertion[1].value or 0)


def test_text_and_json_say_the_same_and_can_be_saved(table: Faithfulness, tmp_path: Path) -> None:
    text, numbers = table.save(tmp_path / "out")
    shown = text.read_text(encoding="utf-8")
    read = json.loads(numbers.read_text(encoding="utf-8"))
    assert shown == table.text()
    assert len(next(iter(read["slices"].values()))) == 2
    for entry in read["methods"]:
        line = next(row for row in shown.splitlines() if row.startswith(f"| {entry['method']} "))
        for figure in entry["figures"]:
            if figure["value"] is not None:
                assert f"{figure['value']:.3f}" in line
            if figure["failed"]:
                assert figure["sentence"] in shown


def test_same_seed_same_table(study, model) -> None:
    one, other = (
        drain(
            faithfulness_work(
                [study], model, ["smoothgrad"], WT, count=1, effort=CHEAP, parameters={"samples": 2}
            )
        )
        for _ in range(2)
    )
    assert one.text() == other.text()


def test_what_cannot_be_scored_is_named_and_the_rest_is_scored(study, model) -> None:
    methods = ["segmentation", "vanilla-gradient"]
    found = drain(
        faithfulness_work(
            [replace(study, name="empty", images={}), study, study],
            model,
            methods,
            WT,
            count=1,
            effort=CHEAP,
        )
    )
    assert len(found.slices) == 2  # the study of the same name counts as another
    assert any("empty was left out" in note for note in found.notes)
    assert any(note.startswith("segmentation was left out") for note in found.notes)
    with pytest.raises(SparseExplainError, match="nothing could be scored"):
        drain(faithfulness_work([study], model, ["segmentation"], WT, effort=CHEAP))


def test_names_are_checked_before_anything_is_computed(study, model) -> None:
    for methods, options, message in (
        ([], {}, "no method"),
        (["nonsense"], {}, "nonsense"),
        (["integrated-gradients"], {"parameters": {"rubbish": 1}}, "rubbish"),
        (["integrated-gradients"], {"parameters": {"n_steps": -1}}, "n_steps"),
    ):
        with pytest.raises(SparseExplainError, match=message):
            next(faithfulness_work([study], model, methods, WT, **options))
    with pytest.raises(SparseExplainError, match="there is no score"):
        Effort(kinds=("speed",))


def test_randomisation_leaves_the_model_alone_and_follows_the_layers(slices, model) -> None:
    before = {name: weight.clone() for name, weight in model.network.state_dict().items()}
    effort = Effort(kinds=("randomisation",), stages=2)
    found = drain(map_figures(slices, "vanilla-gradient", {}, effort))
    assert found.randomisation is not None
    assert len(found.randomisation.stages) == 2
    assert all(
        bool((before[name] == weight).all()) for name, weight in model.network.state_dict().items()
    )


def test_a_method_without_a_heat_map_is_refused(study, model) -> None:
    explanation = se.explain(study, model, "segmentation", slices=3)
    with pytest.raises(SparseExplainError, match="no heat map"):
        Heat.of(explanation, ("flair",))


def test_the_command_prints_and_writes_the_table(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from napari_sparseexplain.cli import app
    from napari_sparseexplain.networks.bundle.saving import save_bundle
    from tests.explanation.bright_ball import CARD

    write_ball(tmp_path / "data" / "a")
    write_ball(tmp_path / "data" / "b")
    save_bundle(tmp_path / "bundle", CARD, bright_model().network)
    done = CliRunner().invoke(
        app,
        [
            "faithfulness",
            str(tmp_path / "data"),
            "--model",
            str(tmp_path / "bundle"),
            "--methods",
            "vanilla-gradient,integrated-gradients",
            "--target",
            "WT",
            "--slices",
            "2:5",
            "--count",
            "1",
            "--scores",
            "insertion-deletion",
            "--set",
            "n_steps=5",
            "--device",
            "cpu",
            "--out",
            str(tmp_path / "out"),
        ],
    )
    assert done.exit_code == 0, done.output
    assert "| integrated-gradients |" in done.output
    assert "| edge map " in done.output
    assert "| head-centre Gaussian " in done.output
    assert ", random weights " not in done.output  # which nobody asked for
    saved = json.loads((tmp_path / "out" / "faithfulness.json").read_text(encoding="utf-8"))
    assert all(re.fullmatch(r"study-[0-9a-f]{8}( \(2\))?", name) for name in saved["slices"])
    assert len(saved["slices"]) == 2
    assert str(tmp_path) not in (tmp_path / "out" / "faithfulness.txt").read_text(encoding="utf-8")
    assert "2 slices: a (slices 3, from 0), b (slices 3, from 0)" in done.output
