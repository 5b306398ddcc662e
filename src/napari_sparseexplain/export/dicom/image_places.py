"""Points of the patient as places in the images of a study: what marks and outlines refer to."""

from __future__ import annotations

from collections import Counter
from typing import Literal

import highdicom as hd
import numpy as np
import numpy.typing as npt
from pydicom.sr.codedict import codes

from ...volumes.dicom.values import text
from .deidentification import Deidentification
from .references import new_uid
from .source import DicomSource, Reference

#: What points are: one place, a line, a closed line, the ends of an ellipse's two axes.
Shape = Literal["point", "line", "closed", "ellipse"]

#: Distance from a plane, as a share of the distance of planes, at which a point lies on it.
_ON_PLANE = 0.05

_2D: dict[Shape, str] = {
    "point": "POINT", "line": "POLYLINE", "closed": "POLYLINE", "ellipse": "ELLIPSE",
}  # fmt: skip
_3D: dict[Shape, str] = {
    "point": "POINT", "line": "POLYLINE", "closed": "POLYGON", "ellipse": "ELLIPSE",
}  # fmt: skip


class ImagePlaces:
    """Finds the image that points lie on, and where on it.

    Points on a plane of the images are told in that image's pixels (SCOORD), which every viewer
    draws; those on another slice (a coronal one of an axial series, a resampled study) in
    millimetres of the patient (SCOORD3D), since no image shows them.

    Parameters
    ----------
    source : DicomSource
    identity : Deidentification
        Gives the UIDs that stand for those of the images.
    """

    def __init__(self, source: DicomSource, identity: Deidentification) -> None:
        self.source, self._identity = source, identity
        place = text(source.header, "FrameOfReferenceUID")
        self.frame_of_reference = identity.uid(place) if place else new_uid()
        shown = Counter(r for plane in source.planes.references for r in dict.fromkeys(plane))
        # An image that shows several planes (a mosaic) has no one place for a point of one of them.
        self._several = {reference for reference, count in shown.items() if count > 1}

    def plane(self, world: npt.ArrayLike) -> int | None:
        """The plane of the images that all points lie on; None where there is none."""
        if not self.source.aligned:
            return None
        planes = self.source.planes
        normal = np.cross(planes.orientation[:3], planes.orientation[3:])
        heights = _lps(world) @ normal
        off = np.abs(heights[:, None] - (planes.positions @ normal)[None]).max(axis=0)
        nearest = int(off.argmin())
        return nearest if off[nearest] <= max(_ON_PLANE * planes.step, 1e-3) else None

    def images(self, plane: int | None, series: str = "") -> tuple[Reference, ...]:
        """Images that show a plane, of one series where it is named."""
        if plane is None:
            return ()
        found = self.source.planes.references[plane]
        return tuple(r for r in found if not series or r.series == series)

    def pixels(self, world: npt.ArrayLike) -> tuple[Reference, npt.NDArray[np.float64]] | None:
        """The image that points lie on, and their (column, row) there.

        Parameters
        ----------
        world : array_like, shape (n, 3)
            RAS+ millimetres.

        Returns
        -------
        (Reference, ndarray of shape (n, 2)) or None
            The upper left corner of the image is (0, 0), the middle of its first pixel (0.5, 0.5)
            (PS3.3 C.18.6.1.1 and C.10.5.1.2). None where no image shows them all.
        """
        plane = self.plane(world)
        images = [r for r in self.images(plane) if r not in self._several]
        if plane is None or not images:
            return None
        planes = self.source.planes
        from_corner = _lps(world) - planes.positions[plane]
        rows, columns = planes.pixel_spacing
        x = from_corner @ planes.orientation[:3] / columns + 0.5
        y = from_corner @ planes.orientation[3:] / rows + 0.5
        # Nothing outside the image can be told in its pixels; an outline may touch its edge.
        width, height = self.source.layout.shape[:2]
        found = np.stack([x, y], axis=1).astype(np.float64).round(6)
        x, y = found.T
        inside = (found >= 0).all() and (x <= width).all() and (y <= height).all()
        return (images[0], found) if inside else None

    def region(
        self, shape: Shape, world: npt.ArrayLike, *, in_space: bool = False
    ) -> hd.sr.ImageRegion | hd.sr.ImageRegion3D:
        """A region of interest; ``in_space``: in millimetres, also where an image shows it."""
        points = _closed(world) if shape == "closed" else np.asarray(world, dtype=np.float64)
        found = None if in_space else self.pixels(points)
        if found is None:
            return hd.sr.ImageRegion3D(_3D[shape], _lps(points), self.frame_of_reference)
        return hd.sr.ImageRegion(_2D[shape], found[1], self._source_image(found[0]))

    def coordinates(
        self, shape: Shape, world: npt.ArrayLike
    ) -> hd.sr.CoordinatesForMeasurement | hd.sr.CoordinatesForMeasurement3D:
        """Points that a measurement was taken between."""
        points = np.asarray(world, dtype=np.float64)
        found = self.pixels(points)
        purpose = codes.DCM.SourceOfMeasurement
        if found is None:
            return hd.sr.CoordinatesForMeasurement3D(
                _3D[shape], _lps(points), self.frame_of_reference, purpose=purpose
            )
        return hd.sr.CoordinatesForMeasurement(
            _2D[shape], found[1], self._source_image(found[0]), purpose=purpose
        )

    def measured_images(
        self, plane: int | None, series: str
    ) -> list[hd.sr.SourceImageForMeasurement]:
        """Images of a series on a plane, as those whose values were measured."""
        return [
            hd.sr.SourceImageForMeasurement(
                reference.sop_class,
                self._identity.uid(reference.sop_instance),
                None if reference.frame is None else [reference.frame],
            )
            for reference in self.images(plane, series)
        ]

    def _source_image(self, reference: Reference) -> hd.sr.SourceImageForRegion:
        return hd.sr.SourceImageForRegion(
            reference.sop_class,
            self._identity.uid(reference.sop_instance),
            None if reference.frame is None else [reference.frame],
        )


def _lps(world: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """RAS+ millimetres as DICOM's."""
    return np.asarray(world, dtype=np.float64).reshape(-1, 3) * (-1.0, -1.0, 1.0)


def _closed(world: npt.ArrayLike) -> npt.NDArray[np.float64]:
    points = np.asarray(world, dtype=np.float64)
    return points if np.array_equal(points[0], points[-1]) else np.concatenate([points, points[:1]])
