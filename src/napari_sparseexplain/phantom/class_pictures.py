"""A synthetic folder of classes: slices of a drawn head with a lesion that is solid or a ring.

Drawings, not simulated scans: they show what the window does where no labelled pictures lie.
Nothing that a network does on them says anything of patients.
"""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

#: Classes in the order of their names, and views.
CLASSES = ("ring", "solid")
VIEWS = ("axial", "coronal")

#: Rows and columns.
SIDE = 128

#: Pictures of each class and view.
EACH = 15

#: Half axes of the head by view, as shares of the picture: rows, columns.
_HEAD = {"axial": (0.44, 0.36), "coronal": (0.37, 0.38)}

#: Grey values.
_SKULL, _BRAIN, _FLUID, _LESION, _CORE = 70.0, 105.0, 35.0, 205.0, 60.0


def class_picture(
    label: str, view: str, seed: int, side: int = SIDE
) -> tuple[npt.NDArray[np.uint8], tuple[float, float, float, float]]:
    """A slice of a head with a lesion, and the lesion's box.

    Parameters
    ----------
    label : str
        ``"ring"`` (bright rim, dark core) or ``"solid"``.
    view : str
        ``"axial"`` or ``"coronal"``.
    seed : int
        Place, size and noise.

    Returns
    -------
    picture : ndarray, shape (side, side), uint8
    box : tuple of float
        x and y of the middle, width and height, as shares of the picture.
    """
    random = np.random.default_rng(seed)
    rows, columns = (np.indices((side, side)) + 0.5) / side - 0.5
    high, wide = (axis * random.uniform(0.94, 1.04) for axis in _HEAD[view])
    away = np.hypot(rows / high, columns / wide)
    picture = np.where(away < 1, _SKULL, 0.0)
    picture[away < 0.9] = _BRAIN
    # Two ventricles beside the middle, which are longer in an axial slice.
    long, apart = (0.13, 0.045) if view == "axial" else (0.07, 0.06)
    for sign in (-1, 1):
        tilted = columns - sign * (apart + 0.25 * (rows + 0.02))
        picture[np.hypot((rows + 0.02) / long, tilted / 0.028) < 1] = _FLUID
    angle, reach = random.uniform(0, 2 * np.pi), random.uniform(0.3, 0.62)
    middle = reach * high * np.sin(angle), reach * wide * np.cos(angle)
    size = random.uniform(0.055, 0.1)
    lesion = np.hypot(rows - middle[0], columns - middle[1]) / size
    picture[lesion < 1] = _LESION
    if label == "ring":
        picture[lesion < 0.62] = _CORE
    picture = gaussian_filter(picture, side / 160) + random.normal(0, 4, picture.shape)
    box = (middle[1] + 0.5, middle[0] + 0.5, 2 * size, 2 * size)
    return picture.clip(0, 255).astype(np.uint8), box


def write_class_pictures(folder: str | Path, each: int = EACH, side: int = SIDE) -> Path:
    """``ring/1.png`` and ``1.txt``, …, and ``views.csv``: as `find_class_images` reads them.

    Numbers run by class, then by view. A folder that is there is written over.
    """
    root = Path(folder)
    lines = ["number,class,view"]
    number = 0
    for label in CLASSES:
        (root / label).mkdir(parents=True, exist_ok=True)
        for view in VIEWS:
            for _ in range(each):
                number += 1
                picture, box = class_picture(label, view, number, side)
                iio.imwrite(root / label / f"{number}.png", picture)
                text = " ".join(f"{value:.4f}" for value in box)
                (root / label / f"{number}.txt").write_text(f"0 {text}\n", encoding="utf-8")
                lines.append(f"{number},{label},{view}")
    (root / "views.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root
