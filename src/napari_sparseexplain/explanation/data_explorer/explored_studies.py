"""Studies of a set, one at a time: every slice with a mask goes into the measures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...errors import SparseExplainError
from ...progress import Progress, Work
from ...volumes.finding import Finding
from ...volumes.opening.open_study import open_study_work
from ...volumes.study import Study
from .data_item import StudySlice, patient_of_study
from .measuring import Measuring
from .slice_reader import study_pixels
from .study_facts import StudyFacts, class_names, mask_of, orientation_of, scan_of


def measure_studies(
    paths: Sequence[Path], measuring: Measuring, scan: str
) -> Work[tuple[list[StudyFacts], list[Finding]]]:
    """Open one after the other; none is kept.

    Parameters
    ----------
    scan : str
        Role of the scan that is measured; where a study lacks it, and where it is empty, the one
        that is shown first.

    Returns
    -------
    list of StudyFacts, list of Finding
        What is known of each, and those that could not be read.
    """
    facts: list[StudyFacts] = []
    findings: list[Finding] = []
    ordered = sorted(paths, key=lambda path: (patient_of_study(path), str(path)))
    for number, path in enumerate(ordered):
        yield Progress(number, len(ordered), path.name)
        opening = open_study_work(path)
        try:
            while True:
                try:
                    step = next(opening)
                except StopIteration as end:
                    study = end.value
                    break
                yield Progress(number, len(ordered), f"{path.name}: {step.message}")
        except SparseExplainError as error:
            findings.append(Finding("warning", "unreadable", error.what, str(error.where or path)))
            continue
        finally:
            opening.close()
        measured = yield from _measure(study, path, measuring, scan, (number, len(ordered)))
        del study
        if isinstance(measured, Finding):
            findings.append(measured)
        else:
            facts.append(measured)
    return facts, findings


def _measure(
    study: Study, path: Path, measuring: Measuring, wanted: str, place: tuple[int, int]
) -> Work[StudyFacts | Finding]:
    scan = scan_of(study, wanted)
    if not scan:
        return Finding("warning", "unmatched", "it holds masks and no scan", str(path))
    mask, said = mask_of(study)
    labels = None if not mask else np.asarray(study.labels[mask].spatial())
    chosen = [study.grid.shape[0] // 2]
    names: dict[int, str] = {}
    if labels is not None:
        drawn = np.flatnonzero(labels.reshape(len(labels), -1).any(axis=1))
        chosen = [int(index) for index in drawn] or chosen
        values = [int(v) for v in np.unique(labels[drawn]) if v != 0]
        names = class_names(study, mask, values)
    middle = (study.grid.shape[0] - 1) / 2
    totals = dict.fromkeys(names.values(), 0)
    for index in chosen:
        yield Progress(*place, f"{study.name}: slice {index + 1}")
        item = StudySlice(
            f"{study.name} slice {index + 1}", patient_of_study(path), path, index, scan, mask
        )
        counts = {}
        if labels is not None:
            values, pixels = np.unique(labels[index], return_counts=True)
            found = zip(values, pixels, strict=True)
            counts = {names[int(v)]: int(n) for v, n in found if v != 0}
        for name, count in counts.items():
            totals[name] += count
        height = None
        if study.grid.calibrated and study.grid.shape[0] > 1:
            height = (index - middle) * study.grid.spacing[0]
        measuring.add(item, study_pixels(study, item), classes=counts, height=height)
    warnings = tuple(dict.fromkeys(finding.words() for finding in study.warnings))
    return StudyFacts(
        name=study.name,
        patient=patient_of_study(path),
        path=path,
        scan=scan,
        mask=mask,
        shape=study.grid.shape,
        spacing=study.grid.spacing if study.grid.calibrated else None,
        orientation=orientation_of(study, scan),
        tilt=study.grid.obliquity_degrees if study.grid.oriented else 0.0,
        voxels=totals,
        masked=len(chosen) if totals else 0,
        warnings=(*((said,) if said else ()), *warnings),
    )
