"""All walks of a tissue, one after the other: seeded, and resumed where they were left."""

from __future__ import annotations

import json
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
from .walker import ON_PROCESSOR, Walk, Walker

#: Between cylinders thinner than this, in µm, diffusion is taken as homogenised.
THIN = 1.2

#: Fewest spins of a walk.
FEWEST = 100


def simulate_work(
    tissue: Tissue,
    timings: Timings,
    *,
    spins: int = 10_000,
    seed: int = 0,
    parts: Path | None = None,
    walker: Walker = ON_PROCESSOR,
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
        result. The folder's walks must be of the same tissue, timings, spins, seed and walker.
    walker : Walker
        What makes the walks: one after the other, or many together.

    Yields
    ------
    Progress
        After each walk, or some steps of many.

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
        _check_parts(parts, tissue, timings, spins, seed, walker.name)
    quantiles = min(QUANTILES, spins)
    shape = (len(tissue.radii), len(tissue.densities))
    inside = np.empty((shape[0], quantiles), dtype=np.float32)
    outside = np.empty((*shape, quantiles), dtype=np.float32)
    walks, done = _walks(tissue, seed), 0
    for group in walker.groups(walks, spins):
        yield Progress(done, len(walks), _title(group))
        kept = {walk.number: _kept(parts, walk, quantiles) for walk in group}
        missing = [walk for walk in group if kept[walk.number] is None]
        thin = [walk for walk in missing if _is_thin(walk)]
        for walk in thin:
            assert walk.density is not None
            phases = homogenised_phases(walk.density, timings, tissue.diffusivity, quantiles)
            kept[walk.number] = _keep(parts, walk, phases)
        missing = [walk for walk in missing if walk not in thin]
        if missing:
            work = walker.walked_work(missing, spins, timings, tissue.diffusivity)
            found = yield from _within(work, done, len(walks), len(group), _title(group))
            for walk, phases in zip(missing, found, strict=True):
                kept[walk.number] = _keep(parts, walk, quantile_means(phases, quantiles))
        for number, phases in kept.items():
            if number < shape[0]:
                inside[number] = phases
            else:
                outside[divmod(number - shape[0], shape[1])] = phases
        done += len(group)
    return Phases(tissue, timings, inside, outside, spins, seed)


def forget_parts(parts: Path) -> None:
    """Remove the finished walks of a simulation whose result is written."""
    for file in (*parts.glob("walk-*.npy"), parts / "simulation.json"):
        remove_file(file)
    parts.rmdir()


def _walks(tissue: Tissue, seed: int) -> list[Walk]:
    """Inside every radius, then between the cylinders of every radius and density."""
    places: list[tuple[float, float | None]] = [(float(r), None) for r in tissue.radii]
    places += [(float(r), float(f)) for r in tissue.radii for f in tissue.densities]
    seeds = np.random.SeedSequence(seed).generate_state(len(places))
    return [Walk(n, *place, int(seeds[n])) for n, place in enumerate(places)]


def _is_thin(walk: Walk) -> bool:
    return walk.density is not None and walk.radius < THIN - 1e-9


def _title(group: list[Walk]) -> str:
    if len(group) == 1:
        return group[0].title
    where = "Inside" if group[0].density is None else "Between"
    return f"{where} cylinders of {group[0].radius:.3g} to {group[-1].radius:.3g} µm"


def _within(
    work: Work[list[npt.NDArray[np.float32]]], done: int, total: int, walks: int, title: str
) -> Work[list[npt.NDArray[np.float32]]]:
    """The steps of a group as a share of its walks."""
    while True:
        try:
            step = next(work)
        except StopIteration as end:
            return end.value
        part = done + walks * step.done // max(step.total, 1)
        yield Progress(part, total, f"{title}: {step.message}")


def _kept(parts: Path | None, walk: Walk, quantiles: int) -> npt.NDArray[np.float32] | None:
    """A walk that was finished before."""
    if parts is None or not (file := _file(parts, walk)).exists():
        return None
    try:
        found = np.load(file, allow_pickle=False)
    except (OSError, ValueError):
        return None
    whole = found.shape == (quantiles,) and found.dtype == np.float32
    return found.astype(np.float32) if whole else None


def _keep(
    parts: Path | None, walk: Walk, phases: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    if parts is not None:
        stream = BytesIO()
        np.save(stream, phases)
        write_atomically(_file(parts, walk), stream.getvalue(), overwrite=True)
    return phases


def _file(parts: Path, walk: Walk) -> Path:
    return parts / f"walk-{walk.number:04d}.npy"


def _check_parts(
    parts: Path, tissue: Tissue, timings: Timings, spins: int, seed: int, walker: str
) -> None:
    """Refuse a folder with walks of something else; mark an empty one."""
    known = {
        "radii": tissue.radii.tolist(),
        "densities": tissue.densities.tolist(),
        "diffusivity": tissue.diffusivity,
        "small_delta": timings.small_delta,
        "big_delta": timings.big_delta,
        "spins": spins,
        "seed": seed,
        **({"walker": walker} if walker else {}),
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
                remedy="Choose the device of before or another file for the dictionary, or delete "
                "the folder",
            )
    else:
        write_atomically(file, json.dumps(known))
