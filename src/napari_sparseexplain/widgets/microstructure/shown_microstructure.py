"""Maps of a result as layers: which stand side by side, their names, what a click says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import numpy as np
from napari.layers import Image, Layer

from ...evidence import Explanation
from ...evidence.colours import POPULATIONS
from ...explanation.catalogue import method_info
from ...layers.batched_changes import batched_changes
from ...layers.colour_bar import show_colour_bar
from ...layers.explanation_layers import explanation_layers
from ...layers.fibre_directions import FibreLines
from ...layers.study_layers import METADATA_KEY
from ...microstructure.protocol.finding_weight import says_noise
from ...review.frames import result_position
from ...volumes import Study
from ..parts.results_list import Result, details_text
from ..parts.shown_layers import ShownLayers
from .session import FINGERPRINT, HYBRID

if TYPE_CHECKING:
    from napari import Viewer

#: What can stand in the grid.
MEANS, SPREADS, MISFITS = "mean", "uncertainty", "misfit"

#: What each choice is called.
CHOICES = {
    MEANS: "Mean of each parameter",
    SPREADS: "Uncertainty (standard deviation)",
    MISFITS: "Misfit by shell, free water",
}

#: Cells of these choices that belong together: one population, or one row.
COLUMNS = {MEANS: 4, SPREADS: 4, MISFITS: 0}

#: Short names for cells of the grid, by the name of a map without number and ``-sd``.
_SHORT = {"share": "Share ν", "radius": "Radius r", "density": "Density f"}

#: What a click calls them: one population is one line.
_LETTERS = {"share": "ν", "radius": "r", "density": "f"}

_COUNTED = {1: "one population", 2: "two populations", 3: "three populations"}

_WHOLE = {
    POPULATIONS: "Populations · 1 blue, 2 yellow",
    "entropy": "Entropy",
    "misfit": "Misfit, all",
    "atoms": "Atoms with weight",
    "water": "Free water",
    "colours": "FA · colours of direction",
    "fa": "FA",
    "md": "MD",
}

#: What a tensor has, in the order in which it stands.
_TENSOR = ("colours", "fa", "md")


#: From this rms residual on, in σ, a voxel is said not to fit.
MISFIT = 1.5

_UNFIT = (
    "   ⚠ The signals do not fit: a population may be missing, and neither the values nor their ± "
    "can be trusted."
)
_UNREFINED = (
    "   ⚠ The signals do not fit along these directions. Tick Refine the fibre directions and run "
    "again; if they still do not fit, a population may be missing."
)


def names_of(explanation: Explanation, choice: str) -> list[str]:
    """The maps of a choice, in the order in which they stand; none where the method has none."""
    there = [item.name for item in explanation.maps]
    if choice == MISFITS:
        found = [name for name in there if name.startswith(("misfit", "atoms", "water"))]
    else:
        end = "-sd" if choice == SPREADS else ""
        rows = [[f"{name}-{k}{end}" for name in _SHORT] for k in (1, 2, 3)]
        between = "entropy" if choice == SPREADS else POPULATIONS
        behind = () if choice == SPREADS else _TENSOR
        several = (*rows[0], between, *rows[1], *rows[2])
        found = [name for name in (*several, *behind) if name in there]
    return [] if choice == SPREADS and found == ["entropy"] else found


def short_title(name: str, unit: str = "") -> str:
    """As ``"Radius r 1 · µm"``, ``"Radius r 1 ± · µm"`` or ``"Misfit b 3000 · σ"``.

    In a narrow cell what stands behind the point goes into a second line.
    """
    behind = f" · {unit}" if unit else ""
    if name in _WHOLE:
        return _WHOLE[name] + behind
    if name.startswith("misfit-b"):
        return f"Misfit b {name.removeprefix('misfit-b')}{behind}"
    spread = name.endswith("-sd")
    what, _, number = name.removesuffix("-sd").rpartition("-")
    return f"{_SHORT[what]} {number}{' ±' if spread else ''}{behind}"


def short_name(method: str) -> str:
    """As ``"Fingerprint"`` or ``"Tensor"``."""
    info = method_info(method)
    return info.short or info.title


#: Longest and shortest colour bar in pixels, and what must stay free of half a cell: its margin
#: at the foot, and half of the letter at the middle of the edge.
_LONGEST_BAR, _SHORTEST_BAR, _BAR_MARGIN = 66.0, 18.0, 28.0


def bar_length(cell_height: float) -> float:
    """Pixels of a colour bar that ends below the letter at the middle of the cell's edge."""
    return min(_LONGEST_BAR, max(_SHORTEST_BAR, cell_height / 2 - _BAR_MARGIN))


