"""The scans of a reading as presentation states: each as the picture shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from ...errors import StudyError
from ...files.atomic_write import check_free, moved_together, write_atomically
from ...progress import Progress, Work
from ...review.frames import frames_by_role
from ...review.reading import Reading
from ...review.review import Panel, ScanLayer
from ...volumes.edge_letters import PLANES
from ...volumes.reading_order import role_title
from ..pictures.plane_view import PlaneView
from ..privacy.policy import policy_for
from .deidentification import Deidentification
from .image_places import ImagePlaces
from .objects import Exported, encoded
from .presentation_state import ScanView, presentation_state
from .record import PROGRAM, WARNING, check_words
from .references import new_uid
from .source import dicom_source


def view_names(reading: Reading) -> dict[tuple[str, str], str]:
    """Names of the presentation states of a reading, by study and role; no file is read."""
    found = dict.fromkeys((s.study, s.role) for _, s in _shown_scans(reading))
    return {
        key: "view.dcm" if place == 1 else f"view_{place}.dcm"
        for place, key in enumerate(found, start=1)
    }


def export_views_dicom(
    reading: Reading,
    folder: str | Path,
    *,
    identity: Deidentification | None = None,
    overwrite: bool = False,
) -> Work[Exported]:
    """Write a presentation state of every DICOM scan that a panel shows.

    Parameters
    ----------
    reading : Reading
        Of a scan in several panels the first counts. Scans in colour, resampled ones, and those
        that are no DICOM images have none.
    folder : str or Path
        Made when it is not there. The files come into it together.
    identity : Deidentification, optional
        De-identified with a key of its own if left out.
    overwrite : bool

    Returns
    -------
    Exported
        And notes: a scan whose images have scalings of their own (mostly PET) is left out, since
        one window cannot be told for all of them.

    Raises
    ------
    StudyError
        The images behind a study are gone, or say no place in the patient.
    SparseExplainError
        A file is there already or cannot be written, or a text would tell who the patient is.
    """
    identity = identity or Deidentification()
    folder, names = Path(folder), view_names(reading)
    check_free([folder / name for name in names.values()], overwrite=overwrite)
    policy = policy_for(reading.studies.values(), identify=identity.keep_identity)
    public = policy.reading(reading)
    notes: dict[str, None] = {}
    series, written, done = new_uid(), [], set[tuple[str, str]]()
    original = [(s.study, s.role) for _, s in _shown_scans(reading)]
    with moved_together(folder, overwrite=overwrite) as temporary:
        for key, (panel, scan) in zip(original, _shown_scans(public), strict=True):
            if key in done:
                continue
            done.add(key)
            yield Progress(len(done) - 1, len(names), "views")
            shown = _scan_view(public, panel, scan, identity)
            if shown is None:
                notes[
                    f"{role_title(scan.role)}: its images have scalings of their own, so its view "
                    "is in the pictures alone"
                ] = None
                continue
            marks = [
                item
                for item in public.review.annotations
                if item.study == panel.study and item.at_frame(scan.leading)
            ]
            headers = shown.places.source.headers
            checked = policy.with_headers(headers)
            check_words(checked, (("the words of a mark", item.text) for item in marks))
            record = {"program": PROGRAM, "warning": WARNING, "scan": shown.title,
                      "window": list(shown.window), "gamma": scan.gamma}  # fmt: skip
            make = partial(
                presentation_state,
                shown,
                marks,
                identity,
                record,
                series_uid=series,
                instance_number=len(written) + 1,
            )
            write_atomically(temporary / names[key], encoded(names[key], make, identity, checked))
            written.append(folder / names[key])
            if scan.gamma != 1:
                notes[f"{shown.title}: its gamma is not in its view, only in the pictures"] = None
    yield Progress(len(names), len(names), "written")
    return Exported(tuple(written), (*notes, *policy.notes()))


def _shown_scans(reading: Reading) -> Iterator[tuple[Panel, ScanLayer]]:
    """Panels with a grey scan whose images lie as they are in the study."""
    for panel in reading.review.panels:
        scan = panel.scan
        if scan is None or scan.study != panel.study:
            continue
        study = reading.studies[scan.study]
        volume = study.images.get(scan.role)
        if volume is None or volume.colour or volume.source.format != "dicom":
            continue
        if scan.role not in study.originals and study.grid.oriented and study.grid.calibrated:
            yield panel, scan


def _scan_view(
    reading: Reading, panel: Panel, scan: ScanLayer, identity: Deidentification
) -> ScanView | None:
    """What a panel shows of its scan; None where one window cannot be told for all images."""
    study = reading.studies[scan.study]
    volume = study[scan.role]
    frames = frames_by_role(reading, panel)
    alone = replace(study, reference=scan.role, images={scan.role: volume}, labels={})
    source = dicom_source(alone, (), {scan.role: frames.get(scan.role, ())})
    # PET is read as SUVbw, the images hold becquerels: back to what the images say.
    low, high = volume.details.get("suv_factors", (1.0, 1.0))
    if source.scaling is None or not np.isclose(low, high, rtol=1e-9):
        return None
    if not source.aligned:
        raise StudyError(
            "the scan does not lie on the planes of its images",
            where=study.name,
            remedy="Open the scan as it is, without --patient-axes",
        )
    axis = int(source.layout.to_display[2, 0])  # along which the images are stacked
    view = None
    if PLANES[panel.plane][0] == axis:
        size = panel.camera.canvas or (512, 512)
        view = PlaneView(
            study.grid, panel.plane, panel.index, size, panel.camera, reading.review.convention
        )
    return ScanView(
        ImagePlaces(source, identity),
        (scan.window[0] / low, scan.window[1] / low),
        source.scaling,
        volume.inverted,
        view,
        role_title(scan.role),
        volume.unit,
    )
