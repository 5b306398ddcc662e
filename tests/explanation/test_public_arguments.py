"""Every public function with arguments that are none: one clear error, and nothing is lost."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import napari_sparseexplain as se
from napari_sparseexplain.errors import ModelError, SparseExplainError
from napari_sparseexplain.evidence import ExplanationMap, Provenance
from napari_sparseexplain.explanation.method import Parameter
from napari_sparseexplain.explanation.slice_sheet.sheet import SliceSheet
from napari_sparseexplain.explanation.trust.map_figures import Effort
from napari_sparseexplain.networks.bundle.external_model import wrap_callable
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard

from ..command_line import run

#: A whole number that Python itself does not write out.
DIGITS = 10**5000

ODD: tuple[Any, ...] = (
    *(None, True, 3, -1, 1.5, float("nan"), 10**400, DIGITS, "x", "", "a\0b", "a" * 300, b"x"),
    *([], {}, ["x"], [None], {"x": None}, {1: 2}, object(), lambda: 0, np.zeros(3)),
)

#: No paths, or of what is not there.
NO_PATHS: tuple[Any, ...] = (
    *(None, 3, 1.5, b"x", "", "a" * 300, "folder/" + "a" * 300, "a\0b", "\ud800", [], ["x"], {}),
    *(object(), "file.txt", "folder", Path("file.txt") / "below"),
)


class Given:
    """What the functions are given beside the odd argument."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        scan = np.random.default_rng(0).random((2, 8, 8)).astype(np.float32)
        self.study = se.study_of_arrays({"flair": scan})
        self.net = torch.nn.Conv2d(1, 2, 3, padding=1)
        self.options = {"roles": "flair", "target": 1, "slices": 0}
        self.result = se.explain(self.study, self.net, "vanilla-gradient", **self.options)
        self.reading = se.default_reading(self.study)
        self.stored = Path("stored.nii.gz")
        self.sheet = SliceSheet("", 0, "", ())

    def explain(self, **said: Any) -> Any:
        given = {"study": self.study, "model": self.net, "method": "vanilla-gradient"}
        return se.explain(**{**given, **self.options, **said})

    def trust(self, **said: Any) -> Any:
        given = {"study": self.study, "model": self.net, "explanation": self.result}
        return se.trust(**{**given, "effort": Effort(kinds=()), **said})

    def explain_slice(self, **said: Any) -> Any:
        # A model that does not fit: what is asked for is refused before anything runs, or then.
        given = {"study": self.study, "index": 0, "models": ["left-ventricle-unet"]}
        return se.explain_slice(**{**given, **said})


#: Functions of one path, which is not there or none.
PATHS: dict[str, Callable[[Given, Any], Any]] = {
    "open_study": lambda g, a: se.open_study(a),
    "load_explanation": lambda g, a: se.load_explanation(a),
    "load_explanations": lambda g, a: se.load_explanations([a], g.study),
    "load_model": lambda g, a: se.load_model(a),
    "load_model card": lambda g, a: se.load_model("file.txt", card=given_or(a, "")),
    "read_dictionary": lambda g, a: se.read_dictionary(a),
    "restore_review": lambda g, a: se.restore_review(a),
}

#: Functions that write to a path: what is none, or cannot be made.
PLACES: dict[str, Callable[[Given, Any], Any]] = {
    "save_explanation": lambda g, a: se.save_explanation(g.result, g.study, a),
    "save": lambda g, a: g.result.save(a),
    "save_picture": lambda g, a: se.save_picture(g.study, None, a),
    "report": lambda g, a: se.report(g.study, None, a),
    "save_review": lambda g, a: se.save_review(g.reading, a),
    "save_slice_sheet": lambda g, a: se.save_slice_sheet(g.sheet, g.study, a),
}

