"""The learned thresholds and step sizes of a sparse model, with flags and what each flag means.

Table III of the JF-ML-ISTA paper; the paper found negative thresholds there, which no sparse
model has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ...errors import ModelError
from ...networks.bundle.model import Model
from ...networks.modules.jf_ml_ista_network import JfMlIstaNetwork

#: A flag and the sentence that explains it.
FLAGS = {
    "negative threshold": (
        "The threshold is below 0: instead of removing small coefficients this layer adds to "
        "them, so its codes are not the sparse codes of any model."
    ),
    "step too long": (
        "μ‖D‖² is above 2: a proximal step of this length can raise the objective, so the "
        "iteration need not approach a solution."
    ),
    "dead codes": (
        "Every code of this layer is 0 on this image: the class contributes nothing, and its "
        "threshold may be too high for this scan."
    ),
    "not finite": "The value is NaN or infinite: reset it, or get the model again.",
}


@dataclass(frozen=True)
class ParameterRow:
    """One layer of one class.

    Attributes
    ----------
    class_name : str
    layer : int
        0 is Φ, 1 … L the dictionaries below.
    threshold, step : float
        λ and μ (λ_min and μ_c for layer 0).
    effective_threshold : float
        λ_l / (μ_0 … μ_{l-1}), the multiplier in Eq. 5.
    norm_bound : float
        Certified ‖D‖².
    active : float or None
        Share of non-zero codes on an image, where one was looked at.
    flags : tuple of str
        Keys of `FLAGS`.
    """

    class_name: str
    layer: int
    threshold: float
    step: float
    effective_threshold: float
    norm_bound: float
    active: float | None
    flags: tuple[str, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the flags mean."""
        return tuple(FLAGS[flag] for flag in self.flags)


def sparse_network(model: Model) -> JfMlIstaNetwork:
    """The model's network, which must be an unrolled pursuit.

    Raises
    ------
    ModelError
        It is another one, or one of its thresholds or steps is not finite.
    """
    network = model.network
    if not isinstance(network, JfMlIstaNetwork):
        raise ModelError(
            f"the architecture {model.card.architecture!r} has no components",
            where=model.card.name,
            remedy="Choose a JF-ML-ISTA model, for example jf-ml-ista",
        )
    if not bool(torch.isfinite(network.thresholds).all() & torch.isfinite(network.steps).all()):
        raise ModelError(
            "a threshold or step size of the model is not finite",
            where=model.card.name,
            remedy="Reset it, or load the model again",
        )
    return network


def class_names(model: Model) -> tuple[str, ...]:
    """Names of the classes in channel order.

    Raises
    ------
    ModelError
        The card names another number of classes than the network has.
    """
    names = tuple(model.card.classes.values())
    count = getattr(model.network, "classes", len(names))
    if len(names) != count:
        raise ModelError(
            f"the card names {len(names)} classes and the network has {count}",
            where=model.card.name,
            remedy="Correct 'classes' in card.json: one entry for each, healthy tissue included",
        )
    return names


def parameter_table(
    model: Model, active: Sequence[Sequence[float]] | None = None
) -> list[ParameterRow]:
    """λ, μ, norm bounds and flags of every class and layer.

    Parameters
    ----------
    active : sequence (classes, layers + 1), optional
        Shares of non-zero codes on an image: adds the flag for dead codes.
    """
    network = model.network
    if not isinstance(network, JfMlIstaNetwork):
        sparse_network(model)
        raise AssertionError
    bounds = network.norm_bounds().cpu()
    thresholds, steps = network.thresholds.detach().cpu(), network.steps.detach().cpu()
    rows = []
    for c, name in enumerate(class_names(model)):
        product = 1.0
        for layer in range(thresholds.shape[1]):
            threshold, step = float(thresholds[c, layer]), float(steps[c, layer])
            bound = float(bounds[c, layer])
            share = None if active is None else float(active[c][layer])
            flags = []
            if not all(map(_finite, (threshold, step, bound))):
                flags.append("not finite")
            if threshold < 0:
                flags.append("negative threshold")
            if step * bound > 2.0:
                flags.append("step too long")
            if share == 0.0:
                flags.append("dead codes")
            rows.append(
                ParameterRow(
                    name, layer, threshold, step, threshold / product, bound, share, tuple(flags)
                )
            )
            product *= step
    return rows


def _finite(value: float) -> bool:
    return value == value and abs(value) != float("inf")
