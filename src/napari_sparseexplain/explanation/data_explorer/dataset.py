"""All that is known of a labelled folder before a model sees it."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...errors import ReadError
from ...progress import Progress, Work
from ...volumes.finding import Finding
from ...volumes.labelled.labelled_folder import find_labelled, read_labelled
from .duplicates import Pair, duplicates, leaked_patients
from .mask_contrast import Displacement, PatientContrast, displaced
from .outliers import Outlier, outliers
from .slice_record import SliceRecord, as_bytes, finite, measured, shrunk
from .turned_patients import TurnedPatient, turned_patients

#: Side of the maps over all slices.
PLACES = 96

#: Slices that could not be read which are named.
_NAMED = 20


@dataclass(frozen=True, eq=False)
class Dataset:
    """A labelled folder, measured.

    Attributes
    ----------
    root : Path
    records : tuple of SliceRecord
    position : ndarray, shape (PLACES, PLACES)
        Share of the slices whose mask covers each place, over all slices with a mask.
    mean : ndarray, shape (PLACES, PLACES)
        Mean of all slices, each from its darkest to its brightest pixel.
    pairs : tuple of Pair
        Duplicates that are told, of ``pair_count``.
    leaked : mapping of patient to the sides of the split on which it is
    displaced : tuple of Displacement
    turned : tuple of TurnedPatient
    outliers : tuple of Outlier
        The most outlying first.
    findings : tuple of Finding
        What did not match or could not be read.
    """

    root: Path
    records: tuple[SliceRecord, ...]
    position: npt.NDArray[np.float64]
    mean: npt.NDArray[np.float64]
    pairs: tuple[Pair, ...]
    pair_count: int
    leaked: dict[str, tuple[str, ...]]
    displaced: tuple[Displacement, ...]
    turned: tuple[TurnedPatient, ...]
    outliers: tuple[Outlier, ...]
    findings: tuple[Finding, ...]

    @property
    def patients(self) -> tuple[str, ...]:
        """Whose slices these are."""
        return tuple(dict.fromkeys(record.item.patient for record in self.records))

    @property
    def labelled(self) -> int:
        """Slices with something drawn on them."""
        return sum(record.measures.get("area", 0) > 0 for record in self.records)

    @property
    def balance(self) -> float:
        """Share of the pixels of labelled slices that are in the mask."""
        inside = sum(record.measures.get("area", 0.0) for record in self.records)
        pixels = sum(
            record.shape[0] * record.shape[1]
            for record in self.records
            if "area" in record.measures
        )
        return inside / pixels if pixels else 0.0

    @property
    def matrices(self) -> Counter[tuple[int, int]]:
        """How many slices have which rows and columns."""
        return Counter(record.shape for record in self.records)

    @property
    def spacings(self) -> Counter[tuple[float, float] | None]:
        """How many have which pixel size; None where nothing tells."""
        return Counter(record.spacing for record in self.records)

    def values(self, measure: str) -> npt.NDArray[np.float64]:
        """A measure of every slice; NaN where it does not apply."""
        return np.array([record.measures.get(measure, np.nan) for record in self.records])


def explore_work(root: str | Path) -> Work[Dataset]:
    """Read every slice of a folder once and measure it; pixels are not kept.

    Raises
    ------
    ReadError
        No such folder, no slices, or none that can be read.
    """
    found = yield from find_labelled(root)
    findings = list(found.findings)
    records: list[SliceRecord] = []
    patients: dict[str, PatientContrast] = {}
    position, mean = (np.zeros((PLACES, PLACES)) for _ in range(2))
    masks = broken = 0
    for number, item in enumerate(found.slices, 1):
        try:
            pixels = read_labelled(item)
        except ReadError as error:
            broken += 1
            if broken <= _NAMED:
                findings.append(Finding("warning", "unreadable", error.what, item.name))
            continue
        digest = hashlib.sha256(str(pixels.image.shape).encode())
        digest.update(np.ascontiguousarray(pixels.image).tobytes())
        record = measured(item, pixels, digest.digest()[:16])
        records.append(record)
        image = finite(pixels.image)
        mean += as_bytes(shrunk(image, PLACES))
        if pixels.mask is not None and pixels.mask.any():
            masks += 1
            position += shrunk(pixels.mask, PLACES)
            of = patients.setdefault(item.patient, PatientContrast(item.patient))
            of.add(image, pixels.mask)
        yield Progress(number, len(found.slices), item.name)
    if not records:
        raise ReadError(
            f"none of its {len(found.slices)} slices can be read",
            where=root,
            remedy=f"The first one: {findings[0].message}" if findings else "Check the files",
        )
    if broken > _NAMED:
        findings.append(
            Finding("warning", "unreadable", f"{broken - _NAMED} more cannot be read", str(root))
        )
    yield Progress(0, 0, "Comparing the slices")
    pairs, count = duplicates(records, found.root)
    return Dataset(
        found.root,
        tuple(records),
        position / max(1, masks),
        mean / len(records),
        tuple(pairs),
        count,
        leaked_patients(records, found.root),
        tuple(displaced(list(patients.values()))),
        tuple(turned_patients(records)),
        tuple(outliers(records)),
        tuple(findings),
    )
