"""Training slices from phantoms: many renderings of a few hundred geometries.

Every slice has its own draw of relaxation times, timings and acquisition, so 20,000 slices of
260 geometries show 20,000 scanners. They are normalised exactly as a scan is at inference.
"""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...errors import ReadError, SparseExplainError
from ...files.atomic_write import cannot_write, check_free, hidden_file, move_file, refuse_existing
from ...phantom.geometry import make_geometry
from ...phantom.intensity_range import brain_sample, rendered_range
from ...phantom.rendering import PHANTOM_ROLES, draw_appearance, render_slices
from ...progress import Progress, Work

#: Share of the slices of a phantom with a tumour that show some of it.
TUMOUR_SHARE = 0.75

#: Height of the field of view in mm; 155 slices of 1 mm as in BraTS, with room for the pose.
HEIGHT_MM = 180.0

#: A slice with fewer brain voxels than this share of the largest one is not used.
SMALLEST_SLICE = 0.04


@dataclass(frozen=True, eq=False)
class PhantomSlices:
    """Slices ready for training.

    Attributes
    ----------
    x : ndarray of uint8, shape (N, C, H, W)
        Images normalised to (0, 1) by the brain range, times 255; 0 outside the brain.
    y : ndarray of uint8, shape (N, H, W)
        BraTS labels 0, 1, 2, 4.
    geometry : ndarray of int32, shape (N,)
        Which phantom a slice is of: sets are split by it, never by slice.
    roles : tuple of str
        The channels.
    spacing_mm : float
    seed : int
    """

    x: npt.NDArray[np.uint8]
    y: npt.NDArray[np.uint8]
    geometry: npt.NDArray[np.int32]
    roles: tuple[str, ...]
    spacing_mm: float
    seed: int
    _known: dict[str, npt.NDArray[np.bool_]] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return self.x.shape[0]

    def split(self, held_out: float) -> tuple[PhantomSlices, PhantomSlices]:
        """(training, held-out) by phantom; the last share ``held_out`` of phantoms is held out."""
        phantoms = np.unique(self.geometry)
        first = phantoms[phantoms.size - round(held_out * phantoms.size) :]
        apart = np.isin(self.geometry, first)
        return self._pick(~apart), self._pick(apart)

    def _pick(self, which: npt.NDArray[np.bool_]) -> PhantomSlices:
        return PhantomSlices(
            self.x[which],
            self.y[which],
            self.geometry[which],
            self.roles,
            self.spacing_mm,
            self.seed,
        )

    def with_lesion(self) -> npt.NDArray[np.bool_]:
        """Which slices show a lesion, shape (N,); looked up once."""
        if "lesion" not in self._known:
            self._known["lesion"] = np.asarray((self.y > 0).any(axis=(1, 2)))
        return self._known["lesion"]

    def checksum(self) -> str:
        """sha256 of images and labels: the identity of a training's data."""
        digest = hashlib.sha256()
        for array in (self.x, self.y):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    def save(self, path: str | Path) -> None:
        """Write one compressed ``.npz`` (arrays and strings only, no pickle), in one step."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = hidden_file(path.parent, ".writing-")
        try:
            with open(temporary, "wb") as stream:
                np.savez_compressed(
                    stream,
                    x=self.x,
                    y=self.y,
                    geometry=self.geometry,
                    roles=np.array(self.roles),
                    spacing_mm=np.float64(self.spacing_mm),
                    seed=np.int64(self.seed),
                )
            move_file(temporary, path, overwrite=True)
        finally:
            temporary.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: str | Path) -> PhantomSlices:
        """Read what `save` wrote.

        Raises
        ------
        ReadError
            The file is missing, damaged, or not a set of slices.
        """
        remedy = "Make the set again: sparseexplain phantom-slices --out FILE.npz"
        try:
            with np.load(path, allow_pickle=False) as stored:
                found = {name: stored[name] for name in stored.files}
        except OSError as error:
            said = error.strerror or "the file is damaged"
            raise ReadError(
                f"the training slices cannot be read ({said})", where=path, remedy=remedy
            ) from error
        except Exception as error:  # whatever damaged bytes provoke in zipfile, zlib and NumPy
            raise ReadError(
                "the training slices cannot be read (the file is damaged, or of another kind)",
                where=path,
                remedy=remedy,
            ) from error
        wanted = {"x", "y", "geometry", "roles", "spacing_mm", "seed"}
        if missing := sorted(wanted - found.keys()):
            raise ReadError(
                f"the file lacks {', '.join(missing)}, so it is no set of training slices",
                where=path,
                remedy=remedy,
            )
        return cls(
            x=found["x"],
            y=found["y"],
            geometry=found["geometry"],
            roles=tuple(str(role) for role in found["roles"]),
            spacing_mm=float(found["spacing_mm"]),
            seed=int(found["seed"]),
        )


@dataclass(frozen=True)
class _Order:
    """One geometry's part of the work; plain values, so that a worker process can take it."""

    index: int
    seed: np.random.SeedSequence
    count: int
    roles: tuple[str, ...]
    size: int
    spacing_mm: float
    jitter: float


