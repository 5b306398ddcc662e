"""JF-ML-ISTA unrolled: a segmentation network whose every weight is part of a sparse model.

Each class has its own convolutional dictionaries; the pursuit of `sparse.jf_ml_ista` is unrolled
with parameters shared over all its iterations, and one 1×1 classifier, the same for every class,
reads the deepest codes. Softmax over the classes gives the segmentation (section IV.C and V.B of
the JF-ML-ISTA paper).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as functional
from torch import nn

from ...errors import ModelError
from ...sparse.convolutional_dictionary import norm_bound, project_to_unit_norm
from ...sparse.jf_ml_ista import ClassModel, Decomposition, Prox, Stage, jf_ml_ista
from .softmax_head import SoftmaxHead

#: Size of the logits that a network starts with.
INITIAL_LOGIT = 2.0

#: Noise on patches that become atoms: equal patches would stay equal atoms.
ATOM_NOISE = 0.3


class ClassCoding(NamedTuple):
    """What one pass gives: the decomposition and what the classifier makes of it.

    Attributes
    ----------
    decomposition : Decomposition
    logits : Tensor, shape (B, classes, H, W)
    """

    decomposition: Decomposition
    logits: torch.Tensor


def _normal(*shape: int, spread: float = 1.0) -> torch.Tensor:
    """Numbers of a normal distribution, or none where shapes alone are asked for ("meta")."""
    made = torch.empty(shape)
    return made if made.is_meta else made.normal_() * spread


class JfMlIstaNetwork(nn.Module):
    """Merged or separate JF-ML-ISTA as a network.

    Parameters
    ----------
    modalities, classes : int
        n and m.
    features : int
        Atoms of every dictionary (F_0 = … = F_L).
    layers : int
        L, dictionaries below Φ; 3 as in the paper.
    kernel : int
        Side of the atoms, odd.
    outer, inner : int
        T and M.
    salience : float
        See `jf_ml_ista`.
    prox : {"relu", "soft"}
        Table I's ReLU, or two-sided soft thresholding.
    separate : bool
        The paper's reference model [8] with the same parameters.
    constrained : bool
        `constrain` keeps thresholds and steps positive, and the model's dictionaries at norms of
        at most 1; False is the paper's training.
    shared_classifier : bool
        One classifier for all classes, as in the paper; False gives each its own.
    order : sequence of int, optional
        In which order the classes are coded, as channel numbers; that of the channels when not
        given. Each class is coded against what those before it left.

    Attributes
    ----------
    phi : Parameter, shape (classes, features, modalities, kernel, kernel)
    dictionaries : ParameterList of shape (classes, features, features, kernel, kernel)
        D_1 … D_L.
    thresholds, steps : Parameter, shape (classes, layers + 1)
        λ_min, λ_1 … λ_L and μ, μ_1 … μ_L, shared over T and M.
    classifier : Parameter, shape (1 or classes, features)
    bias : Parameter, shape (1 or classes,)
    scales : Tensor, shape (layers + 1,)
        What the model's dictionaries are smaller by than the parameters, while a constrained
        network is trained; 1 before and after. See `constrain`.
    """

    scales: torch.Tensor

    def __init__(
        self,
        modalities: int = 4,
        classes: int = 4,
        features: int = 16,
        layers: int = 3,
        kernel: int = 3,
        outer: int = 3,
        inner: int = 2,
        salience: float = 0.5,
        prox: Prox = "relu",
        separate: bool = False,
        constrained: bool = True,
        shared_classifier: bool = True,
        order: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        if min(modalities, classes, features, outer, inner) < 1 or layers < 0 or kernel % 2 == 0:
            raise ValueError(
                "modalities, classes, features, outer and inner must be at least 1, "
                "layers at least 0 and the kernel odd"
            )
        if classes > 256 or layers > 64 or outer * inner > 1000:
            raise ValueError(
                "classes must be at most 256, layers at most 64, and outer times inner at most 1000"
            )
        if prox not in ("relu", "soft"):
            raise ValueError("prox must be relu or soft")
        self.order = tuple(range(classes)) if order is None else tuple(order)
        if sorted(self.order) != list(range(classes)):
            raise ValueError(f"order must name every class from 0 to {classes - 1} once")
        self.modalities, self.classes = modalities, classes
        self.outer, self.inner, self.salience = outer, inner, salience
        self.prox: Prox = prox
        self.separate, self.constrained = separate, constrained
        side = (kernel, kernel)
        self.phi = nn.Parameter(_normal(classes, features, modalities, *side))
        # Close to the identity: random dictionaries of norm 1 lose nearly all of a signal on its
        # way through four layers and back, and the components would start as nothing.
        spread = 0.3 / (kernel * features**0.5)
        self.dictionaries = nn.ParameterList(
            nn.Parameter(_normal(classes, features, features, *side, spread=spread))
            for _ in range(layers)
        )
        with torch.no_grad():
            # Where shapes alone are asked for ("meta"), there are no numbers to add to.
            for stack in self.dictionaries if not self.phi.is_meta else ():
                stack[..., kernel // 2, kernel // 2] += torch.eye(features)
        self.thresholds = nn.Parameter(torch.full((classes, layers + 1), 0.01))
        self.steps = nn.Parameter(torch.ones(classes, layers + 1))
        heads = 1 if shared_classifier else classes
        # Positive, so that a class starts out likelier where more of its codes are in use.
        self.classifier = nn.Parameter(torch.rand(heads, features))
        self.bias = nn.Parameter(torch.zeros(heads))
        self.head = SoftmaxHead()
        self.register_buffer("scales", torch.ones(layers + 1), persistent=False)
        self._to_unit_norm()

    def forward(self, x: torch.Tensor, alpha: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
        """Segment images.

        Parameters
        ----------
        x : Tensor, shape (B, modalities, H, W)
            Any H and W; intensities in (0, 1).
        alpha : float
            Factor on every threshold.

        Returns
        -------
        mask, signal : Tensor, shape (B, classes, H, W)
            Probabilities that add to 1, and the logits.
        """
        logits = self.signal(x, alpha)
        return self.head(logits), logits

    def signal(self, x: torch.Tensor, alpha: float = 1.0) -> torch.Tensor:
        """Logits, shape (B, classes, H, W)."""
        return self.decompose(x, alpha).logits

    def decompose(
        self,
        x: torch.Tensor,
        alpha: float = 1.0,
        *,
        outer: int | None = None,
        gradient_rounds: int | None = None,
        leak: float = 0.0,
        observe: Callable[[Stage], None] | None = None,
    ) -> ClassCoding:
        """Components, codes, residual and logits of images (B, modalities, H, W).

        Parameters
        ----------
        outer : int, optional
            Rounds, to try another number than it was trained with.
        gradient_rounds, leak, observe : optional
            As in `jf_ml_ista`.

        Raises
        ------
        ModelError
            Another number of modalities than the dictionaries are for.
        """
        if x.shape[1] != self.modalities:
            raise ModelError(
                f"the network takes {self.modalities} modalities and was given {x.shape[1]}",
                remedy="Give those that its card names, in that order",
            )
        models = self.class_models(alpha)
        found = jf_ml_ista(
            x,
            models,
            order=self.order,
            outer=self.outer if outer is None else outer,
            inner=self.inner,
            salience=self.salience,
            prox=self.prox,
            separate=self.separate,
            gradient_rounds=gradient_rounds,
            leak=leak,
            observe=observe,
        )
        return ClassCoding(found, self.classify(found.codes))

    def classify(self, codes: Sequence[torch.Tensor]) -> torch.Tensor:
        """Logits of every class's deepest codes, shape (B, classes, H, W)."""
        logits = []
        for place, code in enumerate(codes):
            row = place if self.classifier.shape[0] > 1 else 0
            weight = (self.classifier[row] / self.scales.prod()).view(1, -1, 1, 1)
            logits.append(functional.conv2d(code, weight, self.bias[row : row + 1]))
        return torch.cat(logits, dim=1)

    def class_models(self, alpha: float = 1.0) -> list[ClassModel]:
        """The sparse model of every class, with thresholds times ``alpha``."""
        phi = self.phi / self.scales[0]
        layers = [d / s for d, s in zip(self.dictionaries, self.scales[1:], strict=True)]
        # Codes of a layer grow by the scales of all layers down to it, and thresholds with them.
        above = torch.cat([self.scales.new_ones(1), self.scales.cumprod(0)[:-1]])
        thresholds = alpha * self.thresholds * (above / self.scales)
        steps = self.steps * self.scales.square()
        return [
            ClassModel(
                phi[c],
                [d[c] for d in layers],
                thresholds[c, 0],
                steps[c, 0],
                list(thresholds[c, 1:]),
                list(steps[c, 1:]),
            )
            for c in range(self.classes)
        ]

    @torch.no_grad()
    def initialise(
        self, x: torch.Tensor, truth: torch.Tensor | None = None, share: float = 0.02
    ) -> None:
        """Start from real input: atoms, thresholds, and the size of the logits.

        With the unit-norm dictionaries of the start a fixed threshold may lie above all
        coefficients: every code is then zero and nothing is learned. Random atoms are no better
        start: whichever class is coded first explains all, and the others fall silent.

        Parameters
        ----------
        x : Tensor, shape (B, modalities, H, W)
            Some training images, 0 outside the brain.
        truth : Tensor of int64, shape (B, H, W), optional
            Class of every pixel. Then Φ_c starts as patches of that class; those of all classes
            but the first less the first one's mean, since the first is coded first and the others
            find what it leaves.
        share : float
            Threshold, as a share of the standard deviation of ``Dᵀ·`` inside the brain.
        """
        inside = (x > 0).any(dim=1, keepdim=True)
        if truth is not None:
            self._patches_as_atoms(x, torch.where(inside[:, 0], truth, -1))
        for c, model in enumerate(self.class_models()):
            z = x
            for place, weight in enumerate((model.phi, *model.layers)):
                z = functional.conv2d(z, weight, padding=weight.shape[-1] // 2)
                spread = z.masked_select(inside).std()
                self.thresholds[c, place] = share * spread
                z = torch.relu(z - share * spread)
        # Codes of unit-norm dictionaries are small, and the classifier alone can make logits of
        # them that a softmax tells apart.
        codes = [c.masked_select(inside) for c in self.decompose(x).decomposition.codes]
        size = float(torch.stack(codes).square().mean().sqrt())
        if size > 0:
            self.classifier.mul_(INITIAL_LOGIT / (size * self.classifier.sum(dim=1, keepdim=True)))

    def _patches_as_atoms(self, x: torch.Tensor, truth: torch.Tensor) -> None:
        """Φ_c from patches of its class; a class that the images do not show stays random."""
        kernel, count = self.phi.shape[-1], self.phi.shape[1]
        patches = functional.unfold(x, kernel, padding=kernel // 2).transpose(1, 2)
        patches, classes = patches.reshape(-1, patches.shape[-1]), truth.flatten()
        first = patches[classes == 0]
        usual = first.mean(dim=0) if len(first) else torch.zeros_like(patches[0])
        for c in range(self.classes):
            own = patches[classes == c]
            if len(own) < count:
                continue
            atoms = own[torch.randperm(len(own))[:count]] - (usual if c else 0.0)
            atoms = atoms / atoms.norm(dim=1, keepdim=True).clamp(min=1e-6)
            noise = torch.randn_like(atoms) / atoms.shape[1] ** 0.5
            self.phi[c] = (atoms + ATOM_NOISE * noise).view_as(self.phi[c])
        self._to_unit_norm()

    @torch.no_grad()
    def constrain(self) -> None:
        """After an optimiser step: thresholds at least 0, steps positive, norms at most 1.

        A dictionary that is divided by c, with its step multiplied by c², its threshold divided by
        c and the codes behind it multiplied by c, computes the same: norm, step and size of the
        codes are one quantity. So the parameters stay as the optimiser left them, and the model
        that they stand for (`class_models`) is written with norms of at most 1. One scale serves a
        layer of all classes, since they share the classifier. Does nothing for an unconstrained
        network. Steps are held below 2 as the optimiser has them, so a network that `normalise`
        was called on is not trained on.
        """
        if not self.constrained:
            return
        self.thresholds.clamp_(min=0.0)
        self.steps.clamp_(min=0.05, max=2.0)
        for layer, stack in enumerate((self.phi, *self.dictionaries)):
            largest = torch.stack([norm_bound(weight) for weight in stack]).max()
            # A hair below 1, so that rounding cannot lift it above.
            self.scales[layer] = largest.sqrt() * (1 + 1e-6) if largest > 0 else 1.0

    @torch.no_grad()
    def normalise(self) -> None:
        """Let the parameters be the model that they stand for; what is computed stays the same."""
        models = self.class_models()
        self.classifier.div_(self.scales.prod())
        for c, model in enumerate(models):
            self.phi[c] = model.phi
            for stack, weight in zip(self.dictionaries, model.layers, strict=True):
                stack[c] = weight
            self.thresholds[c] = torch.stack([model.threshold, *model.layer_thresholds])
            self.steps[c] = torch.stack([model.step, *model.layer_steps])
        self.scales.fill_(1.0)

    @torch.no_grad()
    def _to_unit_norm(self) -> None:
        if self.phi.is_meta:  # shapes alone are asked for
            return
        for stack in (self.phi, *self.dictionaries):
            for weight in stack:
                weight.copy_(project_to_unit_norm(weight))

    @torch.no_grad()
    def norm_bounds(self) -> torch.Tensor:
        """Certified ``‖·‖²`` of the model's Φ_c and D_1 … D_L, shape (classes, layers + 1)."""
        models = self.class_models()
        return torch.stack(
            [torch.stack([norm_bound(w) for w in (m.phi, *m.layers)]) for m in models]
        )
