"""All walks of a tissue, one after the other: seeded, and resumed where they were left."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...errors import ParameterError
from ...files.atomic_write import remove_file, write_atomically
from ...progress import Progress, Work
from ..gradient_table import Timings
from ..tissue import Tissue
from .homogenised_tissue import homogenised_phases
from .phases import QUANTILES, Phases, quantile_means
from .random_walk import inside_walk, outside_walk

#: Between cylinders thinner than this, in µm, diffusion is taken as homogenised.
THIN = 1.2

#: Fewest spins of a walk.
FEWEST = 100


@dataclass(frozen=True)
class _Walk:
    """One walk: which number it is, what it is called, and what does it."""

    number: int
    title: str
    run: Callable[[], npt.NDArray[np.float32]]


def simulate_work(
    tissue: Tissue,
    timings: Timings,
    *,
    spins: int = 10_000,
    seed: int = 0,
    parts: Path | None = None,
) -> Work[Phases]:
    """Walk inside every radius and between the cylinders of every radius and density.

    Parameters
    ----------
    tissue : Tissue
    timings : Timings
    spins : int
        Of each walk. The standard error of an atom falls with its square root.
    seed : int
        Each walk has a seed of its own, made from this one and its number.
    parts : Path, optional
        Folder that keeps each finished walk: work that was stopped goes on there, with the same
        result. The folder's walks must be of the same tissue, timings, spins and seed.

    Yields
    ------
    Progress
        After each walk.

    Returns
    -------
    Phases

    Raises
    ------
    ParameterError
        Too few spins, or a folder with walks of something else.
    """
    if spins < FEWEST:
        raise ParameterError(
            f"{spins} spins are too few", where="simulation", remedy=f"Take {FEWEST} or more"
        )
    if parts is not None:
        _check_parts(parts, tissue, timings, spins, seed)
    quantiles = min(QUANTILES, spins)
    shape = (len(tissue.radii), len(tissue.densities))
    inside = np.empty((shape[0], quantiles), dtype=np.float32)
    outside = np.empty((*shape, quantiles), dtype=np.float32)
    walks = _walks(tissue, timings, spins, seed, quantiles)
    for done, walk in enumerate(walks):
        yield Progress(done, len(walks), walk.title)
        found = _kept(parts, walk, quantiles)
        if walk.number < shape[0]:
            inside[walk.number] = found
        else:
            outside[divmod(walk.number - shape[0], shape[1])] = found
    return Phases(tissue, timings, inside, outside, spins, seed)


def forget_parts(parts: Path) -> None:
    """Remove the finished walks of a simulation whose result is written."""
    for file in (*parts.glob("walk-*.npy"), parts / "simulation.json"):
        remove_file(file)
    parts.rmdir()


def _walks(tissue: Tissue, timings: Timings, spins: int, seed: int, quantiles: int) -> list[_Walk]:
    d, found = tissue.diffusivity, []
    seeds = np.random.SeedSequence(seed).generate_state(
        len(tissue.radii) * (1 + len(tissue.densities))
    )

    def walk_inside(r: float, own: int) -> npt.NDArray[np.float32]:
        return quantile_means(inside_walk(r, spins, timings, d, own), quantiles)

    def walk_outside(r: float, f: float, own: int) -> npt.NDArray[np.float32]:
        if r < THIN - 1e-9:
            return homogenised_phases(f, timings, d, quantiles)
        return quantile_means(outside_walk(r, f, spins, timings, d, own), quantiles)

    for r in tissue.radii:
        own = int(seeds[len(found)])
        title = f"Inside cylinders of {r:.3g} µm"
        found.append(_Walk(len(found), title, lambda r=r, own=own: walk_inside(r, own)))
    for r in tissue.radii:
        for f in tissue.densities:
            own = int(seeds[len(found)])
            title = f"Between cylinders of {r:.3g} µm, density {f:.3g}"
            run = lambda r=r, f=f, own=own: walk_outside(r, f, own)  # noqa: E731
            found.append(_Walk(len(found), title, run))
    return found


def _kept(parts: Path | None, walk: _Walk, quantiles: int) -> npt.NDArray[np.float32]:
    """A walk that was finished before, else this one, then kept."""
    if parts is None:
        return walk.run()
    file = parts / f"walk-{walk.number:04d}.npy"
    if file.exists():
        try:
            found = np.load(file, allow_pickle=False)
        except (OSError, ValueError):
            found = np.empty(0)
        if found.shape == (quantiles,) and found.dtype == np.float32:
            return found.astype(np.float32)
    found = walk.run()
    stream = BytesIO()
    np.save(stream, found)
    write_atomically(file, stream.getvalue(), overwrite=True)
    return found


def _check_parts(parts: Path, tissue: Tissue, timings: Timings, spins: int, seed: int) -> None:
    """Refuse a folder with walks of something else; mark an empty one."""
    known = {
        "radii": tissue.radii.tolist(),
        "densities": tissue.densities.tolist(),
        "diffusivity": tissue.diffusivity,
        "small_delta": timings.small_delta,
        "big_delta": timings.big_delta,
        "spins": spins,
        "seed": seed,
    }
    file = parts / "simulation.json"
    if file.exists():
        try:
            same = json.loads(file.read_text(encoding="utf-8")) == known
        except ValueError:
            same = False
        if not same:
            raise ParameterError(
                "the folder holds walks of another simulation",
                where=parts,
                remedy="Choose another file for the dictionary, or delete the folder",
            )
    else:
        write_atomically(file, json.dumps(known))
