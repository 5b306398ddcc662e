"""b-values and directions of DICOM series: one table, written by each maker's convention.

Everything is made along the patient's axes and brought to the elements by the conventions' words
(named in `volumes/dicom/diffusion.py`), not by the package's code.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence

import napari_sparseexplain as se
from napari_sparseexplain.errors import ReadError
from napari_sparseexplain.microstructure.protocol.dicom_gradients import dicom_gradients
from napari_sparseexplain.microstructure.protocol.of_volume import (
    gradient_table_in,
    gradient_table_of,
)
from napari_sparseexplain.volumes.dicom.reader import read_dicom
from napari_sparseexplain.volumes.grid import Grid
from napari_sparseexplain.volumes.resampling import resample_to
from napari_sparseexplain.volumes.volume import Volume

from ..volumes.dicom_writing import (
    AXIAL,
    csa,
    enhanced,
    frame,
    image,
    item,
    noise,
    save,
    slices,
    tiled,
    write,
)
from .diffusion_scans import gradients, rotation

CORONAL = [1.0, 0.0, 0.0, 0.0, 0.0, -1.0]
SAGITTAL = [0.0, 1.0, 0.0, 0.0, 0.0, -1.0]
TILT = rotation((1, 2, 3), 24.0)
OBLIQUE = [float(v) for v in np.concatenate([TILT @ AXIAL[:3], TILT @ AXIAL[3:]])]
PLANES = {"axial": AXIAL, "coronal": CORONAL, "sagittal": SAGITTAL, "oblique": OBLIQUE}

#: Two shells; RAS, as everything in the tests of gradients.
B, RAS = gradients(((700.0, 2), (2000.0, 3)), b0=1)
LPS = RAS * (-1.0, -1.0, 1.0)
SHAPE = (2, 5, 4)
SCAN = noise(len(B), *SHAPE)

Writer = Callable[[FileDataset, float, np.ndarray, list[float]], None]


def axes_of(orientation: list[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    return row, column, np.cross(row, column)


def add(dataset: Dataset, group: int, creator: str, element: int, vr: str, value: Any) -> None:
    dataset.private_block(group, creator, create=True).add_new(element, vr, value)


def standard(dataset: FileDataset, b: float, g: np.ndarray, _: list[float]) -> None:
    dataset.DiffusionBValue = b
    if b:
        dataset.DiffusionGradientOrientation = list(g)


def standard_without_b0(dataset: FileDataset, b: float, g: np.ndarray, _: list[float]) -> None:
    """What is not weighted says so, and tells no b-value."""
    dataset.DiffusionDirectionality = "DIRECTIONAL" if b else "NONE"
    if b:
        standard(dataset, b, g, _)


def siemens(dataset: FileDataset, b: float, g: np.ndarray, _: list[float]) -> None:
    dataset.Manufacturer = "SIEMENS"
    add(dataset, 0x0019, "SIEMENS MR HEADER", 0x0C, "IS", int(b))
    if b:
        add(dataset, 0x0019, "SIEMENS MR HEADER", 0x0E, "FD", list(g))


def siemens_matrix(dataset: FileDataset, b: float, g: np.ndarray, _: list[float]) -> None:
    add(dataset, 0x0019, "SIEMENS MR HEADER", 0x0C, "IS", int(b))
    if b:
        matrix = b * np.outer(g, g)
        add(dataset, 0x0019, "SIEMENS MR HEADER", 0x27, "FD", list(matrix[np.triu_indices(3)]))


def siemens_csa(dataset: FileDataset, b: float, g: np.ndarray, _: list[float]) -> None:
    values = {"B_value": [f"{b:g}"], "DiffusionGradientDirection": [f"{v:.8f}" for v in g]}
    add(dataset, 0x0029, "SIEMENS CSA HEADER", 0x10, "OB", csa(values))


def philips(dataset: FileDataset, b: float, g: np.ndarray, _: list[float]) -> None:
    dataset.Manufacturer = "Philips Medical Systems"
    add(dataset, 0x2001, "Philips Imaging DD 001", 0x03, "FL", b)
    for element, value in zip((0xB0, 0xB1, 0xB2), g, strict=True):
        add(dataset, 0x2005, "Philips MR Imaging DD 001", element, "FL", float(value))


def uih(dataset: FileDataset, b: float, g: np.ndarray, orientation: list[float]) -> None:
    """Along rows, columns and normal; the standard's element is wrong and must not be read."""
    dataset.Manufacturer = "UIH"
    dataset.DiffusionBValue, dataset.DiffusionGradientOrientation = b, [0.0, 0.0, 1.0]
    along = [float(g @ axis) for axis in axes_of(orientation)]
    add(dataset, 0x0065, "Image Private Header", 0x09, "FD", b)
    add(dataset, 0x0065, "Image Private Header", 0x37, "FD", along)


