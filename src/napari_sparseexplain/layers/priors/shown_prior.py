"""One prior in a viewer: its layers, their captions, and how they stand beside the current scan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels, Layer

from ...evidence.colours import VERMILION
from ...volumes import Study, Volume
from ...volumes.intensity.intensity_window import display_limits
from ..batched_changes import batched_changes
from ..cells.shown_cells import cells_of
from ..class_colormap import ClassColormap
from ..colormaps import brats_label_colours, label_colormap, signed_colormap
from ..colour_bar import show_colour_bar
from ..mask_style import mask_style, set_mask_style
from ..study_layers import METADATA_KEY, grey_colormap, grid_units, role_title
from .prior_layer import PriorLayer, PriorPicture

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from ..cells.grid_view import GridView

#: How the pictures that are made of both are called.
TITLES: dict[PriorPicture, str] = {
    "checkerboard": "Checkerboard",
    "edges": "Edges of the prior",
    "difference": "Current − prior",
}


#: Pixels of the colour bar of a difference.
BAR_LENGTH = 90.0


@dataclass(frozen=True)
class Captions:
    """What stands in the cells.

    Attributes
    ----------
    current, prior : str
    warns : bool
        Whether the prior is not registered.
    """

    current: str
    prior: str
    warns: bool


class ShownPrior:
    """The layers of one prior over one study."""

    def __init__(self, viewer: ViewerModel, grid_view: GridView) -> None:
        self._viewer, self._grid_view = viewer, grid_view
        self._layers: dict[PriorPicture, Any] = {}
        self._current: Layer | None = None
        self._current_mask: Layer | None = None
        self._captions = Captions("", "", False)
        self._study: Study | None = None

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Those that are in the viewer."""
        return tuple(x for x in self._layers.values() if x in self._viewer.layers)

    def layer(self, what: PriorPicture) -> Any:
        """One of them; None where it is not there."""
        found = self._layers.get(what)
        return found if found is not None and found in self._viewer.layers else None

    @property
    def shown(self) -> bool:
        """Whether the prior's scan is in the viewer."""
        return self.layer("scan") is not None

    def show(
        self,
        study: Study,
        current: tuple[Layer, Layer | None],
        prior: Study,
        roles: tuple[str, str],
        captions: Captions,
    ) -> bool:
        """Put a prior into the viewer, or in the place of the one that is there.

        Pictures that were made of both go: they are no longer true. Gives whether what stands side
        by side is still whole.

        Parameters
        ----------
        study : Study
            The current one.
        current : pair of layers
            Its scan, and its mask where there is one.
        prior : Study
            On the current grid (`on_current_grid`).
        roles : pair of str
            The prior's scan, and its mask; empty where there is none.
        captions : Captions
        """
        if self._study is not study or self._current is not current[0]:
            self.clear()
        self._study, (self._current, self._current_mask) = study, current
        self._captions = captions
        whole = self.shown and not any(self.layer(what) for what in TITLES)
        with batched_changes(self._viewer.layers):
            self._remove([self._layers.get(w) for w in TITLES])
            self._put("scan", prior[roles[0]])
            if roles[1]:
                self._put("mask", prior[roles[1]])
            else:
                self._remove([self._layers.get("mask")])
        self._caption()
        return whole

    def show_made(self, what: PriorPicture, volume: Volume, limit: float, words: str) -> None:
        """Put a picture of both into the viewer.

        Parameters
        ----------
        what : {"checkerboard", "edges", "difference"}
        volume : Volume
        limit : float
            Half of the range of a difference.
        words : str
            How it was made, for its caption.
        """
        with batched_changes(self._viewer.layers):
            layer = self._put(what, volume, limit)
        said = "\n".join(part for part in (words, f"prior {self._captions.prior}") if part)
        self._say(layer, said, self._captions.warns)

    # -- how they stand ------------------------------------------------------------------------

    def side_by_side(self) -> None:
        """The current scan and the prior, each with its mask, and the last picture of both."""
        scan = self.layer("scan")
        if scan is None or self._current is None:
            return
        cells = [[self._current, *self._there(self._current_mask)]]
        cells.append([scan, *self._there(self.layer("mask"))])
        for what in ("checkerboard", "difference"):
            cells += [[x] for x in self._there(self.layer(what))]
        if (edges := self.layer("edges")) is not None:
            cells.append([self._current, edges])
        self._grid_view.show_cells(cells, columns=2 if len(cells) == 2 else 0)

    def flicker(self) -> bool:
        """The current scan and the prior by turns in one cell; whether the prior is seen now."""
        scan = self.layer("scan")
        if scan is None or self._current is None:
            return False
        pair = (self._current, scan)
        if self._grid_view.cells != (pair,):
            self._grid_view.show_cells([pair])
        else:
            scan.visible = not scan.visible
        return bool(scan.visible)

    def alone(self, what: PriorPicture) -> None:
        """One picture of both in the whole canvas."""
        layer = self.layer(what)
        if layer is not None and self._current is not None:
            below = [self._current] if what == "edges" else []
            self._grid_view.show_cells([[*below, layer]])

    def clear(self) -> None:
        """Take all of it away."""
        cells = cells_of(self._viewer)
        for layer in (self._current, self._current_mask):
            if layer is not None:
                cells.caption(layer, "")
        self._remove(list(self._layers.values()))
        self._layers.clear()
        self._study = self._current = self._current_mask = None

    def replace_study(self, old: Study, new: Study) -> None:
        """The current study after an edit of its roles."""
        if self._study is old:
            self._study = new

    # -- within --------------------------------------------------------------------------------

    def _there(self, layer: Layer | None) -> list[Layer]:
        return [layer] if layer is not None and layer in self._viewer.layers else []

    def _remove(self, layers: list[Any]) -> None:
        self._grid_view.remove([x for x in layers if x is not None])
        self._layers = {w: x for w, x in self._layers.items() if x not in layers}

    def _put(self, what: PriorPicture, volume: Volume, limit: float = 1.0) -> Layer:
        study = self._study
        assert study is not None
        known = PriorLayer(study, volume.role, what, volume)
        old = self.layer(what)
        if old is not None:
            old.data, old.name = volume.data, self._name(what, volume)
            old.metadata[METADATA_KEY] = known
            if what in ("scan", "difference"):
                old.contrast_limits = _limits(what, volume, limit)
            return old
        options: dict[str, Any] = {
            "name": self._name(what, volume),
            "scale": study.grid.spacing,
            "units": grid_units(study.grid),
            "metadata": {METADATA_KEY: known},
            "visible": False,
        }
        active = self._viewer.layers.selection.active
        if volume.kind == "label":
            layer: Layer = _mask(what, volume, options)
        else:
            colours: Any = signed_colormap() if what == "difference" else grey_colormap(volume)
            layer = Image(
                volume.data,
                contrast_limits=_limits(what, volume, limit),
                colormap=colours,
                **options,
            )
        if what == "checkerboard":
            # Both are drawn in the current scan's window.
            layer.contrast_limits = self._current.contrast_limits  # type: ignore[union-attr]
        self._layers[what] = layer
        self._viewer.layers.append(layer)
        self._viewer.layers.selection.active = active
        if what == "difference":
            show_colour_bar(layer, BAR_LENGTH)  # type: ignore[arg-type]
        if what == "mask" and isinstance(self._current_mask, Labels):
            # As the current one, so that both are read alike.
            set_mask_style(layer, mask_style(self._current_mask))  # type: ignore[arg-type]
            layer.opacity = self._current_mask.opacity
        return layer

    @staticmethod
    def _name(what: PriorPicture, volume: Volume) -> str:
        title = role_title(volume.role)
        return f"{TITLES[what]} · {title}" if what in TITLES else f"{title} · prior"

    def _caption(self) -> None:
        captions = self._captions
        warning = f"prior {captions.prior}" if captions.warns else ""
        current = f"current {captions.current}".strip()
        said = "\n".join(part for part in (current, warning) if part)
        if self._current is not None:
            self._say(self._current, said, captions.warns)
        if (scan := self.layer("scan")) is not None:
            self._say(scan, f"prior {captions.prior}", captions.warns)

    def _say(self, layer: Layer, words: str, warns: bool) -> None:
        cells_of(self._viewer).caption(layer, words, warns=warns)


def made_volume(like: Volume, data: Any, role: str, kind: str = "image") -> Volume:
    """A picture of both as a volume on the current grid."""
    label = kind == "label"
    return replace(
        like,
        data=data,
        role=role,
        kind="label" if label else "image",
        leading=(),
        frame=(),
        colour=False,
        padding=None,
    )


def _limits(what: PriorPicture, volume: Volume, limit: float) -> tuple[float, float]:
    if what == "difference":
        return -limit, limit
    return display_limits(volume)


def _mask(what: PriorPicture, volume: Volume, options: dict[str, Any]) -> Labels:
    data: Any = volume.data
    if not np.issubdtype(data.dtype, np.integer):
        data = np.asarray(data).astype(np.uint8)
    if what == "edges":
        table: Any = {None: "transparent", 0: "transparent", 1: VERMILION}
        return Labels(data, colormap=ClassColormap(color_dict=table), opacity=0.9, **options)
    from ...volumes.labels.values import labels_of

    if (colours := brats_label_colours(labels_of(volume))) is not None:
        options = {**options, "colormap": label_colormap(colours)}
    layer = Labels(data, **options)
    set_mask_style(layer, "outline")
    return layer
