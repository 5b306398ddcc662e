"""What the Layers tab asks of the models, without Qt: run it in a worker.

All layers of the latest slice of each model are kept: other layers, another order or more single
maps need no further pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ...evidence import Explanation
from ...explanation.catalogue import method_info
from ...families import OWN
from ...progress import Progress, Work, drain
from ...volumes import Study
from ...volumes.captions import slice_caption
from ...volumes.frames import looked_at
from ..parts.external_session import ExternalModelSession
from ..parts.model_session import ModelKey

if TYPE_CHECKING:
    from ...explanation.layer_maps.first_kernels import FirstKernels
    from ...explanation.layer_maps.layer_maps import LayerRanking
    from ...explanation.layer_maps.seen_layers import SeenLayers
    from ...networks.bundle.model import Model
    from ...networks.running.preparation import Prepared

METHOD, FIELD, PROBES, CAM = "layer-maps", "receptive-field", "layer-probes", "grad-cam"

#: Bytes of layers that are kept in all; the latest slice is kept in any case.
KEPT_BYTES = 2**30


@dataclass(frozen=True)
class LayerSetting:
    """What of a slice's layers is shown.

    Attributes
    ----------
    layers : tuple of str
        Ticked layers; the last one of every block where none is.
    maps : int
        Single maps beside the rms, where one layer alone is ticked.
    order : str
        Which single maps come first.
    """

    layers: tuple[str, ...] = ()
    maps: int = 6
    order: str = "energy"


@dataclass(frozen=True)
class LayerRow:
    """A line of the list of layers: its maps, their size, and the input's pixels to one of its."""

    name: str
    maps: int
    rows: int
    columns: int
    stride: tuple[float, float]


@dataclass(frozen=True, eq=False)
class LayersAnswer:
    """Chosen layers of one slice.

    Attributes
    ----------
    rows : tuple of LayerRow
        All layers that the model has, in the order in which they run.
    first : tuple of str
        Those that are ticked at first.
    deepest : str
        The last one of the smallest maps.
    setting : LayerSetting
        With the layers that are shown.
    """

    explanation: Explanation
    rows: tuple[LayerRow, ...]
    first: tuple[str, ...]
    deepest: str
    setting: LayerSetting


@dataclass(frozen=True, eq=False)
class _KeptSlice:
    model: Model
    study: Study
    index: int
    frame: tuple[int, ...]
    prepared: Prepared
    seen: SeenLayers
    notes: tuple[str, ...]
    ranked: dict[tuple[str, str], LayerRanking] = field(default_factory=dict)

    @property
    def place(self) -> tuple[Study, int, tuple[int, ...]]:
        return self.study, self.index, self.frame

    @property
    def bytes(self) -> int:
        return sum(maps.nbytes for maps in self.seen.first.values())


