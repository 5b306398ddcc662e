"""Synthetic tumour studies that anyone can make: in memory, or as files in BraTS layout.

    study = make_phantom(7)
    drain(write_phantoms("phantoms", subjects=20, seed=1))

The same seed gives the same bytes. The anatomy comes from nilearn's ICBM152 maps, the signal from
relaxation times and sequence timings; nobody was scanned.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
import numpy.typing as npt

from ..errors import SparseExplainError
from ..files.atomic_write import moved_together, remove_empty, write_atomically
from ..progress import Progress, Work
from ..volumes.finding import Finding
from ..volumes.grid import Grid, orientation_to_display
from ..volumes.study import Study
from ..volumes.volume import Source, Volume, VolumeKind
from .anatomy import ICBM_NOTICE, template_folder
from .geometry import PhantomGeometry, make_geometry, phantom_grid
from .rendering import PHANTOM_ROLES, draw_appearance, render, render_slices

__all__ = [
    "PHANTOM_ROLES",
    "PhantomGeometry",
    "make_geometry",
    "make_phantom",
    "phantom_shape",
    "render",
    "write_phantoms",
    "write_subject",
]

#: Field of view in mm, that of BraTS: 155 slices of 240 × 240.
FIELD_OF_VIEW_MM = (155.0, 240.0, 240.0)

SPACING_LIMITS_MM = (0.5, 6.0)

#: Range of the brain's median intensity in the integer images.
MEDIAN_INTENSITY = (200.0, 900.0)

#: Name of a subject's folder.
_SUBJECT = re.compile(r"Phantom-\d{5,}")

NOTICE_NAME = "NOTICE.txt"


def phantom_shape(spacing_mm: float) -> tuple[int, int, int]:
    """Voxels (S, P, L) that cover the BraTS field of view at a spacing.

    Raises
    ------
    SparseExplainError
        The spacing is outside `SPACING_LIMITS_MM`.
    """
    low, high = SPACING_LIMITS_MM
    if not low <= spacing_mm <= high:
        raise SparseExplainError(
            f"a spacing of {spacing_mm:g} mm is not possible for a phantom",
            where="spacing",
            remedy=f"Choose {low:g} to {high:g} mm",
        )
    s, p, q = (max(8, round(extent / spacing_mm)) for extent in FIELD_OF_VIEW_MM)
    return s, p, q


def make_phantom(
    seed: int | Sequence[int],
    *,
    spacing_mm: float = 1.0,
    shape: tuple[int, int, int] | None = None,
    tumours: int | None = None,
    appearance_seed: int | None = None,
    name: str | None = None,
) -> Study:
    """One synthetic study: images ``t1, t1ce, t2, flair`` and the label ``seg``.

    Parameters
    ----------
    seed : int or sequence of int
        The same seed gives the same arrays.
    spacing_mm : float
        Isotropic.
    shape : tuple of int, optional
        (S, P, L); the BraTS field of view (155, 240, 240 at 1 mm) when not given.
    tumours : int, optional
        How many; drawn when not given.
    appearance_seed : int, optional
        Draws relaxation times, timings and acquisition on their own: the same patient in another
        scanner.
    name : str, optional
        The study's name.

    Returns
    -------
    Study
        Images int16, 0 outside the brain; ``seg`` uint8 with 1 necrotic and non-enhancing core,
        2 oedema, 4 enhancing tumour.

    Raises
    ------
    SparseExplainError
        nilearn is missing, or the spacing is not possible.
    """
    grid_shape = phantom_shape(spacing_mm) if shape is None else shape
    rng = np.random.default_rng(seed)
    geometry = make_geometry(rng, spacing_mm=spacing_mm, shape=grid_shape, tumours=tumours)
    if appearance_seed is None:
        images = render(geometry, rng)
    else:
        appearance = draw_appearance(np.random.default_rng(appearance_seed))
        images = render_slices(geometry, appearance, rng)
    shown = images["flair"] > 0
    grid = phantom_grid(spacing_mm, grid_shape)
    volumes = {
        role: _volume(_as_integers(rng, image), grid, role, "image")
        for role, image in images.items()
    }
    # A lesion outside a cropped field of view is not in the images, so it is not labelled.
    labels = np.where(shown, geometry.labels, np.uint8(0))
    return Study(
        name=name or f"Phantom {seed}",
        path=None,
        images=volumes,
        labels={"seg": _volume(labels, grid, "seg", "label")},
        grid=grid,
        reference="flair",
        findings=(Finding("info", "synthetic", "This study is synthetic: nobody was scanned."),),
    )


def _as_integers(rng: np.random.Generator, image: npt.NDArray[np.float32]) -> npt.NDArray[np.int16]:
    """Scale to whole numbers as a scanner would; a shown voxel is never 0, the background."""
    shown = image > 0
    if not shown.any():
        return np.zeros(image.shape, dtype=np.int16)
    factor = rng.uniform(*MEDIAN_INTENSITY) / float(np.median(image[shown]))
    scaled = np.clip(np.rint(image * factor), 1, np.iinfo(np.int16).max)
    return np.where(shown, scaled, 0).astype(np.int16)


def _file_affine(grid: Grid) -> npt.NDArray[np.float64]:
    """Affine of the array in file order (L, P, S), as BraTS stores it."""
    affine = np.array(grid.affine)
    affine[:, :3] = affine[:, [2, 1, 0]]
    return affine


def _volume(array: npt.NDArray[np.generic], grid: Grid, role: str, kind: VolumeKind) -> Volume:
    affine = _file_affine(grid)
    s, p, q = grid.shape
    source = Source(
        paths=(),
        format="memory",
        shape=(q, p, s),
        affine=affine,
        dtype=array.dtype,
        to_display=orientation_to_display(affine),
        description=f"synthetic {role}",
    )
    return Volume(array, grid, role, kind, source)


def write_phantoms(
    out: str | Path,
    *,
    subjects: int,
    seed: int,
    spacing_mm: float = 1.0,
    overwrite: bool = False,
) -> Work[list[Path]]:
    """Write ``Phantom-00000/Phantom-00000_flair.nii.gz`` and so on, with a notice beside.

    Subject ``i`` is ``make_phantom((seed, i))``, so a larger number of subjects only adds some.

    Parameters
    ----------
    overwrite : bool
        Whether phantoms that are in ``out`` already make way, all of them: two seeds in one
        folder would be taken for one set.

    Yields
    ------
    Progress
        One step a subject.

    Returns
    -------
    list of Path
        The subjects' folders.

    Raises
    ------
    SparseExplainError
        nilearn is missing, a number is not possible, ``out`` holds phantoms already, or it
        cannot be written.
    """
    out = Path(out)
    if subjects < 1 or seed < 0:
        raise SparseExplainError(
            f"{subjects} subjects with seed {seed} cannot be made",
            where="phantom",
            remedy="Give at least one subject and a seed of 0 or more",
        )
    phantom_shape(spacing_mm)
    template_folder()
    before = _phantoms_in(out)
    if before and not overwrite:
        raise SparseExplainError(
            f"the folder holds {len(before)} phantoms already, which were left as they are",
            where=out,
            remedy="Choose another folder, or allow overwriting (--overwrite)",
        )
    write_atomically(out / NOTICE_NAME, ICBM_NOTICE, overwrite=True)
    folders = []
    for i in range(subjects):
        yield Progress(i, subjects, f"phantom {i + 1} of {subjects}")
        name = f"Phantom-{i:05d}"
        study = make_phantom((seed, i), spacing_mm=spacing_mm, name=name)
        folders.append(write_subject(study, out / name))
    for folder in before:
        if folder not in folders:
            _remove_subject(folder)
    yield Progress(subjects, subjects, "phantoms written")
    return folders


def _phantoms_in(out: Path) -> list[Path]:
    """Folders of phantoms that `write_phantoms` wrote."""
    if not out.is_dir():
        return []
    return sorted(p for p in out.iterdir() if _SUBJECT.fullmatch(p.name) and p.is_dir())


def _remove_subject(folder: Path) -> None:
    """Remove the files that `write_subject` wrote; what a person put beside them stays."""
    for role in (*PHANTOM_ROLES, "seg"):
        (folder / f"{folder.name}_{role}.nii.gz").unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


def write_subject(study: Study, folder: str | Path) -> Path:
    """Write a phantom's volumes as ``folder/<name>_<role>.nii.gz``, the same bytes every time."""
    folder = Path(folder)
    try:
        with moved_together(folder) as temporary:
            for role, volume in {**study.images, **study.labels}.items():
                stored = np.ascontiguousarray(volume.source.restore(np.asarray(volume.data)))
                image = nib.Nifti1Image(stored, volume.source.affine)
                image.header.set_xyzt_units("mm")
                # A time stamp in the gzip header would make two equal files differ.
                packed = gzip.compress(image.to_bytes(), compresslevel=9, mtime=0)
                write_atomically(temporary / f"{study.name}_{role}.nii.gz", packed)
    except BaseException:
        remove_empty([folder])  # a folder without scans would look like a study
        raise
    return folder
