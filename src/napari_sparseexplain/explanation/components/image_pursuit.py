"""Sparse decompositions of a study without any network: the pursuits of `sparse/` slice by slice.

Each modality on its own, or together with shared codes where the dictionary has a channel for each.
A modality is scaled by one number before, and all results are scaled back: reconstruction and
residual add to the study's own values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from ...errors import SparseExplainError, StudyError
from ...evidence import Explanation, ExplanationMap, Provenance
from ...progress import Progress, Work
from ...sparse.pursuit_trace import TraceRow
from ...sparse.slice_pursuit import (
    METHODS,
    Coded,
    PursuitSettings,
    choose_dictionary,
    code_slice,
    multiplier,
)
from ...volumes import Study
from ..run_record import input_record


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
    explanation = _explanation(study, settings, slices, roles, parts, traces, images)
    return ImageDecomposition(explanation, traces, atoms, stored)


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


def _explanation(
    study: Study,
    settings: PursuitSettings,
    slices: slice,
    roles: list[str],
    parts: Mapping[str, npt.NDArray[np.float32]],
    traces: Mapping[str, tuple[TraceRow, ...]],
    images: npt.NDArray[np.float32],
) -> Explanation:
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
    noted = asdict(settings) | {"slices": [slices.start, slices.stop]}
    record = Provenance(
        method=settings.method,
        parameters=noted,
        inputs={r: input_record(study, r) for r in roles},
        seed=settings.seed if settings.learn else None,
    )
    return Explanation(
        method=settings.method,
        maps=maps,
        provenance=record,
        grid=study.grid,
        slices=slices,
        scores=scores,
        notes=tuple(notes),
    )
