"""What an explanation found, as plain data: no torch, no Qt, no napari."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arguments import check_kind, is_texts, shown
from ..errors import MissingNameError, StudyError
from ..public_names import public
from ..volumes.captions import slice_caption
from ..volumes.frames import looked_at
from ..volumes.grid import Grid
from ..volumes.study import Study
from .explanation_map import ExplanationMap
from .explanation_pictures import Drawing, figure_of, page_of
from .former_names import other_map_name
from .provenance import Provenance

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """Everything one run of one method found.

    Attributes
    ----------
    method : str
        Method name as in ``se.methods()``.
    maps : tuple of ExplanationMap
        The arrays found.
    provenance : Provenance
        How they were made.
    grid : Grid or None
        The study's grid, when maps lie on it.
    slices : slice
        Which slices of the grid the maps cover (``start``, ``stop``; step 1).
    target : str
        What was explained, for a person; empty when the method has no target.
    scores : mapping
        Name to number, or to None where the score does not apply.
    notes : tuple of str
        Sentences a person must read beside the result.
    study : Study or None
        What was explained, where ``se.explain`` or ``se.load_explanation(…, on=study)`` gave it:
        for `plot` and `save`.

    Examples
    --------
    >>> import torch, numpy as np, napari_sparseexplain as se
    >>> _ = torch.manual_seed(0)
    >>> study = se.study_of_arrays({"flair": np.random.default_rng(0).random((16, 16))})
    >>> module = torch.nn.Conv2d(1, 2, 3, padding=1)
    >>> result = se.explain(study, module, "vanilla-gradient", roles="flair", target=1)
    >>> [each.name for each in result.maps], result["heatmap"].data.shape
    (['heatmap'], (1, 16, 16))
    """

    method: str
    maps: tuple[ExplanationMap, ...]
    provenance: Provenance
    grid: Grid | None = None
    slices: slice = field(default_factory=lambda: slice(0, 0))
    target: str = ""
    scores: Mapping[str, float | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    study: Study | None = None

    def __repr__(self) -> str:
        target = f" of {self.target}" if self.target else ""
        model = f" by {self.provenance.model}" if self.provenance.model else ""
        maps = ", ".join(item.name for item in self.maps) or "no map"
        place = f"; {slice_caption(self.slices)}" if self.slices.stop > self.slices.start else ""
        return f"<Explanation {self.method}{target}{model}: {maps}{place}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: a small picture, and what the result says of itself."""
        on_study = any(item.space == "study" for item in self.maps)
        scores = [f"{name} {value:.3g}" for name, value in self.scores.items() if value is not None]
        rows = {
            "model": self.provenance.model,
            "target": self.target,
            "slices": slice_caption(self.slices) if on_study else "",
            "maps": ", ".join(item.name for item in self.maps),
            "scores": ", ".join(scores),
            "notes": " ".join(self.notes),
        }
        return page_of(self._drawing(), rows)

    def _drawing(self) -> Drawing:
        study = None if self.study is None else looked_at(self.study, self.frame)
        return Drawing(self.maps, self.slices, self.grid, study, self.method, self.target)

    @property
    def frame(self) -> tuple[int, ...]:
        """The point along the leading axes that was explained; empty where none was chosen."""
        noted = self.provenance.parameters.get("frame")
        points = noted if isinstance(noted, list | tuple) else ()
        return tuple(points) if all(type(point) is int for point in points) else ()

    def covers(self, index: int) -> bool:
        """Whether a slice of the study, counted from 0, was explained."""
        return self.slices.start <= index < self.slices.stop

    def __getitem__(self, name: str) -> ExplanationMap:
        """The map called ``name``; MissingNameError tells what there is."""
        for wanted in (name, other_map_name(name)) if isinstance(name, str) else ():
            for item in self.maps:
                if item.name == wanted:
                    return item
        have = ", ".join(item.name for item in self.maps) or "nothing"
        raise MissingNameError(
            f"no map is called {shown(name)} (there is {have})",
            where=self.method,
            remedy="Choose one of these, or another method",
        )

    def plot(self, index: int | None = None, maps: Sequence[str] | None = None) -> Figure:
        """The maps of one slice side by side, over the scan where the study is known.

        Parameters
        ----------
        index : int, optional
            Slice of the study, counted from 0; the one where the first map holds most when not
            given.
        maps : sequence of str, optional
            Their names; up to four when not given.

        Returns
        -------
        matplotlib.figure.Figure
            It opens no window: ``figure.savefig("maps.png")``, or the last line of a notebook's
            cell.

        Raises
        ------
        SparseExplainError
            The slice was not explained, or there is no such map.
        """
        if maps is not None:
            check_kind(maps, is_texts, "maps", "their names, as ['heatmap']")
        return figure_of(self._drawing(), index, [self[name] for name in maps or ()])

    def save(
        self,
        folder: str | Path,
        study: Study | None = None,
        *,
        identify: bool = False,
        overwrite: bool = False,
    ) -> list[Path]:
        """Write it into a folder, as ``se.save_explanation``; ``se.load_explanation`` reads it.

        Parameters
        ----------
        folder : str or Path
            Made when it is not there; it may hold other explanations.
        study : Study, optional
            The study explained, whose file gives orientation and affine; needed of an explanation
            that does not know it, as one that was loaded.
        identify : bool
            Whether names of study and scans stand as they are.
        overwrite : bool
            Whether an explanation of the same method and target may be replaced.

        Returns
        -------
        list of Path
            The maps as NIfTI (``.npz`` for what lies in no patient), ``provenance.json`` last.

        Raises
        ------
        SparseExplainError
            The study is not known, a file is there already, or the folder cannot be written.
        """
        known = study or self.study
        if known is None:
            raise StudyError(
                "the explanation does not know the study that its maps lie on",
                where=self.method,
                remedy="Give it: result.save(folder, study)",
            )
        return public("save_explanation")(
            self, known, folder, identify=identify, overwrite=overwrite
        )

    def layer_data(self, name: str | None = None) -> tuple[Any, dict[str, Any], str]:
        """The map as a napari layer tuple ``(data, keyword arguments, layer type)``.

        ``napari.layers.Layer.create(*result.layer_data())`` makes the layer. Slices lie
        at their place in the study, in millimetres.
        """
        item = self.maps[0] if name is None else self[name]
        title = item.title or item.name
        label = f"{title} · {self.target}" if self.target else title
        options: dict[str, Any] = {"name": label}
        if item.space == "study" and self.grid is not None:
            options["scale"] = self.grid.spacing
            options["translate"] = (self.slices.start * self.grid.spacing[0], 0.0, 0.0)
            options["units"] = ("mm" if self.grid.calibrated else "pixel",) * 3
        else:
            spacing = item.axes.get("spacing")
            if spacing is not None:
                options["scale"] = tuple(spacing)
        options["metadata"] = {"sparseexplain": {"explanation": self, "map": item.name}}
        if item.kind == "segmentation":
            return np.asarray(item.data), options, "labels"
        if item.kind == "colours":
            return np.asarray(item.data), {**options, "rgb": True}, "image"
        if item.value_range is not None:
            options["contrast_limits"] = item.value_range
        options["colormap"] = "RdBu_r" if item.signed else "gray"
        return item.data, options, "image"
