"""The cells of a decomposition: rows are modalities, columns classes, with shared contrast."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ..evidence import Explanation
from ..evidence.colours import FURTHER_COLOURS
from ..evidence.strongest_components import strongest_components
from ..review.review import joined_maps
from ..volumes import Study
from ..volumes.labels.tumour import SHORT_NAMES
from .colormaps import BRATS_COLOURS, label_colormap, signed_colormap
from .explanation_layers import BelowMap, ExplanationLayer
from .study_layers import METADATA_KEY, LayerTuple, axis_labels, role_title

Sharing = Literal["modality", "all", "cell"]

#: What each sharing is called on the screen.
SHARING_WORDS: Mapping[Sharing, str] = {
    "modality": "shared over each modality",
    "all": "shared over all cells",
    "cell": "each cell its own",
}

#: Columns that are no class, with their heads: the scan as the network sees it, the same with the
#: predicted classes over it, the sum of the components, and what they leave.
INPUT, OVERLAY, RECONSTRUCTION, RESIDUAL = "input", "overlay", "reconstruction", "residual"
COLUMN_HEADS = {
    INPUT: "Input",
    OVERLAY: "Classes",
    RECONSTRUCTION: "Sum",
    RESIDUAL: "Residual",
}

#: Background, where it is a class with a name: seen beside coloured tissue, told apart from none.
BACKGROUND_COLOUR = "#9A9A9A"

#: How much of a class's colour lies over the scan.
OVERLAY_STRENGTH = 0.45


@dataclass(frozen=True)
class Cell:
    """One picture of the grid: a modality and a column (`COLUMN_HEADS`, or a class's short id)."""

    role: str
    column: str

    @property
    def signed(self) -> bool:
        """Whether it shows a component or what is left: 0 is in the middle."""
        return self.column not in (INPUT, OVERLAY, RECONSTRUCTION)


def short_class(name: str) -> str:
    """A class's name for a cell."""
    return SHORT_NAMES.get(name, name.capitalize())


def class_colours(values: Iterable[int]) -> dict[int, str]:
    """A colour for every label value; 0 is grey, tumour labels have the colours of masks."""
    colours: dict[int, str] = {}
    for place, value in enumerate(sorted(values)):
        if value == 0:
            colours[value] = BACKGROUND_COLOUR
        else:
            colours[value] = BRATS_COLOURS.get(value, FURTHER_COLOURS[place % len(FURTHER_COLOURS)])
    return colours


def strongest_cells(explanation: Explanation, roles: Iterable[str]) -> list[Cell]:
    """Cells of `strongest_components`: each class in the modality where it contributed most."""
    found = []
    for item in strongest_components(explanation):
        name = item.name.removeprefix("component-")
        role = max((r for r in roles if name.endswith(f"-{r}")), key=len)
        found.append(Cell(role, name.removesuffix(f"-{role}")))
    return found


def cell_data(explanation: Explanation, cell: Cell) -> npt.NDArray[Any]:
    """The array of a cell: (slices, rows, columns), for `OVERLAY` with three colours behind."""
    if cell.column == INPUT:
        return _scan(explanation, cell.role)
    if cell.column == OVERLAY:
        return classes_over(_scan(explanation, cell.role), explanation["mask"].data)
    if cell.column in (RECONSTRUCTION, RESIDUAL):
        return explanation[f"{cell.column}-{cell.role}"].data
    return explanation[f"component-{cell.column}-{cell.role}"].data


def classes_over(
    scan: npt.NDArray[np.floating], labels: npt.NDArray[np.integer]
) -> npt.NDArray[np.uint8]:
    """A scan in (0, 1) with the colours of its classes over it; background stays grey.

    Parameters
    ----------
    scan, labels : ndarray, one shape

    Returns
    -------
    ndarray, shape (..., 3)
    """
    grey = np.repeat(np.clip(scan, 0.0, 1.0)[..., None], 3, axis=-1)
    for value in np.unique(labels):
        if value != 0:
            text = class_colours([int(value)])[int(value)].lstrip("#")
            colour = np.array([int(text[i : i + 2], 16) / 255 for i in (0, 2, 4)])
            inside = labels == value
            grey[inside] = (1 - OVERLAY_STRENGTH) * grey[inside] + OVERLAY_STRENGTH * colour
    return np.round(grey * 255).astype(np.uint8)


def cell_limits(
    explanation: Explanation, cells: Sequence[Cell], sharing: Sharing
) -> dict[Cell, tuple[float, float]]:
    """Display limits of cells: symmetric about 0 for components and residuals, else 0 to 1.

    Parameters
    ----------
    sharing : {"modality", "all", "cell"}
        Over which cells the largest magnitude is taken.
    """
    peaks: dict[Any, float] = {}
    for cell in cells:
        if cell.signed:
            peak = float(np.abs(cell_data(explanation, cell)).max(initial=0.0))
            group = _group(cell, sharing)
            peaks[group] = max(peaks.get(group, 0.0), peak)
    limits = {}
    for cell in cells:
        high = peaks[_group(cell, sharing)] or 1.0 if cell.signed else 1.0
        limits[cell] = (-high if cell.signed else 0.0, high)
    return limits


def linked_groups(cells: Sequence[Cell], sharing: Sharing) -> list[list[Cell]]:
    """Cells whose limits move together."""
    groups: dict[Any, list[Cell]] = {}
    for cell in cells:
        if cell.signed:
            groups.setdefault(_group(cell, sharing), []).append(cell)
    return list(groups.values())


def cell_layer(
    explanation: Explanation, study: Study, cell: Cell, limits: tuple[float, float]
) -> LayerTuple:
    """One cell as a layer tuple, at its place in the study."""
    name = "mask" if cell.column == OVERLAY else f"reconstruction-{cell.role}"
    if cell.signed:
        kind = "residual" if cell.column == RESIDUAL else f"component-{cell.column}"
        name = f"{kind}-{cell.role}"
    _, options, _ = explanation.layer_data(name)
    below, scan = None, joined_maps(f"reconstruction-{cell.role}", f"residual-{cell.role}")
    if cell.column == INPUT:
        name = scan
    elif cell.column == OVERLAY:
        mask = explanation["mask"]
        labels = mask.classes or [int(value) for value in np.unique(mask.data)]
        below = BelowMap(
            scan,
            (0.0, 1.0),
            of_explanation=True,
            colours={v: class_colours([v])[v] for v in labels if v != 0},
            opacity=OVERLAY_STRENGTH,
        )
    options |= {
        "metadata": {METADATA_KEY: ExplanationLayer(study, explanation, name, below=below)},
        "axis_labels": axis_labels(study.grid),
        "blending": "translucent",
    }
    if cell.column == OVERLAY:
        options.pop("contrast_limits", None)
        options.pop("colormap", None)
        return cell_data(explanation, cell), {**options, "rgb": True}, "image"
    options["colormap"] = signed_colormap() if cell.signed else "gray"
    options["contrast_limits"] = limits
    return cell_data(explanation, cell), options, "image"


def mask_layer(explanation: Explanation, study: Study, values: Iterable[int]) -> LayerTuple:
    """The predicted classes, to lie over a scan; background is clear."""
    data, options, kind = explanation.layer_data("mask")
    colours = {v: c for v, c in class_colours(values).items() if v != 0}
    options |= {
        "metadata": {METADATA_KEY: ExplanationLayer(study, explanation, "mask")},
        "axis_labels": axis_labels(study.grid),
        "colormap": label_colormap(colours),
        "opacity": OVERLAY_STRENGTH,
    }
    return data, options, kind


def cell_name(cell: Cell, classes: Mapping[str, str]) -> str:
    """What stands over a cell; ``classes`` gives the names behind the short ids."""
    head = COLUMN_HEADS.get(cell.column) or short_class(classes[cell.column])
    return f"{role_title(cell.role)} · {head}"


def _scan(explanation: Explanation, role: str) -> npt.NDArray[np.float32]:
    """The scan as the network sees it: components and residual add to it."""
    return explanation[f"reconstruction-{role}"].data + explanation[f"residual-{role}"].data


def _group(cell: Cell, sharing: Sharing) -> Any:
    return {"modality": cell.role, "all": "", "cell": cell}[sharing]
