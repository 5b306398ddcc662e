"""The layers of a slice's layer maps in the viewer, a clicked voxel's field, and Grad-CAM."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
from napari.layers import Image, Layer

from ...evidence import Explanation
from ...layers.batched_changes import batched_changes
from ...layers.cells.grid_view import GridView
from ...layers.colour_bar import show_colour_bar
from ...layers.explanation_layers import (
    BelowMap,
    ExplanationLayer,
    explanation_layers,
    map_limits,
)
from ...layers.heat_over_scan import heat_over_scan
from ...layers.study_layers import METADATA_KEY, axis_labels
from ...review.frames import frame_text, result_position
from ...volumes import Study
from ...volumes.frames import volume_at_frame
from ..parts.model_session import ModelKey
from ..parts.results_list import Result, details_text
from ..parts.shown_layers import ShownLayers
from ..view.awaited_slice import COMPUTING
from .session import LayersAnswer, LayerSetting

if TYPE_CHECKING:
    from napari import Viewer

#: Length of a cell's colour bar in pixels.
_BAR = 44.0

#: The layer of a clicked voxel's receptive field.
FIELD = "receptive field"

#: The layer of Grad-CAM at a layer of the network.
CAM = "grad-cam"

#: The map in each, as the methods ``receptive-field`` and ``grad-cam`` call it: over the scan, so
#: that one is a picture in colour and has a cell.
OVER_SCAN = {FIELD: "fields", CAM: "heatmap"}


#: Slice, frame, checksum of the weights, and layer and class that Grad-CAM was asked for.
CamAsk = tuple[int, tuple[int, ...], str, tuple[str, str]]


@dataclass(eq=False)
class ShownLayerMaps(ShownLayers[str]):
    """One result and its layers.

    Attributes
    ----------
    answer : LayersAnswer or None
        Of a slice that is followed; None of a volume, which stays as it was run.
    roles : tuple of str
        Scans that the network sees.
    seen : Explanation or None
        The receptive field of the voxel that was clicked last, where one was asked for.
    cam : Explanation or None
        Grad-CAM of the slice, where it was asked for.
    cam_of : CamAsk or None
        What that is of.
    layers : dict of str to Layer
        By the name of the map; `FIELD`, `CAM`.
    """

    study: Study
    key: ModelKey
    model_title: str
    explanation: Explanation
    answer: LayersAnswer | None
    roles: tuple[str, ...] = ()
    seen: Explanation | None = None
    cam: Explanation | None = None
    cam_of: CamAsk | None = None
    layers: dict[str, Layer] = field(default_factory=dict)
    result: Result | None = None
    named_model: bool = False
    named_frame: bool = False
    _computing: bool = False

    @property
    def live(self) -> bool:
        """Whether a new slice goes into it."""
        return self.answer is not None

    @property
    def setting(self) -> LayerSetting:
        """Which layers and maps are shown."""
        return LayerSetting() if self.answer is None else self.answer.setting

    @property
    def title(self) -> str:
        """Line in the list of results."""
        return f"{self.model_title} · {result_position(self.study, self.explanation)}"

    def describe(self) -> None:
        """Write the line in the list of results."""
        if self.result is None:
            return
        self.result.title = self.title
        self.result.layers = self.all_layers
        self.result.details = details_text(self.explanation.scores, self.explanation.notes)

    @property
    def cells(self) -> list[Layer]:
        """Layers in the order of the cells: the maps, then what lies over the scan."""
        names = [*(item.name for item in self.explanation.maps), *OVER_SCAN]
        return [self.layers[name] for name in names if name in self.layers]

    # -- layers --------------------------------------------------------------------------------

    def add_layers(self, viewer: Viewer) -> bool:
        """Make the layers that are not there yet, each at its place; whether there were any."""
        self.drop_missing(viewer.layers)
        names = [item.name for item in self.explanation.maps if item.space == "study"]
        missing = [name for name in names if name not in self.layers]
        made: dict[str, Layer] = {}
        for data, options, kind in explanation_layers(self.explanation, self.study, missing):
            name = options["metadata"][METADATA_KEY].map
            made[name] = layer = Layer.create(data, options, kind)
            if isinstance(layer, Image):
                # Each layer has values of its own scale.
                show_colour_bar(layer, _BAR)
        for name, found in self.over_scan.items():
            if name not in self.layers:
                made[name] = self._over_layer(found, OVER_SCAN[name])
        with batched_changes(viewer.layers):
            for name, layer in made.items():
                layer.visible = False
                self._insert(viewer, [*names, *OVER_SCAN], name, layer)
        self.write_names()
        return bool(made)

    def take(self, answer: LayersAnswer) -> list[Layer] | None:
        """Put a new answer into the layers that are there; limits stay, so that slices compare.

        Returns
        -------
        list of Layer or None
            Layers of former maps, to be taken away, where there are other maps than before.
        """
        explanation = answer.explanation
        moved = explanation.slices != self.explanation.slices
        others = _names(explanation) != _names(self.explanation)
        self.explanation, self.answer = explanation, answer
        kept = {*_names(explanation), *OVER_SCAN}
        gone = [layer for name, layer in self.layers.items() if name not in kept]
        self.layers = {name: layer for name, layer in self.layers.items() if name in kept}
        for item in explanation.maps:
            layer = self.layers.get(item.name)
            if layer is None:
                continue
            layer.metadata[METADATA_KEY] = ExplanationLayer(self.study, explanation, item.name)
            cast(Any, layer).data = np.asarray(item.data)
            if moved:
                layer.translate = _translation(explanation)
        self.write_names()
        return gone if others else None

    @property
    def over_scan(self) -> dict[str, Explanation]:
        """What lies over the scan in a cell of its own, by `FIELD` and `CAM`."""
        found = {FIELD: self.seen, CAM: self.cam}
        return {name: one for name, one in found.items() if one is not None}

    def draw_over_scan(self, role: str, limits: tuple[float, float]) -> None:
        """Draw field and Grad-CAM anew, as over a scan whose grey values were set otherwise.

        Parameters
        ----------
        role : str
            The scan that they lie over.
        limits : tuple of float
            Its grey values that are black and white.
        """
        for name, found in self.over_scan.items():
            if name in self.layers:
                self._draw(cast(Any, self.layers[name]), name, found, role, limits)
        self.write_names()

    def drop(self, name: str, view: GridView) -> None:
        """Field or Grad-CAM is wanted no more."""
        if name == FIELD:
            self.seen = None
        else:
            self.cam = None
        layer = self.layers.pop(name, None)
        if layer is not None:
            view.remove([layer])

    def name_model(self, on: bool) -> None:
        """Say in every layer's name which model it is from, where there are several."""
        self.named_model = on
        self.write_names()

    def tell_frame(self, on: bool) -> None:
        """Say in every layer's name of which frame it is, where the picture is of another."""
        if on != self.named_frame:
            self.named_frame = on
            self.write_names()

    def write_names(self) -> None:
        """Names of the layers anew."""
        for name, layer in self.layers.items():
            layer.name = self._layer_name(name)

    # -- what a live result says ---------------------------------------------------------------

    def scans_below(self) -> dict[Layer, tuple[str, bool]]:
        """See `LiveResult`."""
        role = (*self.roles, "")[0]
        return {
            layer: (role, name in OVER_SCAN)
            for name, layer in self.layers.items()
            if isinstance(layer, Image)
        }

    def show_computing(self, on: bool) -> None:
        """See `LiveResult`."""
        self._computing = on
        self.write_names()

    def lines_at(self, index: tuple[int, int, int]) -> list[str]:
        """Its title, and every shown map's value at a voxel; what is seen from there."""
        if not self.explanation.covers(index[0]):
            return []
        place = (index[0] - self.explanation.slices.start, *index[1:])
        lines = [self.title]
        for item in self.explanation.maps:
            if item.space == "study":
                value = f"{float(np.asarray(item.data)[place]):.3g}"
                lines.append(f"   {item.title}  {value}".replace("-", "\N{MINUS SIGN}"))
        if self.seen is not None and self.seen.covers(index[0]):
            lines += field_lines(self.seen)
        if self.cam is not None and self.cam.covers(index[0]):
            place = (index[0] - self.cam.slices.start, *index[1:])
            value = float(_over_map(self.cam, CAM)[place])
            lines.append(f"{cam_words(self.cam)}  {value:.3g}")
        return lines

    # -- within --------------------------------------------------------------------------------

    def _insert(self, viewer: Viewer, order: list[str], name: str, layer: Layer) -> None:
        later = order[order.index(name) + 1 :]
        following = next((self.layers[n] for n in later if n in self.layers), None)
        if following is None:
            viewer.layers.append(layer)
        else:
            viewer.layers.insert(viewer.layers.index(following), layer)
        self.layers[name] = layer

    def _over_layer(self, found: Explanation, name: str) -> Layer:
        _, options, _ = found.layer_data(name)
        for word in ("contrast_limits", "colormap"):
            options.pop(word, None)
        options |= {
            "metadata": {METADATA_KEY: ExplanationLayer(self.study, found, name)},
            "axis_labels": axis_labels(self.study.grid),
            "rgb": True,
        }
        return Layer.create(np.zeros((*found[name].data.shape, 3), np.uint8), options, "image")

    def _draw(
        self, layer: Any, kind: str, found: Explanation, role: str, limits: tuple[float, float]
    ) -> None:
        scan = volume_at_frame(self.study[role], found.frame).spatial()[found.slices]
        ends = self.study[role].grey_ends(limits)
        heat, name = _over_map(found, kind), OVER_SCAN[kind]
        high = 1.0 if kind == FIELD else map_limits(found[name])[1]
        below = BelowMap(role, limits, colour_limits=(-high, high))
        layer.metadata[METADATA_KEY] = ExplanationLayer(self.study, found, name, below=below)
        layer.data = heat_over_scan(scan, ends, heat, high)
        layer.translate = _translation(found)

    def _layer_name(self, name: str) -> str:
        if name == FIELD and self.seen is not None:
            words = f"seen by · {self.seen.provenance.parameters.get('layer', '')}"
        elif name == CAM and self.cam is not None:
            words = cam_words(self.cam)
        else:
            words = _cell_words(name, self.explanation[name].title)
        if self._computing:
            return f"{words} · {COMPUTING}"
        if self.named_frame:
            words += f" · {frame_text(self.study, self.explanation.frame) or 'first frame'}"
        return f"{words} · {self.model_title}" if self.named_model else words


