"""The layers of a decomposition in the viewer: its cells, their shared contrast, its mask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from napari.layers import Image, Layer

from ...evidence import Explanation
from ...evidence.class_ids import class_ids
from ...layers.batched_changes import batched_changes
from ...layers.component_layers import (
    INPUT,
    OVERLAY,
    Cell,
    Sharing,
    cell_data,
    cell_layer,
    cell_limits,
    cell_name,
    linked_groups,
    mask_layer,
    short_class,
)
from ...layers.explanation_layers import ExplanationLayer
from ...layers.study_layers import METADATA_KEY, role_title
from ...networks.bundle.model_card import ModelCard
from ...review.frames import result_position
from ...volumes import Study
from ...volumes.labels.tumour import WHOLE_TUMOUR
from ..parts.model_session import ModelKey
from ..parts.results_list import Result, details_text
from ..parts.shown_layers import ShownLayers
from ..view.awaited_slice import COMPUTING
from .session import Shown, SliceAnswer

if TYPE_CHECKING:
    from napari import Viewer

#: Groups of cells whose limits the caption tells one by one.
MOST_NAMED_GROUPS = 4

#: Groups whose limits fit into the line that says what shares its colours.
MOST_GROUPS_IN_LINE = 2


@dataclass(eq=False)
class ShownDecomposition(ShownLayers[Cell]):
    """One decomposition and its layers.

    Attributes
    ----------
    answer : SliceAnswer or None
        What a slice's pursuit left behind; None for a whole volume, which has maps alone.
    columns : tuple of str
        Columns of every modality, in order (see `Cell`).
    roles : tuple of str
        Rows, in order.
    layers : dict of Cell to Layer
        Those made so far.
    on_limits : callable
        Told that display limits have changed, by a choice here or by a person's hand.
    """

    study: Study
    key: ModelKey
    card: ModelCard
    explanation: Explanation
    answer: SliceAnswer | None = None
    columns: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    layers: dict[Cell, Layer] = field(default_factory=dict)
    mask: Layer | None = None
    on_limits: Callable[[], None] = lambda: None
    result: Result | None = None
    named_model: bool = False
    computing: bool = False

    @property
    def live(self) -> bool:
        """Whether a new slice, round or switch goes into it; a volume stays as it was run."""
        return self.answer is not None

    @property
    def title(self) -> str:
        """Line in the list of results."""
        where = result_position(self.study, self.explanation)
        return f"{self.card.title or self.card.name} · {where}"

    @property
    def notes(self) -> str:
        """What a person must know, without what the table of thresholds says better."""
        notes = self.explanation.notes
        return "\n".join(n for n in notes if ", layer " not in n.split(":", 1)[0])

    def lines_at(self, index: tuple[int, int, int]) -> list[str]:
        """Nothing: the tab reads the voxel of the one that is looked at, class by class."""
        return []

    def describe(self) -> None:
        """Write the line in the list of results."""
        if self.result is None:
            return
        scores = self.explanation.scores
        name = f"Dice {WHOLE_TUMOUR}"
        whole_tumour = scores.get(f"{name} shown", scores.get(name))
        self.result.title = self.title
        self.result.score = "" if whole_tumour is None else f"{name} {whole_tumour:.2f}"
        self.result.details = details_text(scores, self.explanation.notes)

    @property
    def class_ids(self) -> dict[str, str]:
        """Names of the classes by the ids that columns have."""
        names = tuple(self.card.classes.values())
        return dict(zip(class_ids(names), names, strict=True))

    @property
    def cells(self) -> list[Cell]:
        """What is wanted in the grid: modality by modality."""
        return [Cell(role, column) for role in self.roles for column in self.columns]

    @property
    def _laid_out(self) -> list[Cell]:
        """Of these cells those there are; all there are where no rows and columns were chosen."""
        return [c for c in self.cells if c in self.layers] if self.cells else list(self.layers)

    @property
    def grid_layers(self) -> list[Layer]:
        """Layers of these cells."""
        return [self.layers[cell] for cell in self.cells if cell in self.layers]

    @property
    def all_layers(self) -> list[Layer]:
        """Every layer made so far."""
        return [*super().all_layers, *([] if self.mask is None else [self.mask])]

    def add_layers(
        self, viewer: Viewer, sharing: Sharing, cells: Sequence[Cell] | None = None
    ) -> None:
        """Make the layers that are not there yet, each at its place in the list.

        Those of the rows and columns, or of other ``cells``.
        """
        self.drop_missing(viewer.layers)
        wanted = self.cells if cells is None else list(cells)
        missing = [cell for cell in wanted if cell not in self.layers]
        limits = cell_limits(self.explanation, wanted, sharing)
        made = {
            cell: Layer.create(*cell_layer(self.explanation, self.study, cell, limits[cell]))
            for cell in missing
        }
        for cell, layer in made.items():
            layer.name = self._cell_name(cell)
            if isinstance(layer, Image) and cell.signed:
                layer.events.contrast_limits.connect(lambda: self.on_limits())
        if self.mask is None:
            values = [int(value) for value in self.card.classes]
            self.mask = Layer.create(*mask_layer(self.explanation, self.study, values))
            self.mask.name = self._mask_name()
            self.mask.visible = False
        with batched_changes(viewer.layers):
            if self.mask not in viewer.layers:
                viewer.layers.append(self.mask)
            self._insert(viewer, made)
            self.share(viewer, sharing)

    def share(self, viewer: Viewer, sharing: Sharing) -> None:
        """Set limits anew and let those of a group move together."""
        cells = self._laid_out
        limits = cell_limits(self.explanation, cells, sharing)
        signed = [layer for cell, layer in self.layers.items() if cell.signed]
        if signed:
            viewer.layers.unlink_layers(signed)
        for cell, layer in self.layers.items():
            if cell in limits and cell.column != OVERLAY:
                image = cast(Image, layer)
                low, high = limits[cell]
                image.contrast_limits_range = (low, high)
                image.contrast_limits = (low, high)
        for group in linked_groups(cells, sharing):
            layers = [self.layers[cell] for cell in group]
            if len(layers) > 1:
                viewer.layers.link_layers(layers, ("contrast_limits",))

    @property
    def visible(self) -> bool:
        """Whether any of it is in the picture."""
        return any(layer.visible for layer in self.all_layers)

    def limit_groups(self, sharing: Sharing) -> list[tuple[str, tuple[float, float]]]:
        """Names of the groups that share their colours, and the limits they have now."""
        groups = linked_groups(self._laid_out, sharing)
        found = []
        for group in groups:
            name = {
                "modality": role_title(group[0].role),
                "all": "All cells",
                "cell": cell_name(group[0], self.class_ids),
            }[sharing]
            low, high = cast(Any, self.layers[group[0]]).contrast_limits
            found.append((name, (float(low), float(high))))
        return found

    def take(self, answer: SliceAnswer) -> None:
        """Put a new answer into the layers that are there. Limits stay: what changes on the
        screen is the component, never the scale."""
        explanation = answer.explanation
        moved = explanation.slices != self.explanation.slices
        self.explanation, self.answer = explanation, answer
        for cell, layer in self.layers.items():
            known = layer.metadata[METADATA_KEY]
            layer.metadata[METADATA_KEY] = replace(known, explanation=explanation)
            cast(Any, layer).data = cell_data(explanation, cell)
        if self.mask is not None:
            self.mask.metadata[METADATA_KEY] = ExplanationLayer(self.study, explanation, "mask")
            cast(Any, self.mask).data = np.asarray(explanation["mask"].data)
            self.mask.name = self._mask_name()
        if moved:
            assert explanation.grid is not None
            start = explanation.slices.start * explanation.grid.spacing[0]
            for layer in self.all_layers:
                layer.translate = (start, 0.0, 0.0)

    def name_model(self, on: bool) -> None:
        """Say in every layer's name which model it is from, where there are several."""
        self.named_model = on
        for cell, layer in self.layers.items():
            layer.name = self._cell_name(cell)
        if self.mask is not None:
            self.mask.name = self._mask_name()

    def scans_below(self) -> dict[Layer, tuple[str, bool]]:
        """See `LiveResult`."""
        scans = (INPUT, OVERLAY)
        return {layer: (c.role, c.column in scans) for c, layer in self.layers.items()}

    def show_computing(self, on: bool) -> None:
        """See `LiveResult`."""
        self.computing = on
        self.name_model(self.named_model)

    def drop_missing(self, present: Iterable[Layer]) -> None:
        """Forget layers that a person has removed."""
        there = set(present)
        super().drop_missing(there)
        if self.mask not in there:
            self.mask = None

    @property
    def shown(self) -> Shown:
        """Round and switches of what is in the layers."""
        return Shown() if self.answer is None else self.answer.shown

    def _insert(self, viewer: Viewer, made: Mapping[Cell, Layer]) -> None:
        others = (cell for cell in (*made, *self.layers) if cell not in self.cells)
        order = list(dict.fromkeys((*self.cells, *others)))
        for cell, layer in made.items():
            later = order[order.index(cell) + 1 :]
            following = next((self.layers[c] for c in later if c in self.layers), self.mask)
            assert following is not None
            layer.visible = False
            viewer.layers.insert(viewer.layers.index(following), layer)
            self.layers[cell] = layer

    def _cell_name(self, cell: Cell) -> str:
        return cell_name(cell, self.class_ids) + self._suffix

    def _mask_name(self) -> str:
        names = tuple(self.card.classes.values())
        left = ", ".join(short_class(names[c]).lower() for c in sorted(self.shown.without))
        return "Classes" + (f" without {left}" if left else "") + self._suffix

    @property
    def _suffix(self) -> str:
        if self.computing:
            return f" · {COMPUTING}"
        return f" · {self.card.title or self.card.name}" if self.named_model else ""


