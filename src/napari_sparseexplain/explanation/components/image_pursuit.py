"""Sparse decompositions of a study without any network: the pursuits of `sparse/` slice by slice.

Each modality on its own, or together with shared codes where the dictionary has a channel for each.
A modality is scaled by one number before, and all results are scaled back: reconstruction and
residual add to the study's own values.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from ...errors import SparseExplainError, StudyError
from ...evidence import Explanation, ExplanationMap
from ...families import OWN
from ...progress import Progress, Work
from ...sparse.pursuit_settings import METHODS, Method, PursuitSettings
from ...sparse.pursuit_trace import TraceRow
from ...sparse.slice_pursuit import Coded, choose_dictionary, code_slice, multiplier
from ...volumes import Study
from ...volumes.frames import frame_note
from ..bounded_cache import checksum
from ..method_result import FROM_FILE, MethodResult
from ..run_record import recorded
from .methods import COMPONENT_METHODS


class ImageDecomposition(NamedTuple):
    """What `decompose_study` found.

    Attributes
    ----------
    explanation : Explanation
        Maps ``reconstruction-ROLE``, ``residual-ROLE``, one for each class of jf-ml-ista
        (``smooth-ROLE``, ``edges-ROLE``) and ``codes…``, the sum of a voxel's codes without sign.
    traces : dict of str to tuple of TraceRow
        By image (``flair 78``), in units of the scaled images.
    atoms : list of dict
        For every group of images and atom: the share of its codes that are not 0, and their sum.
    dictionary : dict of str to ndarray
        ``phi`` and ``layer_1`` … as used, which `dictionary_file.read_dictionary` reads again.
    """

    explanation: Explanation
    traces: dict[str, tuple[TraceRow, ...]]
    atoms: list[dict[str, Any]]
    dictionary: dict[str, npt.NDArray[Any]]


def decompose_study(
    study: Study,
    settings: PursuitSettings | None = None,
    *,
    slices: slice,
    dictionary: list[torch.Tensor] | None = None,
) -> Work[ImageDecomposition]:
    """Decompose slices of every image of a study.

    Parameters
    ----------
    study : Study
    settings : PursuitSettings, optional
    slices : slice
        With a start and a stop inside the study.
    dictionary : list of Tensor, optional
        From `read_dictionary`; of one channel for each modality on its own, or of as many as
        there are modalities, coded together in the study's order.

    Returns
    -------
    Work of ImageDecomposition

    Raises
    ------
    SparseExplainError
        An unknown method, no images, a dictionary that does not fit, or values that are not finite.
    """
    settings = settings or PursuitSettings()
    found, traces, atoms, stored = yield from _decomposed(study, settings, slices, dictionary)
    info = next(info for info in COMPONENT_METHODS if info.name == settings.method)
    said = _values(settings)
    values = {parameter.name: said[parameter.name] for parameter in info.parameters}
    explanation = recorded(
        info, study, None, values, found, slices=slices, target=None, package=OWN
    )
    return ImageDecomposition(explanation, traces, atoms, stored)


def pursuit_work(
    method: Method,
    study: Study,
    model: None,
    *,
    target: None,
    slices: slice,
    **values: Any,
) -> Work[MethodResult]:
    """A pursuit as a method of the catalogue, with the parameters of its `MethodInfo`.

    Returns
    -------
    MethodResult
        The maps of `ImageDecomposition`.
    """
    prox = "relu" if values.pop("positive", False) else "soft"
    atoms = values.pop("atoms", 0) or None
    settings = PursuitSettings(method=method, atoms=atoms, prox=prox, **values)
    return (yield from _decomposed(study, settings, slices, None))[0]


ista_work = partial(pursuit_work, "ista")
fista_work = partial(pursuit_work, "fista")
ml_ista_work = partial(pursuit_work, "ml-ista")
admm_work = partial(pursuit_work, "admm")
jf_ml_ista_work = partial(pursuit_work, "jf-ml-ista")


def _values(settings: PursuitSettings) -> dict[str, Any]:
    """Settings as parameters of a method."""
    return {
        "sparsity": settings.sparsity,
        "filters": settings.filters,
        "width": settings.width,
        "atoms": settings.atoms or 0,
        "iterations": settings.iterations or METHODS[settings.method],
        "tolerance": settings.tolerance,
        "positive": settings.prox == "relu",
        "learn": settings.learn,
        "seed": settings.seed,
    }


class _Decomposed(NamedTuple):
    result: MethodResult
    traces: dict[str, tuple[TraceRow, ...]]
    atoms: list[dict[str, Any]]
    dictionary: dict[str, npt.NDArray[Any]]


def _decomposed(
    study: Study,
    settings: PursuitSettings,
    slices: slice,
    dictionary: list[torch.Tensor] | None,
) -> Work[_Decomposed]:
    """As `decompose_study`, before anybody has noted how."""
    _check(study, settings, dictionary)
    roles = list(study.images)
    yield Progress(0, 0, "Reading the slices")
    images = np.stack([study[r].spatial()[slices] for r in roles]).astype(np.float32)
    scales = _scales(images, roles)
    scaled = torch.from_numpy(images / scales[:, None, None, None]).transpose(0, 1)
    weights = yield from choose_dictionary(settings, dictionary, scaled)
    joint = weights[0].shape[1] > 1
    groups = [roles] if joint else [[r] for r in roles]
    parts: dict[str, npt.NDArray[np.float32]] = {}
    traces: dict[str, tuple[TraceRow, ...]] = {}
    atoms: list[dict[str, Any]] = []
    total, done = len(groups) * len(scaled), 0
    for group in groups:
        places = [roles.index(r) for r in group]
        x = scaled[:, places]
        level = multiplier(x, weights[0], settings)
        name = "" if joint else f"-{group[0]}"
        shape = (len(x), *images.shape[2:])
        summed = parts.setdefault(f"codes{name}", np.zeros(shape, np.float32))
        sizes = torch.zeros(2, 0)
        for s in range(len(x)):
            title = f"{'+'.join(group)} {slices.start + s}"
            coded = yield from _relabelled(
                code_slice(x[s : s + 1], weights, level, settings), done, total, title
            )
            done += 1
            traces[title] = coded.trace
            summed[s] = coded.codes.abs().sum(dim=0).numpy()
            flat = coded.codes.flatten(1)
            size = torch.stack([flat.ne(0).float().mean(dim=1), flat.abs().sum(dim=1)])
            sizes = size if s == 0 else sizes + size
            for part, values in coded.parts.items():
                for role, place, plane in zip(group, places, values, strict=True):
                    whole = parts.setdefault(f"{part}-{role}", np.zeros(shape, np.float32))
                    whole[s] = plane.numpy() * scales[place]
        atoms += [
            {
                "images": "+".join(group),
                "atom": k,
                "nonzero": float(sizes[0, k]) / len(x),
                "sum": float(sizes[1, k]),
            }
            for k in range(sizes.shape[1])
        ]
    stored = {("phi" if i == 0 else f"layer_{i}"): w.numpy() for i, w in enumerate(weights)}
    decided: dict[str, Any] = {"method": settings.method}
    if dictionary is not None:
        decided[FROM_FILE] = {"dictionary": checksum(*stored.values())}
    if not settings.learn:
        decided["seed"] = None  # nothing is random
    result = _result(study, settings, roles, parts, traces, images, decided)
    return _Decomposed(result, traces, atoms, stored)


def _check(study: Study, settings: PursuitSettings, dictionary: list[torch.Tensor] | None) -> None:
    if settings.method not in METHODS:
        raise SparseExplainError(
            f"there is no pursuit called {settings.method!r}",
            remedy=f"Take one of {', '.join(METHODS)}",
        )
    if not study.images:
        raise StudyError("there is no image to decompose", where=study.name)
    if not 0 < settings.sparsity < 1:
        raise SparseExplainError(
            f"a sparsity of {settings.sparsity} codes nothing, or everything",
            remedy="Give a share between 0 and 1; 0.05 is a good one",
        )
    if dictionary is not None and settings.learn:
        raise SparseExplainError(
            "a dictionary is given and another shall be learned", remedy="Choose one of them"
        )
    if settings.method == "jf-ml-ista" and (dictionary is not None or settings.learn):
        raise SparseExplainError(
            "jf-ml-ista without a model decomposes into smooth parts and edges, by its own atoms",
            remedy="Leave the dictionary out, or give a trained --model",
        )
    if dictionary is None:
        return
    channels = dictionary[0].shape[1]
    if channels not in (1, len(study.images)):
        raise StudyError(
            f"the dictionary is for {channels} modalities and there are {len(study.images)}",
            where=study.name,
            remedy="Give a dictionary for one modality, or for as many as the study has",
        )
    if settings.method == "admm" and channels > 1:
        raise SparseExplainError(
            "admm codes each modality on its own", remedy="Give a dictionary for one modality"
        )
    if len(dictionary) > 1 and settings.method != "ml-ista":
        raise SparseExplainError(
            f"{settings.method} has one layer and the dictionary {len(dictionary)}",
            remedy="Take --method ml-ista, or give phi alone",
        )


def _scales(images: npt.NDArray[np.float32], roles: list[str]) -> npt.NDArray[np.float32]:
    """One number a modality: the 99.5 % quantile of what is not 0 in its slices."""
    scales = []
    for role, image in zip(roles, images, strict=True):
        if not np.isfinite(image).all():
            raise StudyError(
                "the slices hold NaN or infinite values",
                where=role,
                remedy="Replace them (0 outside the brain)",
            )
        values = np.abs(image[image != 0])
        if not values.size:
            raise StudyError(
                "every value of the slices is 0, so there is nothing to decompose",
                where=role,
                remedy="Choose slices that show something",
            )
        scales.append(float(np.quantile(values, 0.995)))
    return np.array(scales, np.float32)


def _relabelled(work: Work[Coded], done: int, total: int, title: str) -> Work[Coded]:
    """Progress by slices, with what the pursuit says of itself."""
    while True:
        try:
            step = next(work)
        except StopIteration as end:
            return end.value
        yield Progress(done, total, f"{title}: {step.message}")


def _result(
    study: Study,
    settings: PursuitSettings,
    roles: list[str],
    parts: Mapping[str, npt.NDArray[np.float32]],
    traces: Mapping[str, tuple[TraceRow, ...]],
    images: npt.NDArray[np.float32],
    decided: dict[str, Any],
) -> MethodResult:
    last = [trace[-1] for trace in traces.values()]
    scores: dict[str, float | None] = {
        "objective": sum(row.objective for row in last),
        "nonzero codes": float(np.mean([row.nonzero for row in last])),
    }
    for i, role in enumerate(roles):
        residual = float(np.linalg.norm(parts[f"residual-{role}"]))
        scores[f"residual {role}"] = residual / float(np.linalg.norm(images[i]))
    gaps = [row.gap for row in last if not np.isnan(row.gap)]
    scores["largest certified gap"] = max(gaps) if gaps else None
    maps = tuple(
        ExplanationMap(
            name=name,
            data=data,
            kind="signal" if name.startswith("codes") else "component",
            title=name.replace("-", " · ").capitalize(),
            unit="" if name.startswith("codes") else study[name.rpartition("-")[2]].unit,
            signed=name.startswith("residual"),
        )
        for name, data in parts.items()
    )
    missed = [] if not gaps else [g for g in gaps if g > settings.tolerance]
    notes = []
    if missed:
        notes.append(
            f"{len(missed)} of {len(gaps)} images stopped at their number of iterations, before "
            f"the gap of {settings.tolerance:g}: give more iterations for a closer minimum."
        )
    notes += [said for role in roles if (said := frame_note(study[role]))]
    return MethodResult(maps, scores, tuple(notes), decided=decided)
