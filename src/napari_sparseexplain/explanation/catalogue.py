"""The methods by name, and the one way to run them: ``explain(study, model, method)``.

Every method function has the signature ::

    work(study, model, *, target, slices, **parameters) -> Work[MethodResult]

with ``target`` a `Target` or None, ``slices`` a slice with whole ``start`` and ``stop`` inside
the study and step 1 (None for a method without a study), and every parameter of its `MethodInfo`,
checked. It gives maps, scores and notes; the record of the run is written here. It runs on
``model.device``; running out of memory there is dealt with here, not in the method.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from ..errors import ModelError, SparseExplainError, StudyError
from ..evidence import Explanation
from ..progress import Work, drain
from ..volumes import Study, study_of_arrays, study_of_channels
from .attribution_methods import ATTRIBUTION_METHODS
from .method import RESOLUTION, MethodInfo, Parameter
from .method_result import MethodResult
from .run_record import recorded
from .target import Target

if TYPE_CHECKING:
    from ..networks.bundle import Model

#: What may stand in place of a study: arrays by role, or one array.
Scans = Mapping[str, npt.NDArray[Any]] | npt.NDArray[Any]

ALPHA = Parameter(
    "alpha",
    1.0,
    "Factor on every learned threshold: 1 is the trained network, 0 its linear part",
    title="α",
    low=0.0,
    high=1.0,
)

THRESHOLD = Parameter(
    "threshold",
    0.5,
    "Probability from which a voxel counts as lesion",
    low=0.0,
    high=1.0,
)

_METHODS: dict[str, MethodInfo] = {}


def register(info: MethodInfo) -> MethodInfo:
    """Add a method to the catalogue; its function is imported when it is first run."""
    if info.name in _METHODS:
        raise ValueError(f"the method {info.name!r} is registered twice")
    _METHODS[info.name] = info
    return info


register(
    MethodInfo(
        name="segmentation",
        title="Segmentation",
        summary="The model's mask on the study's grid, with its scores when there is a true one",
        home="segmentation:segmentation_work",
        parameters=(
            THRESHOLD,
            ALPHA,
            RESOLUTION,
        ),
        tasks=("segmentation",),
    )
)


register(
    MethodInfo(
        name="signals",
        title="Signals",
        summary="Input, linear part, signal before the output layer and mask, for any α",
        home="signals:signals_work",
        parameters=(
            ALPHA,
            THRESHOLD,
            Parameter(
                "bands", False, "Also the bands of every level before and after their thresholds"
            ),
            RESOLUTION,
        ),
        architectures=("sum", "unet"),
    )
)

register(
    MethodInfo(
        name="components",
        title="Components",
        summary="What each class contributed to every modality, and what no class explains",
        home="components:components_work",
        parameters=(
            ALPHA,
            Parameter(
                "outer",
                0,
                "Rounds from salient to fine; 0: as many as the model was trained with",
                title="Rounds T",
                low=0,
                high=20,
            ),
            RESOLUTION,
        ),
        tasks=("segmentation",),
        architectures=("jf-ml-ista",),
    )
)

register(
    MethodInfo(
        name="responses",
        title="Responses",
        summary="Impulse and frequency response of the linear part, and their range over phases",
        home="responses:responses_work",
        parameters=(
            Parameter("phases", True, "Also the responses to an impulse at each of all phases"),
            Parameter("crop", 128, "Side of the response kept, in pixels", low=16, high=512),
        ),
        takes_study=False,
        takes_slices=False,
    )
)

register(
    MethodInfo(
        name="effective-response",
        title="Effective response",
        summary="The filter in effect at one voxel of this image, thresholds on, and its spectrum",
        home="effective_response:effective_response_work",
        parameters=(
            ALPHA,
            Parameter("crop", 128, "Side of the response kept, in pixels", low=16, high=512),
            RESOLUTION,
        ),
        target="required",
        takes_slices=False,  # the voxel says which
    )
)

register(
    MethodInfo(
        name="fidelity",
        title="Fidelity",
        summary="How far a distilled proxy agrees with its teacher, beside the accuracy of both",
        home="fidelity:fidelity_work",
        parameters=(
            Parameter(
                "teacher", "", "Bundled name or folder of the network it stands for; from its card"
            ),
            Parameter(
                "floor",
                0.85,
                "Dice to the teacher from which the proxy may be interpreted",
                low=0.0,
                high=1.0,
            ),
            RESOLUTION,
        ),
        tasks=("segmentation",),
    )
)

register(
    MethodInfo(
        name="feature-bias",
        title="Texture and size bias",
        summary="Which feature maps the mask needs, and the period and size these are tuned to",
        home="feature_bias:feature_bias_work",
        parameters=(
            ALPHA,
            Parameter(
                "share",
                0.9,
                "Share of the full IoU that the essential maps must keep",
                low=0.1,
                high=1.0,
            ),
            Parameter(
                "reference",
                "model",
                "Mask to keep: the model's own, or the study's true one",
                choices=("model", "truth"),
            ),
            RESOLUTION,
        ),
        tasks=("segmentation",),
        architectures=("sum",),
    )
)


for _info in ATTRIBUTION_METHODS:
    register(_info)

#: Short names that people type.
ALIASES = {
    "ig": "integrated-gradients",
    "guided-ig": "guided-integrated-gradients",
    "blur-ig": "blur-integrated-gradients",
    "vanilla": "vanilla-gradient",
}


def methods() -> Mapping[str, MethodInfo]:
    """The methods by name, with their parameters. Loads no torch."""
    return dict(_METHODS)


def method_info(name: str) -> MethodInfo:
    """The method called ``name``, or by one of the `ALIASES`.

    Raises
    ------
    SparseExplainError
        There is none; the message lists those there are.
    """
    name = ALIASES.get(name, name)
    if name not in _METHODS:
        raise SparseExplainError(
            f"there is no method {name!r}", remedy="The methods are: " + ", ".join(_METHODS)
        )
    return _METHODS[name]


def explain_work(
    study: Study | Scans | None,
    model: Model | str | Path,
    method: str,
    *,
    target: Target | str | None = None,
    slices: slice | int | None = None,
    device: str | None = None,
    **parameters: Any,
) -> Work[Explanation]:
    """Run one method, yielding its progress; see `explain`.

    A device that runs out of memory is left for the CPU, with a message in the progress and a
    note on the explanation. Closing the generator cancels.
    """
    from ..networks.bundle import load_model
    from ..networks.device import with_cpu_fallback

    info = method_info(method)
    values = info.checked(parameters)
    aim = _checked_target(info, target)
    if isinstance(model, str | Path):
        loaded = load_model(model, device=device or "auto")
    else:
        loaded = (model if device is None else model.on(device)).at_rest()
    _check_model(info, loaded)
    scans = _as_study(info, study, loaded.card.inputs.roles)
    span = None if scans is None else slice_range(scans, slices)
    module, _, function = info.home.partition(":")
    work = getattr(import_module(f".{module}", __package__), function)

    def run(on: Model) -> Work[Explanation]:
        found: MethodResult = yield from work(scans, on, target=aim, slices=span, **values)
        return recorded(info, scans, on, values, found, slices=span, target=aim)

    result, notes = yield from with_cpu_fallback(loaded, run)
    return replace(result, notes=(*result.notes, *notes)) if notes else result


def explain(
    study: Study | Scans | None,
    model: Model | str | Path,
    method: str,
    *,
    target: Target | str | None = None,
    slices: slice | int | None = None,
    device: str | None = None,
    **parameters: Any,
) -> Explanation:
    """Run one method on a study and return what it found.

    Parameters
    ----------
    study : Study, mapping of str to ndarray, ndarray, or None
        From ``se.open_study``. Arrays by role, (S, P, L) or (P, L); or one array, of a model of
        several modalities with these on its first axis: voxels of 1 mm along the patient's axes
        (``se.study_of_arrays`` says otherwise). None for a method that looks at the model alone.
    model : Model, str or Path
        A loaded model, a bundled name, or a bundle's folder.
    method : str
        A name from ``se.methods()``.
    target : Target or str, optional
        What to explain, for methods that need it (``"WT"``).
    slices : slice or int, optional
        Slices of the study's grid; all when not given.
    device : str, optional
        ``"auto"`` (the best of this machine), ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``.
        Not given: a loaded model stays where it is, a named one goes to the best device.
    **parameters
        The method's own; see ``se.methods()[method].parameters``.

    Raises
    ------
    SparseExplainError
        Unknown method or parameter, a model or study that does not fit; said in one line.
    """
    return drain(
        explain_work(
            study, model, method, target=target, slices=slices, device=device, **parameters
        )
    )


def _as_study(
    info: MethodInfo, given: Study | Scans | None, roles: tuple[str, ...]
) -> Study | None:
    if given is None and info.takes_study:
        raise StudyError(
            f"the method {info.name!r} needs a study",
            remedy="Open one with open_study, or give arrays by role",
        )
    if given is None or isinstance(given, Study):
        return given
    if isinstance(given, Mapping):
        return study_of_arrays(given)
    return study_of_channels(given, roles)


def slice_range(study: Study, slices: slice | int | None) -> slice:
    """Which slices are meant, as whole numbers inside the study.

    Raises
    ------
    StudyError
        The study has no such slices.
    """
    total = study.grid.shape[0]
    if slices is None:
        return slice(0, total)
    if not isinstance(slices, slice):
        number = int(slices)
        if not -total <= number < total:
            raise _no_such_slices(study, str(number))
        number %= total
        return slice(number, number + 1)
    wanted = f"{slices.start}:{slices.stop}"
    if slices.step not in (None, 1):
        raise _no_such_slices(study, f"{wanted}:{slices.step}")
    start, stop, _ = slices.indices(total)
    if stop <= start or (slices.stop is not None and slices.stop > total):
        raise _no_such_slices(study, wanted)
    return slice(start, stop)


def _no_such_slices(study: Study, wanted: str) -> StudyError:
    total = study.grid.shape[0]
    return StudyError(
        f"the study has no slices {wanted}, counted from 0",
        where=study.name,
        remedy=f"Give A:B with 0 <= A < B <= {total}, without a step; slices are counted from 0",
    )


def _checked_target(info: MethodInfo, target: Target | str | None) -> Target | None:
    aim = Target.parse(target) if isinstance(target, str) else target
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


def _check_model(info: MethodInfo, model: Model) -> None:
    card = model.card
    if info.tasks and card.task not in info.tasks:
        raise ModelError(
            f"the method {info.name!r} is for {' or '.join(info.tasks)}, "
            f"and this model does {card.task}",
            where=card.name,
            remedy="Choose another model or another method",
        )
    if info.architectures and card.architecture not in info.architectures:
        raise ModelError(
            f"the method {info.name!r} works on the architecture "
            f"{' or '.join(info.architectures)}, and this model is {card.architecture!r}",
            where=card.name,
            remedy="Choose another model, or fit a proxy to this one",
        )
