"""The view of a scan as a Grayscale Softcopy Presentation State (PS3.3 A.33.1).

A viewer that opens it with the images shows them as they stood here: window, part and turn of the
slice, and the marks as graphics and words that can be switched off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import highdicom as hd
import numpy as np
import numpy.typing as npt
from highdicom.pr import (
    GraphicAnnotation,
    GraphicLayer,
    GraphicObject,
    GrayscaleSoftcopyPresentationState,
    SoftcopyVOILUTTransformation,
    TextObject,
)
from pydicom.dataset import Dataset

from ...review.annotation import Annotation, measure_text
from ..pictures.plane_view import PlaneView
from .deidentification import Deidentification
from .image_places import ImagePlaces
from .record import add_record, device, shortened
from .references import CHARACTERS, new_uid, placeholder, series_number
from .source import Reference

_LAYER = GraphicLayer("MARKS", order=1, description="Marks of a person and their measures")


@dataclass(frozen=True, eq=False)
class ScanView:
    """What of a scan is shown, and how.

    Attributes
    ----------
    places : ImagePlaces
        Of its own images at the frame that is shown.
    window : pair of float
        Lower and upper end, in the unit of the images' rescaled values.
    scaling : pair of float
        Slope and intercept of the images, one for all.
    inverted : bool
        Whether low values are bright.
    view : PlaneView or None
        The part that is seen; None where the picture's slices are not those of the images.
    title, unit : str
        For a person, and of the values.
    """

    places: ImagePlaces
    window: tuple[float, float]
    scaling: tuple[float, float]
    inverted: bool
    view: PlaneView | None
    title: str
    unit: str = ""


def presentation_state(
    shown: ScanView,
    marks: Sequence[Annotation],
    identity: Deidentification,
    record: Mapping[str, Any],
    *,
    series_uid: str | None = None,
    instance_number: int = 1,
) -> GrayscaleSoftcopyPresentationState:
    """The presentation state of a scan's images.

    Parameters
    ----------
    shown : ScanView
    marks : sequence of Annotation
        Of the study; those that lie on its images at this frame are drawn.
    identity, record, series_uid, instance_number
        As for `segmentation`.
    """
    source = shown.places.source
    references = [plane[0] for plane in source.planes.references]
    images = _images(references, shown, identity)
    slope, intercept = shown.scaling
    low, high = shown.window
    shape = "INVERSE" if shown.inverted else "IDENTITY"
    dataset = GrayscaleSoftcopyPresentationState(
        referenced_images=list(images.values()),
        series_instance_uid=series_uid or new_uid(),
        series_number=series_number(source, 905),
        sop_instance_uid=new_uid(),
        instance_number=instance_number,
        content_label="VIEW",
        content_description=shortened(shown.title),
        graphic_layers=[_LAYER],
        graphic_annotations=_annotations(marks, shown, images),
        modality_lut_transformation=hd.ModalityLUTTransformation(
            rescale_intercept=intercept,
            rescale_slope=slope,
            rescale_type="HU" if shown.unit == "HU" else "US",
        ),
        voi_lut_transformations=[
            # Exactly from the lower to the upper end; LINEAR is off by half a value.
            SoftcopyVOILUTTransformation(
                window_center=_decimal((low + high) / 2),
                window_width=_decimal(high - low),
                voi_lut_function="LINEAR_EXACT",
            )
        ],
        presentation_lut_transformation=hd.PresentationLUTTransformation(
            presentation_lut_shape=shape
        ),
        specific_character_set=CHARACTERS,
        series_description="Views",
        **device(),
    )
    dataset.Laterality = ""  # not known here; an empty value says so where the standard asks
    _add_area(dataset, shown)
    add_record(dataset, record)
    return dataset


def _images(
    references: Sequence[Reference], shown: ScanView, identity: Deidentification
) -> dict[str, Dataset]:
    """Images as highdicom takes them, by the instances that they stand for."""
    source = shown.places.source
    columns, rows = source.layout.shape[:2]
    found: dict[str, Dataset] = {}
    for reference in references:
        image = found.setdefault(
            reference.sop_instance, placeholder(source, source.planes, identity)
        )
        image.SeriesInstanceUID = identity.uid(reference.series)
        image.SOPClassUID = reference.sop_class
        image.SOPInstanceUID = identity.uid(reference.sop_instance)
        image.Rows, image.Columns, image.SamplesPerPixel = rows, columns, 1
        if reference.frame is not None:
            image.NumberOfFrames = max(int(image.get("NumberOfFrames", 1)), reference.frame)
    return found


def _annotations(
    marks: Sequence[Annotation], shown: ScanView, images: Mapping[str, Dataset]
) -> list[GraphicAnnotation] | None:
    found = []
    for item in marks:
        here = shown.places.pixels(item.outline())
        if here is None or here[0].sop_instance not in images:
            continue
        reference, points = here
        words = "\r\n".join(line for line in (item.text, measure_text(item)) if line)
        texts = []
        if words:
            # From its right end on, as in the pictures.
            anchor = points[points[:, 0].argmax()]
            texts.append(
                TextObject(
                    words,
                    units="PIXEL",
                    anchor_point=(float(anchor[0]), float(anchor[1])),
                    anchor_point_visible=False,
                )
            )
        found.append(
            GraphicAnnotation(
                referenced_images=[images[reference.sop_instance]],
                graphic_layer=_LAYER,
                referenced_frame_number=reference.frame,
                graphic_objects=[_graphic(item, points)],
                text_objects=texts or None,
            )
        )
    return found or None


def _graphic(item: Annotation, points: npt.NDArray[np.float64]) -> GraphicObject:
    if item.kind == "text":
        return GraphicObject("POINT", points, units="PIXEL")
    line = np.concatenate([points, points[:1]]) if item.closed else points
    return GraphicObject("POLYLINE", line, units="PIXEL")


def _add_area(dataset: Dataset, shown: ScanView) -> None:
    """Which part of the images is seen, and how they are turned (C.10.4, C.10.6)."""
    source = shown.places.source
    columns, rows = source.layout.shape[:2]
    corners = np.array([[0.0, 0.0], [columns, rows]])
    if shown.view is not None:
        across, down, start = _axes_in_picture(shown)
        turn, flip = _turn(across, down)
        if turn or flip:
            dataset.ImageRotation = turn
            dataset.ImageHorizontalFlip = "Y" if flip else "N"
        height, width = shown.view.size
        inverse = np.linalg.inv(np.stack([across, down], axis=1))
        corners = (np.array([[0.0, 0.0], [width, height]]) - start) @ inverse.T
        if shown.view.camera.zoom is None:  # seen whole: without the margin about it
            low = np.clip(corners.min(axis=0), 0, (columns, rows))
            high = np.clip(corners.max(axis=0), 0, (columns, rows))
            first = np.where(corners[0] <= corners[1], low, high)
            corners = np.stack([first, low + high - first])
    (area,) = dataset.DisplayedAreaSelectionSequence
    # Numbers of pixels, from 1: the first and the last that are seen along both directions.
    begin, end = corners
    forward = end >= begin
    area.DisplayedAreaTopLeftHandCorner = _numbers(begin, forward)
    area.DisplayedAreaBottomRightHandCorner = _numbers(end, ~forward)
    area.PresentationPixelSpacing = [_decimal(v) for v in source.planes.pixel_spacing]
    del area.PresentationPixelAspectRatio


def _numbers(corner: npt.NDArray[np.float64], towards: npt.NDArray[np.bool_]) -> list[int]:
    """The pixels that lie beside a corner, on its side to higher numbers where told."""
    near = np.round(corner, 6)
    return [int(v) for v in np.where(towards, np.floor(near) + 1, np.ceil(near))]


def _axes_in_picture(
    shown: ScanView,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """What a step along columns and along rows of an image is in the picture, and its corner."""
    assert shown.view is not None
    planes, view = shown.places.source.planes, shown.view
    rows_mm, columns_mm = planes.pixel_spacing
    first = planes.positions[0]
    steps = np.stack(
        [
            first,
            first + planes.orientation[:3] * columns_mm,
            first + planes.orientation[3:] * rows_mm,
        ]
    )
    at = view.pixels(steps * (-1.0, -1.0, 1.0))
    across, down = at[1] - at[0], at[2] - at[0]
    return across, down, at[0] - (across + down) / 2


def _turn(across: npt.NDArray[np.float64], down: npt.NDArray[np.float64]) -> tuple[int, bool]:
    """Degrees clockwise by which images are turned, then whether they are mirrored left to right.

    Parameters
    ----------
    across, down : ndarray, shape (2,)
        Where a row and a column of the image run in the picture, (x, y) with y downwards.
    """
    seen = np.stack([across / np.linalg.norm(across), down / np.linalg.norm(down)])
    quarter = np.array([[0.0, 1.0], [-1.0, 0.0]])  # (x, y) → (-y, x): right becomes down
    for flip in (False, True):
        turned = np.eye(2)
        for degrees in (0, 90, 180, 270):
            if np.abs(turned * ((-1, 1) if flip else (1, 1)) - seen).max() < 1e-3:
                return degrees, flip
            turned = turned @ quarter
    raise ValueError("the picture shows the images neither turned by quarters nor mirrored")


def _decimal(value: float) -> float:
    """A number as a decimal string holds it: 16 characters."""
    return float(f"{value:.9g}")
