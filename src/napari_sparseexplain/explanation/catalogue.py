"""The methods by name, and the one way to run them: ``explain(study, model, method)``.

Every method function has the signature ::

    work(study, model, *, target, slices, **parameters) -> Work[MethodResult]

with ``model`` a `Model`, or None of a method without one, ``target`` a `Target` or None,
``slices`` a slice with whole ``start`` and ``stop`` inside the study and step 1 (None for a method
without a study), and every parameter of its `MethodInfo`, checked; and ``device``, a text, of a
method without a model that takes one. It gives maps, scores and notes;
the record of the run is written here. It runs on ``model.device``; running out of memory there is
dealt with here, not in the method.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..arguments import shown
from ..errors import SparseExplainError
from ..evidence import Explanation
from ..families import Family, attempt, families, left_out, resolve
from ..progress import Work, drain
from ..volumes import Study
from ..volumes.frames import as_frame
from ..volumes.intensity.normalisation import Normalisation
from ..volumes.view_of_slice import views_of_slices
from .method import MethodInfo
from .method_result import MethodResult
from .run_record import recorded
from .subject import (
    SCAN,
    Scans,
    as_study,
    check_model,
    explained_model,
    refuse_model,
    slice_range,
)
from .target import Target

if TYPE_CHECKING:
    from ..networks.bundle.model import Model


@dataclass(frozen=True, eq=False)
class _Catalogue:
    """The methods by name with the family that brings each, and names by other names."""

    methods: dict[str, tuple[MethodInfo, Family]]
    aliases: dict[str, str]

    def take(self, family: Family, infos: Sequence[MethodInfo]) -> None:
        """Add the methods of a family, all of them or none.

        Raises
        ------
        TypeError, ValueError
            One is no method, or its name is taken.
        """
        own: dict[str, str] = {}
        for info in infos:
            if not isinstance(info, MethodInfo):
                raise TypeError(f"{info!r} is no MethodInfo")
            for name in (info.name, *info.aliases):
                if name in own:
                    raise ValueError(f"the method {name!r} is there twice")
                if (taken := self.aliases.get(name)) is not None:
                    holder = self.methods[taken][1].package
                    raise ValueError(f"{holder} has a method {name!r} already")
                own[name] = info.name
        self.aliases.update(own)
        self.methods.update({info.name: (info, family) for info in infos})


@lru_cache(maxsize=1)
def _catalogue_of(chosen: tuple[Family, ...]) -> _Catalogue:
    found = _Catalogue({}, {})
    for family in chosen:
        with attempt(family):
            if family.methods:
                found.take(family, resolve(family.methods))
    return found


def methods() -> Mapping[str, MethodInfo]:
    """The methods of all families by name, with their parameters. Loads no torch.

    Examples
    --------
    >>> import napari_sparseexplain as se
    >>> [parameter.name for parameter in se.methods()["occlusion"].parameters][:2]
    ['window', 'stride']
    """
    return {name: info for name, (info, _) in _catalogue_of(families()).methods.items()}


def heat_methods() -> tuple[MethodInfo, ...]:
    """The methods that make heat maps, of all families."""
    return tuple(info for info in methods().values() if info.heat is not None)


def method_info(name: str) -> MethodInfo:
    """The method called ``name``, or by one of its aliases.

    Raises
    ------
    SparseExplainError
        There is none; the message lists those there are.
    """
    return _method_of_family(name)[0]


def method_family(name: str) -> Family:
    """The family that brings a method; see `method_info`."""
    return _method_of_family(name)[1]


def _method_of_family(name: str) -> tuple[MethodInfo, Family]:
    catalogue = _catalogue_of(families())
    called = catalogue.aliases.get(name, "") if isinstance(name, str) else ""
    if not called:
        remedy = "The methods are: " + ", ".join(catalogue.methods)
        raise SparseExplainError(
            f"there is no method {shown(name)}", remedy="; ".join((remedy, *left_out()))
        )
    return catalogue.methods[called]


def explain_work(
    study: Study | Scans | None,
    model: Model | str | Path | Callable[..., Any] | None,
    method: str,
    *,
    target: Target | str | int | None = None,
    slices: slice | int | None = None,
    device: str | None = None,
    roles: str | Sequence[str] | None = None,
    normalisation: str | Mapping[str, Any] | Normalisation | None = None,
    frame: int | Sequence[int] | None = None,
    **parameters: Any,
) -> Work[Explanation]:
    """Run one method, yielding its progress; see `explain`.

    A device that runs out of memory is left for the CPU, with a message in the progress and a
    note on the explanation. Closing the generator cancels. What is found does not hold the study,
    which whoever asked may want to let go.
    """
    work = _explain(
        study, model, method, target, slices, device, roles, normalisation, frame, parameters
    )
    found = yield from work
    return replace(found, study=None)


def _explain(
    study: Study | Scans | None,
    model: Model | str | Path | Callable[..., Any] | None,
    method: str,
    target: Target | str | int | None,
    slices: slice | int | None,
    device: str | None,
    roles: str | Sequence[str] | None,
    normalisation: str | Mapping[str, Any] | Normalisation | None,
    frame: int | Sequence[int] | None,
    parameters: Mapping[str, Any],
) -> Work[Explanation]:
    info, family = _method_of_family(method)
    values = info.checked(parameters)
    aim = _checked_target(info, target)
    said: tuple[str, ...] = ()
    noted: dict[str, Any] = {}
    loaded: Model | None = None
    if info.takes_model:
        loaded, scans, said = explained_model(
            study,
            model,
            info,
            slices=slices,
            device=device,
            roles=roles,
            normalisation=normalisation,
            frame=frame,
        )
        if said:
            noted["normalisation"] = loaded.card.inputs.way.plain
            if "resolution" in values:
                values["resolution"] = parameters.get("resolution", "native")
        check_model(info, loaded)
    else:
        refuse_model(info, model, roles, normalisation)
        scans = as_study(info, study, (), frame, array=SCAN)
    span = None if scans is None else slice_range(scans, slices)
    work = info.function()

    given = {**values, "device": device or "auto"} if info.takes_device else values

    def run(on: Model | None) -> Work[Explanation]:
        found: MethodResult = yield from work(scans, on, target=aim, slices=span, **given)
        kept = replace(found, decided={**found.decided, **noted}) if noted else found
        return recorded(
            info,
            scans,
            on,
            values,
            kept,
            slices=span,
            target=aim,
            frame=as_frame(frame),
            package=family.package,
        )

    if loaded is None:
        result = yield from run(None)
        return replace(result, study=scans)
    from ..networks.bundle.seen_views import unseen_view_notes
    from ..networks.running.cpu_fallback import with_cpu_fallback

    result, notes = yield from with_cpu_fallback(loaded, run)
    unseen: tuple[str, ...] = ()
    if scans is not None and span is not None and info.takes_slices:
        unseen = unseen_view_notes(loaded.card, views_of_slices(scans, span))
    more = (*said, *notes, *unseen)
    return replace(result, notes=(*result.notes, *more), study=scans)


def explain(
    study: Study | Scans | None,
    model: Model | str | Path | Callable[..., Any] | None,
    method: str,
    *,
    target: Target | str | int | None = None,
    slices: slice | int | None = None,
    device: str | None = None,
    roles: str | Sequence[str] | None = None,
    normalisation: str | Mapping[str, Any] | Normalisation | None = None,
    frame: int | Sequence[int] | None = None,
    **parameters: Any,
) -> Explanation:
    """Run one method on a study and return what it found.

    Parameters
    ----------
    study : Study, mapping of str to ndarray, ndarray, or None
        From ``se.open_study``. Arrays by role, (S, P, L) or (P, L); or one array, of a model of
        several modalities with these on its first axis: voxels of 1 mm along the patient's axes
        (``se.study_of_arrays`` says otherwise). None for a method that looks at the model alone.
    model : Model, str, Path, torch.nn.Module, or None
        A loaded model, a bundled name, or a bundle's folder. Or a torch module of one's own, from
        images (B, channels, rows, columns) to logits (B, classes) or (B, classes, rows, columns):
        it is run on the study's own pixels, in evaluation mode, and has its modes, weights and
        gradients as they were afterwards. The notes say what was assumed of it. None for a method
        without a model (``se.methods()[method].takes_model`` says so).
    method : str
        A name from ``se.methods()``.
    target : Target, str or int, optional
        What to explain, for methods that need it (``"WT"``). A number is the class of this label
        value: its logit, summed over where it is predicted.
    slices : slice or int, optional
        Slices of the study's grid; all when not given.
    device : str, optional
        ``"auto"`` (the best of this machine), ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``.
        Not given: a loaded model or module stays where it is, a named one goes to the best device.
        It says nothing of a method without a model, but of one that takes a device
        (``se.methods()[method].takes_device``), which goes to the best when it is not given.
    roles : str or sequence of str, optional
        Of a torch module, which needs them: the scans it takes, in the order of its channels.
    normalisation : str, mapping or Normalisation, optional
        Of a torch module: ``"z-score"`` (over the voxels that are not background; when not given),
        ``"brain-range"``, ``"percentile"``, ``"unit"`` (the scans are in 0 to 1 already) or
        ``"none"``; with parameters ``{"name": "window", "centre": 40, "width": 80}``.
    frame : int or sequence of int, optional
        Where scans have axes beyond space (time, direction, echo): the point along each, counted
        from 0. A scan without such axes among others is as it is. The first image of each when not
        given, which the notes say.
    **parameters
        The method's own; see ``se.methods()[method].parameters``.

    Raises
    ------
    SparseExplainError
        Unknown method or parameter (also a ``ValueError``), a model or study that does not fit;
        said in one line.

    Examples
    --------
    >>> import torch, napari_sparseexplain as se
    >>> module = torch.nn.Conv2d(1, 2, 3, bias=False, padding=1)
    >>> result = se.explain(
    ...     se.sample_study(), module, "vanilla-gradient", roles="flair", target=1, slices=60
    ... )
    >>> result["heatmap"].data.shape
    (1, 240, 240)
    >>> parts = se.explain(se.sample_study(), None, "fista", slices=60, iterations=2)
    >>> parts.provenance.model
    ''
    """
    work = _explain(
        study, model, method, target, slices, device, roles, normalisation, frame, parameters
    )
    return drain(work)


def _checked_target(info: MethodInfo, target: Target | str | int | None) -> Target | None:
    aim = target if target is None or isinstance(target, Target) else Target.parse(target)
    if info.target == "required" and aim is None:
        raise SparseExplainError(
            f"the method {info.name!r} needs a target",
            remedy="Say what to explain, for example --target WT or voxel:80,120,90",
        )
    if info.target == "none" and aim is not None:
        raise SparseExplainError(
            f"the method {info.name!r} takes no target", remedy="Leave the target out"
        )
    return aim
