"""Measurements as a structured report: Comprehensive 3D SR by the template TID 1500 (PS3.16)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import highdicom as hd
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian

from ... import __version__
from ...evidence.provenance import Provenance
from ...volumes.dicom.values import text
from .deidentification import Deidentification
from .mark_groups import Group
from .record import MANUFACTURER, PROGRAM, add_record, device, equipment
from .references import CHARACTERS, new_uid, placeholder, series_number
from .source import DicomSource, Reference


def measurement_report(
    groups: Sequence[Group],
    source: DicomSource,
    references: Iterable[Reference],
    identity: Deidentification,
    record: Mapping[str, Any],
    provenances: Sequence[Provenance] = (),
    *,
    series_uid: str | None = None,
    instance_number: int = 1,
) -> hd.sr.Comprehensive3DSR:
    """A report of measurement groups.

    Parameters
    ----------
    groups : sequence
        At least one.
    source : DicomSource
        Whose patient and study it is of.
    references : iterable of Reference
        All images that the groups refer to, and others that they are about.
    identity, record, series_uid, instance_number
        As for `segmentation`.
    provenances : sequence of Provenance
        Of the masks whose lesions are in it.
    """
    context = hd.sr.ObservationContext(
        observer_device_context=hd.sr.ObserverContext(
            observer_type=codes.DCM.Device,
            observer_identifying_attributes=hd.sr.DeviceObserverIdentifyingAttributes(
                uid=new_uid(),
                name=PROGRAM,
                manufacturer_name=MANUFACTURER,
                model_name=f"{PROGRAM} {__version__}",
            ),
        )
    )
    content = hd.sr.MeasurementReport(
        observation_context=context,
        procedure_reported=codes.cid100.ImagingProcedure,
        imaging_measurements=list(groups),
        title=codes.cid7021.ImagingMeasurementReport,
    )
    dataset = hd.sr.Comprehensive3DSR(
        evidence=_evidence(references, source, identity),
        content=content,
        series_instance_uid=series_uid or new_uid(),
        series_number=series_number(source, 904),
        sop_instance_uid=new_uid(),
        instance_number=instance_number,
        is_complete=True,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        specific_character_set=CHARACTERS,
        series_description="Measurements",
        contributing_equipment=[equipment(None, item) for item in provenances] or None,
        **device(*provenances),
    )
    add_record(dataset, record)
    return dataset


def _evidence(
    references: Iterable[Reference], source: DicomSource, identity: Deidentification
) -> list[Dataset]:
    """Images as highdicom takes them: those of the object's own study first."""
    own = text(source.header, "StudyInstanceUID")
    ordered = sorted(dict.fromkeys(references), key=lambda r: r.study != own)
    found = []
    for reference in ordered:
        image = placeholder(source, source.planes, identity) if not found else Dataset()
        image.StudyInstanceUID = identity.uid(reference.study)
        image.SeriesInstanceUID = identity.uid(reference.series)
        image.SOPClassUID = reference.sop_class
        image.SOPInstanceUID = identity.uid(reference.sop_instance)
        found.append(image)
    return found
