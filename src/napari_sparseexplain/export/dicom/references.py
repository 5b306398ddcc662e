"""What a DICOM object says of the images that it is about.

highdicom takes patient, study and place from source images, and derives references where these
are one series with one image a plane. Scans come as several series, films with many images a
plane, mosaics and multi-frame objects too, so the references are written here, from the planes.
"""

from __future__ import annotations

from collections.abc import Sequence as Several

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import MRImageStorage, generate_uid

from ...volumes.dicom.values import integer, text
from .deidentification import Deidentification
from .source import DicomSource, Planes, Reference

#: Everything is written in UTF-8, whatever the images were written in.
CHARACTERS = "ISO_IR 192"


def new_uid() -> str:
    """A UID for something new."""
    return str(generate_uid(prefix=None))


def placeholder(source: DicomSource, planes: Planes, identity: Deidentification) -> Dataset:
    """The one "source image" that highdicom is given: patient, study and place, nothing else.

    It is never written. `add_references` puts the true references in its place.
    """
    image = Dataset()
    for keyword, value in identity.patient_and_study(source.header).items():
        setattr(image, keyword, value)
    image.StudyInstanceUID = identity.uid(text(source.header, "StudyInstanceUID"))
    image.SeriesInstanceUID = new_uid()
    image.SOPInstanceUID = new_uid()
    image.SOPClassUID = MRImageStorage
    image.Modality = text(source.header, "Modality") or "OT"
    image.SpecificCharacterSet = CHARACTERS
    place = text(source.header, "FrameOfReferenceUID")
    image.FrameOfReferenceUID = identity.uid(place) if place else new_uid()
    image.PositionReferenceIndicator = None
    image.Rows, image.Columns = 1, 1
    image.ImageOrientationPatient = [float(v) for v in planes.orientation]
    image.ImagePositionPatient = [float(v) for v in planes.positions[0]]
    image.PixelSpacing = list(planes.pixel_spacing)
    image.SliceThickness = planes.thickness
    return image


def add_references(
    dataset: Dataset,
    source: DicomSource,
    planes: Planes,
    identity: Deidentification,
    derivation: Code,
) -> None:
    """Refer to the images: as a whole, and from each frame to the images of its plane."""
    on_planes = [r for references in planes.references for r in references]
    every = list(dict.fromkeys(on_planes)) or list(source.used)
    add_common_references(dataset, every, source, identity)
    for group in dataset.PerFrameFunctionalGroupsSequence:
        position = np.array(group.PlanePositionSequence[0].ImagePositionPatient, dtype=np.float64)
        place = int(np.linalg.norm(planes.positions - position, axis=1).argmin())
        item = Dataset()
        item.DerivationCodeSequence = coded(derivation)
        item.SourceImageSequence = Sequence(
            [_source_item(r, identity, aligned=True) for r in planes.references[place]]
        )
        group.DerivationImageSequence = Sequence([item] if planes.references[place] else [])


def add_common_references(
    dataset: Dataset,
    references: Several[Reference],
    source: DicomSource,
    identity: Deidentification,
) -> None:
    """Source images of the object as a whole, by study and series (PS3.3 C.12.2)."""
    objects: dict[Reference, list[int]] = {}
    for r in references:
        whole = Reference(r.study, r.series, r.sop_class, r.sop_instance)
        objects.setdefault(whole, []).extend([] if r.frame is None else [r.frame])
    dataset.SourceImageSequence = Sequence(
        [
            _source_item(whole, identity, frames=sorted(set(frames)))
            for whole, frames in objects.items()
        ]
    )
    study = text(source.header, "StudyInstanceUID")
    own = [r for r in objects if r.study == study]
    dataset.ReferencedSeriesSequence = _by_series(own, identity)
    if not own:
        del dataset.ReferencedSeriesSequence
    others = dict.fromkeys(r.study for r in objects if r.study != study)
    if others:
        elsewhere = []
        for other in others:
            item = Dataset()
            item.StudyInstanceUID = identity.uid(other)
            item.ReferencedSeriesSequence = _by_series(
                [r for r in objects if r.study == other], identity
            )
            elsewhere.append(item)
        dataset.StudiesContainingOtherReferencedInstancesSequence = Sequence(elsewhere)


def _by_series(references: Several[Reference], identity: Deidentification) -> Sequence:
    series = []
    for uid in dict.fromkeys(r.series for r in references):
        item = Dataset()
        item.SeriesInstanceUID = identity.uid(uid)
        item.ReferencedInstanceSequence = Sequence(
            [_instance(r, identity) for r in references if r.series == uid]
        )
        series.append(item)
    return Sequence(series)


def _instance(reference: Reference, identity: Deidentification) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = reference.sop_class
    item.ReferencedSOPInstanceUID = identity.uid(reference.sop_instance)
    return item


def _source_item(
    reference: Reference,
    identity: Deidentification,
    *,
    frames: Several[int] = (),
    aligned: bool = False,
) -> Dataset:
    item = _instance(reference, identity)
    numbers = [reference.frame] if reference.frame is not None else list(frames)
    if numbers:
        item.ReferencedFrameNumber = numbers if len(numbers) > 1 else numbers[0]
    item.PurposeOfReferenceCodeSequence = coded(codes.DCM.SourceImageForImageProcessingOperation)
    if aligned:
        item.SpatialLocationsPreserved = "YES"
    return item


def coded(code: Code) -> Sequence:
    """A code as the one item of a code sequence."""
    item = Dataset()
    item.CodeValue = code.value
    item.CodingSchemeDesignator = code.scheme_designator
    item.CodeMeaning = code.meaning
    return Sequence([item])


def series_number(source: DicomSource, offset: int) -> int:
    """A series number behind those of the study: the scan's own, then three digits."""
    own = integer(source.header, "SeriesNumber") or 0
    return 1000 * max(0, min(own, 2_000_000)) + offset
