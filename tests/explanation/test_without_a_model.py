"""Methods that look at the scans alone: no model is asked for, none is named, none is taken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import napari_sparseexplain as se
from napari_sparseexplain.cli import app
from napari_sparseexplain.errors import ModelError, ParameterError, SparseExplainError, StudyError
from napari_sparseexplain.explanation.catalogue import method_info
from napari_sparseexplain.explanation.components.image_pursuit import decompose_study
from napari_sparseexplain.explanation.method import MethodInfo
from napari_sparseexplain.explanation.model_choice import default_model
from napari_sparseexplain.explanation.repeat import repeat_work
from napari_sparseexplain.explanation.trust.faithfulness import faithfulness_work
from napari_sparseexplain.export.privacy.program_words import is_own
from napari_sparseexplain.progress import drain
from napari_sparseexplain.sparse.pursuit_settings import METHODS, PursuitSettings

#: The smallest run of a pursuit.
QUICK: dict[str, Any] = {"width": 3, "iterations": 2}


@pytest.fixture(scope="module")
def study() -> se.Study:
    """Two scans of two slices."""
    rng = np.random.default_rng(0)
    scans = {role: 100 * rng.random((2, 14, 12)).astype(np.float32) for role in ("t1", "flair")}
    return se.study_of_arrays(scans)


@pytest.mark.parametrize("method", METHODS)
def test_a_pursuit_is_a_method_that_needs_no_model(study: se.Study, method: str) -> None:
    assert not se.methods()[method].takes_model
    found = se.explain(study, None, method, slices=1, **QUICK)
    assert found.slices == slice(1, 2)
    for role in study.images:
        whole = found[f"reconstruction-{role}"].data + found[f"residual-{role}"].data
        np.testing.assert_allclose(whole, study[role].spatial()[1:2], rtol=0, atol=1e-3)
    record = found.provenance
    assert (record.model, record.weights_sha256, record.model_origin) == ("", "", "")
    assert set(record.inputs) == {"t1", "flair"}
    assert record.parameters["iterations"] == 2


def test_it_is_the_decomposition_that_the_command_makes(study: se.Study) -> None:
    settings = PursuitSettings(**QUICK, prox="relu", atoms=5)
    other = drain(decompose_study(study, settings, slices=slice(0, 1))).explanation
    found = se.explain(study, None, "fista", slices=0, positive=True, atoms=5, **QUICK)
    assert found.scores == other.scores
    assert found.provenance.parameters == other.provenance.parameters
    for mine, theirs in zip(found.maps, other.maps, strict=True):
        np.testing.assert_array_equal(mine.data, theirs.data)


def test_one_array_is_one_scan() -> None:
    found = se.explain(np.random.default_rng(0).random((10, 9)), None, "fista", **QUICK)
    assert found["reconstruction-scan"].data.shape == (1, 10, 9)


def test_a_model_is_refused_where_none_is_taken_and_asked_for_where_one_is(
    study: se.Study,
) -> None:
    with pytest.raises(ModelError, match="'fista' runs without a model, and one was given"):
        se.explain(study, "sum-seg", "fista")
    with pytest.raises(ParameterError, match="'fista' runs without a model"):
        se.explain(study, None, "fista", roles="t1")
    with pytest.raises(ModelError, match="'xrai' needs a model, and none was given"):
        se.explain(study, None, "xrai", target="WT")
    with pytest.raises(ModelError, match="'fista' runs without a model"):
        default_model(study, ["xrai", "fista"])
    with pytest.raises(StudyError, match="needs a study"):
        se.explain(None, None, "fista")


def test_trust_and_faithfulness_refuse_it_by_name(study: se.Study) -> None:
    found = se.explain(study, None, "fista", slices=0, **QUICK)
    said = "'fista' runs without a model, so there is nothing that its maps could be faithful to"
    with pytest.raises(SparseExplainError, match=said):
        se.trust(study, "sum-seg", found)
    with pytest.raises(SparseExplainError, match=said):
        drain(faithfulness_work([study], se.load_model("sum-seg"), ["fista"], "WT"))


@pytest.mark.parametrize("method", METHODS)
def test_it_is_run_again_from_its_record(study: se.Study, method: str) -> None:
    once = se.explain(study, None, method, slices=1, **QUICK)
    again = drain(repeat_work(once.provenance.to_json(), study))
    assert again.provenance.parameters == once.provenance.parameters
    for mine, theirs in zip(again.maps, once.maps, strict=True):
        np.testing.assert_array_equal(mine.data, theirs.data)


def test_learned_atoms_are_learned_again_from_the_seed(study: se.Study) -> None:
    once = se.explain(study, None, "fista", learn=True, atoms=2, seed=3, **QUICK)
    assert once.provenance.seed == 3
    again = drain(repeat_work(once.provenance.to_json(), study))
    assert again.scores == once.scores
    assert se.explain(study, None, "fista", slices=0, **QUICK).provenance.seed is None


def test_a_record_of_before_is_run_again(study: se.Study) -> None:
    """As `sparseexplain decompose` wrote it: the settings by their own names, some of them None."""
    record = {
        "method": "fista",
        "parameters": {
            "method": "fista", "sparsity": 0.1, "filters": "cosine", "width": 3, "atoms": None,
            "iterations": None, "tolerance": 0.5, "prox": "relu", "learn": False, "seed": 0,
            "slices": [1, 2],
        },
        "model": "", "weights_sha256": "", "inputs": {}, "seed": None, "device": "cpu",
    }  # fmt: skip
    found = drain(repeat_work(record, study))
    taken = found.provenance.parameters
    assert (taken["positive"], taken["iterations"], taken["sparsity"]) == (True, 150, 0.1)
    assert taken["slices"] == [1, 2]
    settings = PursuitSettings(sparsity=0.1, width=3, tolerance=0.5, prox="relu")
    once = drain(decompose_study(study, settings, slices=slice(1, 2))).explanation
    np.testing.assert_array_equal(found["codes-t1"].data, once["codes-t1"].data)


def test_atoms_from_a_file_are_not_in_the_record_which_says_so(study: se.Study) -> None:
    settings = PursuitSettings(**QUICK)
    given = [torch.rand(3, 1, 3, 3)]
    found = drain(decompose_study(study, settings, slices=slice(0, 1), dictionary=given))
    record = found.explanation.provenance.to_json()
    with pytest.raises(SparseExplainError, match="a dictionary from a file"):
        drain(repeat_work(record, study))


def test_a_record_without_a_model_of_a_method_that_takes_one_is_not_run_again(
    study: se.Study,
) -> None:
    record = replace(se.explain(study, None, "fista", slices=0, **QUICK).provenance, method="xrai")
    with pytest.raises(SparseExplainError, match="names no model"):
        drain(repeat_work(record.to_json(), study))


def test_what_takes_no_model_says_nothing_of_models() -> None:
    told: dict[str, Any] = {
        "name": "n", "title": "N", "summary": "S", "work": "m:w", "heat": None,
        "takes_model": False,
    }  # fmt: skip
    assert not MethodInfo(**told).takes_model
    for wrong in ({"heat": "gradient"}, {"tasks": ("segmentation",)}, {"takes_study": False}):
        with pytest.raises(ValueError, match=r"no model|nothing"):
            MethodInfo(**{**told, **wrong})
    assert method_info("xrai").takes_model


def test_the_command_asks_for_no_model(study: se.Study, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = tmp_path / "scan_t1.nii.gz"
    nib.save(nib.Nifti1Image(rng.random((9, 8, 2)).astype(np.float32), np.eye(4)), path)
    out = tmp_path / "out"
    asked = ["explain", str(path), "--method", "fista", "--slice", "1", "--out", str(out)]
    quick = ["--set", "iterations=2", "--set", "width=3"]
    done = CliRunner().invoke(app, [*asked, *quick])
    assert done.exit_code == 0, done.output
    assert "model:" not in done.output
    assert se.load_explanation(out).provenance.model == ""
    refused = CliRunner().invoke(app, [*asked, *quick, "--model", "sum-seg", "--overwrite"])
    assert isinstance(refused.exception, ModelError)
    listed = CliRunner().invoke(app, ["methods"])
    assert "fista: FISTA (without a model)" in listed.output
    assert "XRAI (without" not in listed.output


def test_a_word_of_the_catalogues_that_people_are_called_by_is_no_word_of_our_own() -> None:
    """Filters are called after Dennis Gabor, and patients are called so, too."""
    assert is_own("fista cosine")
    assert not is_own("Gabor")