class LayersSession(ExternalModelSession):
    """All layers of the latest slice of every model."""

    def __init__(self) -> None:
        super().__init__()
        self._slices: dict[ModelKey, _KeptSlice] = {}

    def load_early(self, key: ModelKey) -> None:
        """See `ModelSession.load_early`."""
        from ...explanation.layer_maps import layer_maps

        _ = layer_maps
        super().load_early(key)

    def slice_work(
        self,
        study: Study,
        key: ModelKey,
        index: int,
        setting: LayerSetting,
        frame: tuple[int, ...] = (),
    ) -> Work[LayersAnswer]:
        """One slice, with progress; nothing runs when it is the one that is kept.

        Raises
        ------
        StudyError, ModelError
            The study does not fit the model, or the model's layers cannot be seen.
        """
        yield Progress(0, 0, "Loading the model")
        self.model(key)
        yield Progress(0, 0, f"Running {slice_caption(slice(index, index + 1))}")
        return (yield from self._answer_work(study, key, index, setting, frame))

    def answer(
        self,
        study: Study,
        key: ModelKey,
        index: int,
        setting: LayerSetting,
        frame: tuple[int, ...] = (),
    ) -> LayersAnswer:
        """As `slice_work`, at once."""
        return drain(self._answer_work(study, key, index, setting, frame))

    def volume_work(
        self, study: Study, key: ModelKey, setting: LayerSetting, frame: tuple[int, ...] = ()
    ) -> Work[Explanation]:
        """Every slice, with progress.

        Raises
        ------
        ParameterError
            The maps would take more memory than a laptop has.
        """
        from ...explanation.catalogue import explain_work

        yield Progress(0, 0, "Loading the model")
        model = self.model(key)
        kept = self._slices.get(key)
        at = kept.index if kept is not None and kept.study is study else study.grid.shape[0] // 2
        kept = self._kept(study, key, at, frame)
        names = _chosen(setting, kept.seen)
        values: dict[str, Any] = {
            "layers": ",".join(names),
            "maps": setting.maps if len(names) == 1 else 0,
            "order": setting.order,
        }
        return (yield from explain_work(study, model, METHOD, frame=frame, **values))

    def probes_work(
        self, study: Study, key: ModelKey, names: Sequence[str], frame: tuple[int, ...] = ()
    ) -> Work[Explanation]:
        """How well the study's mask can be read from layers.

        Raises
        ------
        StudyError
            The study has no mask, or one on too few slices.
        """
        from ...explanation.catalogue import explain_work

        yield Progress(0, 0, "Loading the model")
        model = self.model(key)
        layers = ",".join(names)
        return (yield from explain_work(study, model, PROBES, frame=frame, layers=layers))

    def field(
        self,
        study: Study,
        key: ModelKey,
        index: tuple[int, int, int],
        layer: str,
        frame: tuple[int, ...] = (),
    ) -> Explanation:
        """What a layer sees at a voxel."""
        from ...explanation.catalogue import explain_work
        from ...explanation.target import Target

        target = Target.parse("voxel:" + ",".join(str(i) for i in index))
        model = self.model(key)
        work = explain_work(study, model, FIELD, target=target, frame=frame, layer=layer)
        return drain(work)

    def grad_cam(
        self,
        study: Study,
        key: ModelKey,
        index: int,
        layer: str,
        name: str,
        frame: tuple[int, ...] = (),
    ) -> Explanation:
        """Where a layer's maps raise the score of a class on a slice, as ``grad-cam`` finds it.

        Parameters
        ----------
        layer : str
            As the list of layers has it: ``"relu"`` is the first call of several, then
            ``"relu (2)"``.
        name : str
            Class or union, over the mask of it that the model predicts; a classifier's class.

        Raises
        ------
        SparseExplainError
            The model finds none of the class on the slice, or the layer does not move its score.
        """
        from ...explanation.catalogue import explain_work
        from ...explanation.target import Target

        kept = self._slices.get(key)
        if kept is not None and f"{layer} (2)" in kept.seen.sizes:
            # The method's own name without a number is the last call.
            layer = f"{layer} (1)"
        work = explain_work(
            study,
            self.model(key),
            CAM,
            target=Target.region(name),
            slices=slice(index, index + 1),
            frame=frame,
            layer=layer,
        )
        return drain(work)

    def kernels(self, key: ModelKey) -> FirstKernels:
        """The kernels of a model's first convolution.

        Raises
        ------
        ModelError
            It has none.
        """
        from ...explanation.layer_maps.first_kernels import first_kernels

        return first_kernels(self.model(key))

    def forget(self, study: Study) -> None:
        """Let go of what is kept of a study that was closed."""
        super().forget(study)
        for key, kept in list(self._slices.items()):
            if kept.study is study:
                del self._slices[key]

    def _answer_work(
        self,
        study: Study,
        key: ModelKey,
        index: int,
        setting: LayerSetting,
        frame: tuple[int, ...],
    ) -> Work[LayersAnswer]:
        from ...explanation.layer_maps.layer_maps import layers_found
        from ...explanation.run_record import recorded

        kept = self._kept(study, key, index, frame)
        names = _chosen(setting, kept.seen)
        values = {
            "layers": ",".join(names),
            "maps": setting.maps if len(names) == 1 else 0,
            "order": setting.order,
            "resolution": "model",
        }

        def start(model: Model) -> Work[Explanation]:
            found = yield from layers_found(
                looked_at(study, frame),
                model,
                kept.prepared,
                kept.seen,
                names,
                maps=values["maps"],
                order=setting.order,
                ranked=kept.ranked,
            )
            return recorded(
                method_info(METHOD),
                study,
                model,
                values,
                found,
                slices=kept.prepared.slices,
                target=None,
                package=OWN,
                frame=frame,
            )

        explanation, notes = yield from self._where_it_fits(key, start)
        said = (*explanation.notes, *kept.notes, *notes)
        return LayersAnswer(
            replace(explanation, notes=said),
            _rows(kept.seen),
            tuple(kept.seen.blocks),
            kept.seen.deepest,
            LayerSetting(tuple(names), setting.maps, setting.order),
        )

    def _kept(self, study: Study, key: ModelKey, index: int, frame: tuple[int, ...]) -> _KeptSlice:
        """All layers of a slice, from one pass."""
        from ...explanation.layer_maps.seen_layers import seen_layers

        there, model = self._slices.get(key), self.model(key)
        if there is not None and there.model is model and there.place == (study, index, frame):
            return there
        prepared = self.prepared_slice(study, key, index, frame)
        seen, notes = self._once(key, lambda model: seen_layers(model, prepared))
        # Where its device was too small the model is another one now.
        kept = _KeptSlice(self.model(key), study, index, frame, prepared, seen, notes)
        self._slices.pop(key, None)
        self._slices[key] = kept
        while len(self._slices) > 1 and sum(k.bytes for k in self._slices.values()) > KEPT_BYTES:
            del self._slices[next(iter(self._slices))]
        return kept


def _chosen(setting: LayerSetting, seen: SeenLayers) -> list[str]:
    """Layers of a setting that a model has; else those that are shown at first."""
    return [name for name in seen.sizes if name in setting.layers] or seen.blocks


def _rows(seen: SeenLayers) -> tuple[LayerRow, ...]:
    return tuple(
        LayerRow(name, *size, seen.geometries[name].stride) for name, size in seen.sizes.items()
    )
