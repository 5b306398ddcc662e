"""Pictures of a reading as DICOM Secondary Captures: one for each key slice, beside the images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from ...errors import StudyError
from ...evidence import Explanation
from ...files.atomic_write import check_free, moved_together, write_atomically
from ...progress import Progress, Work
from ...review.frames import at_slice, frames_by_role, key_slice_label
from ...review.reading import Reading
from ...review.review import KeySlice, Panel
from ...volumes.edge_letters import PLANES
from ..pictures.compositor import Picture, PictureSize, draw
from ..pictures.picture_series import capture_name, chosen_slices
from ..privacy.policy import policy_for
from .deidentification import Deidentification
from .objects import Exported, encoded
from .planes_array import images_of_slice
from .record import PROGRAM, WARNING, checked_explanation
from .references import new_uid
from .secondary_capture import secondary_capture
from .source import DicomSource, Reference, dicom_source, one_patient

#: Letters of a picture's edges, as DICOM calls them.
_DICOM_LETTERS = str.maketrans("SI", "HF")

#: When something was made; a de-identified object carries no time.
_TIMES = frozenset({"created", "computed"})

_NO_REFERENCE = "a study that is shown beside did not come from DICOM images: no reference"


def export_pictures_dicom(
    reading: Reading,
    folder: str | Path,
    slices: Sequence[KeySlice] | None = None,
    size: PictureSize | None = None,
    *,
    identity: Deidentification | None = None,
    overwrite: bool = False,
    created: datetime | None = None,
) -> Work[Exported]:
    """Write a Secondary Capture of each slice: the picture that `compose` draws.

    Parameters
    ----------
    reading : Reading
        Its key slices' studies were opened from DICOM.
    folder : str or Path
        Made when it is not there. The files come into it together, when all are made.
    slices : sequence of KeySlice, optional
        The review's key slices when not given.
    size : PictureSize, optional
    identity : Deidentification, optional
        De-identified with a key of its own if left out. Where the identity is kept, the study's
        own name is drawn, and Burned In Annotation says so.
    overwrite : bool
    created : datetime, optional
        Time to draw; now when not given.

    Raises
    ------
    StudyError
        A study did not come from DICOM, or the panels show several patients.
    SparseExplainError
        No slice, a file that is there already or cannot be written, or a text that would tell
        who the patient is.
    """
    identity = identity or Deidentification()
    folder = Path(folder)
    keys = chosen_slices(reading, slices)
    names = [capture_name(place, key) for place, key in enumerate(keys)]
    check_free([folder / name for name in names], overwrite=overwrite)
    yield Progress(0, len(keys), "images")
    policy = policy_for(reading.studies.values(), identify=identity.keep_identity)
    public = policy.reading(reading)
    keys = tuple(replace(k, note=policy.words(k.note, "the note of a key slice")) for k in keys)
    sources = _Sources(public, keys)
    policy = policy.with_headers(sources.headers())
    records = {
        key: checked_explanation(public.explanations[key], policy)[1] for key in public.on_screen
    }
    series = new_uid()
    with moved_together(folder, overwrite=overwrite) as temporary:
        for place, (key, name) in enumerate(zip(keys, names, strict=True)):
            words = key_slice_label(public.studies[key.study], key, kind="slice")
            yield Progress(place, len(keys), words)
            here = at_slice(public, key)
            picture = draw(here, policy, size, created=created)
            shown = _shown(here)
            record = {
                "program": PROGRAM,
                "warning": WARNING,
                "picture": picture.record if identity.keep_identity else _timeless(picture.record),
                "explanations": [records[each] for each in shown],
            }
            title = words + (f": {key.note}" if key.note else "")
            references = sources.seen(here)
            make = partial(
                secondary_capture,
                np.asarray(picture.image.convert("RGB")),
                tuple(shown.values()),
                sources.of(key.study),
                identity,
                record,
                title=title,
                shows_identity=identity.keep_identity,
                references=references,
                series_uid=series,
                instance_number=place + 1,
                **_calibration(here, picture),
            )
            content = encoded(name, make, identity, policy)
            write_atomically(temporary / name, content)
    yield Progress(len(keys), len(keys), "written")
    return Exported(tuple(folder / name for name in names), (*sources.notes, *policy.notes()))


class _Sources:
    """The images behind every study of a reading, at the frames that a picture shows."""

    def __init__(self, reading: Reading, keys: Iterable[KeySlice]) -> None:
        self._studies = reading.studies
        self._roles: dict[str, dict[str, None]] = {}
        for panel in reading.review.panels:
            if panel.scan is not None:
                self._roles.setdefault(panel.scan.study, {})[panel.scan.role] = None
            self._roles.setdefault(panel.study, {})
        for key in reading.on_screen:
            study, item = reading.review.explanations[key].study, reading.explanations[key]
            self._roles.setdefault(study, {}).update(dict.fromkeys(item.provenance.inputs))
        self._found: dict[tuple[str, frozenset[tuple[str, tuple[int, ...]]]], DicomSource] = {}
        needed = {key.study for key in keys}
        notes: dict[str, None] = {}
        for key in list(self._roles):
            try:
                notes.update(dict.fromkeys(self.of(key).notes))
            except StudyError:
                if key in needed:
                    raise
                del self._roles[key]
                notes[_NO_REFERENCE] = None
        first = next(iter(needed))
        one_patient([s.header for s in self._found.values()], reading.studies[first])
        self.notes = tuple(notes)

    def of(self, key: str, frames: Mapping[str, tuple[int, ...]] | None = None) -> DicomSource:
        """The images of a study, at frames by role: at the first ones where not told."""
        elsewhere = {role: points for role, points in (frames or {}).items() if any(points)}
        place = key, frozenset(elsewhere.items())
        if place not in self._found:
            self._found[place] = dicom_source(self._studies[key], self._roles[key], elsewhere)
        return self._found[place]

    def headers(self) -> list[Dataset]:
        """Of all images that were asked for so far."""
        return [header for source in self._found.values() for header in source.headers]

    def seen(self, reading: Reading) -> list[Reference]:
        """Images that are seen in a picture, and those behind the maps in it."""
        found: dict[Reference, None] = {}
        for panel in reading.review.panels:
            if panel.study not in self._roles:
                continue
            axis = PLANES[panel.plane][0]
            sources = [self.of(panel.study, frames_by_role(reading, panel))]
            if any(overlay.shelf == "explanation" for overlay in panel.overlays):
                sources.append(self.of(panel.study))  # maps are computed of the first frames
            for source in sources:
                found.update(dict.fromkeys(images_of_slice(source, axis, panel.index)))
        return list(found)


def _shown(reading: Reading) -> dict[str, Explanation]:
    """Explanations that are seen in a picture, by key."""
    overlays = [item for panel in reading.review.panels for item in panel.overlays]
    return {o.key: reading.explanations[o.key] for o in overlays if o.shelf == "explanation"}


def _calibration(reading: Reading, picture: Picture) -> dict[str, Any]:
    """Pixel spacing and edges of a picture that is one panel; nothing of several.

    A viewer measures with them, and in several panels a line may lead from one to the other.
    """
    panels: tuple[Panel, ...] = reading.review.panels
    if len(panels) != 1 or not reading.study_of(panels[0]).grid.calibrated:
        return {}
    (facts,) = picture.record["panels"]
    spacing = float(f"{1 / facts['zoom_px_per_mm']:.10g}")  # a decimal string has 16 characters
    letters = facts["letters"]
    edges = None
    if letters:
        edges = tuple(letters[side].translate(_DICOM_LETTERS) for side in ("right", "bottom"))
    return {"pixel_spacing": (spacing, spacing), "edges": edges}


def _timeless(value: Any) -> Any:
    """JSON values without those that say when."""
    if isinstance(value, Mapping):
        return {name: _timeless(part) for name, part in value.items() if name not in _TIMES}
    if isinstance(value, list | tuple):
        return [_timeless(part) for part in value]
    return value