def caption_text(
    shown: ShownDecomposition, groups: Sequence[tuple[str, tuple[float, float]]], words: str
) -> str:
    """What is in the picture and how its colours are scaled, in lines for the canvas.

    Lines are short: a long one would run under the letter in the middle and the scale bar.

    Parameters
    ----------
    groups : sequence of (name, limits)
        From `ShownDecomposition.limit_groups`; none where no components are in the picture.
    words : str
        What shares its colours.
    """
    if shown.computing and not groups:
        # Over a scan no cell has a name that could say it.
        return COMPUTING.capitalize()
    parts = []
    if shown.answer is not None and shown.answer.components.rounds > 1:
        total = shown.answer.components.rounds
        parts.append(f"Round {shown.shown.stage or total} of {total}")
    if shown.shown.without:
        names = tuple(shown.card.classes.values())
        left = ", ".join(short_class(names[c]).lower() for c in sorted(shown.shown.without))
        parts.append(f"classes without {left}")
    lines = [" · ".join(parts)] if groups else parts
    if groups:
        between = "\n" if len(groups) > MOST_GROUPS_IN_LINE else " "
        lines.append(f"colours {words}:{between}{_spans(groups)}")
    return "\n".join(line[:1].upper() + line[1:] for line in lines if line)


def _spans(groups: Sequence[tuple[str, tuple[float, float]]]) -> str:
    """Every group's limits while they are few, else the smallest and the largest."""
    spans = [
        f"±{high:.2g}" if low == -high else f"{low:.2g} … {high:.2g}" for _, (low, high) in groups
    ]
    if len(groups) == 1:
        return spans[0]
    if len(groups) <= MOST_NAMED_GROUPS:
        return ", ".join(f"{name} {span}" for (name, _), span in zip(groups, spans, strict=True))
    highest = sorted(high for _, (_, high) in groups)
    return f"±{highest[0]:.2g} to ±{highest[-1]:.2g}"
