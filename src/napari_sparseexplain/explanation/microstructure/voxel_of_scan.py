"""A voxel of a diffusion scan or of a result: its place, its signals and its fibre directions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...errors import StudyError
from ...evidence import Explanation
from ...microstructure.dictionary import Dictionary
from ...microstructure.search.comparison import compared_voxels
from ...microstructure.simulated_voxels import without_rician_bias
from ...progress import Work
from ...volumes import Study
from .corrections import signals_work
from .diffusion_scan import DiffusionScan, diffusion_scan
from .fingerprint import fibre_peaks_work
from .map_names import DIRECTION_AXES, direction_name
from .shipped_dictionary import dictionary_sha256


def voxel_of_result(
    result: Explanation,
    study: Study,
    index: tuple[int, int, int],
    of: DiffusionScan | None = None,
) -> tuple[DiffusionScan, tuple[int, int, int], int]:
    """The scan of a result, the voxel of its own grid, and how many populations that has.

    Raises
    ------
    SparseExplainError
        The voxel lies off the study or was not compared, or the scan is not what it was.
    """
    check_place(study, index)
    span = result.slices
    place = (index[0] - span.start, *index[1:])
    inside = span.start <= index[0] < span.stop
    count = int(np.asarray(result["populations"].data)[place]) if inside else 0
    if not count:
        raise not_compared(str(result.provenance.parameters["scan"]), index)
    of = of or scan_of_result(result, study)
    at = own_place(of, index)
    if at is None:
        raise not_compared(of.role, index)
    return of, at, count


def directions_at(
    result: Explanation, of: DiffusionScan, index: tuple[int, int, int], count: int
) -> npt.NDArray[np.float64]:
    """Directions that a result has at a voxel, along the scan's own axes, shape (count, 3)."""
    place = (index[0] - result.slices.start, *index[1:])
    ways = np.array(
        [
            [np.asarray(result[direction_name(k, axis)].data)[place] for axis in DIRECTION_AXES]
            for k in range(1, count + 1)
        ],
        dtype=np.float64,
    )
    # They are told along the study's axes, and the scan's own may be others.
    ways = ways @ of.placed(slice(index[0], index[0] + 1)).turn
    return ways / np.linalg.norm(ways, axis=1, keepdims=True)


def scan_of_result(result: Explanation, study: Study) -> DiffusionScan:
    """The diffusion scan of a result, with the timings that it was compared with."""
    said = result.provenance.parameters
    of = diffusion_scan(
        study,
        str(said["scan"]),
        small_delta=float(said.get("small_delta", 0.0)),
        big_delta=float(said.get("big_delta", 0.0)),
        resampled=True,
    )
    now = {**of.checksums, "dictionary_sha256": ""}
    if "dictionary" in said:
        now["dictionary_sha256"] = dictionary_sha256(str(said["dictionary"]))
    for name, what in (("gradients_checksum", "gradients"), ("dictionary_sha256", "dictionary")):
        if said.get(name) and said[name] != now[name]:
            raise StudyError(
                f"the {what} are not those of the result" if what == "gradients"
                else f"the {what} is not that of the result",
                where=of.role, remedy="Run the method again, and click in the new result",
            )  # fmt: skip
    return of


def own_place(of: DiffusionScan, index: tuple[int, int, int]) -> tuple[int, int, int] | None:
    """The voxel of the scan's own grid that a voxel of the study shows; None outside of it."""
    placed = of.placed(slice(index[0], index[0] + 1))
    if placed.nearest is None:
        return index
    number = int(placed.nearest[(0, *index[1:])])
    if number < 0:
        return None
    shape = (placed.rows.stop - placed.rows.start, *of.grid.shape[1:])
    s, p, l = np.unravel_index(number, shape)  # noqa: E741
    return int(s) + placed.rows.start, int(p), int(l)


def signal_of_voxel_work(
    of: DiffusionScan, at: tuple[int, int, int], *, denoise: bool
) -> Work[npt.NDArray[np.floating]]:
    """Signals of one voxel as they were compared, shape (M,)."""
    if not denoise:
        return of.signals[at]
    signals = yield from signals_work(of, slice(at[0], at[0] + 1), denoise=True)
    return signals[(0, *at[1:])]


def peaks_of_voxel_work(
    of: DiffusionScan,
    at: tuple[int, int, int],
    signal: npt.NDArray[np.floating],
    dictionary: Dictionary,
    sigma: float,
    populations: int,
    refine: bool,
) -> Work[npt.NDArray[np.float64] | None]:
    """Fibre directions of one voxel as the method has them, shape (K, 3); None without any."""
    one = np.asarray(signal).reshape(1, 1, 1, -1)
    peaks = yield from fibre_peaks_work(of, one, np.ones((1, 1, 1), dtype=bool), populations)
    count = int(peaks.count[0, 0, 0])
    if populations:
        count = min(count, populations)
    if not count:
        return None
    y = without_rician_bias(signal[None], sigma)
    ways = np.asarray(peaks.directions[0, 0, 0], dtype=np.float64)[None]
    compared = compared_voxels(
        dictionary, of.table, y, ways, sigma, count=count, refine=refine
    )  # fmt: skip
    return compared.directions[0, :count]


def check_place(study: Study, index: tuple[int, int, int]) -> None:
    shape = study.grid.shape
    if len(index) != len(shape) or any(
        not 0 <= n < size for n, size in zip(index, shape, strict=True)
    ):
        counted = " × ".join(str(size) for size in shape)
        raise StudyError(
            f"the study has no voxel {', '.join(str(n + 1) for n in index)} (counted from 1)",
            where=study.name,
            remedy=f"It has {counted} slices, rows and columns",
        )


def not_compared(role: str, index: tuple[int, int, int]) -> StudyError:
    return StudyError(
        f"the voxel at slice {index[0] + 1}, row {index[1] + 1}, column {index[2] + 1} was not "
        "compared: no fibre direction, or outside the head",
        where=role,
        remedy="Choose a voxel of white matter",
    )
