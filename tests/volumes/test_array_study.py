"""Arrays as studies: in display order, along the patient's axes, refused where not understood."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sparseexplain.errors import StudyError
from napari_sparseexplain.volumes import study_of_arrays, study_of_channels

SHAPE = (3, 5, 4)


def test_arrays_lie_in_display_order_at_their_spacing() -> None:
    image = np.arange(60.0).reshape(SHAPE)
    study = study_of_arrays({"flair": image}, {"seg": image > 30}, spacing=(3, 2, 1))
    assert study["flair"].data is image
    assert list(study.labels) == ["seg"]
    assert study["seg"].kind == "label"
    assert study.grid.spacing == (3.0, 2.0, 1.0)
    assert study.reference == "flair"
    # Slices to superior, rows to posterior, columns to the patient's left, in RAS+ mm.
    np.testing.assert_array_equal(study.grid.affine @ [1, 1, 1, 1], [-1, -2, 3, 1])


def test_a_picture_is_one_slice() -> None:
    study = study_of_arrays({"flair": np.zeros((5, 4))})
    assert study.grid.shape == (1, 5, 4)


def test_modalities_stand_on_the_first_axis_in_the_order_of_roles() -> None:
    array = np.random.default_rng(0).random((2, *SHAPE))
    study = study_of_channels(array, ("t1", "flair"))
    np.testing.assert_array_equal(study["flair"].data, array[1])
    assert study_of_channels(array[:, 0], ("t1", "flair")).grid.shape == (1, 5, 4)
    assert study_of_channels(array[0], ("flair",)).grid.shape == SHAPE


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: study_of_arrays({}), "there is no image"),
        (lambda: study_of_arrays({"flair": np.zeros(4)}), r"shape \(4,\)"),
        (lambda: study_of_arrays({"flair": np.zeros((0, 4, 4))}), r"shape \(0, 4, 4\)"),
        (lambda: study_of_arrays({"flair": np.zeros(SHAPE, complex)}), "complex"),
        (lambda: study_of_arrays({"flair": np.zeros(SHAPE)}, spacing=(1, 0, 1)), "voxel size"),
        (
            lambda: study_of_arrays({"t1": np.zeros(SHAPE), "t2": np.zeros((3, 5, 5))}),
            "another has",
        ),
        (lambda: study_of_channels(np.zeros(SHAPE), ("t1", "t2")), "does not hold t1, t2"),
    ],
)
def test_what_is_no_study_is_refused(call, message: str) -> None:
    with pytest.raises(StudyError, match=message):
        call()
