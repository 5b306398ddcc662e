"""Hanging protocols and the layers of a viewer: what fills each cell, and cells as a protocol."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari.layers import Labels

from ...errors import ParameterError, SparseExplainError
from ...evidence.explanation_map import ExplanationMap
from ...explanation.catalogue import method_family
from ...review.review import MaskDrawing
from ...volumes import Study
from ...volumes.reading_order import first_shown
from ...volumes.roles.roles import ROLES
from ..explanation_layers import ExplanationLayer
from ..mask_style import mask_style
from ..study_layers import METADATA_KEY, StudyLayer
from .hanging_protocol import Content, HangingProtocol, Situation, When

if TYPE_CHECKING:
    from napari.layers import Layer

    from .grid_view import Layout

#: What DICOM calls the modality of a scan that no header tells: MR, but of these, and other (OT)
#: of what is no role of medicine.
_MODALITIES = dict.fromkeys(ROLES, "MR") | {"ct": "CT", "pet": "PT"}


@dataclass(frozen=True, eq=False)
class HungCells:
    """A protocol on the layers that there are.

    Attributes
    ----------
    cells : tuple of tuple of Layer
    told : tuple of str
        What a cell without layers says; empty of the others.
    notes : tuple of str
        What is missing in cells that have other layers.
    drawn : tuple of (Labels, style)
        How masks are drawn.
    columns : int
        Cells of a row that belong together; 0 where the protocol's layout says it.
    """

    cells: tuple[tuple[Layer, ...], ...]
    told: tuple[str, ...]
    notes: tuple[str, ...]
    drawn: tuple[tuple[Labels, MaskDrawing], ...]
    columns: int = 0

    @property
    def filled(self) -> float:
        """Share of the cells that have layers."""
        return sum(map(bool, self.cells)) / max(len(self.cells), 1)


def situation_of(
    layers: Iterable[Layer], study: Study, studies: Sequence[Study], ran: str = ""
) -> Situation:
    """What there is to show of a study.

    Parameters
    ----------
    ran : str
        The family that has just run: no other counts.
    """
    families = {family for known in _results(layers, study) if (family := _family(known))}
    return Situation(
        frozenset(_modality(study, role) for role in study.images),
        frozenset([*study.images, *study.labels]),
        frozenset([ran] if ran else families),
        len(studies),
    )


def hung(
    protocol: HangingProtocol, layers: Sequence[Layer], study: Study, studies: Sequence[Study]
) -> HungCells:
    """The layers of a protocol's cells; what is not there is said."""
    rows = list(studies) if protocol.row_each_study else [study]
    cells: list[tuple[Layer, ...]] = []
    told: list[str] = []
    notes: list[str] = []
    drawn: dict[Labels, MaskDrawing] = {}
    for current in rows:
        for contents in protocol.cells:
            stood, absent = [], []
            for content in contents:
                layer = _layer_of(content, layers, current, studies)
                if layer is None:
                    absent.append(content.words)
                    continue
                stood.append(layer)
                if content.drawn and isinstance(layer, Labels):
                    drawn[layer] = content.drawn
            if contents[0].words in absent and all(isinstance(x, Labels) for x in stood):
                stood = []  # masks without what they lie over are spots on black
            where = f" in {current.name}" if protocol.row_each_study else ""
            said = f"Not there{where}: {', '.join(absent)}" if absent else ""
            if stood and said:
                notes.append(f"Cell {len(cells) + 1}: {said[0].lower()}{said[1:]}")
            cells.append(tuple(stood))
            told.append("" if stood else said)
    columns = len(protocol.cells) if protocol.row_each_study else 0
    return HungCells(tuple(cells), tuple(told), tuple(notes), tuple(drawn.items()), columns)


