"""Which slice a view shows, in words: plane, number, place in the patient, convention."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...export.pictures.panel_lettering import unregistered_text
from ...export.pictures.plane_view import PlaneView
from ...review.review import Convention
from ...volumes import Grid, Study
from ...volumes.edge_letters import PLANES, Plane
from ...volumes.reading_order import role_title
from ...volumes.view_of_slice import length_note, plane_word
from ..cells.shown_cells import cells_of
from ..cells.slab import slab_of
from ..priors.prior_layer import PriorLayer
from ..study_layers import METADATA_KEY, StudyLayer
from .corner_room import fits_corner
from .frame_in_picture import frame_in_picture
from .linked_cameras import spatial_axes
from .orientation_letters import is_flipped

if TYPE_CHECKING:
    from napari.components import ViewerModel


def plane_of(viewer: ViewerModel) -> Plane | None:
    """The plane that a viewer shows; None in 3-D or where time is displayed."""
    axes = spatial_axes(viewer)
    return None if axes is None else next(p for p, axis in PLANES.items() if axis[0] == axes[0])


def shown_index(viewer: ViewerModel, grid: Grid, axis: int) -> int:
    """Index of the viewer's point along one spatial axis (0 S, 1 P, 2 L), inside the grid."""
    point = viewer.dims.point[viewer.dims.ndim - 3 + axis]
    return int(min(max(round(point / grid.spacing[axis]), 0), grid.shape[axis] - 1))


def shows_any(viewer: ViewerModel, grid: Grid, slices: slice) -> bool:
    """Whether a view shows some of these axial slices; across them it always does."""
    axes = spatial_axes(viewer)
    if axes is None or axes[0] != 0:
        return True
    return slices.start <= shown_index(viewer, grid, 0) < slices.stop


def slice_title(viewer: ViewerModel, study: Study | None, convention: Convention) -> str:
    """As ``"Axial 75/155 · frame 3/25 · S 12.0 mm · radiological"``; empty in 3-D.

    Where one line has no room beside the letters in the middle, they stand below each other.
    """
    words = title_lines(viewer, study)
    if words and study is not None:
        if is_flipped(viewer, study.grid, convention):
            words.append("flipped")
        elif study.grid.oriented:
            words.append(convention)
    line = " · ".join(words)
    return line if fits_corner(line, viewer) else "\n".join(words)


def _shown_roles(viewer: ViewerModel, study: Study) -> list[str]:
    """Roles of the study's own layers that are in the picture."""
    known = (layer.metadata.get(METADATA_KEY) for layer in viewer.layers if layer.visible)
    return [k.role for k in known if isinstance(k, StudyLayer) and k.study is study]


def title_lines(viewer: ViewerModel, study: Study | None) -> list[str]:
    """Plane and number, frame, place in the patient; empty in 3-D."""
    plane = plane_of(viewer)
    if plane is None or study is None:
        return []
    grid = study.grid
    axis = PLANES[plane][0]
    index = shown_index(viewer, grid, axis)
    words = [f"{plane_word(study, plane).capitalize()} {index + 1}/{grid.shape[axis]}"]
    _, frame = frame_in_picture(viewer, study)
    if frame:
        words.append(frame)
    # The same words as on an exported picture.
    position = PlaneView(grid, plane, index, (1, 1)).position()
    words += [said for said in (position, length_note(study)) if said]
    if (slab := slab_of(viewer)) is not None:
        words.append(slab.caption)
    off = [role_title(role) for role in _shown_roles(viewer, study) if role in study.unregistered]
    if off:
        words.append(unregistered_text(off))
    cells = cells_of(viewer)
    priors = [x for x in viewer.layers if isinstance(x.metadata.get(METADATA_KEY), PriorLayer)]
    if not cells.active and (caption := cells.caption_of(priors)) is not None:
        words += caption.words.split("\n")
    return words
