"""File › Save: a layer as NIfTI, back in its input's own orientation and affine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...errors import SparseExplainError
from ...volumes import Study, Volume
from ..explanation_layers import ExplanationLayer
from ..scan_placeholder import is_placeholder
from ..study_layers import METADATA_KEY, StudyLayer


def write_layer(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write one layer; returns the paths written.

    A layer that was drawn by hand (a mask painted in napari) goes onto the grid of the open
    study with the same shape and spacing.

    Raises
    ------
    SparseExplainError
        The layer's place in the patient is not known, so no truthful affine could be written; or
        it shows a scan until its map is computed.
    """
    from ...volumes.nifti.writer import write_nifti

    name = str(attributes.get("name", "layer"))
    if is_placeholder(attributes.get("metadata")):
        raise SparseExplainError(
            "the layer is still computing: what it shows is a scan in the place of its map",
            where=name,
            remedy="Wait until its map is there, then save again",
        )
    like, slices = _place(np.shape(data), attributes, name)
    target = Path(path)
    if not target.name.endswith((".nii", ".nii.gz")):
        target = target.with_name(target.name + ".nii.gz")
    # napari's dialog has asked before replacing the very name that was given, and no other.
    confirmed = target == Path(path)
    known = (attributes.get("metadata") or {}).get(METADATA_KEY)
    result = isinstance(known, ExplanationLayer)
    written = write_nifti(
        target, np.asarray(data), like, slices=slices, result=result, overwrite=confirmed
    )
    return [str(written)]


def _place(
    shape: tuple[int, ...], attributes: dict[str, Any], name: str
) -> tuple[Volume, slice | None]:
    """The volume whose grid the layer lies on, and which of its slices the layer covers."""
    known = (attributes.get("metadata") or {}).get(METADATA_KEY)
    if isinstance(known, StudyLayer):
        return known.volume, None
    if isinstance(known, ExplanationLayer):
        return _reference(known.study), known.explanation.slices
    fitting: list[Study] = []
    for study in _open_studies():
        spacing = np.asarray(attributes.get("scale", ()), dtype=float)
        if (
            shape == study.grid.shape
            and spacing.shape == (3,)
            and np.allclose(spacing, study.grid.spacing)
            and np.allclose(attributes.get("translate", 0.0), 0.0)
        ):
            fitting.append(study)
    if fitting and all(study.grid.matches(fitting[0].grid) for study in fitting):
        return _reference(fitting[0]), None
    if fitting:
        names = ", ".join(study.name for study in fitting)
        raise SparseExplainError(
            f"the layer fits several open studies that lie at different places ({names})",
            where=name,
            remedy="Remove the layers of the other studies, then save again",
        )
    raise SparseExplainError(
        "the layer lies on the grid of no open study, so where it is in the patient is not known",
        where=name,
        remedy="Make the layer from a layer of the study (same shape and scale), then save again",
    )


def _reference(study: Study) -> Volume:
    """A volume that lies on the study's grid and knows its file."""
    return study[study.reference]


def _open_studies() -> list[Study]:
    """Studies whose layers are in the current viewer, the latest first."""
    from napari import current_viewer

    viewer = current_viewer()
    found: list[Study] = []
    for layer in reversed(viewer.layers if viewer is not None else []):
        known = layer.metadata.get(METADATA_KEY)
        if isinstance(known, StudyLayer) and known.study not in found:
            found.append(known.study)
    return found