#: Functions of another argument. Some of the values may be right.
ARGUMENTS: dict[str, Callable[[Given, Any], Any]] = {
    **{
        f"open_study {name}": lambda g, a, name=name: se.open_study(g.stored, **{name: a})
        for name in ("reference", "roles", "name", "label_numbering")
    },
    "open_study roles by value": lambda g, a: se.open_study(g.stored, roles={"flair": a}),
    "open_study roles by key": lambda g, a: se.open_study(g.stored, roles={key(a): "stored"}),
    "load_explanation name": lambda g, a: se.load_explanation("stored", a),
    "load_explanation on": lambda g, a: se.load_explanation("stored", on=a),
    "load_explanations": lambda g, a: se.load_explanations(a, g.study),
    "load_explanations study": lambda g, a: se.load_explanations(["stored"], a),
    "load_model device": lambda g, a: se.load_model("unet-classes", a),
    "save_explanation explanation": lambda g, a: se.save_explanation(a, g.study, "new"),
    "save_explanation study": lambda g, a: se.save_explanation(g.result, a, "new"),
    "save_picture study": lambda g, a: se.save_picture(a, None, "new"),
    "save_picture results": lambda g, a: se.save_picture(g.study, given_or(a, [None]), "new"),
    "save_picture index": lambda g, a: se.save_picture(
        g.study, None, "new", index=given_or(a, "x")
    ),
    "save_picture size": lambda g, a: se.save_picture(g.study, None, "new", size=given_or(a, "x")),
    "report study": lambda g, a: se.report(a, None, "new"),
    "report results": lambda g, a: se.report(g.study, given_or(a, [None]), "new"),
    "study_of_arrays": lambda g, a: se.study_of_arrays(a),
    "study_of_arrays array": lambda g, a: se.study_of_arrays({"flair": a}),
    "study_of_arrays role": lambda g, a: se.study_of_arrays({key(a): np.zeros((2, 2))}),
    **{
        f"study_of_arrays {name}": lambda g, a, name=name: se.study_of_arrays(
            {"flair": np.zeros((2, 2))}, **{name: a}
        )
        for name in ("labels", "spacing", "name", "label_numbering")
    },
    **{
        f"explain {name}": lambda g, a, name=name: g.explain(**{name: a})
        for name in ("study", "model", "method", "target", "slices", "device", "roles")
    },
    **{
        f"explain {name}": lambda g, a, name=name: g.explain(**{name: a})
        for name in ("normalisation", "frame", "resolution")
    },
    **{
        f"trust {name}": lambda g, a, name=name: g.trust(**{name: a})
        for name in ("study", "model", "explanation", "roles", "normalisation", "count")
    },
    **{
        f"explain_slice {name}": lambda g, a, name=name: g.explain_slice(**{name: a})
        for name in ("study", "index", "models", "target", "device", "frame")
    },
    "save_slice_sheet sheet": lambda g, a: se.save_slice_sheet(a, g.study, "new"),
    "save_slice_sheet study": lambda g, a: se.save_slice_sheet(g.sheet, a, "new"),
    "trust effort": lambda g, a: g.trust(effort=given_or(a, "x")),
    "default_reading": lambda g, a: se.default_reading(a),
    "default_reading results": lambda g, a: se.default_reading(g.study, a),
    "default_reading result": lambda g, a: se.default_reading(g.study, {"a": a}),
    "compose": lambda g, a: se.compose(a),
    "compose size": lambda g, a: se.compose(g.reading, given_or(a, "x")),
    "compose created": lambda g, a: se.compose(g.reading, created=given_or(a, "x")),
    "restore_review moved": lambda g, a: se.restore_review("stored", moved=a),
    "save_review": lambda g, a: se.save_review(a, "new"),
    "save_review arrays": lambda g, a: se.save_review(g.reading, "new", arrays=a),
    "PictureSize width": lambda g, a: se.PictureSize(width=a),
    "PictureSize height": lambda g, a: se.PictureSize(height=a),
    "PictureSize dpi": lambda g, a: se.PictureSize(dpi=a),
    "Target parse": lambda g, a: se.Target.parse(a),
    "Target voxel": lambda g, a: se.Target.voxel(a),
    "Target voxel class": lambda g, a: se.Target.voxel((0, 0, 0), a),
    "Target of_class": lambda g, a: se.Target.of_class(a),
    "Target probability": lambda g, a: se.Target.probability(a),
    "Target region": lambda g, a: se.Target.region(a),
    "Normalisation": lambda g, a: se.Normalisation(a),
    "Provenance": lambda g, a: Provenance.from_json(a),
    "Model": lambda g, a: se.Model(a, g.net, torch.device("cpu")),
    "plot": lambda g, a: g.result.plot(given_or(a, "x")),
    "plot maps": lambda g, a: g.result.plot(0, a),
    "layer_data": lambda g, a: g.result.layer_data(a),
    "a map": lambda g, a: g.result[a],
    "a volume": lambda g, a: g.study[a],
    "with_role": lambda g, a: g.study.with_role("flair", a),
    "with_role of": lambda g, a: g.study.with_role(a, "t1"),
    "with_label_numbering": lambda g, a: g.study.with_label_numbering(a),
}


def key(value: Any) -> Any:
    """What can be a key of a dict."""
    return 1 if isinstance(value, list | dict | np.ndarray) else value


def given_or(value: Any, other: Any) -> Any:
    """Another value where None means that it is left out."""
    return other if value is None else value


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Given]:
    folder = tmp_path_factory.mktemp("arguments")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        (folder / "file.txt").write_text("x")
        (folder / "folder").mkdir()
        found = Given()
        files = found.result.save("stored")
        files[0].rename(found.stored)
        found.result.save("stored", overwrite=True)
        yield found