@dataclass(eq=False)
class ShownMicrostructure(ShownLayers[str]):
    """One fingerprint and its layers, made when they are first looked at.

    Attributes
    ----------
    choice : str
        Which of its maps stand in the grid: `MEANS`, `SPREADS` or `MISFITS`.
    number : int
        Tells results apart by the names of their layers; 0 where there is one alone.
    lines : FibreLines or None
        Its fibre directions, once somebody looks.
    fibres, glyphs : Layer or None
        Their layers for the single view: lines, and distributions of one slice.
    away : bool
        Whether the slice in the picture was not run: the names of the layers, which stand in the
        cells, say which was.
    """

    study: Study
    explanation: Explanation
    choice: str = MEANS
    layers: dict[str, Layer] = field(default_factory=dict)
    result: Result | None = None
    number: int = 0
    lines: FibreLines | None = None
    fibres: Layer | None = None
    glyphs: Layer | None = None
    away: bool = False

    @property
    def role(self) -> str:
        """The diffusion scan."""
        return str(self.explanation.provenance.parameters.get("scan", ""))

    @property
    def title(self) -> str:
        """Line in the list of results."""
        number = f" {self.number}" if self.number else ""
        what = short_name(self.explanation.method)
        return f"{what}{number} · {result_position(self.study, self.explanation)}"

    @property
    def is_unrefined(self) -> bool:
        """Whether directions are the peaks as they were found: a misfit is then likely theirs."""
        return not self.explanation.provenance.parameters.get("refine", True)

    @property
    def tells_why(self) -> bool:
        """Whether a click can be explained: by all pairs, or by what the hybrid was fed."""
        return self.explanation.method in (FINGERPRINT, HYBRID)

    @property
    def chosen(self) -> list[Layer]:
        """Layers that stand in the grid."""
        names = names_of(self.explanation, self.choice)
        return [self.layers[name] for name in names if name in self.layers]

    @property
    def all_layers(self) -> list[Layer]:
        """Every layer made so far, those of its fibre directions too."""
        more = (layer for layer in (self.fibres, self.glyphs) if layer is not None)
        return [*super().all_layers, *more]

    def add_layers(self, viewer: Viewer) -> None:
        """Make the layers of the choice that are not there yet."""
        self.drop_missing(viewer.layers)
        wanted = names_of(self.explanation, self.choice)
        missing = [name for name in wanted if name not in self.layers]
        tuples = explanation_layers(self.explanation, self.study, missing)
        made = {item[1]["metadata"][METADATA_KEY].map: Layer.create(*item) for item in tuples}
        with batched_changes(viewer.layers):
            for name in missing:
                layer = made[name]
                if isinstance(layer, Image) and not layer.rgb:
                    # Neither begins with black, which is where nothing was compared.
                    layer.colormap = "viridis" if self.choice == MEANS else "plasma"
                    show_colour_bar(layer, _LONGEST_BAR)
                layer.visible = False
                # Cells stand in the order of the layer list: before those that come after it.
                later = wanted[wanted.index(name) + 1 :]
                after = next((self.layers[n] for n in later if n in self.layers), None)
                place = len(viewer.layers) if after is None else viewer.layers.index(after)
                viewer.layers.insert(place, layer)
                self.layers[name] = layer
        self.write_names()

    def fit_bars(self, cell_height: float) -> None:
        """Let the colour bars be as long as cells of this height have room for."""
        length = bar_length(cell_height)
        for layer in self.layers.values():
            if isinstance(layer, Image) and not layer.rgb and layer.colorbar.size[1] != length:
                layer.colorbar.size = (layer.colorbar.size[0], length)

    def follow_slice(self, axis: int, index: int) -> None:
        """Let the names say so where the slice in the picture was not run.

        Parameters
        ----------
        axis : int
            Through the picture: 0 of an axial one. In the other planes a result of some slices is
            black but for a line.
        index : int
            Axial slice in the picture, or last in it.
        """
        span = self.explanation.slices
        whole = span.stop - span.start == self.study.grid.shape[0]
        away = not whole and (axis != 0 or not self.explanation.covers(index))
        if away != self.away:
            self.away = away
            self.write_names()

    def drop_missing(self, present: Iterable[Layer]) -> None:
        """Forget layers that a person has removed."""
        there = set(present)
        super().drop_missing(there)
        if self.fibres not in there:
            self.fibres = None
        if self.glyphs not in there:
            self.glyphs = None

    def write_names(self) -> None:
        """Names of the layers anew."""
        end = f" · result {self.number}" if self.number else ""
        if says_noise(self.explanation.notes):
            end += " · noise, see notes"
        if self.away:
            end += f" · only {result_position(self.study, self.explanation)}"
        for name, layer in self.layers.items():
            layer.name = short_title(name, self.explanation[name].unit) + end
            if name == POPULATIONS and 3 in self.explanation[name].classes:
                layer.name += ", 3 red"

    def describe(self) -> None:
        """Write the line in the list of results."""
        if self.result is None:
            return
        scores = self.explanation.scores
        misfit, fa = scores.get("median misfit"), scores.get("median FA")
        self.result.title = self.title
        self.result.layers = self.all_layers
        if misfit is not None:
            self.result.score = f"misfit {misfit:.2f} σ"
        elif fa is not None:
            self.result.score = f"FA {fa:.2f}"
        else:
            self.result.score = "" if scores.get("voxels") else "nothing compared"
        self.result.details = details_text(scores, self.explanation.notes)

    # -- a click -------------------------------------------------------------------------------

    def population_count(self, index: tuple[int, int, int]) -> int:
        """Fibre populations of a voxel; 0 where nothing was compared, and off its slices."""
        if not self.explanation.covers(index[0]) or not self._has(POPULATIONS):
            return 0
        return int(self._at(POPULATIONS, self._place(index)))

    def lines_at(self, index: tuple[int, int, int]) -> list[str]:
        """Values with their standard deviations; nothing off its slices."""
        if not self.explanation.covers(index[0]):
            return []
        place, count = self._place(index), self.population_count(index)
        if self._has("fa"):
            fa, md = self._at("fa", place), self._at("md", place)
            told = f"FA {fa:.2f}, MD {md:.2f} {self.explanation['md'].unit}"
            nothing = "   Nothing was fitted: too little signal, or outside the head."
            return [self.title, f"   {told}" if np.isfinite(fa) else nothing]
        if not count:
            return [self.title, "   Nothing was compared: no fibre direction, or outside the head."]
        lines = [f"{self.title}, {_COUNTED[count]}"]
        for k in range(1, count + 1):
            told = (
                f"{letter} {self._with_spread(f'{name}-{k}', place)}"
                for name, letter in _LETTERS.items()
            )
            lines.append(f"   {k}: {', '.join(told)}")
        if self._has("water"):
            lines.append(f"   Free water {self._at('water', place):.2f} of the voxel")
        return [*lines, *self._fit_lines(place)]

    def _fit_lines(self, place: tuple[int, int, int]) -> list[str]:
        """How well and by what the signals are explained, where the method tells it."""
        if not self._has("misfit"):
            return []
        shells = [
            f"{item.name.removeprefix('misfit-b')}: {self._at(item.name, place):.2f}"
            for item in self.explanation.maps
            if item.name.startswith("misfit-b")
        ]
        told = []
        if self._has("entropy"):
            told.append(f"entropy {self._at('entropy', place):.1f} bit")
        if self._has("atoms"):
            told.append(f"{self._at('atoms', place):.0f} atoms")
        misfit = f"misfit {self._at('misfit', place):.2f} σ"
        told.append(misfit + (f" (b {', '.join(shells)})" if shells else ""))
        said = ", ".join(told)
        lines = [f"   {said[:1].upper()}{said[1:]}"]
        if self._at("misfit", place) > MISFIT:
            lines.append(_UNREFINED if self.is_unrefined else _UNFIT)
        return lines

    def _has(self, name: str) -> bool:
        return any(item.name == name for item in self.explanation.maps)

    def _place(self, index: tuple[int, int, int]) -> tuple[int, int, int]:
        """Where a voxel of the study lies in the maps."""
        return (index[0] - self.explanation.slices.start, *index[1:])

    def _with_spread(self, name: str, place: tuple[int, ...]) -> str:
        unit = self.explanation[name].unit
        mean = self._at(name, place)
        spread = self._at(f"{name}-sd", place) if self._has(f"{name}-sd") else np.nan
        sure = f" ± {spread:.2f}" if np.isfinite(spread) else ""
        return f"{mean:.2f}{sure}" + (f" {unit}" if unit else "")

    def _at(self, name: str, place: tuple[int, ...]) -> float:
        return float(cast(float, np.asarray(self.explanation[name].data)[place]))