def protocol_of(
    name: str,
    title: str,
    cells: Sequence[Sequence[Layer]],
    layout: Layout,
    study: Study,
    layers: Sequence[Layer],
) -> tuple[HangingProtocol, int]:
    """What stands side by side as a protocol, and how many layers no protocol can name.

    Raises
    ------
    ParameterError
        No cell has a layer that it can name.
    """
    described: list[tuple[Content, ...]] = []
    left_out = 0
    for cell in cells:
        found = [_content_of(layer, study, layers) for layer in cell]
        left_out += found.count(None)
        described.append(tuple(content for content in found if content is not None))
    shown = tuple(contents for contents in described if contents)
    if not shown:
        raise ParameterError(
            "nothing side by side belongs to a study or to a result",
            where="hanging protocol",
            remedy="Put scans, masks or maps side by side first",
        )
    everything = [content for contents in shown for content in contents]
    families = dict.fromkeys(content.family for content in everything if content.family)
    modalities = dict.fromkeys(_modality(study, role) for role in study.images)
    when = When(
        modalities=tuple(modalities),
        families=tuple(families),
        studies=2 if any(content.study == "prior" for content in everything) else 1,
    )
    room = layout.rows * layout.columns >= len(shown)
    return HangingProtocol(
        name, title.strip(), when, shown,
        rows=layout.rows if room else 0, columns=layout.columns if room else 0,
        one_large=layout.one_large,
    ), left_out  # fmt: skip


def _layer_of(
    content: Content, layers: Iterable[Layer], study: Study, studies: Sequence[Study]
) -> Layer | None:
    """The layer that a content names; the latest of several."""
    if content.study == "prior":
        others = [other for other in studies if other is not study]
        if not others:
            return None
        study = others[-1]
    found = None
    for layer in layers:
        known = layer.metadata.get(METADATA_KEY)
        if isinstance(known, StudyLayer) and known.study is study:
            fits = _is_volume(content, known, study)
        elif isinstance(known, ExplanationLayer) and known.study is study:
            fits = _is_result(content, known)
        else:
            continue
        found = layer if fits else found
    return found


def _is_volume(content: Content, known: StudyLayer, study: Study) -> bool:
    if content.kind == "scan":
        return known.role in study.images and known.role == (content.name or first_shown(study))
    if content.kind != "reference segmentation" or known.role not in study.labels:
        return False
    return known.role == (content.name or _reference(study))


def _is_result(content: Content, known: ExplanationLayer) -> bool:
    if content.family and _family(known) != content.family:
        return False
    if content.kind == "output":
        return known.map == content.name
    kinds = {item.kind for item in _maps(known)}
    if content.kind == "estimate":
        return kinds == {"segmentation"} and content.name in ("", known.map)
    if content.kind == "map":
        return "segmentation" not in kinds and content.name in ("", *kinds)
    return False


def _content_of(layer: Layer, study: Study, layers: Iterable[Layer]) -> Content | None:
    """A layer by what it is; None of one that belongs to no study."""
    known = layer.metadata.get(METADATA_KEY)
    if not isinstance(known, StudyLayer | ExplanationLayer):
        return None
    of = "current" if known.study is study else "prior"
    drawn = mask_style(layer) if isinstance(layer, Labels) else ""
    if isinstance(known, StudyLayer):
        if known.role in known.study.labels:
            name = "" if known.role == _reference(known.study) else known.role
            return Content("reference segmentation", name, study=of, drawn=drawn)
        return Content("scan", known.role, study=of)
    family = _family(known)
    maps = _maps(known)
    if not maps:
        return None
    kind = maps[0].kind
    if kind == "segmentation":
        return Content("estimate", family=family, study=of, drawn=drawn)
    # By its kind where that tells it from all others, so that it is found in other results too.
    alike = {
        other.map
        for other in _results(layers, known.study)
        if _family(other) == family and any(item.kind == kind for item in _maps(other))
    }
    if alike <= {known.map}:
        return Content("map", kind, family, of)
    return Content("output", known.map, family, of)


def _results(layers: Iterable[Layer], study: Study) -> Iterator[ExplanationLayer]:
    for layer in layers:
        known = layer.metadata.get(METADATA_KEY)
        if isinstance(known, ExplanationLayer) and known.study is study:
            yield known


def _maps(known: ExplanationLayer) -> list[ExplanationMap]:
    """The map of a layer, or those that are added to each other in it."""
    names = known.map.split(" + ")
    return [item for item in known.explanation.maps if item.name in names]


def _family(known: ExplanationLayer) -> str:
    """Whose result it is; empty where the method is not there."""
    try:
        return method_family(known.explanation.provenance.method).name
    except SparseExplainError:
        return ""


def _reference(study: Study) -> str:
    """The role of the mask that a study was delivered with; empty where it has none."""
    masks = [role for role in study.labels if role != "brain_mask"]
    return "seg" if "seg" in masks else next(iter(masks), "")


def _modality(study: Study, role: str) -> str:
    """As its header says it, or as its role implies."""
    said = study.images[role].details.get("Modality")
    return str(said) if said else _MODALITIES.get(role, "OT")
