"""Two scans of one patient laid over each other by a turn and a shift, with SimpleITK.

Mattes' mutual information [1]_ of both scans is raised from coarse to fine; at the coarsest step
from several starts, since where a patient lay is not known. It is done both ways, apart from each
other: where the two do not undo each other the registration has failed, and nothing is given.

References
----------
.. [1] D. Mattes, D. R. Haynor, H. Vesselle, T. K. Lewellen, W. Eubank, PET-CT image registration in
   the chest using free-form deformations, IEEE Trans. Med. Imaging 22(1), 2003.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import StudyError
from ...progress import Progress, Work
from ..volume import Volume
from .registration_error import both_ways_error
from .rigid_motion import RAS_LPS, Matrix, mean_distance, moved, turn_degrees
from .working_scan import WorkingScan, working_scans

#: Both ways may differ by so many mm on the average; above it a person is warned, and above the
#: second one nothing is given.
WARN_MM, FAILED_MM = 1.5, 5.0

#: Least share of the current head that the prior must cover.
LEAST_OVERLAP = 0.25

#: Largest motion that is believed: people are turned by less.
_MOST_DEGREES = 60.0

_BINS = 40
_ITERATIONS = (60, 60, 40)
#: Turned starts about ITK's axes, radians, where those as the files say have failed.
_TURNS = [
    tuple(sign * 0.5 if axis == turned else 0.0 for axis in range(3))
    for turned in range(3)
    for sign in (-1, 1)
]
#: Share of the voxels that are looked at, coarse to fine.
_SAMPLED = (1.0, 0.5, 0.2)
_SEED = 20030101
#: Sums of several threads come out in another order each time.
_PARTS = 1
_POINTS = 2000


@dataclass(frozen=True, eq=False)
class RigidRegistration:
    """How a prior is moved onto a current scan.

    Attributes
    ----------
    matrix : ndarray, shape (4, 4)
        RAS+ millimetres of the prior to those of the current scan.
    both_ways_mm : float
        How far there and back again is from where it began, on the average over the head
        (`both_ways_error`); no target registration error.
    moved_mm, turned_degrees : float
        How far the head was moved on the average, and turned.
    information_before, information_after : float
        Mutual information as the files say, and registered, in nats; higher is better.
    overlap : float
        Share of the current head that the prior covers.
    notes : tuple of str
        What a person must know.
    """

    matrix: Matrix
    both_ways_mm: float
    moved_mm: float
    turned_degrees: float
    information_before: float
    information_after: float
    overlap: float
    notes: tuple[str, ...] = ()

    def words(self) -> str:
        """One sentence with the figures."""
        return (
            f"moved by {self.moved_mm:.1f} mm on the average, turned by "
            f"{self.turned_degrees:.1f}°; both ways agree to {self.both_ways_mm:.2f} mm; mutual "
            f"information {self.information_before:.3f} before, {self.information_after:.3f} "
            f"after; {100 * self.overlap:.0f} % of the current head covered"
        )


def simpleitk() -> Any:
    """SimpleITK.

    Raises
    ------
    StudyError
        It is not installed.
    """
    try:
        import SimpleITK
    except ImportError as error:
        raise StudyError(
            "SimpleITK, which registers scans, is not installed",
            where="registration",
            remedy='pip install "napari-sparseexplain[registration]", or use a transform file, or '
            "move the prior by hand",
        ) from error
    return SimpleITK


def register_rigid_work(current: Volume, prior: Volume) -> Work[RigidRegistration]:
    """The turn and the shift that lay a prior over a current scan.

    The same scans give the same motion, bit for bit, on one machine.

    Parameters
    ----------
    current, prior : Volume
        Scans as they were on file, of any contrasts and grids.

    Raises
    ------
    StudyError
        SimpleITK is missing; a scan is a label map, in colour, without millimetres or orientation,
        of fewer than four slices, or constant; or no motion was found that both ways agree on.
        Nothing is moved then.
    """
    sitk = simpleitk()
    total = 2 * (len(_ITERATIONS) + 2) + 2
    yield Progress(0, total, "preparing both scans")
    fixed = working_scans(current, "current", other=prior)
    yield Progress(1, total, "preparing both scans")
    moving = working_scans(prior, "prior", other=current)
    head, prior_head = fixed[-1].head_points(_POINTS), moving[-1].head_points(_POINTS)
    for turned in (False, True):
        # Only where the two do not undo each other turned starts are worth their time.
        there = yield from _search(sitk, fixed, moving, 2, total, turned=turned)
        back = yield from _search(sitk, moving, fixed, 1 + total // 2, total, turned=turned)
        # ITK maps points of the fixed image to those of the moving one.
        forward, backward = np.linalg.inv(there.matrix), np.linalg.inv(back.matrix)
        error = both_ways_error(forward, backward, prior_head)
        if error <= FAILED_MM:
            break
    result = RigidRegistration(
        forward,
        error,
        mean_distance(forward, prior_head),
        turn_degrees(forward),
        there.before,
        there.after,
        _covered(prior, moved(head, np.linalg.inv(forward))),
    )
    _check(result)
    notes = []
    if error > WARN_MM:
        notes.append(f"both ways differ by {error:.1f} mm: look at the check picture")
    if result.overlap < 0.8:
        notes.append(f"the prior covers only {100 * result.overlap:.0f} % of the current head")
    return RigidRegistration(**{**vars(result), "notes": tuple(notes)})


def _check(found: RigidRegistration) -> None:
    """Refuse what cannot be right."""
    why = ""
    if found.both_ways_mm > FAILED_MM:
        why = f"both ways differ by {found.both_ways_mm:.0f} mm"
    elif found.overlap < LEAST_OVERLAP:
        why = f"the prior would cover only {100 * found.overlap:.0f} % of the current head"
    elif found.turned_degrees > _MOST_DEGREES:
        why = f"the head would be turned by {found.turned_degrees:.0f}°"
    elif found.information_after < found.information_before - 1e-3:
        why = "the scans fit worse than before"
    if why:
        raise StudyError(
            f"the registration failed ({why}); nothing was moved",
            where="registration",
            remedy="Choose scans of one kind, give a transform file, or move the prior by hand",
        )


@dataclass(frozen=True, eq=False)
class _Found:
    """One way: fixed to moving RAS+ mm, and the mutual information without and with it."""

    matrix: Matrix
    before: float
    after: float


def _search(
    sitk: Any,
    fixed: list[WorkingScan],
    moving: list[WorkingScan],
    done: int,
    total: int,
    *,
    turned: bool,
) -> Work[_Found]:
    pictures = [(_image(sitk, f), _image(sitk, m)) for f, m in zip(fixed, moving, strict=True)]
    centre = fixed[0].head_points(_POINTS).mean(axis=0)
    best: Any = None
    starts = [(*start, (0.0, 0.0, 0.0)) for start in _starts(fixed[0], moving[0])]
    if turned:
        heads = moving[0].head_points(_POINTS).mean(axis=0) - centre
        starts += [("turned heads", heads, turn) for turn in _TURNS]
    for number, (name, shift, turn) in enumerate(starts):
        yield Progress(min(done + number, total), total, f"coarse fit, {name}")
        start = sitk.Euler3DTransform()
        start.SetRotation(*turn)
        start.SetCenter([float(v) for v in centre * (-1, -1, 1)])
        start.SetTranslation([float(v) for v in shift * (-1, -1, 1)])
        found, value = _fit(sitk, *pictures[0], start, 0)
        if best is None or value < best[1]:
            best = found, value
    transform, done = best[0], done + 3
    for level in range(1, len(pictures)):
        yield Progress(done, total, f"finer fit, {fixed[level].spacing:.1f} mm")
        done += 1
        transform, _ = _fit(sitk, *pictures[level], transform, level)
    untouched = sitk.Euler3DTransform()
    before, after = (-_measure(sitk, *pictures[-1], t) for t in (untouched, transform))
    return _Found(_matrix(transform), before, after)


def _starts(fixed: WorkingScan, moving: WorkingScan) -> list[tuple[str, Matrix]]:
    """Shifts in RAS mm from which the coarse fit begins; nearly equal ones once."""
    middles = moving.middle - fixed.middle
    heads = moving.head_points(_POINTS).mean(axis=0) - fixed.head_points(_POINTS).mean(axis=0)
    starts = [("as the files say", np.zeros(3)), ("heads over each other", heads)]
    starts.append(("middles over each other", middles))
    kept: list[tuple[str, Matrix]] = []
    for name, shift in starts:
        if all(np.linalg.norm(shift - other) > fixed.spacing / 2 for _, other in kept):
            kept.append((name, shift))
    return kept


def _method(sitk: Any, level: int) -> Any:
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(numberOfHistogramBins=_BINS)
    method.SetMetricSamplingStrategy(method.REGULAR if _SAMPLED[level] < 1 else method.NONE)
    if _SAMPLED[level] < 1:
        method.SetMetricSamplingPercentage(_SAMPLED[level], seed=_SEED)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetNumberOfWorkUnits(_PARTS)
    return method


def _fit(sitk: Any, fixed: Any, moving: Any, start: Any, level: int) -> tuple[Any, float]:
    method = _method(sitk, level)
    spacing = float(fixed.GetSpacing()[0])
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=spacing,
        minStep=spacing / 500,
        numberOfIterations=_ITERATIONS[level],
        relaxationFactor=0.6,
        gradientMagnitudeTolerance=1e-6,
    )
    method.SetOptimizerScalesFromPhysicalShift()
    # Python gets a turn with every step of the optimiser: a window beside it stays alive.
    method.AddCommand(sitk.sitkIterationEvent, lambda: None)
    transform = sitk.Euler3DTransform(start)
    method.SetInitialTransform(transform, inPlace=True)
    try:
        method.Execute(fixed, moving)
    except RuntimeError as error:
        raise StudyError(
            "the registration failed (the scans do not overlap enough); nothing was moved",
            where="registration",
            remedy="Give a transform file, or move the prior by hand",
        ) from error
    return transform, float(method.GetMetricValue())


def _measure(sitk: Any, fixed: Any, moving: Any, transform: Any) -> float:
    """Mattes' measure (lower is better); 0, no information, where the scans do not overlap."""
    method = _method(sitk, 0)
    method.SetInitialTransform(transform)
    try:
        return float(method.MetricEvaluate(fixed, moving))
    except RuntimeError:
        return 0.0


def _image(sitk: Any, scan: WorkingScan) -> Any:
    """A scan along the patient's axes: its columns, rows and slices are ITK's x, y and z."""
    image = sitk.GetImageFromArray(scan.values)
    image.SetSpacing([scan.spacing] * 3)
    image.SetOrigin([float(v) for v in (RAS_LPS @ [*scan.first, 1.0])[:3]])
    return image


def _matrix(transform: Any) -> Matrix:
    """RAS+ millimetres of the fixed image to those of the moving one."""
    points = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    ends = np.array([transform.TransformPoint([float(v) for v in p]) for p in points])
    matrix = np.eye(4)
    matrix[:3, 3] = ends[0]
    matrix[:3, :3] = (ends[1:] - ends[0]).T
    return RAS_LPS @ matrix @ RAS_LPS


def _covered(volume: Volume, points_mm: npt.NDArray[np.float64]) -> float:
    """Share of points inside a scan's field of view."""
    index = volume.grid.index(points_mm)
    inside = (index >= -0.5) & (index <= np.asarray(volume.grid.shape) - 0.5)
    return float(inside.all(axis=1).mean())
