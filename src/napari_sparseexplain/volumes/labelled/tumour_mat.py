"""Cheng's brain tumours as they come from their home: one MATLAB 7.3 file (HDF5) a slice.

J. Cheng, brain tumor dataset, figshare 1512427: ``cjdata`` holds ``PID``, ``image``, ``label`` (1
meningioma, 2 glioma, 3 pituitary tumour) and ``tumorMask``. MATLAB stores arrays by columns, so
that they are read transposed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ReadError, reason_of
from .class_image import Box, ClassImage

#: Classes by their number.
LABELS = {1: "meningioma", 2: "glioma", 3: "pituitary"}

#: The file of five folds beside the slices; it is no slice.
FOLDS = "cvind.mat"


def read_tumour_header(path: Path) -> ClassImage:
    """Class, patient and box of a slice; its pixels are not read.

    Raises
    ------
    ReadError
        It is no such file, or h5py is not installed.
    """
    with _opened(path) as file, _decoded(path):
        data = _data(file, path)
        label = int(np.asarray(data["label"]).ravel()[0])
        if label not in LABELS:
            raise ReadError(
                f"its label is {label}, and known are 1, 2 and 3",
                where=path,
                remedy="Check that it is a file of Cheng's brain tumour set",
            )
        patient = "".join(chr(int(code)) for code in np.asarray(data["PID"]).ravel())
        mask = np.asarray(data["tumorMask"]).T != 0 if "tumorMask" in data else None
    number = int(path.stem) if path.stem.isdigit() else None
    boxes = () if mask is None or not mask.any() else (_box(mask),)
    return ClassImage(path.stem, LABELS[label], path, number, "", patient, "", boxes)


def read_tumour_picture(path: Path) -> npt.NDArray[np.float32]:
    """The grey values of a slice, shape (rows, columns).

    Raises
    ------
    ReadError
        It is no such file, or h5py is not installed.
    """
    with _opened(path) as file, _decoded(path):
        array = np.asarray(_data(file, path)["image"]).astype(np.float32)
    if array.ndim != 2:
        raise ReadError(f"its image has {array.ndim} axes", where=path, remedy="Give single slices")
    return array.T


def _opened(path: Path) -> Any:
    try:
        h5py = import_module("h5py")
    except ImportError as error:
        raise ReadError(
            "MATLAB files of version 7.3 are read by h5py, which is not installed",
            where=path,
            remedy="Install the extra: pip install 'napari-sparseexplain[classifiers]'",
        ) from error
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise ReadError(
            "it is no MATLAB file of version 7.3 (HDF5)",
            where=path,
            remedy="Save it with MATLAB's -v7.3, or export the slice as a picture",
        ) from error


@contextmanager
def _decoded(path: Path) -> Iterator[None]:
    """Say of a file that opens and is damaged within, or holds other kinds, what is wrong."""
    try:
        yield
    except ReadError:
        raise
    except (OSError, RuntimeError, LookupError, TypeError, ValueError, OverflowError) as error:
        raise ReadError(
            f"its contents cannot be read ({reason_of(error)})",
            where=path,
            remedy="Get the file again, or leave it out",
        ) from error


def _data(file: Any, path: Path) -> Any:
    data = file.get("cjdata")
    missing = [n for n in ("image", "label", "PID") if data is None or n not in data]
    if missing:
        raise ReadError(
            f"it has no cjdata/{missing[0]}",
            where=path,
            remedy="Check that it is a file of Cheng's brain tumour set",
        )
    return data


def _box(mask: npt.NDArray[np.bool_]) -> Box:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    height, width = mask.shape
    return (
        float(rows[0] / height),
        float(columns[0] / width),
        float((rows[-1] + 1) / height),
        float((columns[-1] + 1) / width),
    )
