"""DICOM studies and explanations of them, for the tests of what is exported."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset

from napari_sparseexplain.evidence.explanation import Explanation
from napari_sparseexplain.evidence.explanation_map import ExplanationMap
from napari_sparseexplain.evidence.provenance import Provenance
from napari_sparseexplain.export.dicom.objects import Exported, export_dicom_work
from napari_sparseexplain.progress import drain
from napari_sparseexplain.volumes import Study

sys.path.append(str(Path(__file__).resolve().parents[1] / "volumes"))

SHA256 = "0123456789abcdef" * 4

AXIAL = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
CORONAL = [1.0, 0.0, 0.0, 0.0, 0.0, -1.0]
SAGITTAL = [0.0, 1.0, 0.0, 0.0, 0.0, -1.0]
FEET_FIRST = [-1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
#: Rows 30 degrees about the long axis, columns tilted by 20 degrees against it.
_C, _S = np.cos(np.radians(30)), np.sin(np.radians(30))
_A, _B = np.cos(np.radians(20)), np.sin(np.radians(20))
OBLIQUE = [_C, _S, 0.0, -_S * _A, _C * _A, _B]
ORIENTATIONS = {
    "axial": AXIAL,
    "coronal": CORONAL,
    "sagittal": SAGITTAL,
    "feet first": FEET_FIRST,
    "oblique": OBLIQUE,
}

#: What a patient's header holds, each value such that chance does not write it.
IDENTITY: dict[str, Any] = {
    "PatientName": "Quandertide^Philomena^Xanthe",
    "PatientID": "MRN-7741-QX",
    "PatientBirthDate": "19370214",
    "PatientSex": "F",
    "PatientAge": "082Y",
    "OtherPatientIDs": "ALT-99172-ZK",
    "PatientAddress": "14 Vervain Close",
    "PatientTelephoneNumbers": "0044-555-0199-31",
    "AccessionNumber": "ACC-55120-WV",
    "StudyID": "STU-3318-KB",
    "StudyDate": "20031107",
    "SeriesDate": "20031108",
    "AcquisitionDate": "20031109",
    "ContentDate": "20031110",
    "StudyTime": "093741.517",
    "ReferringPhysicianName": "Brackwater^Ignatius",
    "OperatorsName": "Oldershaw^Thessaly",
    "InstitutionName": "Saint Umbria Infirmary",
    "InstitutionAddress": "2 Quillon Street",
    "StationName": "STATION-UMB-4",
    "DeviceSerialNumber": "SN-66231-PL",
    "StudyDescription": "Follow-up of Quandertide",
    "SeriesDescription": "t2_flair Philomena",
    "ProtocolName": "flair for Xanthe",
    "PatientComments": "Sister of Eudoxia Quandertide",
    "RequestedProcedureID": "RPQ-1182-TT",
}


def explained(
    study: Study,
    slices: slice | None = None,
    *,
    seed: int = 0,
    **more: Any,
) -> Explanation:
    """A mask of labels 1 and 4 and a signed map on some slices of a study."""
    rng = np.random.default_rng(seed)
    depth = study.grid.shape[0]
    slices = slices or slice(0, depth)
    shape = (slices.stop - slices.start, *study.grid.shape[1:])
    mask = rng.choice([0, 0, 0, 1, 4], shape).astype(np.uint8)
    heat = rng.normal(size=shape).astype(np.float32)
    role = study.reference
    original = study.originals.get(role, study[role])
    provenance = Provenance(
        "xrai",
        parameters={"steps": 20, "baseline": "zero"},
        model="sum-seg",
        weights_sha256=SHA256,
        inputs={role: {"path": "scans/", "sha256": original.source.checksum()}},
        versions={"napari-sparseexplain": "0.1.0"},
    )
    values: dict[str, Any] = {
        "method": "xrai",
        "maps": (
            ExplanationMap(
                "mask",
                mask,
                "segmentation",
                title="Mask",
                classes={1: "oedema", 4: "enhancing tumour"},
            ),
            ExplanationMap("heat", heat, "heatmap", title="XRAI", signed=True, value_range=(-2, 2)),
        ),
        "provenance": provenance,
        "grid": study.grid,
        "slices": slices,
        "target": "WT",
    }
    return Explanation(**{**values, **more})


def exported(explanation: Explanation, study: Study, out: Path, **options: Any) -> Exported:
    """Export to its end."""
    return drain(export_dicom_work(explanation, study, out, **options))


def placed_voxels(path: Path, study: Study) -> dict[str, np.ndarray]:
    """Voxels of a written object on the study's grid, by pydicom and PS3.3 C.7.6.2.1.1 alone.

    Returns
    -------
    dict
        ``labels``: segment number, ``values``: stored value, ``covered``: voxels of which the
        object says something; each (S, P, L), 0 or NaN where it says nothing.
    """
    dataset = dcmread(path)
    shared = dataset.SharedFunctionalGroupsSequence[0]
    spacing = [float(v) for v in shared.PixelMeasuresSequence[0].PixelSpacing]
    cosines = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, dtype=np.float64)
    pixels = dataset.pixel_array
    pixels = pixels[None] if pixels.ndim == 2 else pixels
    rows, columns = np.indices(pixels.shape[1:])
    found = {
        "labels": np.zeros(study.grid.shape, dtype=np.int64),
        "values": np.full(study.grid.shape, np.nan),
        "covered": np.zeros(study.grid.shape, dtype=bool),
    }
    for group, plane in zip(dataset.PerFrameFunctionalGroupsSequence, pixels, strict=True):
        corner = np.array(group.PlanePositionSequence[0].ImagePositionPatient, dtype=np.float64)
        lps = (
            corner
            + cosines[:3] * spacing[1] * columns[..., None]
            + cosines[3:] * spacing[0] * rows[..., None]
        )
        index = study.grid.index(lps * [-1.0, -1.0, 1.0])
        voxel = np.rint(index).astype(int)
        assert np.abs(index - voxel).max() < 1e-3, "a frame lies between the voxels"
        at = (voxel[..., 0], voxel[..., 1], voxel[..., 2])
        found["covered"][at] = True
        if "SegmentSequence" in dataset:
            number = segment_of(group, shared)
            found["labels"][at] += number * (plane != 0)
        else:
            found["values"][at] = plane
    return found


def segment_of(group: Dataset, shared: Dataset) -> int:
    """Segment number of a frame."""
    for level in (group, shared):
        if "SegmentIdentificationSequence" in level:
            return int(level.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
    raise AssertionError("the frame names no segment")
