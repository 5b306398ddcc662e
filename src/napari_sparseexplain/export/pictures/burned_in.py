"""What stands in a picture, as facts: drawn by the compositor, kept in the PNG and in its JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ...evidence import Explanation
from ...networks.bundle.catalogue import models
from ...review.annotation import measure_text
from ...review.frames import frame_of
from ...review.reading import Reading, slice_count
from ...review.region_values import RegionValues, region_values
from ...review.review import Overlay, Panel, ShareOf
from ...volumes import Grid
from ...volumes.edge_letters import PLANES
from ...volumes.reading_order import role_title
from ...volumes.view_of_slice import length_note, plane_word
from ..privacy.known_values import known_modality
from .plane_view import PlaneView

_SCOPES = {
    "slice": "range of the slice",
    "volume": "range of the volume",
    "set": "range set by hand",
}


def panel_facts(reading: Reading, panel: Panel, view: PlaneView) -> dict[str, Any]:
    """All that is said about one panel of a reading that may leave, as JSON values."""
    study = reading.study_of(panel)
    count = slice_count(study, panel)
    scan = panel.scan
    leading, frame = frame_of(reading, panel)
    facts: dict[str, Any] = {
        "study": study.name,
        "plane": panel.plane,
        "view": plane_word(study, panel.plane),
        "lengths": length_note(study),
        "slice": panel.index + 1,
        "slices": count,
        "index": panel.index,
        "leading": list(leading),
        "frame": frame,
        "position": view.position(),
        "letters": view.letters,
        # Without spacing a voxel counts as 1 mm inside, and nothing may be said in millimetres.
        "zoom_px_per_mm": view.zoom if study.grid.calibrated else None,
        "zoom_px_per_voxel": None if study.grid.calibrated else view.zoom,
        "title": panel.title or _panel_title(panel),
        "scan": None,
        "overlays": [overlay_facts(reading, panel, item) for item in panel.overlays],
        "unregistered": _unregistered(reading, panel),
        "annotations": [
            {
                "kind": item.kind,
                **_points(study.grid, item.points),
                "text": item.text,
                "measure": measure_text(item, calibrated=study.grid.calibrated),
                "values": [_region_facts(found) for found in region_values(item, study)],
            }
            for item in reading.review.annotations
            if item.on(panel.study, panel.plane, panel.index, leading)
        ],
        "probe": _probe_facts(reading, panel),
    }
    if scan is not None:
        volume = study[scan.role] if scan.study == panel.study else reading.studies[scan.study][
            scan.role
        ]  # fmt: skip
        facts["scan"] = {
            "role": scan.role,
            "modality": modality(volume.unit, volume.details),
            "window": scan.width,
            "level": scan.level,
            "unit": volume.unit,
            "interpolation": scan.interpolation,
            "gamma": scan.gamma,
        }
    return facts


def _unregistered(reading: Reading, panel: Panel) -> list[str]:
    """Titles of what the panel shows, or was made of, that may not lie over the reference."""
    study = reading.study_of(panel)
    shown = [] if panel.scan is None else [panel.scan.role]
    for overlay in panel.overlays:
        found = reading.explanation_of(overlay)
        shown += [overlay.name] if found is None else list(found.provenance.inputs)
    off = study.unregistered
    return [role_title(role) for role in dict.fromkeys(shown) if role in off]


def overlay_facts(reading: Reading, panel: Panel, overlay: Overlay) -> dict[str, Any]:
    """All that is said about one overlay."""
    facts: dict[str, Any] = {
        "name": overlay.title or overlay.name,
        "opacity": overlay.opacity,
        "on_this_slice": reading.plane_of(overlay, panel) is not None,
    }
    if overlay.is_label:
        facts["colours"] = {str(k): v for k, v in overlay.colours.items()}
        facts["classes"] = {str(k): v for k, v in overlay.classes.items()}
    else:
        shared = sum(
            other.scope == "shared" and other.limits == overlay.limits
            for p in reading.review.panels
            for other in p.overlays
        )
        facts |= {
            "colormap": overlay.colormap,
            "limits": list(overlay.limits),
            "unit": overlay.unit,
            "signed": overlay.signed,
            "threshold": overlay.threshold,
            "share": overlay.share,
            "least": overlay.least,
            "share_of": overlay.share_of,
            "part_text": part_text(overlay.share, overlay.least, overlay.share_of),
            "blend": overlay.blend,
            "gamma": overlay.gamma,
            "scope": overlay.scope,
            "scope_text": _SCOPES.get(
                overlay.scope, f"range shared by {shared} maps" if shared > 1 else "shared range"
            ),
        }
    found = reading.explanation_of(overlay)
    if found is not None:
        facts |= explanation_facts(found)
    return facts


def explanation_facts(explanation: Explanation) -> dict[str, Any]:
    """Method, target, model and scores of an explanation."""
    record = explanation.provenance
    parameters = {
        name: value for name, value in record.parameters.items() if name not in ("slices", "target")
    }
    return {
        "method": explanation.method,
        "target": explanation.target,
        "parameters": parameters,
        "model": record.model,
        "model_version": model_version(record.model, record.weights_sha256),
        "weights_sha256": record.weights_sha256,
        "scores": {k: None if v is None else float(v) for k, v in explanation.scores.items()},
        "computed": record.created,
        "inputs_sha256": {role: entry.get("sha256", "") for role, entry in record.inputs.items()},
    }


@lru_cache(maxsize=64)
def model_version(name: str, weights_sha256: str) -> str:
    """Version on the card of a model that ships; empty for another, or when its weights differ."""
    card = models().get(name)
    return card.version if card is not None and card.weights_sha256 == weights_sha256 else ""


def model_text(facts: Mapping[str, Any]) -> str:
    """Model, version and the first twelve digits of its weights, for the foot of a picture."""
    if not facts.get("model"):
        return ""
    version = f" version {facts['model_version']}" if facts["model_version"] else ""
    sha = f" · weights {facts['weights_sha256'][:12]}" if facts["weights_sha256"] else ""
    return f"{facts['model']}{version}{sha}"


def parameter_text(parameters: Mapping[str, Any]) -> str:
    """Parameters for a person (``steps 50, baseline black``)."""
    parts = []
    for name, value in parameters.items():
        if value is None or value in ("", [], ()) or isinstance(value, dict):
            continue
        if isinstance(value, list | tuple):
            value = "/".join(map(number_text, value))
        parts.append(f"{name.replace('_', ' ')} {number_text(value)}")
    return ", ".join(parts)


def number_text(value: Any) -> str:
    """A number with three digits, another value as text, the minus sign as in print."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value).replace("-", "−")
    if isinstance(value, float):
        # No exponents in the range of grey values: 1940, not 1.94e+03.
        text = f"{value:.0f}" if 100 <= abs(value) < 1e6 else f"{value:.3g}"
        return text.replace("-", "−")
    return str(value)


