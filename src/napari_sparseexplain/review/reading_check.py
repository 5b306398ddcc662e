"""Does a restored review fit the studies and maps that it speaks of? Said before it is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import ReadError
from ..files.plain_data import shown_location
from ..volumes import Study, Volume
from .reading import Reading
from .review import Overlay, Panel, ScanLayer

#: Room for rounding about the middle of an outermost voxel, in voxels.
_EDGE = 0.51


def check_reading(reading: Reading, where: Path) -> None:
    """Refuse what no picture can be made of.

    Parameters
    ----------
    reading : Reading
    where : Path
        The review's file, for the error.

    Raises
    ------
    ReadError
        A panel, mark or layer names a study, role, map, slice or frame that is not there; names
        the field.
    """
    _Check(reading, where).all()


class _Check:
    """One review against one set of studies and maps."""

    def __init__(self, reading: Reading, where: Path) -> None:
        self._reading = reading
        self._review = reading.review
        self._where = where

    def all(self) -> None:
        review = self._review
        if not review.studies:
            raise self._unfit("studies", "names no study")
        for key, reference in review.explanations.items():
            self._study(reference.study, f"explanations.{key}.study")
        for number, panel in enumerate(review.panels):
            self._panel(panel, f"panels[{number}]")
        for kind, marks in (
            ("annotations", review.annotations),
            ("key_slices", review.key_slices),
        ):
            for number, mark in enumerate(marks):
                study = self._study(mark.study, f"{kind}[{number}].study")
                self._slice(study, mark.plane, mark.index, f"{kind}[{number}].index")
        if review.probe is not None and review.panels:
            self._probe(self._reading.studies[review.panels[0].study])

    def _panel(self, panel: Panel, place: str) -> None:
        study = self._study(panel.study, f"{place}.study")
        self._slice(study, panel.plane, panel.index, f"{place}.index")
        if panel.scan is not None:
            self._volume(panel, panel.scan, panel.scan.study, panel.scan.role, f"{place}.scan")
        for number, overlay in enumerate(panel.overlays):
            at = f"{place}.overlays[{number}]"
            if overlay.shelf == "study":
                self._volume(panel, overlay, overlay.key, overlay.name, at)
            else:
                self._map(overlay, at)

    def _volume(
        self, panel: Panel, layer: ScanLayer | Overlay, key: str, role: str, place: str
    ) -> None:
        study = self._study(key, place)
        if role not in study.images and role not in study.labels:
            raise self._unfit(place, f"names the volume {_shown(role)}, which is not in the study")
        self._slice(study, panel.plane, panel.index, place)
        self._frame(study[role], layer.leading, f"{place}.leading")

    def _map(self, overlay: Overlay, place: str) -> None:
        if overlay.key not in self._review.explanations:
            raise self._unfit(
                place, f"names the explanation {_shown(overlay.key)}, which the review has not"
            )
        explanation = self._reading.explanations.get(overlay.key)
        if explanation is None:
            return  # to be run again; a finding says so
        held = {item.name: item for item in explanation.maps}
        for name in overlay.map_names:
            if name not in held:
                raise self._unfit(
                    place, f"names the map {_shown(name)}, which is not in the explanation"
                )
            if held[name].space != "study":
                raise self._unfit(
                    place, f"names the map {_shown(name)}, which does not lie in the patient"
                )

    def _study(self, key: str, place: str) -> Study:
        if key not in self._reading.studies:
            raise self._unfit(
                place, f"names the study {_shown(key)}, which is not one of the review's"
            )
        return self._reading.studies[key]

    def _slice(self, study: Study, plane: str, index: int, place: str) -> None:
        count = study.grid.shape[{"axial": 0, "coronal": 1, "sagittal": 2}[plane]]
        if not 0 <= index < count:
            raise self._unfit(
                place, f"is slice {index} (counted from 0), and the study has {count} {plane} ones"
            )

    def _frame(self, volume: Volume, leading: Sequence[int], place: str) -> None:
        lengths = np.shape(volume.data)[: len(volume.leading)]
        if len(leading) > len(lengths) or any(
            not 0 <= point < length for point, length in zip(leading, lengths, strict=False)
        ):
            raise self._unfit(place, f"is {list(leading)}, and the volume has {list(lengths)}")

    def _probe(self, study: Study) -> None:
        assert self._review.probe is not None
        index = study.grid.index(self._review.probe)
        inside = (index >= -_EDGE) & (index <= np.asarray(study.grid.shape) - 1 + _EDGE)
        if not np.isfinite(index).all() or not inside.all():
            raise self._unfit("probe", "lies outside the study")

    def _unfit(self, place: str, what: str) -> ReadError:
        return ReadError(
            f"the field {shown_location(place)} {what}",
            where=self._where,
            remedy="Restore the file from a copy, or start a new review",
        )


def _shown(name: str) -> str:
    return repr(name if len(name) <= 80 else name[:80] + "…")