def one_line(call: Callable[[Given, Any], Any], given: Given, value: Any) -> bool:
    """Whether it was refused, in one line; any other error goes on."""
    said = ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            call(given, value)
        except SparseExplainError as error:
            said = str(error)
    assert "\n" not in said
    assert len(said) < 1500
    return bool(said)


@pytest.mark.parametrize("name", PATHS)
def test_what_is_no_path_or_not_there(given: Given, name: str) -> None:
    for value in NO_PATHS:
        assert one_line(PATHS[name], given, value), value


@pytest.mark.parametrize("name", PLACES)
def test_where_nothing_can_be_written(given: Given, name: str) -> None:
    for value in NO_PATHS:
        refused = one_line(PLACES[name], given, value)
        assert refused or value in ("file.txt", "folder"), value


@pytest.mark.parametrize("name", ARGUMENTS)
def test_what_is_no_such_argument(given: Given, name: str) -> None:
    refused = [one_line(ARGUMENTS[name], given, value) for value in ODD]
    assert sum(refused) >= 5


def test_every_public_function_is_asked() -> None:
    asked = {name.split()[0] for name in (*PATHS, *PLACES, *ARGUMENTS)}
    without_arguments = {"methods", "models", "sample_study"}
    # Made by the functions above; what is in them is checked where it is read or used.
    records = {"Explanation", "Picture", "Reading", "Study", "Volume"}
    known = {*asked, *without_arguments, *records, "SparseExplainError", "__version__"}
    assert set(se.__all__) <= known


def test_a_path_is_not_a_list_of_letters(given: Given) -> None:
    for one in ("stored", Path("stored")):
        with pytest.raises(SparseExplainError, match=r"the folders cannot be .*Give a list"):
            se.load_explanations(one, given.study)  # pyright: ignore[reportArgumentType]
    assert list(se.load_explanations(["stored"], given.study)) == ["vanilla-gradient_1"]


class Masks(torch.nn.Module):
    """As the networks of bundles."""

    def forward(self, x: torch.Tensor, alpha: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
        signal = torch.cat([x, -x], dim=1)
        return torch.softmax(signal, dim=1), signal


CARD = ModelCard(
    "small", "Small", "callable", {}, "segmentation", Inputs(("flair",), "brain-range", 1.0, 8),
    {"0": "healthy", "1": "lesion"},
)  # fmt: skip


@pytest.mark.parametrize("name", [f.name for f in (*fields(ModelCard), *fields(Inputs))])
def test_a_card_made_in_python_is_right_or_refused(given: Given, name: str) -> None:
    """When it is made, or when a model is made with it: not where the network stumbles."""

    def explained(given: Given, wrong: Any) -> None:
        if hasattr(CARD, name):
            card = replace(CARD, **{name: wrong})
        else:
            card = replace(CARD, inputs=replace(CARD.inputs, **{name: wrong}))
        for model in (wrap_callable(given.net, card), se.Model.of_network(card, Masks())):
            se.explain(given.study, model, "segmentation")

    assert not one_line(explained, given, getattr(CARD, name, getattr(CARD.inputs, name, None)))
    refused = [one_line(explained, given, wrong) for wrong in ODD]
    assert any(refused)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"roles": "flair"}, r"field 'inputs.roles' must be a list of study roles"),
        ({"spacing_mm": "1"}, r"field 'inputs.spacing_mm' must be a number of millimetres"),
        ({"multiple": 1.5}, r"field 'inputs.multiple' must be a whole number"),
    ],
)
def test_a_card_names_its_field(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        replace(CARD.inputs, **wrong)


def test_a_number_of_thousands_of_digits_on_the_command_line(given: Given) -> None:
    long = "9" * 5000
    for option in (f"--frame={long}", f"--slices={long}", f"--target=voxel:1,{long},2"):
        done = run("explain", "stored.nii.gz", "--method", "fista", "--out", "new", option)
        assert done.returncode in (1, 2)
        assert "Traceback" not in done.stderr
        assert not Path("new").exists()
    with pytest.raises(SparseExplainError, match="very many digits"):
        Parameter("iterations", 5, "How many").checked([DIGITS][0])


def test_a_map_of_another_place_stays_as_it_is(given: Given) -> None:
    """What was loaded before an error is what it was."""
    before = given.result["heatmap"].data.copy()
    for value in ODD:
        one_line(lambda g, a: se.save_picture(g.study, [g.result, a], "new"), given, value)
    assert np.array_equal(given.result["heatmap"].data, before)
    assert isinstance(given.result["heatmap"], ExplanationMap)