def part_text(share: float, least: float, share_of: ShareOf = "head") -> str:
    """Which part of a heat map is drawn (``"highest 10 % of the head, from 5 % of the peak"``).

    The share is one of the head, or of all voxels, of each slice or, of a 3-D method, of the
    volume: see `evidence.heat_threshold.explained_part`. The window and its pictures say it alike.
    """
    parts = []
    if share < 1:
        whole = "the head" if share_of == "head" else "all voxels"
        parts.append(f"highest {100 * share:.3g} % of {whole}")
    if least > 0:
        parts.append(f"from {100 * least:.3g} % of the peak")
    return ", ".join(parts)


def score_text(scores: Mapping[str, float | None], most: int = 3) -> str:
    """Scores for a person, the completeness error first."""
    order = sorted(scores, key=lambda name: "completeness" not in name)
    parts = [
        f"{name.replace('_', ' ')} {number_text(scores[name])}"
        for name in order
        if scores[name] is not None
    ]
    return ", ".join(parts[:most])


def modality(unit: str, details: Mapping[str, Any]) -> str:
    """CT, MR …, as far as the file told; empty otherwise."""
    return known_modality(details.get("Modality")) or ("CT" if unit == "HU" else "")


def _panel_title(panel: Panel) -> str:
    if panel.scan is not None:
        return role_title(panel.scan.role)
    return panel.overlays[-1].title or panel.overlays[-1].name if panel.overlays else ""


def _probe_facts(reading: Reading, panel: Panel) -> dict[str, Any] | None:
    """Place of the probe and what every layer of the panel holds there."""
    point = reading.review.probe
    study = reading.study_of(panel)
    if point is None:
        return None
    index = np.rint(study.grid.index(point)).astype(int)
    if (index < 0).any() or (index >= study.grid.shape).any():
        return None
    axis, rows, columns = PLANES[panel.plane]
    if index[axis] != panel.index:
        return None
    values: dict[str, Any] = {}
    named: dict[str, str] = {}
    layers = (() if panel.scan is None else (panel.scan,)) + panel.overlays
    for layer in layers:
        plane = reading.plane_of(layer, panel)
        if plane is None:
            continue
        value = plane[index[rows], index[columns]]
        name = layer.title or layer.name if isinstance(layer, Overlay) else role_title(layer.role)
        if np.ndim(value) == 0 and np.isfinite(value):
            values[name] = value.item()
            if isinstance(layer, Overlay) and layer.is_label and values[name] in layer.classes:
                named[name] = str(layer.classes[values[name]])
    return {**_points(study.grid, [point]), "values": values, "value_names": named}


def _region_facts(found: RegionValues) -> dict[str, Any]:
    """What a scan measures in a region; a region without voxels has numbers of none."""
    names = ("mean", "sd", "min", "max")
    known = [number if found.voxels else None for number in found.numbers]
    told = dict(zip(names, known, strict=True))
    return {"scan": found.title, "unit": found.unit, "voxels": found.voxels, **told}


def _points(grid: Grid, points: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Places in the patient where they are known, else on the grid (slice, row, column from 0)."""
    if grid.oriented and grid.calibrated:
        return {"points_ras_mm": [[float(v) for v in p] for p in points]}
    return {"points_voxel": [[float(v) for v in grid.index(p)] for p in points]}