def ge(phase: str, *, lower: bool = False) -> Writer:
    """Frequency, phase, slice (dcm2niix's issue 970); b with a flag; a short vector if lower."""

    def written(dataset: FileDataset, b: float, g: np.ndarray, orientation: list[float]) -> None:
        row, column, normal = axes_of(orientation)
        frequency, along = (-row, -column) if phase == "COL" else (column, -row)
        if abs(normal[1]) == max(abs(normal)):
            along = -along
        parts = np.array([g @ frequency, g @ along, g @ normal])
        highest = B.max() if lower and b else b
        if b:
            parts *= np.sqrt(b / highest)
        dataset.Manufacturer = "GE MEDICAL SYSTEMS"
        dataset.InPlanePhaseEncodingDirection = phase
        add(dataset, 0x0043, "GEMS_PARM_01", 0x39, "IS", [int(highest) + 10**9, 8, 0, 0])
        for element, value in zip((0xBB, 0xBC, 0xBD), parts, strict=True):
            add(dataset, 0x0019, "GEMS_ACQU_01", element, "DS", f"{value:.8f}")

    return written


WRITERS = {
    "standard": standard,
    "standard without b0": standard_without_b0,
    "siemens": siemens,
    "siemens matrix": siemens_matrix,
    "siemens csa": siemens_csa,
    "philips": philips,
    "uih": uih,
    "ge column": ge("COL"),
    "ge row": ge("ROW"),
    "ge short vectors": ge("COL", lower=True),
}

#: Planes that a maker is asked in if not axial and oblique alone. What is told along the
#: patient's axes goes one way from there, so that one such maker will do; along the image's each
#: differs.
ASKED = {
    "standard": ("axial", "coronal", "oblique"),
    "uih": ("axial", "coronal", "oblique"),
    "ge column": tuple(PLANES),
    "ge row": tuple(PLANES),
    "ge short vectors": ("axial", "coronal", "oblique"),
}


def series(
    writer: Writer,
    orientation: list[float] = AXIAL,
    b: np.ndarray = B,
    lps: np.ndarray = LPS,
    scan: np.ndarray = SCAN,
) -> list[FileDataset]:
    """One file a slice and volume; those of the last volume first."""
    datasets = []
    for t in reversed(range(len(b))):
        volume = slices(scan[t], orientation=orientation, AcquisitionNumber=t + 1)
        for k, dataset in enumerate(volume):
            dataset.InstanceNumber = t * len(volume) + k + 1
            dataset.EchoTime = 71.0
            writer(dataset, float(b[t]), lps[t], orientation)
        datasets += volume
    return datasets


def along_grid(volume: Volume) -> np.ndarray:
    """The table along the volume's axes, from its affine's columns alone."""
    linear = volume.grid.affine[:3, :3]
    return RAS @ (linear / np.linalg.norm(linear, axis=0))


def same_lines(a: np.ndarray, b: np.ndarray) -> bool:
    """A gradient and its opposite measure the same."""
    cosine = abs((a * b).sum(axis=1))[B > 0]
    return bool((cosine > 1 - 1e-6).all()) and not a[B == 0].any()


@pytest.mark.parametrize(
    ("maker", "plane"),
    [(m, p) for m in WRITERS for p in PLANES if p in ASKED.get(m, ("axial", "oblique"))],
)
def test_each_maker_gives_back_the_table(tmp_path: Path, maker: str, plane: str) -> None:
    folder = write(tmp_path, series(WRITERS[maker], PLANES[plane]))
    ((volume, findings),) = read_dicom(folder)
    assert volume.leading == ("direction",)
    assert findings == ()
    table, said = gradient_table_of(volume, small_delta=12.9, big_delta=40.0)
    np.testing.assert_allclose(table.b, B, rtol=1e-4)
    assert same_lines(table.directions, along_grid(volume))
    assert table.known_timings.echo_time == pytest.approx(0.071)
    assert [f.code for f in said] == ["gradients-read"]


def test_the_pictures_stay_with_their_gradients(tmp_path: Path) -> None:
    """Files in any order: volume t has the t-th gradient."""
    datasets = series(siemens)
    np.random.default_rng(4).shuffle(datasets)  # type: ignore[arg-type]
    ((volume, _),) = read_dicom(write(tmp_path, datasets))
    np.testing.assert_array_equal(volume.data, SCAN)