_Part = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]


def render_training_slices(
    *,
    geometries: int,
    slices: int,
    seed: int,
    roles: Sequence[str] = ("flair",),
    size: int = 128,
    spacing_mm: float = 1.875,
    range_jitter: float = 0.1,
    workers: int = 1,
) -> Work[PhantomSlices]:
    """Render ``slices`` slices of ``geometries`` phantoms.

    Parameters
    ----------
    geometries, slices : int
    seed : int
        Gives the same set for any number of workers.
    roles : sequence of str
        Channels, among ``t1, t1ce, t2, flair``.
    size : int
        Pixels along a side.
    spacing_mm : float
        In plane and between slices; 240 mm over 128 pixels unless told otherwise.
    range_jitter : float
        The normalisation's range is multiplied by a factor within 1 ± this.
    workers : int
        Processes.

    Yields
    ------
    Progress
        One step a geometry.

    Raises
    ------
    SparseExplainError
        nilearn's ICBM152 maps are missing, or the numbers or roles are not possible.
    """
    _check_wishes(geometries, slices, seed, roles)
    share = np.full(geometries, slices // geometries)
    share[: slices % geometries] += 1
    children = np.random.SeedSequence(seed).spawn(geometries)
    orders = [
        _Order(i, child, int(n), tuple(roles), size, spacing_mm, range_jitter)
        for i, (child, n) in enumerate(zip(children, share, strict=True))
    ]
    x = np.zeros((slices, len(roles), size, size), dtype=np.uint8)
    y = np.zeros((slices, size, size), dtype=np.uint8)
    done = 0
    for i, (images, labels) in enumerate(_parts(orders, workers)):
        x[done : done + len(images)] = images
        y[done : done + len(images)] = labels
        done += len(images)
        yield Progress(i + 1, geometries, "rendering phantoms")
    return PhantomSlices(
        x=x,
        y=y,
        geometry=np.repeat(np.arange(geometries, dtype=np.int32), share),
        roles=tuple(roles),
        spacing_mm=spacing_mm,
        seed=seed,
    )


def write_training_slices(
    out: str | Path,
    *,
    geometries: int,
    slices: int,
    seed: int,
    roles: Sequence[str] = ("flair",),
    size: int = 128,
    spacing_mm: float = 1.875,
    workers: int = 1,
    overwrite: bool = False,
) -> Work[PhantomSlices]:
    """`render_training_slices` into one ``.npz``, whole or not at all.

    What cannot be written is refused before the hours of rendering, not after.

    Raises
    ------
    SparseExplainError
        ``out`` is there already, is no ``.npz``, or cannot be written; or as rendering says.
    """
    out = Path(out)
    if out.suffix != ".npz":
        raise SparseExplainError(
            "training slices are kept in an .npz file", where=out, remedy="Give --out FILE.npz"
        )
    check_free([out], overwrite=overwrite)
    made = yield from render_training_slices(
        geometries=geometries,
        slices=slices,
        seed=seed,
        roles=roles,
        size=size,
        spacing_mm=spacing_mm,
        workers=workers,
    )
    yield Progress(geometries, geometries, f"writing {out.name}")
    refuse_existing(out, overwrite)
    try:
        made.save(out)
    except OSError as error:
        raise cannot_write("the file", out, error) from error
    return made


def _check_wishes(geometries: int, slices: int, seed: int, roles: Sequence[str]) -> None:
    if geometries < 1 or slices < geometries or seed < 0:
        raise SparseExplainError(
            f"{slices} slices of {geometries} phantoms with seed {seed} cannot be made",
            where="phantom slices",
            remedy="Give at least one phantom, a slice or more of each, and a seed of 0 or more",
        )
    unknown = [role for role in roles if role not in PHANTOM_ROLES]
    if unknown or not roles or len(set(roles)) < len(roles):
        raise SparseExplainError(
            f"the channels {', '.join(roles) or 'none'} cannot be rendered",
            where="phantom slices",
            remedy=f"Give each at most once, among {', '.join(PHANTOM_ROLES)}",
        )


def _parts(orders: list[_Order], workers: int) -> Iterator[_Part]:
    """Every order's slices, in order."""
    if workers <= 1:
        yield from map(_render_order, orders)
        return
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        with _interrupts_are_ours():
            futures: list[Future[_Part]] = [pool.submit(_render_order, order) for order in orders]
        for future in futures:
            yield future.result()
    finally:
        # Also on Cancel: what has not begun is dropped.
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _interrupts_are_ours() -> Iterator[None]:
    """Processes begun here do not hear Ctrl-C, which a terminal tells all: they end with us."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _render_order(order: _Order) -> _Part:
    rng = np.random.default_rng(order.seed)
    depth = round(HEIGHT_MM / order.spacing_mm)
    shape = (depth, order.size, order.size)
    geometry = make_geometry(rng, spacing_mm=order.spacing_mm, shape=shape)
    sample = brain_sample(geometry, rng)
    brain = np.zeros(depth)
    brain[geometry.box[0]] = geometry.brain.sum(axis=(1, 2))
    lesion = np.asarray((geometry.labels > 0).any(axis=(1, 2)))
    wanted = _choose(rng, brain, lesion, order.count)
    x = np.zeros((order.count, len(order.roles), order.size, order.size), dtype=np.uint8)
    y = np.zeros((order.count, order.size, order.size), dtype=np.uint8)
    for i, index in enumerate(wanted):
        # A cropped field of view may leave nothing of this slice: then another scan is drawn.
        while True:
            appearance = draw_appearance(rng)
            images = render_slices(geometry, appearance, rng, order.roles, [int(index)])
            if any(image.any() for image in images.values()):
                break
        # What lies outside the field of view is no lesion that anyone could find.
        y[i] = np.where(images[order.roles[0]][0] > 0, geometry.labels[index], 0)
        for channel, role in enumerate(order.roles):
            low, high = rendered_range(sample, appearance, rng, role)
            high = low + (high - low) * rng.uniform(1.0 - order.jitter, 1.0 + order.jitter)
            image = images[role][0]
            scaled = np.clip((image - low) / (high - low), 0.0, 1.0)
            x[i, channel] = np.rint(255.0 * np.where(image > 0, scaled, 0.0)).astype(np.uint8)
    return x, y


def _choose(
    rng: np.random.Generator,
    brain: npt.NDArray[np.float64],
    lesion: npt.NDArray[np.bool_],
    count: int,
) -> npt.NDArray[np.intp]:
    """Slice indices: three quarters with tumour where there is one, the rest anywhere else."""
    usable = brain > SMALLEST_SLICE * brain.max()
    with_tumour = np.flatnonzero(usable & lesion)
    without = np.flatnonzero(usable & ~lesion)
    if with_tumour.size == 0 or without.size == 0:
        return rng.choice(np.flatnonzero(usable), count)
    pick = rng.random(count) < TUMOUR_SHARE
    return np.where(pick, rng.choice(with_tumour, count), rng.choice(without, count))
