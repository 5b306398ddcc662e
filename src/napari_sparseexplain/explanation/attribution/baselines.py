"""Baselines: the image that stands for "nothing to see", from which a path method starts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from ...errors import StudyError
from ...networks.bundle.model import Model
from ...networks.running.preparation import Resolution, prepare
from ...volumes import Study, open_study
from .gaussian_blur import gaussian_blur

BASELINES = ("zero", "minimum", "maximum", "blurred", "mean", "user")

#: Blur of the blurred baseline, in network pixels: where Blur IG's path ends.
BLUR = 50.0


def baseline_images(
    name: str,
    x: torch.Tensor,
    numbers: npt.NDArray[np.int64] | None = None,
    user: npt.NDArray[np.float32] | None = None,
    *,
    sigma: float = BLUR,
) -> torch.Tensor:
    """The baseline of every image.

    Parameters
    ----------
    name : str
        ``"zero"``: the value outside the brain. ``"minimum"``, ``"maximum"``, ``"mean"``: of each
        image and modality. ``"blurred"``: the image blurred by ``sigma`` pixels. ``"user"``: a
        given image.
    x : Tensor, shape (B, C, H, W)
    numbers : ndarray of int, shape (B,), optional
        Slices of the study, of which ``user`` holds all.
    user : ndarray, shape (slices, C, H, W), optional

    Returns
    -------
    Tensor, shaped like ``x``
    """
    if name == "user":
        if user is None or numbers is None:
            raise StudyError(
                "the baseline 'user' needs an image", remedy="Give it with baseline_image=PATH"
            )
        return torch.from_numpy(user[numbers]).to(x)
    if name == "blurred":
        return gaussian_blur(x, sigma)
    if name == "zero":
        return torch.zeros_like(x)
    reduce = {"minimum": torch.amin, "maximum": torch.amax, "mean": torch.mean}
    if name not in reduce:
        raise StudyError(
            f"there is no baseline {name!r}", remedy="There are " + ", ".join(BASELINES)
        )
    return reduce[name](x, dim=(2, 3), keepdim=True).expand_as(x).clone()


def user_baseline(
    study: Study, model: Model, name: str, path: str, resolution: Resolution
) -> npt.NDArray[np.float32] | None:
    """The user's baseline image for every slice of the study; None for another baseline.

    Parameters
    ----------
    path : str
        A study on the same grid with the model's modalities; for a model of one modality a single
        scan of any name. It is normalised by its own range of intensities.

    Raises
    ------
    StudyError
        No path, or the image does not lie on the study's grid.
    """
    if name != "user":
        if path:
            raise StudyError(
                f"a baseline image was given, and the baseline is {name!r}",
                remedy="Set the baseline to 'user'",
            )
        return None
    if not path:
        raise StudyError(
            "the baseline 'user' needs an image", remedy="Give it with baseline_image=PATH"
        )
    given = open_study(Path(path))
    roles = model.card.inputs.roles
    if len(roles) == 1 and len(given.images) == 1:
        given = given.with_role(next(iter(given.images)), roles[0])
    if given.grid.shape != study.grid.shape or not np.allclose(
        given.grid.affine, study.grid.affine, atol=1e-3
    ):
        raise StudyError(
            f"the baseline image has the grid {given.grid.shape} and the study "
            f"{study.grid.shape}, or they lie at another place",
            where=path,
            remedy="Resample it to the study first",
        )
    return prepare(given, model.card, resolution=resolution).array
