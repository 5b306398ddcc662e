"""SUVbw of PET: by the formula of QIBA's FDG-PET/CT profile, or the missing tag is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dicom_writing import item, noise, slices, write
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

import napari_sparseexplain as se
from napari_sparseexplain.volumes.intensity.window_presets import presets_for

#: 18F: half-life in seconds. 370 MBq in 70 kg.
HALF_LIFE, DOSE, WEIGHT = 6586.2, 370e6, 70.0


def pet(tracer: dict[str, Any] | None = None, **elements: Any) -> list:
    """A series of PET, injected an hour before it began; each slice with a slope of its own."""
    injected: dict[str, Any] = {
        "RadionuclideTotalDose": DOSE,
        "RadionuclideHalfLife": HALF_LIFE,
        "RadiopharmaceuticalStartDateTime": "20200301090000",
        **(tracer or {}),
    }
    made: dict[str, Any] = {
        "sop_class": "1.2.840.10008.5.1.4.1.1.128",
        "Modality": "PT",
        "Units": "BQML",
        "DecayCorrection": "START",
        "CorrectedImage": ["DECY", "ATTN", "SCAT"],
        "PatientWeight": WEIGHT,
        "SeriesDate": "20200301",
        "SeriesTime": "100000",
        "AcquisitionDate": "20200301",
        "AcquisitionTime": "100000",
        **elements,
    }
    scans = slices(noise(3, 12, 10), **{k: v for k, v in made.items() if v is not None})
    known = {key: value for key, value in injected.items() if value is not None}
    for k, scan in enumerate(scans):
        scan.RadiopharmaceuticalInformationSequence = Sequence([item(**known)])
        scan.RescaleSlope, scan.RescaleIntercept = 2.0 + k, 0.0
    return scans


def opened(scans: list, folder: Path) -> Any:
    study = se.open_study(write(folder, scans))
    return study, study[study.reference]


def expected(scans: list, seconds: Any, dose: float = DOSE, weight: float = WEIGHT) -> np.ndarray:
    """Activity over what a gram of the body would hold at that time after the injection."""
    ordered = sorted(scans, key=lambda scan: float(scan.ImagePositionPatient[2]))
    activity = np.stack([s.pixel_array * float(s.RescaleSlope) for s in ordered])
    left = dose * 2.0 ** (-np.broadcast_to(seconds, 3) / HALF_LIFE)
    return activity / (left / (1000.0 * weight))[:, None, None]


@pytest.mark.parametrize(
    ("elements", "tracer", "seconds"),
    [
        ({}, {}, 3600.0),
        ({"DecayCorrection": "ADMIN"}, {"RadionuclideHalfLife": None}, 0.0),
        # The injection is told by the clock alone, and lies before midnight.
        (
            {"SeriesTime": "003000", "AcquisitionTime": "003010"},
            {"RadiopharmaceuticalStartDateTime": None, "RadiopharmaceuticalStartTime": "233000.50"},
            3599.5,
        ),
        # A series made anew the day after: the images tell when the scan began.
        ({"SeriesDate": "20200302"}, {}, 3600.0),
        # The first image was counted for 180 s, its mean lies 90 s after the start.
        (
            {
                "SeriesDate": "20200302",
                "AcquisitionTime": "100005",
                "FrameReferenceTime": 94573.8,
                "ActualFrameDuration": 180000,
            },
            {},
            3600.0,
        ),
    ],
)
def test_values_are_the_activity_over_that_of_a_gram(
    elements: dict, tracer: dict, seconds: float, tmp_path: Path
) -> None:
    scans = pet(tracer, **elements)
    study, volume = opened(scans, tmp_path / "scan")
    assert volume.unit == "SUVbw"
    np.testing.assert_allclose(volume.spatial(), expected(scans, seconds), rtol=1e-4)
    assert [f.code for f in study.findings if "suv" in f.code] == ["suv"]
    assert "SUV 0 to 10" in [preset.name for preset in presets_for(volume)]


def test_images_without_correction_have_each_their_own_time(tmp_path: Path) -> None:
    """Three bed positions two minutes apart, counted for a negligible time and for two minutes."""
    scans = pet(DecayCorrection="NONE", CorrectedImage=["ATTN"])
    for k, scan in enumerate(scans):
        scan.AcquisitionTime = f"10{2 * k:02d}00"
    _, volume = opened(scans, tmp_path / "short")
    np.testing.assert_allclose(
        volume.spatial(), expected(scans, 3600.0 + np.array([0, 120, 240])), rtol=1e-4
    )
    for scan in scans:
        scan.ActualFrameDuration = 120000
    _, volume = opened(scans, tmp_path / "long")
    np.testing.assert_allclose(
        volume.spatial(), expected(scans, 3660.0 + np.array([0, 120, 240])), rtol=1e-4
    )


def test_values_that_are_suv_already_or_counts_with_a_factor(tmp_path: Path) -> None:
    scans = pet(Units="GML", PatientWeight=None)
    _, volume = opened(scans, tmp_path / "gml")
    stored = expected(scans, 0.0, dose=1.0, weight=0.001)
    np.testing.assert_allclose(volume.spatial(), stored, rtol=1e-5)
    assert volume.unit == "SUVbw"
    counts = pet(Units="CNTS")
    for scan in counts:
        scan.private_block(0x7053, "Philips PET Private Group", create=True).add_new(
            0x00, "DS", "0.0005"
        )
    _, volume = opened(counts, tmp_path / "cnts")
    np.testing.assert_allclose(volume.spatial(), 0.0005 * stored, rtol=1e-5)


@pytest.mark.parametrize(
    ("elements", "tracer", "named", "unit"),
    [
        ({"PatientWeight": None}, {}, "PatientWeight (0010,1030) is missing", "Bq/ml"),
        ({"PatientWeight": 0}, {}, "PatientWeight (0010,1030)", "Bq/ml"),
        ({"DecayCorrection": None}, {}, "DecayCorrection (0054,1102) is missing", "Bq/ml"),
        ({"CorrectedImage": ["DECY"]}, {}, "does not hold ATTN", "Bq/ml"),
        ({"Units": "CNTS"}, {}, "(7053,1000)", ""),
        ({"Units": "GML", "SUVType": "LBM"}, {}, "SUVType (0054,1006) is LBM", "g/ml"),
        ({}, {"RadionuclideTotalDose": None}, "RadionuclideTotalDose (0018,1074)", "Bq/ml"),
        ({}, {"RadionuclideTotalDose": 370}, "cannot be becquerels", "Bq/ml"),
        ({}, {"RadionuclideHalfLife": None}, "RadionuclideHalfLife (0018,1075)", "Bq/ml"),
        (
            {},
            {"RadiopharmaceuticalStartDateTime": None},
            "RadiopharmaceuticalStartTime (0018,1072)",
            "Bq/ml",
        ),
        ({}, {"RadiopharmaceuticalStartDateTime": "20200302090000"}, "before the", "Bq/ml"),
    ],
)
def test_what_is_missing_is_named_and_values_stay_as_stored(
    elements: dict, tracer: dict, named: str, unit: str, tmp_path: Path
) -> None:
    scans = pet(tracer, **elements)
    study, volume = opened(scans, tmp_path / "scan")
    (finding,) = [f for f in study.findings if f.code == "no-suv"]
    assert named in finding.message
    assert finding.level == "warning"
    assert volume.unit == unit
    np.testing.assert_allclose(volume.spatial(), expected(scans, 0, 1.0, 0.001), rtol=1e-5)


def test_a_series_without_tracer_says_so(tmp_path: Path) -> None:
    scans: list[Dataset] = pet()
    for scan in scans:
        del scan.RadiopharmaceuticalInformationSequence
    study, _ = opened(scans, tmp_path / "scan")
    assert any("(0054,0016)" in f.message for f in study.findings if f.code == "no-suv")
