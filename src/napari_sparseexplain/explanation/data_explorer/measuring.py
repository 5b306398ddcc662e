"""Slices go in one by one and are measured; what is left of them is small."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ...volumes.labelled.labelled_slice import SlicePixels
from .data_item import DataItem
from .mask_contrast import Displacement, ManyContrasts, PatientContrast
from .slice_record import SliceRecord, as_bytes, finite, measured, shrunk

#: Side of the maps over all slices.
PLACES = 96


class Measuring:
    """What all slices so far add up to. Slices of a patient must come one after the other.

    Attributes
    ----------
    records : list of SliceRecord
    """

    def __init__(self) -> None:
        self.records: list[SliceRecord] = []
        self._contrasts = ManyContrasts()
        self._position = np.zeros((PLACES, PLACES))
        self._mean = np.zeros((PLACES, PLACES))
        self._masks = 0
        self._patient: PatientContrast | None = None

    def add(
        self,
        item: DataItem,
        pixels: SlicePixels,
        *,
        classes: Mapping[str, int] | None = None,
        height: float | None = None,
    ) -> None:
        """Measure a slice.

        Parameters
        ----------
        classes : mapping of str to int, optional
            Pixels of each class; all that is drawn is one class without.
        height : float, optional
            mm above the middle of its scan.
        """
        digest = hashlib.sha256(str(pixels.image.shape).encode())
        digest.update(np.ascontiguousarray(pixels.image).tobytes())
        record = measured(item, pixels, digest.digest()[:16], classes=classes, height=height)
        self.records.append(record)
        image = finite(pixels.image)
        self._mean += as_bytes(shrunk(image, PLACES))
        if pixels.mask is not None and pixels.mask.any():
            self._masks += 1
            self._position += shrunk(pixels.mask, PLACES)
            if self._patient is None or self._patient.patient != item.patient:
                self._complete()
                self._patient = PatientContrast(item.patient)
            self._patient.add(image, pixels.mask)

    def name_classes(self, classes: Sequence[Mapping[str, int]]) -> None:
        """Give every slice the pixels of each class, once all are known."""
        self.records = [
            replace(record, classes=dict(counts))
            for record, counts in zip(self.records, classes, strict=True)
        ]

    def finish(self) -> None:
        """The last slice has come."""
        self._complete()

    @property
    def displaced(self) -> list[Displacement]:
        """Patients whose masks fit elsewhere."""
        return self._contrasts.displaced()

    @property
    def position(self) -> npt.NDArray[np.float64]:
        """Share of the masks over each place."""
        return self._position / max(1, self._masks)

    @property
    def mean(self) -> npt.NDArray[np.float64]:
        """Mean of all slices, each from its darkest to its brightest pixel."""
        return self._mean / max(1, len(self.records))

    def _complete(self) -> None:
        if self._patient is not None:
            self._contrasts.add(self._patient)
        self._patient = None
