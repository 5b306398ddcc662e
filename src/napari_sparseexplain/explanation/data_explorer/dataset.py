"""All that is known of a labelled folder, or of a list of studies, before a model sees it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...errors import ReadError
from ...progress import Progress, Work
from ...volumes.finding import Finding
from ...volumes.labelled.labelled_folder import ALL_LABELS, find_labelled, read_labelled
from .differences import Difference, differences
from .duplicates import Pair, duplicates_work, leaked_patients
from .explored_studies import measure_studies
from .find_studies import find_studies, holds_studies
from .mask_contrast import Displacement
from .measuring import Measuring
from .outliers import Outlier, outliers
from .slice_record import SliceRecord
from .study_facts import StudyFacts
from .turned_patients import TurnedPatient, turned_work

#: Slices that could not be read which are named.
_NAMED = 20


@dataclass(frozen=True)
class ClassTotal:
    """One class over the whole set.

    Attributes
    ----------
    slices, pixels : int
    share : float
        Of all pixels in which anything is drawn.
    millilitres : float
        NaN where voxels have no known size.
    """

    slices: int
    pixels: int
    share: float
    millilitres: float


@dataclass(frozen=True, eq=False)
class Dataset:
    """A labelled folder or a list of studies, measured.

    Attributes
    ----------
    root : Path
        The folder, or the one around all studies.
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
    differences : tuple of Difference
        Patients whose matrix, pixel size or orientation is not that of the rest.
    findings : tuple of Finding
        What did not match or could not be read.
    studies : tuple of StudyFacts
        Empty of a labelled folder.
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
    differences: tuple[Difference, ...]
    findings: tuple[Finding, ...]
    studies: tuple[StudyFacts, ...] = ()

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
    def classes(self) -> dict[str, ClassTotal]:
        """Slices, pixels and volume of each class; the largest first."""
        slices: Counter[str] = Counter()
        pixels: Counter[str] = Counter()
        for record in self.records:
            slices.update(record.classes.keys())
            pixels.update(record.classes)
        volumes = {
            name: sum(s.voxels.get(name, 0) * s.voxel_ml for s in self.studies) for name in pixels
        }
        total = sum(pixels.values())
        return {
            name: ClassTotal(slices[name], count, count / total, volumes[name] or float("nan"))
            for name, count in pixels.most_common()
        }

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


def explore_work(*places: str | Path, scan: str = "") -> Work[Dataset]:
    """Read every slice once and measure it; pixels are not kept.

    Parameters
    ----------
    places : str or Path
        One folder of pictures with masks or of DICOM files with contours (`find_labelled`); or
        studies, and folders of these (`find_studies`): of a study each slice with a mask counts.
    scan : str, optional
        Of studies, the role of the scan that is measured; default the one that is shown first.

    Raises
    ------
    ReadError
        No such folder, no slices, none that can be read, or no study with the scan.
    """
    paths = [Path(place).expanduser() for place in places]
    # As they lie below the folder around them; one that is called "." has a name, too.
    if len(paths) > 1 or any(path.name in ("", "..") for path in paths):
        paths = [path.resolve() for path in paths]
    for path in paths:
        if not path.exists():
            raise ReadError(
                "there is no such folder" if len(paths) == 1 else "there is no such file or folder",
                where=path,
                remedy="Give a folder of images with masks, or studies",
            )
    yield Progress(0, 0, "Looking for slices")
    if holds_studies(paths) and (found := find_studies(paths)):
        return (yield from _studies_work(paths, found, scan))
    if len(paths) != 1:
        raise ReadError(
            "no study lies in these folders",
            where=paths[0] if paths else "explore",
            remedy="Give studies, folders of studies, or one folder of images with masks",
        )
    return (yield from _folder_work(paths[0], scan))


def _folder_work(root: Path, scan: str) -> Work[Dataset]:
    found = yield from find_labelled(root)
    findings = list(found.findings)
    if scan:
        message = f"pictures have no scans to choose from, so {scan!r} means nothing here"
        findings.append(Finding("warning", "scan-not-there", message, root.name))
    measuring = Measuring()
    labels: list[Mapping[int, int]] = []
    broken = 0
    for number, item in enumerate(found.slices, 1):
        try:
            pixels = read_labelled(item, ALL_LABELS)
        except ReadError as error:
            broken += 1
            if broken <= _NAMED:
                findings.append(Finding("warning", "unreadable", error.what, item.name))
            continue
        measuring.add(item, pixels)
        labels.append(pixels.labels)
        yield Progress(number, len(found.slices), item.name)
    if not measuring.records:
        first = next((f for f in findings if f.code == "unreadable"), None)
        remedy = f"The first one: {first.words()}" if first else "Check the files"
        raise ReadError(
            f"none of its {len(found.slices)} slices can be read", where=root, remedy=remedy
        )
    if len({value for counts in labels for value in counts}) > 1:
        measuring.name_classes(
            [{f"label {value}": n for value, n in counts.items()} for counts in labels]
        )
    if broken > _NAMED:
        findings.append(
            Finding("warning", "unreadable", f"{broken - _NAMED} more cannot be read", str(root))
        )
    return (yield from _compared(found.root, measuring, findings, []))


def _studies_work(places: Sequence[Path], paths: Sequence[Path], scan: str) -> Work[Dataset]:
    measuring = Measuring()
    facts, findings = yield from measure_studies(paths, measuring, scan)
    if not measuring.records:
        first = f"The first one: {findings[0].words()}" if findings else "Check the files"
        raise ReadError(
            f"none of the {len(paths)} studies can be read", where=places[0], remedy=first
        )
    others = [one for one in facts if scan and one.scan != scan]
    if len(others) == len(facts) and others:
        raise ReadError(
            f"no study has a scan {scan!r} in which anything is seen",
            where=places[0],
            remedy="Measured can be " + ", ".join(sorted({one.scan for one in others})),
        )
    if others:
        message = (
            f"{len(others)} of {len(facts)} studies have no scan {scan!r}, or an empty one; of "
            f"{others[0].name} {others[0].scan} was measured"
        )
        findings.append(Finding("warning", "scan-not-there", message, str(others[0].path)))
    root = (
        places[0] if len(places) == 1 else Path(os.path.commonpath([p.resolve() for p in places]))
    )
    return (yield from _compared(root, measuring, findings, facts))


def _compared(
    root: Path, measuring: Measuring, findings: list[Finding], studies: list[StudyFacts]
) -> Work[Dataset]:
    """What is known once all slices are."""
    measuring.finish()
    records = measuring.records
    pairs, count = yield from duplicates_work(records, root)
    turned = yield from turned_work(records)
    yield Progress(0, 0, "Looking for slices that lie apart")
    return Dataset(
        root=root,
        records=tuple(records),
        position=measuring.position,
        mean=measuring.mean,
        pairs=tuple(pairs),
        pair_count=count,
        leaked=leaked_patients(records, root),
        displaced=tuple(measuring.displaced),
        turned=tuple(turned),
        outliers=tuple(outliers(records)),
        differences=tuple(differences(records, studies)),
        findings=tuple(findings),
        studies=tuple(studies),
    )