def field_lines(found: Explanation) -> list[str]:
    """Sizes of a receptive field, for the read-out of the last click."""
    layer = found.provenance.parameters.get("layer", "")
    unit = "mm" if found.grid is not None and found.grid.calibrated else "px"
    values = {name.rpartition(" (")[0]: value for name, value in found.scores.items()}
    rows, columns = (values[f"theoretical field, {axis}"] or 0.0 for axis in ("rows", "columns"))
    cut = " inside the image" if any("edge of the image" in note for note in found.notes) else ""
    half, most = (values[f"radius of {share} of the effective field"] for share in ("50%", "95%"))
    lines = [
        f"Seen by {layer} from here",
        f"   theoretical  {rows:.3g} × {columns:.3g} {unit}{cut}",
    ]
    if half is not None and most is not None and half == half:
        lines.append(f"   effective  half within {half:.3g} {unit}, 95 % within {most:.3g} {unit}")
    else:
        lines.append("   effective  nothing in this image moves it")
    return lines


def cam_words(found: Explanation) -> str:
    """What Grad-CAM is of, for its cell; also that nothing at the layer raises the score."""
    layer = str(found.provenance.parameters.get("layer", "")).removesuffix(" (1)")
    words = f"Grad-CAM · {layer} · {found.target}"
    return words if _over_map(found, CAM).any() else f"{words} · 0 everywhere"


def _over_map(found: Explanation, kind: str) -> npt.NDArray[Any]:
    return np.asarray(found[OVER_SCAN[kind]].data)


def _cell_words(name: str, title: str) -> str:
    """What tells a cell apart first: cells of many layers are too narrow for the layer's name."""
    layer = title.partition(" · ")[0]
    number, _, rest = name.partition("-")
    _, found, single = rest.rpartition("-map-")
    _, _, one_class = title.partition(" · probability of ")
    if one_class and not found:
        return f"{int(number)} probability of {one_class} · {layer}"
    return f"map {single} · {layer}" if found else f"{int(number)} rms · {layer}"


def _names(explanation: Explanation) -> list[str]:
    return [item.name for item in explanation.maps if item.space == "study"]


def _translation(explanation: Explanation) -> tuple[float, float, float]:
    assert explanation.grid is not None
    return explanation.slices.start * explanation.grid.spacing[0], 0.0, 0.0
