"""One slice decomposed, kept whole, so that a slider, a switch or a click is answered at once.

The pursuit runs once. Every round from salient to fine, the segmentation without some classes,
and what one voxel is made of are read from what it left behind; nothing runs again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ...errors import SparseExplainError
from ...evidence import Explanation
from ...networks.bundle.model import Model
from ...networks.running.preparation import Prepared, prepare
from ...volumes import Study
from ...volumes.frames import looked_at
from ...volumes.labels.reference_mask import reference_mask
from ..run_record import run_record
from .class_components import component_scores, decomposition_maps, likeliest_labels, region_dice
from .slice_decomposition import SliceDecomposition, decompose_slices
from .sparse_parameters import ParameterRow, class_names, parameter_table, sparse_network

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class VoxelReading:
    """What one voxel is made of.

    Attributes
    ----------
    classes, roles : tuple of str
        Names of the m classes and the n modalities.
    input : ndarray, shape (n,)
        The scan, normalised to (0, 1).
    components : ndarray, shape (m, n)
        They and the residual add to the input.
    residual : ndarray, shape (n,)
    shares : ndarray, shape (m,)
        Every class's share of the components' energy, summed over modalities; 0 where no class
        contributes.
    probabilities : ndarray, shape (m,)
        Softmax over the classes.
    codes : ndarray, shape (m, F)
        Deepest codes, of the last round.
    inside : bool
        Whether the voxel lies in the brain; elsewhere there is no class, and the probability of
        background, where it is a class, is 1.
    """

    classes: tuple[str, ...]
    roles: tuple[str, ...]
    input: Array
    components: Array
    residual: Array
    shares: Array
    probabilities: Array
    codes: Array
    inside: bool = True


@dataclass(frozen=True, eq=False)
class SliceComponents:
    """A slice of a study, decomposed.

    Attributes
    ----------
    study : Study
    model : Model
    prepared : Prepared
        The one slice.
    found : SliceDecomposition
        With codes and, for a merged pursuit, its rounds.
    frame : tuple of int
        Point along the leading axes; empty for the first.
    """

    study: Study
    model: Model
    prepared: Prepared
    found: SliceDecomposition
    frame: tuple[int, ...] = ()

    @property
    def index(self) -> int:
        """Which slice of the study."""
        return self.prepared.slices.start

    @property
    def rounds(self) -> int:
        """Rounds that can be shown; 0 for separate models, which have none of the whole."""
        return len(self.found.rounds)

    @property
    def blank(self) -> bool:
        """Whether the slice holds no brain."""
        return not self.prepared.array.any()

    def after(self, stage: int = 0) -> SliceDecomposition:
        """The decomposition after round ``stage`` (1 … T); 0 for the end.

        Raises
        ------
        SparseExplainError
            There is no such round.
        """
        if stage == 0:
            return self.found
        if not 1 <= stage <= self.rounds:
            have = f"it has rounds 1 to {self.rounds}" if self.rounds else "it has no rounds"
            raise SparseExplainError(
                f"there is no round {stage} of this decomposition ({have})",
                where=self.model.card.name,
                remedy="Choose a round that it has, or 0 for the end",
            )
        components, residual, logits = self.found.rounds[stage - 1]
        return replace(self.found, components=components, residual=residual, logits=logits)

    def explanation(self, stage: int = 0, without: Collection[int] = ()) -> Explanation:
        """Maps and scores after a round, with the codes of some classes set to 0 in the mask.

        Components, reconstruction and residual stay those of all classes: what a class explains
        is not taken over by another when it is left out of the segmentation.

        Parameters
        ----------
        stage : int
            Round 1 … T; 0 for the end.
        without : collection of int
            Channels left out of the segmentation.

        Returns
        -------
        Explanation
            As of the method ``components``, for one slice. ``Dice <region>`` is the score with all
            classes, ``Dice <region> shown`` that of the mask without some.
        """
        found, names = self.after(stage), class_names(self.model)
        left_out = sorted(set(without))
        slices = self.prepared.slices
        maps, logits = decomposition_maps(
            self.model, self.prepared, found.components, found.residual, found.logits
        )
        scores, said = component_scores(
            looked_at(self.study, self.frame),
            self.model,
            self.prepared,
            maps,
            logits,
            self.found.silent_logits,
        )
        if left_out:
            shown = self.prepared.to_study(found.logits_without(left_out))
            labels = likeliest_labels(self.model, shown, self.prepared.inside)
            maps = [replace(m, data=labels) if m.name == "mask" else m for m in maps]
            scores |= self._shown_dice(labels)
        power, left = _energy(found.input), _energy(found.residual)
        scores["residual, share of the norm"] = float(np.sqrt(left / power)) if power > 0 else None
        notes = [*self.prepared.notes, *said]
        if self.blank:
            notes.append("This slice holds no brain.")
        if self.rounds and stage not in (0, self.rounds):
            notes.append(f"After round {stage} of {self.rounds}: what is most salient.")
        if left_out:
            listed = ", ".join(names[c] for c in left_out)
            notes.append(f"The mask is without {listed}: those codes are set to 0.")
        parameters = {
            "alpha": 1.0,
            "outer": sparse_network(self.model).outer,
            "resolution": self.prepared.resolution,
            "round": stage or self.rounds,
            "without": [names[c] for c in left_out],
        }
        return Explanation(
            method="components",
            maps=tuple(maps),
            provenance=run_record(
                self.study,
                self.model,
                "components",
                parameters,
                slices=slices,
                region=self.prepared.region,
                frame=self.frame,
            ),
            grid=self.study.grid,
            slices=slices,
            scores=scores,
            notes=tuple(notes),
        )

    def reading(self, row: int, column: int, stage: int = 0) -> VoxelReading:
        """What the voxel at a row and column of the study is made of."""
        found = self.after(stage)
        y, x = self.prepared.to_network_index(row, column)
        logits = found.logits[0, :, y, x].astype(np.float64)
        odds = np.exp(logits - logits.max())
        odds /= odds.sum()
        region = self.prepared.inside
        inside = region is None or bool(region[0, row, column])
        if not inside:
            odds = np.asarray([str(v) == "0" for v in self.model.card.classes], dtype=np.float64)
        assert found.codes is not None
        return VoxelReading(
            classes=class_names(self.model),
            roles=self.model.card.inputs.roles,
            input=found.input[0, :, y, x],
            components=found.components[0, :, :, y, x],
            residual=found.residual[0, :, y, x],
            shares=found.shares(0, y, x),
            probabilities=odds.astype(np.float32),
            codes=found.codes[0, :, :, y, x],
            inside=inside,
        )

    def parameters(self) -> list[ParameterRow]:
        """Thresholds and step sizes with flags; codes that are all 0 count on this slice."""
        active = None if self.blank else self.found.active.tolist()
        return parameter_table(self.model, active)

    def _shown_dice(self, mask: npt.NDArray[np.uint8]) -> dict[str, float | None]:
        """Dice of a mask that is not the one of all classes; empty without a reference."""
        truth = reference_mask(looked_at(self.study, self.frame), self.prepared.slices)
        if truth is None:
            return {}
        found = region_dice(self.model, mask, truth)
        return {f"Dice {r} shown": value for r, value in found.items()}


def decompose_slice(
    study: Study, model: Model, index: int, frame: tuple[int, ...] = ()
) -> SliceComponents:
    """Decompose one slice of a study, at a frame of it, in one pass.

    Raises
    ------
    StudyError, ModelError
        The study does not fit the model, or the model has no components.
    """
    sparse_network(model)
    class_names(model)
    prepared = prepare(study, model.card, slice(index, index + 1), frame=frame)
    found = decompose_slices(model, prepared.array, codes=True, rounds=True)
    return SliceComponents(study, model, prepared, found, frame)


def _energy(array: Array) -> float:
    return float(np.square(array, dtype=np.float64).sum())