def test_mosaics_of_siemens(tmp_path: Path) -> None:
    scan = noise(len(B), 7, 4, 6)
    datasets = []
    for t in range(len(B)):
        dataset = image(
            tiled(scan[t]),
            ImageOrientationPatient=OBLIQUE,
            ImagePositionPatient=[-36.0, -24.0, 12.0],
            SpacingBetweenSlices=3.5,
            AcquisitionNumber=t + 1,
            ImageType=["ORIGINAL", "PRIMARY", "DIFFUSION", "NONE", "MOSAIC"],
        )
        add(dataset, 0x0019, "SIEMENS MR HEADER", 0x0A, "US", 7)
        siemens(dataset, float(B[t]), LPS[t], OBLIQUE)
        datasets.append(dataset)
    ((volume, _),) = read_dicom(write(tmp_path, datasets[::-1]))
    np.testing.assert_array_equal(volume.data.shape[:2], (len(B), 7))
    table, _ = gradient_table_of(volume)
    np.testing.assert_allclose(table.b, B)
    assert same_lines(table.directions, along_grid(volume))


def diffusion_group(b: float, g: np.ndarray, kind: str = "DIRECTIONAL") -> Dataset:
    group = item(DiffusionDirectionality=kind if b else "NONE")
    if b or kind != "no b-value":
        group.DiffusionBValue = b
    if b and kind == "DIRECTIONAL":
        inner = item(DiffusionGradientOrientation=list(g))
        group.DiffusionGradientDirectionSequence = Sequence([inner])
    if b and kind == "BMATRIX":
        matrix = b * np.outer(g, g)
        names = ("XX", "XY", "XZ", "YY", "YZ", "ZZ")
        values = dict(zip(names, matrix[np.triu_indices(3)], strict=True))
        inner = item(**{f"DiffusionBValue{name}": float(v) for name, v in values.items()})
        group.DiffusionBMatrixSequence = Sequence([inner])
    return group


@pytest.mark.parametrize("kind", ["DIRECTIONAL", "BMATRIX"])
def test_enhanced_objects(tmp_path: Path, kind: str) -> None:
    groups = [
        frame(
            3.0 * s,
            MRDiffusionSequence=diffusion_group(float(b), g, kind),
            FrameContentSequence=item(DimensionIndexValues=[t + 1, s + 1]),
        )
        for t, (b, g) in enumerate(zip(B, LPS, strict=True))
        for s in range(SHAPE[0])
    ]
    pointers = [item(DimensionIndexPointer=p) for p in (0x00189087, 0x00209057)]
    dataset = enhanced(SCAN.reshape(-1, 5, 4), groups, DimensionIndexSequence=Sequence(pointers))
    ((volume, findings),) = read_dicom(save(dataset, tmp_path / "e.dcm"))
    assert findings == ()
    np.testing.assert_array_equal(volume.data, SCAN)
    table, _ = gradient_table_of(volume)
    np.testing.assert_allclose(table.b, B)
    assert same_lines(table.directions, along_grid(volume))


def test_gradients_follow_resampling(tmp_path: Path) -> None:
    """To patient axes, to another scan's grid, with and without what it was before."""
    folder = write(tmp_path, series(siemens, OBLIQUE))
    study = se.open_study(folder, patient_axes=True)
    (role,) = study.images
    assert study[role].source.header is None, "it was resampled"
    table, _ = gradient_table_in(study, role)
    assert same_lines(table.directions, along_grid(study[role]))
    linear = rotation((1, 0, 2), -30.0) @ np.diag([1.5, 2.0, 2.5])
    affine = np.eye(4)
    affine[:3, :3] = linear
    moved = resample_to(study.originals[role], Grid((4, 4, 4), affine))
    for original in (None, study.originals[role]):
        table, _ = gradient_table_of(moved, original=original)
        assert same_lines(table.directions, along_grid(moved))


@pytest.mark.parametrize("writer", [philips, standard, siemens])
def test_an_average_over_directions_is_left_out(tmp_path: Path, writer: Writer) -> None:
    b, lps = np.append(B, 2000.0), np.vstack([LPS, np.zeros(3)])
    scan = np.concatenate([SCAN, SCAN[:1]])

    def written(dataset: FileDataset, b: float, g: np.ndarray, plane: list[float]) -> None:
        writer(dataset, b, g, plane)
        if b and not g.any() and "DiffusionGradientOrientation" in dataset:
            del dataset.DiffusionGradientOrientation

    ((volume, findings),) = read_dicom(write(tmp_path, series(written, AXIAL, b, lps, scan)))
    assert [f.code for f in findings] == ["averages-left-out"]
    assert "1 at b = 2000" in findings[0].message
    np.testing.assert_array_equal(volume.data, SCAN)
    assert len(gradient_table_of(volume)[0]) == len(B)


def test_a_series_of_averages_alone_is_shown_and_tells_no_directions(tmp_path: Path) -> None:
    b, none = np.array([0.0, 1000.0]), np.zeros((2, 3))
    folder = write(tmp_path, series(philips, AXIAL, b, none, SCAN[:2]))
    ((volume, findings),) = read_dicom(folder)
    assert findings == ()
    assert volume.data.shape == (2, *SHAPE)
    with pytest.raises(ReadError, match=r"no direction.*volume 2 \(b = 1000\)"):
        gradient_table_of(volume)


