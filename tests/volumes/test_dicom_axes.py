"""Several images at one place: time, echo, diffusion, cine series joined; and what is not known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dicom_writing import enhanced, frame, item, noise, save, slices, write
from pydicom.sequence import Sequence

from napari_sparseexplain.errors import ReadError
from napari_sparseexplain.volumes.dicom.reader import read_dicom

SCANS = noise(4, 3, 5, 4)  # four volumes of three slices


def codes(series) -> list[str]:
    return [finding.code for one in series for finding in one.findings]


def repeated(*, count: int = 4, **keywords) -> list:
    """Images of `SCANS` whose given keywords hold one value a volume."""
    datasets = []
    for t in reversed(range(count)):
        values = {keyword: values[t] for keyword, values in keywords.items()}
        datasets.extend(slices(SCANS[t], **values))
    return datasets


@pytest.mark.parametrize(
    "keyword", ["TemporalPositionIdentifier", "TriggerTime", "AcquisitionNumber"]
)
def test_time_points_are_ordered_by_what_tells_them_apart(tmp_path: Path, keyword: str) -> None:
    ((volume, findings),) = read_dicom(
        write(tmp_path, repeated(**{keyword: [10, 20, 30, 40], "EchoTime": [5.0] * 4}))
    )
    assert volume.leading == ("time",)
    np.testing.assert_array_equal(volume.data, SCANS)
    assert findings == ()
    assert volume.details["axis_attribute"] == keyword
    assert volume.details["axis_values"]["time"] == (10, 20, 30, 40)


def test_trigger_times_may_differ_between_slices(tmp_path: Path) -> None:
    datasets = repeated(TriggerTime=[0.0, 30.0, 60.0, 90.0])
    for dataset in datasets:
        dataset.TriggerTime += float(dataset.ImagePositionPatient[2]) / 3
    ((volume, _),) = read_dicom(write(tmp_path, datasets))
    np.testing.assert_array_equal(volume.data, SCANS)


def test_incomplete_time_points_are_left_out_and_said(tmp_path: Path) -> None:
    datasets = repeated(TemporalPositionIdentifier=[1, 2, 3, 4])
    series = read_dicom(write(tmp_path, datasets[2:]))  # the fourth has lost two slices
    assert codes(series) == ["incomplete-time-points"]
    np.testing.assert_array_equal(series[0].volume.data, SCANS[:3])


def test_repeats_that_nothing_tells_apart_are_said(tmp_path: Path) -> None:
    datasets = []
    for t in range(2):
        datasets.extend(slices(SCANS[t]))
    series = read_dicom(write(tmp_path, datasets))
    assert codes(series) == ["undistinguished-repeats"]
    assert series[0].volume.leading == ("repeat",)


def test_three_echoes_make_an_axis(tmp_path: Path) -> None:
    ((volume, _),) = read_dicom(write(tmp_path, repeated(count=3, EchoTime=[5.0, 10.0, 15.0])))
    assert volume.leading == ("echo",)
    np.testing.assert_array_equal(volume.data, SCANS[:3])
    assert volume.details["axis_values"]["echo"] == (5.0, 10.0, 15.0)


def test_echo_and_time_span_two_axes(tmp_path: Path) -> None:
    scans = noise(3, 2, 3, 5, 4)
    datasets = [
        dataset
        for e in range(3)
        for t in range(2)
        for dataset in slices(scans[e, t], EchoTime=5.0 + e, TemporalPositionIdentifier=t + 1)
    ]
    ((volume, _),) = read_dicom(write(tmp_path, datasets))
    assert volume.leading == ("echo", "time")
    np.testing.assert_array_equal(volume.data, scans)


def test_diffusion_weightings_with_repeated_b0_make_one_axis(tmp_path: Path) -> None:
    weightings = [(0.0, None), (1000.0, (1.0, 0, 0)), (0.0, None), (1000.0, (0, 1.0, 0))]
    datasets = []
    for t, (b_value, direction) in enumerate(weightings):
        more = {} if direction is None else {"DiffusionGradientOrientation": list(direction)}
        datasets.extend(slices(SCANS[t], DiffusionBValue=b_value, AcquisitionNumber=t + 1, **more))
    ((volume, findings),) = read_dicom(write(tmp_path, datasets))
    assert volume.leading == ("direction",)
    np.testing.assert_array_equal(volume.data, SCANS)
    assert [v[0] for v in volume.details["axis_values"]["direction"]] == [0, 1000, 0, 1000]
    assert volume.details["axis_values"]["direction"][3][1:] == (0, 1, 0)
    assert findings == ()


def cine(tmp_path: Path, heights: list[float]) -> Path:
    """One series a slice, four phases each, as short-axis cines are exported."""
    for s, z in enumerate(heights):
        datasets = [
            slices(
                SCANS[t, s : s + 1],
                origin=(0.0, 0.0, z),
                TriggerTime=40.0 * t + s,
                series=f"1.2.3.{s}",
            )[0]
            for t in range(4)
        ]
        write(tmp_path / f"Se{s}", datasets)
    return tmp_path


def test_cine_series_that_differ_only_in_position_are_joined(tmp_path: Path) -> None:
    series = read_dicom(cine(tmp_path, [20.0, 0.0, 10.0]))
    assert codes(series) == ["joined-series"]
    volume = series[0].volume
    assert volume.leading == ("time",)
    np.testing.assert_array_equal(volume.data, SCANS[:, [1, 2, 0]])
    assert volume.grid.spacing[0] == pytest.approx(10.0)
    assert len(volume.source.paths) == 12


def test_unevenly_placed_cine_series_stay_apart(tmp_path: Path) -> None:
    series = read_dicom(cine(tmp_path, [0.0, 10.0, 35.0]))
    assert [one.volume.data.shape for one in series] == [(4, 1, 5, 4)] * 3
    assert codes(series) == ["apart-series"]
    assert "they lie 10.0, 25.0 mm apart" in series[0].findings[0].message


def test_cine_series_of_which_one_lacks_an_image_are_told_apart(tmp_path: Path) -> None:
    root = cine(tmp_path, [20.0, 0.0, 10.0])
    sorted((root / "Se1").iterdir())[1].unlink()
    series = read_dicom(root)
    said = [f for one in series for f in one.findings if f.code == "apart-series"]
    assert len(said) == 1
    assert "2 of them have 4 time points, Se1 has 3" in said[0].message


@pytest.mark.parametrize(
    ("kept", "counted", "said"),
    [
        ([0, 1, 2, 3, 4, 5], None, ""),
        ([0, 1, 2, 3, 6, 7], None, "6 of about 8 time points (missing: 2 after point 4)"),
        ([0, 1, 2, 3, 4, 5], 8, "6 of the 8 time points that the headers count"),
    ],
)
def test_time_points_that_a_heart_beat_lacks_are_told(
    tmp_path: Path, kept: list[int], counted: int | None, said: str
) -> None:
    datasets = []
    for t in kept:
        made = slices(SCANS[0, :2], TriggerTime=40.0 * t)
        for one in made:
            if counted:
                one.CardiacNumberOfImages = counted
        datasets += made
    series = read_dicom(write(tmp_path, datasets))
    assert codes(series) == (["missing-time-points"] if said else [])
    assert all(said in f.message for f in series[0].findings)


def phases(order: list[tuple[int, int]]) -> list:
    """Functional groups for (slice, phase) pairs in file order."""
    return [
        frame(
            3.0 * s,
            FrameContentSequence=item(TemporalPositionIndex=t + 1, StackID="1"),
            PixelValueTransformationSequence=item(
                RescaleSlope=2.0, RescaleIntercept=float(t), RescaleType="US"
            ),
        )
        for s, t in order
    ]


def test_enhanced_frames_are_placed_by_their_functional_groups(tmp_path: Path) -> None:
    order = [(s, t) for s in (2, 0, 1) for t in (1, 0, 3, 2)]
    pixels = np.stack([SCANS[t, s] for s, t in order])
    ((volume, findings),) = read_dicom(save(enhanced(pixels, phases(order)), tmp_path / "e.dcm"))
    assert volume.leading == ("time",)
    expected = SCANS * 2.0 + np.arange(4)[:, None, None, None]
    np.testing.assert_allclose(volume.data, expected)
    assert volume.grid.spacing == pytest.approx((3.0, 1.5, 1.0))
    assert findings == ()
    assert volume.details["frame_numbers"][:3] == (6, 10, 2)


def test_enhanced_files_of_one_series_join_over_time(tmp_path: Path) -> None:
    for t in range(3):
        order = [(s, t) for s in range(3)]
        save(enhanced(SCANS[t], phases(order)), tmp_path / f"{t}.dcm")
    ((volume, _),) = read_dicom(tmp_path)
    assert volume.data.shape == (3, 3, 5, 4)


def test_enhanced_frame_types_are_separate_volumes(tmp_path: Path) -> None:
    groups = [
        frame(3.0 * s, MRImageFrameTypeSequence=item(FrameType=["ORIGINAL", "PRIMARY", "M", kind]))
        for kind in ("WATER", "FAT")
        for s in range(3)
    ]
    series = read_dicom(save(enhanced(SCANS[:2].reshape(6, 5, 4), groups), tmp_path / "e.dcm"))
    assert codes(series) == ["split-series"]
    np.testing.assert_array_equal(series[0].volume.data, SCANS[0])
    np.testing.assert_array_equal(series[1].volume.data, SCANS[1])
    assert "FAT" in series[1].volume.role


def test_enhanced_with_too_few_groups_is_refused(tmp_path: Path) -> None:
    dataset = enhanced(SCANS[0], phases([(0, 0), (1, 0)]))
    with pytest.raises(ReadError, match="describes only 2"):
        read_dicom(save(dataset, tmp_path / "e.dcm"))


def test_unknown_enhanced_dimension_still_tells_frames_apart(tmp_path: Path) -> None:
    groups = [
        frame(3.0 * s, FrameContentSequence=item(DimensionIndexValues=[1, s + 1, 2 - t]))
        for t in range(2)
        for s in range(3)
    ]
    pointers = [0x00209056, 0x00209057, 0x20051063]
    dataset = enhanced(
        SCANS[:2].reshape(6, 5, 4),
        groups,
        DimensionIndexSequence=Sequence([item(DimensionIndexPointer=p) for p in pointers]),
    )
    ((volume, findings),) = read_dicom(save(dataset, tmp_path / "e.dcm"))
    np.testing.assert_array_equal(volume.data, SCANS[1::-1])
    assert findings == ()
