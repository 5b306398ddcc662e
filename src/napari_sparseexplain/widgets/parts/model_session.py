"""Loaded models and prepared slices of one tab, without Qt: what every session starts from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import RLock
from typing import TYPE_CHECKING, TypeVar

from ...progress import Progress, Work, drain
from ...volumes import Study

if TYPE_CHECKING:
    from ...networks.bundle.model import Model
    from ...networks.running.preparation import Prepared

Result = TypeVar("Result")


@dataclass(frozen=True)
class ModelKey:
    """Which model, and where: a bundled name or a bundle's folder, and a device."""

    model: str
    device: str = "auto"


#: The key of what runs without a model.
NO_MODEL = ModelKey("", "cpu")


class ModelSession:
    """Loaded models and the latest prepared slice of each."""

    def __init__(self) -> None:
        self._models: dict[ModelKey, Model] = {}
        self._stamps: dict[ModelKey, tuple[float, int] | None] = {}
        self._prepared: dict[ModelKey, tuple[Study, int, tuple[int, ...], Prepared]] = {}
        # A run and what loads early ask for the same model: it is loaded once.
        self._loading = RLock()

    def model(self, key: ModelKey) -> Model:
        """The model, loaded once.

        Raises
        ------
        ModelError
            No such bundle, a damaged one, or no such device.
        """
        there = self._models.get(key)
        # Looked at without the lock first: the window asks, too, and must not wait for another one.
        if there is not None and not self._outdated(key, there):
            return there
        with self._loading:
            there = self._models.get(key)
            if there is not None and self._outdated(key, there):
                # Other weights lie there now: what is shown from here on is of those.
                del self._models[key]
                self._prepared.pop(key, None)
            if key not in self._models:
                from ...networks.bundle.loading import load_model
                from .work_runner import cap_threads

                cap_threads()
                found = load_model(key.model, device=key.device)
                self._stamps[key] = _stamp(found)
                self._models[key] = found
            return self._models[key]

    def load_early(self, key: ModelKey) -> None:
        """Load a model, and the program that runs it, before anybody asks: away from the window.

        Raises
        ------
        ModelError
            See `model`.
        """
        from ...explanation import catalogue
        from ...networks.running import inference

        _ = catalogue, inference
        self.model(key)

    def measure_early(self, key: ModelKey, study: Study) -> None:
        """Find the brain and the range of the scans that a model takes, as its first run would.

        Nothing is done for a model that `load_early` did not load.
        """
        from ...networks.running.preparation import prepare

        if key in self._models:
            # Whole scans are measured, whatever is asked for, and that is kept with them.
            prepare(study, self._models[key].card, slice(0, 1))

    def _outdated(self, key: ModelKey, model: Model) -> bool:
        before = self._stamps.get(key)
        return before is not None and _stamp(model) not in (None, before)

    def replace_study(self, old: Study, new: Study) -> None:
        """An edited study stands for the one before; nothing of it is kept by its roles."""

    def forget(self, study: Study) -> None:
        """Let go of what is kept of a study that was closed."""
        for key, kept in list(self._prepared.items()):
            if kept[0] is study:
                del self._prepared[key]

    def prepared_slice(
        self, study: Study, key: ModelKey, index: int, frame: tuple[int, ...] = ()
    ) -> Prepared:
        """The prepared slice of a frame; only the latest of each model is kept."""
        kept = self._prepared.get(key)
        if kept is not None and kept[0] is study and kept[1:3] == (index, frame):
            return kept[3]
        from ...networks.running.preparation import prepare

        prepared = prepare(study, self.model(key).card, slice(index, index + 1), frame=frame)
        self._prepared[key] = (study, index, frame, prepared)
        return prepared

    def _where_it_fits(
        self, key: ModelKey, start: Callable[[Model], Work[Result]]
    ) -> Work[tuple[Result, tuple[str, ...]]]:
        """Work of a model; when its device's memory is full, on the CPU, where it then stays.

        A drag or a click comes again at once: trying the full device each time would cost a
        failure before every answer.
        """
        from ...networks.running.cpu_fallback import with_cpu_fallback

        def started(model: Model) -> Work[Result]:
            self._models[key] = model
            return start(model)

        return (yield from with_cpu_fallback(self.model(key), started))

    def _once(
        self, key: ModelKey, function: Callable[[Model], Result]
    ) -> tuple[Result, tuple[str, ...]]:
        """As `_where_it_fits`, for what has no steps."""

        def start(model: Model) -> Work[Result]:
            yield Progress(0, 0)
            return function(model)

        return drain(self._where_it_fits(key, start))


def _stamp(model: Model) -> tuple[float, int] | None:
    """When the file of a model's weights was written, and its size; None without a file."""
    path = model.path
    if path is None:
        return None
    file = path / "weights.safetensors" if path.is_dir() else path
    try:
        found = file.stat()
    except OSError:  # taken away since: the loaded one is as good as any
        return None
    return found.st_mtime, found.st_size