def drop(dataset: FileDataset) -> None:
    del dataset[0x00190010], dataset[0x0019100C]
    dataset.pop(0x0019100E, None)


def drop_direction(dataset: FileDataset) -> None:
    del dataset[0x0019100E]


def garbage_direction(dataset: FileDataset) -> None:
    del dataset[0x0019100E]
    add(dataset, 0x0019, "SIEMENS MR HEADER", 0x0E, "OB", b"\x01\xff\x7f\x80")


def long_direction(dataset: FileDataset) -> None:
    dataset[0x0019100E].value = [3.0, 4.0, 0.0]


def garbage_b(dataset: FileDataset) -> None:
    del dataset[0x0019100C]
    add(dataset, 0x0019, "SIEMENS MR HEADER", 0x0C, "UN", b"\xff\xfe??")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (drop, "no element of it is there"),
        (drop_direction, "a b-value and no direction"),
        (garbage_direction, r"\(0019,100E\) cannot be read"),
        (long_direction, "no unit vector .length 5"),
        (garbage_b, r"\(0019,100C\) cannot be read"),
    ],
)
def test_a_file_that_lost_its_tags_has_those_of_its_volume(
    tmp_path: Path, spoil: Callable[[FileDataset], None], said: str
) -> None:
    datasets = series(siemens)
    volume_5 = [d for d in datasets if d.AcquisitionNumber == 6]
    spoil(volume_5[1])
    ((volume, findings),) = read_dicom(write(tmp_path, datasets))
    (finding,) = findings
    assert finding.code == "gradient-tags-missing"
    assert f"1 of {SCAN.shape[0] * SHAPE[0]} images" in finding.message
    assert "volume 6" in finding.message
    assert any(path.name in finding.message for path in volume.source.paths)
    assert re.search(said, finding.message), finding.message
    np.testing.assert_array_equal(volume.data, SCAN)
    table, _ = gradient_table_of(volume)
    assert same_lines(table.directions, along_grid(volume))


def test_a_volume_that_tells_nothing_is_named_and_the_pictures_open(tmp_path: Path) -> None:
    datasets = series(siemens)
    for dataset in datasets:
        if dataset.AcquisitionNumber == 4:
            garbage_direction(dataset)
        if dataset.AcquisitionNumber == 6:
            drop(dataset)
    ((volume, (finding,)),) = read_dicom(write(tmp_path, datasets))
    assert "volumes 4, 6 without a gradient that is known" in finding.message
    np.testing.assert_array_equal(volume.data, SCAN)
    with pytest.raises(ReadError, match="no image of volume 6 tells its b-value"):
        dicom_gradients(volume)


def test_unknown_representation_is_read(tmp_path: Path) -> None:
    """Programs that make files anonymous leave UN, and drop who made the private elements."""

    def unknown(dataset: FileDataset, b: float, g: np.ndarray, _: list[float]) -> None:
        dataset.Manufacturer = "SIEMENS"
        dataset.add_new(0x0019100C, "UN", f"{b:g} ".encode())
        if b:
            dataset.add_new(0x0019100E, "UN", struct.pack("<3d", *g))

    ((volume, _),) = read_dicom(write(tmp_path, series(unknown, CORONAL)))
    table, _ = gradient_table_of(volume)
    np.testing.assert_allclose(table.b, B)
    assert same_lines(table.directions, along_grid(volume))


def test_ge_without_its_phase_encoding_is_named(tmp_path: Path) -> None:
    def without(dataset: FileDataset, b: float, g: np.ndarray, plane: list[float]) -> None:
        ge("COL")(dataset, b, g, plane)
        del dataset.InPlanePhaseEncodingDirection

    ((volume, findings),) = read_dicom(write(tmp_path, series(without)))
    assert "(0018,1312)" in findings[0].message
    with pytest.raises(ReadError, match="no direction"):
        gradient_table_of(volume)


@pytest.mark.realdata
@pytest.mark.parametrize("scan", ["siemens_mosaic/ax/axasc35", "enhanced_multiframe/Siemens/XA10"])
def test_real_series_over_time_tell_none(shared_data: Path, scan: str) -> None:
    for one in read_dicom(shared_data / "edge_cases" / scan):
        with pytest.raises(ReadError, match="no b-values"):
            dicom_gradients(one.volume)


def test_a_series_over_time_tells_no_gradients(tmp_path: Path) -> None:
    datasets = [d for t in range(3) for d in slices(SCAN[t], AcquisitionNumber=t + 1)]
    ((volume, _),) = read_dicom(write(tmp_path, datasets))
    with pytest.raises(ReadError, match="no b-values"):
        gradient_table_of(volume)
