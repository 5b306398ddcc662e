"""What the Proxy tab asks of the models, without Qt: run it in a worker.

Models and the prepared current slice are kept, so that a new α costs one forward pass.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..evidence import Explanation
from ..progress import Progress, Work, drain
from ..volumes import Study

if TYPE_CHECKING:
    from ..networks.bundle import Model
    from ..networks.preparation import Prepared

METHOD = "signals"


@dataclass(frozen=True)
class ModelKey:
    """Which model, and where: a bundled name or a bundle's folder, and a device."""

    model: str
    device: str = "auto"


@dataclass(frozen=True, eq=False)
class Ask:
    """One slice at one α.

    Attributes
    ----------
    before : Explanation or None
        The same model's answer for this study, whose maps take the new arrays.
    """

    study: Study
    key: ModelKey
    index: int
    alpha: float
    before: Explanation | None = None


class ProxySession:
    """Loaded models and prepared slices of one window."""

    def __init__(self) -> None:
        self._models: dict[ModelKey, Model] = {}
        self._prepared: dict[ModelKey, tuple[Study, int, Prepared]] = {}

    def model(self, key: ModelKey) -> Model:
        """The model, loaded once.

        Raises
        ------
        ModelError
            No such bundle, a damaged one, or no such device.
        """
        if key not in self._models:
            from ..networks.bundle import load_model
            from .work_runner import cap_threads

            cap_threads()
            self._models[key] = load_model(key.model, device=key.device)
        return self._models[key]

    def run_work(
        self, study: Study, key: ModelKey, slices: slice, alpha: float, *, bands: bool
    ) -> Work[Explanation]:
        """The signals of some slices, with progress."""
        from ..explanation.catalogue import explain_work

        yield Progress(0, 0, "Loading the model")
        model = self.model(key)
        return (
            yield from explain_work(study, model, METHOD, slices=slices, alpha=alpha, bands=bands)
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
            return drain(self.run_work(ask.study, ask.key, span, ask.alpha, bands=True))
        from ..explanation.segmentation import scores_against_study, true_mask
        from ..explanation.signals import signal_maps, slice_signals, suppression_scores
        from ..networks.device import is_out_of_memory

        model = self.model(ask.key)
        prepared = self.prepared_slice(ask.study, ask.key, ask.index)
        notes = ask.before.notes
        try:
            signals = slice_signals(model, prepared, ask.alpha)
        except RuntimeError as error:
            if model.device.type == "cpu" or not is_out_of_memory(error):
                raise
            # As a whole run does: the device is left for good, and the result says so.
            model = self._models[ask.key] = model.on("cpu")
            signals = slice_signals(model, prepared, ask.alpha)
            notes = (*notes, "The device's memory was full, so this went on on the CPU.")
        maps = {item.name: item for item in signal_maps(model, prepared, signals)}
        scores: dict[str, float | None] = {}
        if "mask" in maps:
            scores, _ = scores_against_study(ask.study, maps["mask"].data, span)
            true, _ = true_mask(ask.study, span)
            if true is not None:
                there = ask.before["true-mask"]
                maps["true-mask"] = replace(there, data=true.astype(np.uint8))
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

    def prepared_slice(self, study: Study, key: ModelKey, index: int) -> Prepared:
        """The prepared slice; only the latest of each model is kept."""
        kept = self._prepared.get(key)
        if kept is not None and kept[0] is study and kept[1] == index:
            return kept[2]
        from ..networks.preparation import prepare

        prepared = prepare(study, self.model(key).card, slice(index, index + 1))
        self._prepared[key] = (study, index, prepared)
        return prepared
