"""Studies made of arrays, for scripts that hold their scan in memory already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...arguments import check_kind, is_by_text, is_number
from ...errors import StudyError
from ..grid import Grid
from ..study import Study
from ..volume import Source, Volume


def study_of_arrays(
    images: Mapping[str, npt.NDArray[Any]],
    labels: Mapping[str, npt.NDArray[Any]] | None = None,
    *,
    spacing: Sequence[float] = (1.0, 1.0, 1.0),
    name: str = "array",
    label_numbering: str = "",
) -> Study:
    """A study of arrays in display order, placed along the patient's axes.

    Parameters
    ----------
    images, labels : mapping of str to ndarray, shape (S, P, L), or (P, L) for one slice
        By role (``{"flair": …}``): slices to superior, rows to posterior, columns to the
        patient's left. All of one shape; not copied. What is measured of a scan (brain, range) is
        measured once: make a study anew of an array that you change in place.
    spacing : three floats
        Size of a voxel in mm, in the order of the axes.
    label_numbering : str
        What the labels stand for (``"brats-2021"``); without it the classes are not scored.

    Raises
    ------
    StudyError
        No image, another number of axes, shapes that differ, or values that are no real numbers.

    Examples
    --------
    >>> import numpy as np, napari_sparseexplain as se
    >>> study = se.study_of_arrays({"flair": np.zeros((3, 24, 32))}, spacing=(5.0, 1.0, 1.0))
    >>> study.grid.shape, study.grid.spacing
    ((3, 24, 32), (5.0, 1.0, 1.0))
    """
    check_kind(images, is_by_text, "images", "arrays by role, as {'flair': …}")
    if labels is not None:
        check_kind(labels, is_by_text, "labels", "arrays by role, as {'seg': …}")
    check_kind(name, str, "name", "a text")
    check_kind(label_numbering, str, "label_numbering", "a name, as 'brats-2021'")
    check_kind(spacing, _are_sizes, "voxel size", "three sizes in mm: slices, rows and columns")
    given = {"image": dict(images), "label": dict(labels or {})}
    if not given["image"]:
        raise StudyError("there is no image", where=name, remedy="Give an array, as {'flair': …}")
    if len(spacing) != 3 or not all(np.isfinite(v) and v > 0 for v in spacing):
        raise StudyError(
            f"the voxel size cannot be {tuple(spacing)}",
            where=name,
            remedy="Give three sizes in mm: between slices, rows and columns",
        )
    shelves: dict[str, dict[str, Volume]] = {"image": {}, "label": {}}
    grid = None
    for kind, arrays in given.items():
        for role, array in arrays.items():
            values = _checked(np.asarray(array), role, name)
            grid = grid or _grid(values.shape, spacing)
            if values.shape != grid.shape:
                raise StudyError(
                    f"the array of {role!r} has the shape {values.shape}, and another has "
                    f"{grid.shape}",
                    where=name,
                    remedy="Bring all arrays onto one grid first",
                )
            volume = _volume(values, grid, role)
            shelves[kind][role] = volume if kind == "image" else replace(volume, kind="label")
    assert grid is not None  # there is an image
    study = Study(name, None, shelves["image"], shelves["label"], grid, next(iter(given["image"])))
    return study.with_label_numbering(label_numbering) if label_numbering else study


def _are_sizes(given: object) -> bool:
    if isinstance(given, str | bytes) or not isinstance(given, Sequence | np.ndarray):
        return False
    return all(map(is_number, given))


def study_of_channels(array: npt.NDArray[Any], roles: Sequence[str]) -> Study:
    """A study of one array that holds every modality, as a network takes them.

    Parameters
    ----------
    array : ndarray
        One role: (P, L) or (S, P, L). Several: (C, P, L) or (C, S, P, L), in the order of roles.

    Raises
    ------
    StudyError
        The array has another number of axes or channels.
    """
    values = np.asarray(array)
    if len(roles) == 1:
        return study_of_arrays({roles[0]: values})
    if values.ndim not in (3, 4) or len(values) != len(roles):
        raise StudyError(
            f"an array of shape {values.shape} does not hold {', '.join(roles)}",
            where="array",
            remedy=f"Give the {len(roles)} modalities on the first axis, in this order",
        )
    return study_of_arrays(dict(zip(roles, values, strict=True)))


def _checked(values: npt.NDArray[Any], role: str, name: str) -> npt.NDArray[Any]:
    if values.ndim == 2:
        values = values[None]
    if values.ndim != 3 or values.size == 0 or values.dtype.kind not in "biuf":
        raise StudyError(
            f"the array of {role!r} has the shape {values.shape} and the type {values.dtype}",
            where=name,
            remedy="Give real numbers of shape (slices, rows, columns), or (rows, columns)",
        )
    return values


def _grid(shape: tuple[int, ...], spacing: Sequence[float]) -> Grid:
    s, p, l = (float(v) for v in spacing)  # noqa: E741
    affine = np.zeros((4, 4))
    # Index (s, p, l) to RAS+: rows run to posterior, columns to the left.
    affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = s, -p, -l, 1.0
    return Grid((shape[0], shape[1], shape[2]), affine)


def _volume(data: npt.NDArray[Any], grid: Grid, role: str) -> Volume:
    source = Source(
        paths=(),
        format="memory",
        shape=grid.shape,
        affine=grid.affine,
        dtype=data.dtype,
        to_display=np.array([[0, 1], [1, 1], [2, 1]], dtype=np.float64),
        description=role,
    )
    return Volume(data, grid, role, "image", source)
