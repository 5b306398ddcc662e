"""What a person can cause is one kind of error, and also the kind that Python has for it."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

import napari_sparseexplain as se
from napari_sparseexplain.errors import MissingNameError, ParameterError, ReadError
from napari_sparseexplain.evidence import Explanation, ExplanationMap, Provenance
from napari_sparseexplain.explanation.class_regions import class_channels
from napari_sparseexplain.files.atomic_write import moved_together
from napari_sparseexplain.networks.bundle.catalogue import models

HEAT = ExplanationMap("heatmap", np.zeros((1, 4, 4)), "heatmap")


def test_a_file_that_cannot_be_read_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="there is no such file") as caught:
        se.open_study(tmp_path / "none.nii.gz")
    assert isinstance(caught.value, ReadError)
    assert str(caught.value).startswith(str(tmp_path / "none.nii.gz"))
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is ReadError


def test_a_read_error_goes_through_what_catches_os_errors(tmp_path: Path) -> None:
    """It says what cannot be read; it is not told as a folder that cannot be written."""
    with (
        pytest.raises(ReadError, match=r"^mine"),
        moved_together(tmp_path / "out"),
    ):
        raise ReadError("mine")


def test_a_bad_parameter_is_a_value_error() -> None:
    study = se.study_of_arrays({"flair": np.eye(8, dtype=np.float32)})
    for given in ({"resolution": "full"}, {"n_steps": "many"}, {"color": 3}):
        with pytest.raises(ValueError, match="parameter") as caught:
            se.explain(study, "sum-seg", "xrai", target="WT", **given)
        assert isinstance(caught.value, ParameterError)
        assert isinstance(caught.value, se.SparseExplainError)


def test_a_name_that_is_not_there_is_one_kind_with_one_clear_message() -> None:
    study = se.study_of_arrays({"flair": np.eye(8, dtype=np.float32)})
    found = Explanation("xrai", (HEAT,), Provenance("xrai"))
    for thing, have in ((study, "there is flair"), (found, "there is heatmap")):
        with pytest.raises(KeyError) as caught:
            thing["x"]
        assert isinstance(caught.value, MissingNameError)
        assert isinstance(caught.value, se.SparseExplainError)
        said = str(caught.value)
        assert "'x'" in said
        assert have in said
        assert not said.startswith(("'", '"'))


@pytest.mark.parametrize("name", ["edema", "oedema", "Edema", "ED", "peritumoral edema"])
def test_a_class_is_known_by_what_people_call_it(name: str) -> None:
    card = models()["unet-classes"]
    meant = class_channels(card, name)
    assert [list(card.classes.values())[channel] for channel in meant] == ["oedema"]
