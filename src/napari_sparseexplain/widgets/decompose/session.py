"""What the Decompose tab asks of the models, without Qt: run it in a worker.

A slice's pursuit is kept whole, so that rounds, switches and clicks need no further pass.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...evidence import Explanation
from ...progress import Progress, Work
from ...volumes import Study
from ..parts.model_session import ModelKey, ModelSession

if TYPE_CHECKING:
    from ...explanation.components.slice_components import SliceComponents
    from ...explanation.components.sparse_parameters import ParameterRow

METHOD = "components"


@dataclass(frozen=True)
class Shown:
    """Which state of a decomposition is looked at.

    Attributes
    ----------
    stage : int
        Round 1 … T; 0 for the end.
    without : frozenset of int
        Channels left out of the segmentation.
    """

    stage: int = 0
    without: frozenset[int] = frozenset()


@dataclass(frozen=True, eq=False)
class SliceAnswer:
    """One slice, in one state."""

    components: SliceComponents
    explanation: Explanation
    parameters: tuple[ParameterRow, ...]
    shown: Shown


class DecomposeSession(ModelSession):
    """Decomposed slices of one tab: the latest of every model."""

    def __init__(self) -> None:
        super().__init__()
        self._slices: dict[ModelKey, tuple[SliceComponents, tuple[str, ...]]] = {}

    def load_early(self, key: ModelKey) -> None:
        """See `ModelSession.load_early`."""
        from ...explanation.components import slice_components

        _ = slice_components
        super().load_early(key)

    def slice_work(
        self,
        study: Study,
        key: ModelKey,
        index: int,
        shown: Shown,
        frame: tuple[int, ...] = (),
    ) -> Work[SliceAnswer]:
        """One slice; nothing runs when it is the one that is kept.

        Raises
        ------
        StudyError, ModelError
            The study does not fit the model, or the model has no components.
        """
        yield Progress(0, 0, "Loading the model")
        self.model(key)
        yield Progress(0, 0, f"Decomposing slice {index + 1}")
        return self.answer(study, key, index, shown, frame)

    def volume_work(
        self, study: Study, key: ModelKey, frame: tuple[int, ...] = ()
    ) -> Work[Explanation]:
        """Every slice of a frame, with progress."""
        from ...explanation.catalogue import explain_work

        yield Progress(0, 0, "Loading the model")
        return (yield from explain_work(study, self.model(key), METHOD, frame=frame))

    def answer(
        self,
        study: Study,
        key: ModelKey,
        index: int,
        shown: Shown,
        frame: tuple[int, ...] = (),
    ) -> SliceAnswer:
        """As `slice_work`, at once."""
        found, notes = self._slice(study, key, index, frame)
        # A model with fewer rounds or classes than the one before has no such state.
        stage = shown.stage if shown.stage <= found.rounds else 0
        explanation = found.explanation(stage, shown.without)
        if notes:
            explanation = replace(explanation, notes=(*explanation.notes, *notes))
        return SliceAnswer(found, explanation, tuple(found.parameters()), shown)

    def replace_study(self, old: Study, new: Study) -> None:
        """An edited study stands for the one before."""
        for key, (found, notes) in list(self._slices.items()):
            if found.study is old:
                self._slices[key] = (replace(found, study=new), notes)

    def forget(self, study: Study) -> None:
        """Let go of what is kept of a study that was closed."""
        super().forget(study)
        for key, (found, _) in list(self._slices.items()):
            if found.study is study:
                del self._slices[key]

    def _slice(
        self, study: Study, key: ModelKey, index: int, frame: tuple[int, ...]
    ) -> tuple[SliceComponents, tuple[str, ...]]:
        from ...explanation.components.slice_components import decompose_slice

        kept = self._slices.get(key)
        at = None if kept is None else (kept[0].index, kept[0].frame)
        if kept is None or kept[0].study is not study or at != (index, frame):
            kept = self._once(key, lambda model: decompose_slice(study, model, index, frame))
            self._slices[key] = kept
        return kept
