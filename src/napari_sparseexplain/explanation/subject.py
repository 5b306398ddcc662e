"""What a method is run on: the study, its slices and the model that are meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from ..arguments import shown
from ..errors import ModelError, ParameterError, StudyError
from ..volumes import Study, study_of_arrays, study_of_channels
from ..volumes.frames import as_frame, study_at_frame
from ..volumes.intensity.normalisation import Normalisation
from .method import MethodInfo

if TYPE_CHECKING:
    from ..networks.bundle.model import Model

#: What a single array is called that is given to a method without a model.
SCAN = "scan"

#: What may stand in place of a study: arrays by role, or one array.
Scans = Mapping[str, npt.NDArray[Any]] | npt.NDArray[Any]


def explained_model(
    study: Study | Scans | None,
    model: Model | str | Path | Callable[..., Any] | None,
    info: MethodInfo,
    *,
    slices: slice | int | None = None,
    device: str | None = None,
    roles: str | Sequence[str] | None = None,
    normalisation: str | Mapping[str, Any] | Normalisation | None = None,
    frame: int | Sequence[int] | None = None,
) -> tuple[Model, Study | None, tuple[str, ...]]:
    """The model and the study that are meant, and what was assumed of a torch module.

    The arguments are those of `explain`.

    Raises
    ------
    SparseExplainError
        Something else was given in place of a model, or what does not fit it.
    """
    from ..networks.bundle.loading import load_model
    from ..networks.bundle.model import Model

    if isinstance(model, Model | str | Path):
        if roles is not None or normalisation is not None:
            raise ParameterError(
                "roles and normalisation are said of a torch module alone; a model's card has them",
                where=model.name if isinstance(model, Model) else model,
                remedy="Leave them out",
            )
        if isinstance(model, Model):
            loaded = (model if device is None else model.on(device)).at_rest()
        else:
            loaded = load_model(model, device="auto" if device is None else device)
        return loaded, as_study(info, study, loaded.card.inputs.roles, frame), ()
    if model is None:
        raise ModelError(
            f"the method {info.name!r} needs a model, and none was given",
            remedy="Give a torch module, a name from se.models(), or a bundle's folder",
        )
    if not callable(model):
        raise ModelError(
            f"a {type(model).__name__} is no model",
            remedy="Give a torch module, a name from se.models(), or a bundle's folder",
        )
    from ..networks.running.plain_module import model_of_module

    names = _role_names(roles)
    # One array alone says how many scans it holds by the roles: without any they are asked for.
    scans = as_study(info, study, names, frame) if names or not _is_array(study) else None
    span = None if scans is None else slice_range(scans, slices)
    made = model_of_module(model, names, normalisation, study=scans, slices=span, device=device)
    return made.model, scans, made.notes


def _role_names(roles: Any) -> tuple[str, ...]:
    if roles is None:
        return ()
    one = isinstance(roles, str | bytes) or not isinstance(roles, Iterable)
    names = (roles,) if one else tuple(roles)
    if not all(isinstance(name, str) for name in names):
        wrong = next(name for name in names if not isinstance(name, str))
        raise ParameterError(
            f"a role cannot be {shown(wrong)}",
            where="roles",
            remedy="Give the scans by name in the order of the channels, as ('flair', 't1c')",
        )
    return tuple(map(str, names))


def _is_array(study: Any) -> bool:
    return not (study is None or isinstance(study, Study | Mapping))


def refuse_model(
    info: MethodInfo,
    model: object,
    roles: object = None,
    normalisation: object = None,
) -> None:
    """Refuse what is given in place of a model to a method that takes none.

    Raises
    ------
    SparseExplainError
        Something was given.
    """
    if model is not None:
        raise ModelError(
            f"the method {info.name!r} runs without a model, and one was given",
            remedy="Give None in its place, or leave --model out",
        )
    if roles is not None or normalisation is not None:
        raise ParameterError(
            f"roles and normalisation are said of a torch module, and the method {info.name!r} "
            "runs without a model",
            remedy="Leave them out",
        )


def check_model(info: MethodInfo, model: Model) -> None:
    """Refuse a model that a method is not for.

    Raises
    ------
    ModelError
        It does another task, or is of another architecture.
    """
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


def as_study(
    info: MethodInfo,
    given: Study | Scans | None,
    roles: tuple[str, ...],
    frame: int | Sequence[int] | None = None,
    *,
    array: str = "",
) -> Study | None:
    """The study that is meant, at its frame; None only of a method that looks at the model alone.

    Parameters
    ----------
    roles : tuple of str
        Of the scans used, in the order of a single array's channels; all scans when empty.
    frame : int or sequence of int, optional
        See `study_at_frame`.
    array : str
        What a single array is called where there are no roles.

    Raises
    ------
    StudyError
        There is none, arrays that make none, or no such frame.
    """
    if as_frame(frame) and not info.takes_study:
        raise ParameterError(
            f"the method {info.name!r} looks at the model alone, so it has no frame",
            remedy="Leave the frame out",
        )
    if given is None and info.takes_study:
        raise StudyError(
            f"the method {info.name!r} needs a study",
            remedy="Open one with open_study, or give arrays by role",
        )
    if given is None:
        return None
    if isinstance(given, Study):
        study = given
    elif isinstance(given, Mapping):
        study = study_of_arrays(given)
    else:
        study = study_of_channels(given, roles or (array,))
    return study_at_frame(study, frame, roles)


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
        number = _whole(study, slices, slices)
        if not -total <= number < total:
            raise _no_such_slices(study, shown(number))
        number %= total
        return slice(number, number + 1)
    wanted = f"{shown(slices.start)}:{shown(slices.stop)}"
    for end in (slices.start, slices.stop):
        if end is not None:
            _whole(study, end, wanted)
    if slices.step not in (None, 1):
        raise _no_such_slices(study, f"{wanted}:{slices.step}")
    start, stop, _ = slices.indices(total)
    if stop <= start or (slices.stop is not None and slices.stop > total):
        raise _no_such_slices(study, wanted)
    return slice(start, stop)


def _whole(study: Study, number: Any, said: Any) -> int:
    """A whole number; a truth value or a float is none."""
    if isinstance(number, bool) or not isinstance(number, Integral):
        raise _no_such_slices(study, shown(said))
    return int(number)


def _no_such_slices(study: Study, wanted: str) -> StudyError:
    total = study.grid.shape[0]
    return StudyError(
        f"the study has no slices {wanted}, counted from 0",
        where=study.name,
        remedy=f"Give A:B with 0 <= A < B <= {total}, without a step; slices are counted from 0",
    )
