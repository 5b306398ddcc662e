"""What each layer of the networks that read tissue tells apart: Fig. 4 of Rensonnet et al. 2021.

Voxels whose two populations have the same radius and density are embedded by what a layer answers
to them. Beside the picture a number: how well radius, density and share of a voxel are those of its
neighbours among the activations themselves, which no embedding has bent.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ...explanation.embedding.tsne import COMPONENTS, principal_components, tsne_embedding
from ...microstructure.dictionary import Dictionary
from ...microstructure.gradient_table import GradientTable
from ...microstructure.tissue_samples import SampleRanges, tissue_samples_work
from ...networks.tissue.tissue_modules import HybridModule
from ...networks.tissue.tissue_network import TissueNetwork
from ...progress import Progress, Work

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: What points are coloured by: name, unit.
PARAMETERS = (("Radius index r", "µm"), ("Density index f", ""), ("Share ν of population 1", ""))

#: Neighbours whose mean is compared with a voxel.
NEIGHBOURS = 10


@dataclass(frozen=True, eq=False)
class LayerEmbedding:
    """What one layer makes of the voxels.

    Attributes
    ----------
    network, layer : str
    places : ndarray, shape (P, 2)
        By t-SNE.
    told : tuple of float
        Of r, f and ν: share of the variance that the mean of a voxel's neighbours explains (R²);
        1 where neighbours are alike, 0 where they tell nothing.
    values : ndarray, shape (P, 3)
        r in µm, f, and ν of the population that the network calls the first: of the learned one
        that of the larger share.
    """

    network: str
    layer: str
    places: npt.NDArray[np.float64]
    told: tuple[float, float, float]
    values: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LayerEmbeddings:
    """All layers.

    Attributes
    ----------
    layers : tuple of LayerEmbedding
    """

    layers: tuple[LayerEmbedding, ...]


def layer_embeddings_work(
    hybrid: TissueNetwork,
    learned: TissueNetwork,
    dictionary: Dictionary,
    table: GradientTable,
    *,
    voxels: int = 3000,
    seed: int = 11,
    threads: int = 1,
) -> Work[LayerEmbeddings]:
    """Embed first, middle and last hidden layers of both networks.

    Parameters
    ----------
    voxels : int
        At SNR 50, two populations with the same r and f each. The paper has 11,730.
    """
    ranges = SampleRanges(
        snr=(50.0, 50.0), one_population=0.0, direction_error=0.0, same_tissue=True
    )
    samples = yield from tissue_samples_work(dictionary, table, voxels, seed=seed, ranges=ranges)
    values = np.concatenate([samples.truth[:, 0, 1:], samples.truth[:, 0, :1]], axis=1)
    values = values.astype(np.float64)
    of_hybrid, of_learned = (
        hybrid.activations(samples.weights),
        learned.activations(samples.signals),
    )
    branch = hybrid.module.branch_layers - 1 if isinstance(hybrid.module, HybridModule) else 0
    chosen = [
        ("hybrid", "first layer", of_hybrid[0]),
        ("hybrid", "end of the branches", of_hybrid[branch]),
        ("hybrid", "last hidden layer", of_hybrid[-2]),
        ("learned", "first layer", of_learned[0]),
        ("learned", "middle layer", of_learned[len(of_learned) // 2 - 1]),
        ("learned", "last hidden layer", of_learned[-2]),
    ]
    # Which of two populations is the larger one is what the learned network calls the first.
    shares = {"hybrid": values[:, 2], "learned": np.maximum(values[:, 2], 1 - values[:, 2])}
    found = []
    for number, (network, layer, activations) in enumerate(chosen):
        yield Progress(number, len(chosen), f"Embedding the {network} network's {layer}")
        places = tsne_embedding(activations, seed=seed, threads=threads)
        known = np.column_stack([values[:, :2], shares[network]])
        told = told_by_neighbours(activations, known)
        found.append(LayerEmbedding(network, layer, places, (told[0], told[1], told[2]), known))
    return LayerEmbeddings(tuple(found))


def told_by_neighbours(
    activations: npt.ArrayLike, values: npt.ArrayLike, neighbours: int = NEIGHBOURS
) -> list[float]:
    """R² of values by the mean of a point's neighbours, itself left out.

    Parameters
    ----------
    activations : array_like, shape (P, U)
    values : array_like, shape (P, Q)

    Returns
    -------
    list of float
        One for each of the Q values.
    """
    from scipy.spatial import KDTree

    points = principal_components(np.asarray(activations, dtype=np.float64), COMPONENTS)
    of = np.asarray(values, dtype=np.float64)
    near = np.asarray(KDTree(points).query(points, k=neighbours + 1)[1])[:, 1:]
    rest = ((of[near].mean(axis=1) - of) ** 2).sum(axis=0)
    return (1 - rest / ((of - of.mean(axis=0)) ** 2).sum(axis=0)).tolist()


def layer_picture(found: LayerEmbeddings) -> Figure:
    """A row for each layer, a column for each parameter."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = len(found.layers)
    figure = Figure(figsize=(10.5, 3.1 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, len(PARAMETERS), squeeze=False)
    for row, layer in enumerate(found.layers):
        for column, (name, unit) in enumerate(PARAMETERS):
            ax = axes[row, column]
            points = ax.scatter(
                *layer.places.T, c=layer.values[:, column], s=3, cmap="viridis", linewidths=0
            )
            ax.set_xticks([])
            ax.set_yticks([])
            ax.set_title(f"{name}: R² {layer.told[column]:.2f}", fontsize=9)
            if column == 0:
                ax.set_ylabel(f"{layer.network.capitalize()}:\n{layer.layer}", fontsize=10)
            last = row == rows - 1 or found.layers[row + 1].network != layer.network
            if last:
                figure.colorbar(points, ax=ax, location="bottom", label=unit or None, shrink=0.8)
    return figure


def save_layer_picture(found: LayerEmbeddings, path: Path) -> Path:
    """Write the picture as PNG, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    layer_picture(found).savefig(path, dpi=110)
    return path
