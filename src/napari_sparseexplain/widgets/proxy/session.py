"""What the Proxy tab asks of the models, without Qt: run it in a worker.

Models and the prepared current slice are kept, so that a new α costs one forward pass.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...evidence import Explanation
from ...progress import Progress, Work, drain
from ...volumes import Study
from ...volumes.frames import looked_at
from ..parts.model_session import ModelKey, ModelSession

if TYPE_CHECKING:
    from ...explanation.proxy.effective_response import EffectiveResponse
    from ...explanation.proxy.responses import ModelResponses

METHOD = "signals"


@dataclass(frozen=True, eq=False)
class Ask:
    """One slice at one α.

    Attributes
    ----------
    before : Explanation or None
        The same model's answer for this study, whose maps take the new arrays.
    frame : tuple of int
        Point along the leading axes; empty for the first.
    """

    study: Study
    key: ModelKey
    index: int
    alpha: float
    before: Explanation | None = None
    frame: tuple[int, ...] = ()


@dataclass(frozen=True)
class ProxySetting:
    """Model, device and α as they are set."""

    model: str = ""
    device: str = "auto"
    alpha: float = 1.0


class ProxySession(ModelSession):
    """Signals, responses and the filter in effect."""

    def load_early(self, key: ModelKey) -> None:
        """See `ModelSession.load_early`."""
        from ...explanation.proxy import signals

        _ = signals
        super().load_early(key)

    def run_work(
        self,
        study: Study,
        key: ModelKey,
        slices: slice,
        alpha: float,
        *,
        bands: bool,
        frame: tuple[int, ...] = (),
    ) -> Work[Explanation]:
        """The signals of some slices of a frame, with progress."""
        from ...explanation.catalogue import explain_work

        yield Progress(0, 0, "Loading the model")
        model = self.model(key)
        return (
            yield from explain_work(
                study, model, METHOD, slices=slices, frame=frame, alpha=alpha, bands=bands
            )
        )

    def answer(self, ask: Ask) -> Explanation:
        """The signals of one slice; one forward pass when only α is new.

        Raises
        ------
        StudyError, ModelError
            The study does not fit the model.
        """
        span = slice(ask.index, ask.index + 1)
        if ask.before is None:
            work = self.run_work(ask.study, ask.key, span, ask.alpha, bands=True, frame=ask.frame)
            return drain(work)
        from ...explanation.class_maps import FOUND, class_report
        from ...explanation.proxy.signals import signal_maps, slice_signals, suppression_scores
        from ...explanation.segmentation import scores_against_study, true_mask

        study = looked_at(ask.study, ask.frame)
        prepared = self.prepared_slice(ask.study, ask.key, ask.index, ask.frame)
        signals, left = self._once(ask.key, lambda model: slice_signals(model, prepared, ask.alpha))
        model = self.model(ask.key)
        # What an earlier slice held is true of it alone.
        kept = [note for note in ask.before.notes if not note.startswith(FOUND)]
        notes = (*kept, *left)
        maps = {item.name: item for item in signal_maps(model, prepared, signals)}
        scores: dict[str, float | None] = {}
        if "mask" in maps:
            scores, _ = scores_against_study(study, maps["mask"].data, span)
            mask = maps["mask"]
            volumes, about = class_report(prepared, mask.data, mask.classes)
            scores |= volumes
            notes = (*notes, *about)
            true, _ = true_mask(study, span)
            if true is not None:
                there = ask.before["reference-segmentation"]
                maps["reference-segmentation"] = replace(there, data=true.astype(np.uint8))
        parameters = {**ask.before.provenance.parameters, "alpha": ask.alpha}
        if "slices" in parameters:
            parameters["slices"] = [span.start, span.stop]
        return replace(
            ask.before,
            maps=tuple(maps.values()),
            slices=span,
            provenance=replace(ask.before.provenance, parameters=parameters),
            scores={**scores, **suppression_scores(signals.bands)},
            notes=notes,
        )

    def responses_work(
        self, key: ModelKey, *, phases: bool
    ) -> Work[tuple[ModelResponses, tuple[str, ...]]]:
        """What the model's linear part does to an impulse, and what a person must know of it.

        Raises
        ------
        ModelError
            The model has no impulse response.
        """
        from ...explanation.proxy.responses import model_responses_work

        return (
            yield from self._where_it_fits(
                key, lambda model: model_responses_work(model, phases=phases)
            )
        )

    def effective(
        self,
        study: Study,
        key: ModelKey,
        index: tuple[int, int, int],
        alpha: float,
        frame: tuple[int, ...] = (),
    ) -> tuple[EffectiveResponse, tuple[str, ...]]:
        """The filter in effect at one voxel of the study, and what a person must know of it.

        Raises
        ------
        StudyError
            Nothing in the image moves the signal there.
        """
        from ...explanation.proxy.effective_response import effective_response

        prepared = self.prepared_slice(study, key, index[0], frame)
        row, column = prepared.to_network_index(index[1], index[2])
        return self._once(
            key, lambda model: effective_response(model, prepared, row, column, alpha=alpha)
        )
