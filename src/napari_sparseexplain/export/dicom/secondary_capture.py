"""A picture as a DICOM Secondary Capture (PS3.3 A.8.1), beside the images it was made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import highdicom as hd
import numpy as np
import numpy.typing as npt
from pydicom.uid import ExplicitVRLittleEndian

from ...errors import SparseExplainError
from ...evidence.explanation import Explanation
from .deidentification import Deidentification
from .record import add_record, device, equipment, shortened
from .references import CHARACTERS, add_common_references, new_uid, placeholder, series_number
from .source import DicomSource, Reference


def secondary_capture(
    picture: npt.NDArray[np.uint8],
    explanations: Sequence[Explanation],
    source: DicomSource,
    identity: Deidentification,
    record: Mapping[str, Any],
    *,
    title: str,
    shows_identity: bool,
    pixel_spacing: tuple[float, float] | None = None,
    edges: tuple[str, str] | None = None,
    references: Sequence[Reference] | None = None,
    series_uid: str | None = None,
    instance_number: int = 1,
) -> hd.sc.SCImage:
    """A picture as a Secondary Capture object.

    Parameters
    ----------
    picture : ndarray of uint8, shape (rows, columns, 3)
        RGB, as it is to be seen.
    explanations : sequence of Explanation
        Those that it shows; none of a picture of scans alone.
    source, identity, record, series_uid, instance_number
        As for `segmentation`.
    title : str
        What it shows, for a person.
    shows_identity : bool
        Whether names, numbers or dates of the patient are drawn in it (Burned In Annotation).
    pixel_spacing : (float, float), optional
        Millimetres between rows and between columns; only of a picture that is one calibrated
        panel, since a viewer measures with it.
    edges : (str, str), optional
        Towards which side of the patient a row and a column run (``("L", "P")``); only of one
        panel.
    references : sequence of Reference, optional
        Images that it shows; all of the source's when not given.

    Raises
    ------
    SparseExplainError
        The picture shows an identity that the export must not carry: pixels are not rewritten.
    """
    if shows_identity and not identity.keep_identity:
        raise SparseExplainError(
            "names or numbers of the patient are drawn into the picture, and the export is "
            "de-identified",
            where=title,
            remedy="Draw the picture without them, or keep the identity (--keep-identity)",
        )
    array = np.ascontiguousarray(picture)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[-1] != 3:
        raise ValueError(f"no RGB picture of bytes: {array.dtype} {array.shape}")
    methods = dict.fromkeys(item.method for item in explanations)
    study = placeholder(source, source.planes, identity)
    dataset = hd.sc.SCImage(
        pixel_array=array,
        photometric_interpretation=hd.PhotometricInterpretationValues.RGB,
        bits_allocated=8,
        coordinate_system=hd.CoordinateSystemNames.PATIENT,
        patient_orientation=("L", "P"),
        study_instance_uid=study.StudyInstanceUID,
        series_instance_uid=series_uid or new_uid(),
        series_number=series_number(source, 903),
        sop_instance_uid=new_uid(),
        instance_number=instance_number,
        series_description=shortened(f"Pictures: {', '.join(methods) or 'scans'}"),
        patient_id=study.PatientID,
        patient_name=study.PatientName,
        patient_birth_date=study.PatientBirthDate,
        patient_sex=study.PatientSex,
        accession_number=study.AccessionNumber,
        study_id=study.StudyID,
        study_date=study.StudyDate or None,
        study_time=study.StudyTime or None,
        referring_physician_name=study.ReferringPhysicianName,
        pixel_spacing=pixel_spacing,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        specific_character_set=CHARACTERS,
        contributing_equipment=[equipment(item, item.provenance) for item in explanations],
        **device(*(item.provenance for item in explanations)),
    )
    dataset.copy_patient_and_study_information(study)
    # highdicom knows single letters only, and an oblique slice has two ("LH"); empty: several
    # panels, or a plane with no name.
    dataset["PatientOrientation"].value = None if edges is None else list(edges)
    dataset.Laterality = ""  # not known here; an empty value says so where the standard asks
    dataset.ConversionType = hd.sc.ConversionTypeValues.WSD.value
    dataset.BurnedInAnnotation = "YES" if shows_identity else "NO"
    dataset.ImageComments = shortened(title, 10240)
    add_common_references(dataset, list(references or source.used), source, identity)
    add_record(dataset, record)
    return dataset
