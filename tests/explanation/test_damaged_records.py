"""Records that were edited by hand: run again, or one line that names the file and the field."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import napari_sparseexplain as se
from napari_sparseexplain.errors import ReadError, SparseExplainError
from napari_sparseexplain.explanation.noted_run import RecordPlace
from napari_sparseexplain.explanation.repeat import repeat_work
from napari_sparseexplain.explanation.trust.table import explained_target
from napari_sparseexplain.networks.bundle.external_model import wrap_callable
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.progress import drain

PLACE = RecordPlace("review.json", "explanations.first.provenance")

#: What stands in place of a value; the first takes it away.
GONE = object()
WRONG: tuple[Any, ...] = (
    *(GONE, None, "x", "", "1", -1, 0, 1.5, 2**63, True, [], {}),
    *([None], ["x"], [[]], {"x": None}, [-1, 1, 2], [10**6, 0]),
)


@pytest.fixture(scope="module")
def study() -> se.Study:
    frames = np.random.default_rng(0).random((2, 2, 8, 8)).astype(np.float32)
    still = se.study_of_arrays({"flair": frames[0]})
    series = replace(still["flair"], data=frames, leading=("time",))
    return replace(still, images={"flair": series})


@pytest.fixture(scope="module")
def model() -> se.Model:
    torch.manual_seed(0)
    inputs = Inputs(("flair",), "brain-range", 1.0, 8)
    card = ModelCard("small", "Small", "callable", {}, "segmentation", inputs, {"1": "lesion"})
    return wrap_callable(torch.nn.Conv2d(1, 1, 3, padding=1), card)


@pytest.fixture(scope="module", params=["attribution", "sparse"])
def record(request: pytest.FixtureRequest, study: se.Study, model: se.Model) -> dict[str, Any]:
    if request.param == "sparse":
        found = se.explain(study, None, "fista", slices=0, iterations=1, frame=1)
    else:
        aim = se.Target.voxel((0, 3, 4), "1")
        found = se.explain(study, model, "vanilla-gradient", target=aim, slices=0, frame=1)
    return json.loads(json.dumps(found.provenance.to_json()))


def damaged(record: dict[str, Any]) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """The record with each of its values, and each of its parts, taken away or replaced."""
    for path in places(record):
        for wrong in WRONG:
            made = copy.deepcopy(record)
            inside: Any = made
            for step in path[:-1]:
                inside = inside[step]
            if wrong is GONE:
                del inside[path[-1]]
            else:
                inside[path[-1]] = copy.deepcopy(wrong)
            yield (*path, wrong), made


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in inside:
        yield (*path, key)
        if isinstance(part, dict | list):
            yield from places(part, (*path, key))


def test_a_record_is_run_again_or_one_line_says_why_not(
    record: dict[str, Any], study: se.Study, model: se.Model
) -> None:
    given = model if record["model"] else None
    assert drain(repeat_work(record, study, model=given)).maps
    said: list[tuple[Any, str]] = []
    done = 0
    for what, made in damaged(record):
        try:
            drain(repeat_work(made, study, model=given, place=PLACE))
            done += 1
        except SparseExplainError as error:
            said.append((what, str(error)))
        except Exception as error:
            raise AssertionError(f"{what}: {error!r}") from error
    assert not [each for each in said if "\n" in each[1] or len(each[1]) > 1000]
    assert len(said) > done > 0


@pytest.mark.parametrize(
    ("path", "wrong", "field"),
    [
        (("parameters",), [], "parameters"),
        (("parameters", "slices"), "0:1", "parameters.slices"),
        (("parameters", "slices"), [0, "1"], "parameters.slices[1]"),
        (("parameters", "target"), [], "parameters.target"),
        (("parameters", "target", "kind"), "pixel", "parameters.target.kind"),
        (("parameters", "target", "index"), [0, 1], "parameters.target.index"),
        (("parameters", "frame"), [1.5], "parameters.frame[0]"),
        (("parameters", "resolution"), "4", "parameters.resolution"),
        (("inputs",), None, "inputs"),
        (("weights_sha256",), 12, "weights_sha256"),
        (("seed",), "1", "seed"),
    ],
)
def test_the_line_names_the_file_and_the_field(
    study: se.Study, model: se.Model, path: tuple[str, ...], wrong: Any, field: str
) -> None:
    aim = se.Target.voxel((0, 3, 4), "1")
    found = se.explain(study, model, "vanilla-gradient", target=aim, slices=0, frame=1)
    record = json.loads(json.dumps(found.provenance.to_json()))
    inside = record
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = wrong
    with pytest.raises(ReadError, match=r"^review\.json: the record is damaged") as raised:
        drain(repeat_work(record, study, model=model, place=PLACE))
    assert f"'explanations.first.provenance.{field}'" in str(raised.value)


@pytest.mark.parametrize("wrong", [None, 12, [], "x", {"method": {"x"}}, {"method": float("nan")}])
def test_what_is_no_record_at_all(study: se.Study, wrong: Any) -> None:
    with pytest.raises(ReadError, match=r"^record: the record is damaged"):
        drain(repeat_work(wrong, study))


@pytest.mark.parametrize(
    "wrong", [{}, {"kind": "voxel"}, {"kind": "class", "name": ""}, {"kind": 1}, [], "WT", object()]
)
def test_the_target_of_a_damaged_explanation(study: se.Study, model: se.Model, wrong: Any) -> None:
    """As the scores of trust read it."""
    found = se.explain(study, model, "vanilla-gradient", target="1", slices=0)
    record = replace(found.provenance, parameters={"target": wrong})
    with pytest.raises(SparseExplainError, match="field 'parameters"):
        explained_target(replace(found, provenance=record))
