"""Contours as text, a point a line, as those of the Sunnybrook cardiac data.

``IM-0001-dddd-icontour-manual.txt`` is the inner contour of image number dddd, ``ocontour`` the
outer one. A line holds x (column) and y (row) of a point, in pixels, the centre of the first pixel
at (0, 0) [1]_.

References
----------
.. [1] P. Radau et al., Evaluation framework for algorithms segmenting short axis cardiac MRI, The
       MIDAS Journal, 2009.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
from skimage.draw import polygon

from ...errors import ReadError, reason_of
from ...files.regular_file import regular_size

#: ``IM-0001-0048-icontour-manual.txt``: image number and which contour.
CONTOUR_NAME = re.compile(r"(?i)IM-(\d+)-(\d+)-([iop]\d?)contour(?:-\w+)?\.txt$")

#: A contour of this share of the image's side between its ends is open.
_OPEN = 0.1

#: Bytes of a contour file at most; a contour has some hundred points.
_LARGEST = 4_000_000


def read_contour(path: Path) -> npt.NDArray[np.float64]:
    """The points of a contour, shape (n, 2): x and y in pixels.

    Raises
    ------
    ReadError
        Fewer than three points, or a line that does not hold two numbers.
    """
    remedy = "Draw the contour again, or leave this file out"
    if regular_size(path) > _LARGEST:
        raise ReadError("the file is too large for a contour", where=path, remedy=remedy)
    points = []
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(
            f"the contour cannot be read ({reason_of(error)})", where=path, remedy=remedy
        ) from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            x, y = (float(word) for word in line.replace(",", " ").split())
        except ValueError as error:
            raise ReadError(
                f"line {number} does not hold two numbers", where=path, remedy=remedy
            ) from error
        if not (np.isfinite(x) and np.isfinite(y)):
            raise ReadError(f"line {number} holds no finite point", where=path, remedy=remedy)
        points.append((x, y))
    if len(points) < 3:
        raise ReadError(
            f"the contour has {len(points)} points, and three are the least",
            where=path,
            remedy=remedy,
        )
    return np.asarray(points)


def inside_contour(
    points: npt.NDArray[np.float64], shape: tuple[int, int]
) -> tuple[npt.NDArray[np.bool_], list[str]]:
    """Pixels whose centres lie inside a contour, and what is odd about it.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        x and y in pixels; the last point is joined to the first.
    shape : (int, int)
        Rows and columns of the image.
    """
    findings = []
    inside = np.zeros(shape, dtype=np.bool_)
    rows, columns = polygon(points[:, 1], points[:, 0], shape)
    inside[rows, columns] = True
    outside = (points < -0.5) | (points > np.array(shape[::-1]) - 0.5)
    if outside.any():
        findings.append(
            f"{int(outside.any(axis=1).sum())} of {len(points)} contour points lie outside the "
            "image, where the contour was cut"
        )
    gap = float(np.linalg.norm(points[0] - points[-1]))
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    if gap > max(_OPEN * max(shape), 5 * float(np.median(steps))):
        findings.append(
            f"the contour is open: its ends lie {gap:.1f} pixels apart and were joined by a line"
        )
    return inside, findings
