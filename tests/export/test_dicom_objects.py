"""SEG and Parametric Map read back by others agree voxel for voxel and in patient position."""

from __future__ import annotations

from pathlib import Path

import highdicom as hd
import numpy as np
import pytest
from exported_studies import (
    ORIENTATIONS,
    SAGITTAL,
    SHA256,
    explained,
    exported,
    placed_voxels,
)

from dicom_writing import enhanced, frame, image, noise, save, slices, write  # isort: skip
from pydicom import dcmread

import napari_sparseexplain as se
from napari_sparseexplain.evidence.explanation import Explanation
from napari_sparseexplain.export.dicom.record import read_record
from napari_sparseexplain.volumes import Study


def agree(path: Path, explanation: Explanation, study: Study, name: str) -> None:
    """What a file holds, placed by its own tags, is the map at its own place."""
    item = explanation[name]
    found = placed_voxels(path, study)
    expected = np.zeros(study.grid.shape)
    expected[explanation.slices] = item.data
    explained_part = np.zeros(study.grid.shape, dtype=bool)
    explained_part[explanation.slices] = True
    assert found["covered"][explained_part].all()
    if item.kind == "segmentation":
        numbers = {label: n for n, label in enumerate(sorted(item.classes), start=1)}
        wanted = np.vectorize(lambda v: numbers.get(int(v), 0))(expected)
        np.testing.assert_array_equal(found["labels"], wanted)
    else:
        np.testing.assert_array_equal(found["covered"], explained_part)
        np.testing.assert_array_equal(found["values"][explained_part], expected[explained_part])


@pytest.mark.parametrize("part", [None, slice(1, 4)], ids=["all slices", "some slices"])
@pytest.mark.parametrize("name", ORIENTATIONS)
def test_voxels_lie_where_they_lay(tmp_path: Path, name: str, part: slice | None) -> None:
    folder = write(tmp_path / "scan", slices(noise(5, 7, 9), orientation=ORIENTATIONS[name]))
    study = se.open_study(folder)
    explanation = explained(study, part)
    seg, pm = exported(explanation, study, tmp_path / "out").files
    agree(seg, explanation, study, "mask")
    agree(pm, explanation, study, "heat")


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_orientation_and_position_are_the_images_own(tmp_path: Path, name: str) -> None:
    """As exactly as a decimal string of 16 characters can say it."""
    scans = slices(noise(4, 6, 8), orientation=ORIENTATIONS[name], PixelSpacing=[0.7, 1.3])
    study = se.open_study(write(tmp_path / "scan", scans))
    for path in exported(explained(study), study, tmp_path / "out").files:
        made = dcmread(path)
        shared = made.SharedFunctionalGroupsSequence[0]
        plane = shared.PlaneOrientationSequence[0].ImageOrientationPatient
        np.testing.assert_allclose(plane, scans[0].ImageOrientationPatient, rtol=0, atol=1e-13)
        assert [float(v) for v in shared.PixelMeasuresSequence[0].PixelSpacing] == [0.7, 1.3]
        written = np.unique(
            [
                group.PlanePositionSequence[0].ImagePositionPatient
                for group in made.PerFrameFunctionalGroupsSequence
            ],
            axis=0,
        )
        images = np.unique([s.ImagePositionPatient for s in scans], axis=0)
        np.testing.assert_allclose(written, images, rtol=0, atol=1e-11)


def test_highdicom_reads_the_same_segments(tmp_path: Path) -> None:
    study = se.open_study(write(tmp_path / "scan", slices(noise(5, 7, 9))))
    explanation = explained(study)
    seg, pm = exported(explanation, study, tmp_path / "out").files
    volume = hd.seg.segread(seg).get_volume(combine_segments=True)
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ volume.affine
    index = np.argwhere(volume.array)
    world = index @ affine[:3, :3].T + affine[:3, 3]
    voxels = np.rint(study.grid.index(world)).astype(int)
    ours = explanation["mask"].data[tuple(voxels.T)]
    numbers = volume.array[tuple(index.T)]
    assert len(index) == np.count_nonzero(explanation["mask"].data)
    np.testing.assert_array_equal(np.where(numbers == 2, 4, numbers), ours)
    volume = hd.imread(pm).get_volume()
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ volume.affine
    index = np.argwhere(np.ones(volume.array.shape, dtype=bool))
    voxels = np.rint(study.grid.index(index @ affine[:3, :3].T + affine[:3, 3])).astype(int)
    values = volume.array[tuple(index.T)]
    np.testing.assert_array_equal(values, explanation["heat"].data[tuple(voxels.T)])


def test_opened_again_it_lies_over_the_scan(tmp_path: Path) -> None:
    """A folder that holds the scan and its mask opens as a study with both on one grid."""
    folder = write(tmp_path / "scan", slices(noise(5, 7, 9), orientation=SAGITTAL))
    study = se.open_study(folder)
    explanation = explained(study)
    exported(explanation, study, folder)
    again = se.open_study(folder, reference=study.reference)
    assert again.grid.matches(study.grid)
    assert not again.resamplings
    (label,) = again.labels.values()
    mask = explanation["mask"].data
    np.testing.assert_array_equal(label.data, np.where(mask == 4, 2, mask))
    values = [v for v in again.images.values() if v.details.get("Modality") == "OT"]
    np.testing.assert_array_equal(values[0].data, explanation["heat"].data)


def test_each_frame_names_the_image_it_lies_on(tmp_path: Path) -> None:
    scans = slices(noise(5, 7, 9))
    study = se.open_study(write(tmp_path / "scan", scans))
    where = {tuple(s.ImagePositionPatient): s.SOPInstanceUID for s in scans}
    keep = se_identity(keep=True)
    for path in exported(explained(study, slice(1, 4)), study, tmp_path / "o", identity=keep).files:
        made = dcmread(path)
        for group in made.PerFrameFunctionalGroupsSequence:
            (source,) = group.DerivationImageSequence[0].SourceImageSequence
            position = tuple(group.PlanePositionSequence[0].ImagePositionPatient)
            assert source.ReferencedSOPInstanceUID == where[position]
        (series,) = made.ReferencedSeriesSequence
        named = {item.ReferencedSOPInstanceUID for item in series.ReferencedInstanceSequence}
        assert named == {s.SOPInstanceUID for s in scans[1:4]}
        assert series.SeriesInstanceUID == scans[0].SeriesInstanceUID


def se_identity(*, keep: bool):
    """Identity kept or not, with a fixed key."""
    from napari_sparseexplain.export.dicom.deidentification import Deidentification

    return Deidentification(keep_identity=keep, key=b"a key of the test")


def test_enhanced_multi_frame_names_object_and_frame(tmp_path: Path) -> None:
    heights = [9.0, 0.0, 6.0, 3.0]  # frames need not be in order
    scan = enhanced(noise(4, 6, 8), [frame(z) for z in heights])
    study = se.open_study(save(scan, tmp_path / "scan.dcm"))
    explanation = explained(study, slice(1, 4))
    files = exported(explanation, study, tmp_path / "o", identity=se_identity(keep=True)).files
    for path, name in zip(files, ("mask", "heat"), strict=True):
        agree(path, explanation, study, name)
        for group in dcmread(path).PerFrameFunctionalGroupsSequence:
            (source,) = group.DerivationImageSequence[0].SourceImageSequence
            height = float(group.PlanePositionSequence[0].ImagePositionPatient[2])
            assert source.ReferencedSOPInstanceUID == scan.SOPInstanceUID
            assert source.ReferencedFrameNumber == heights.index(height) + 1


def test_film_names_the_phase_that_was_explained(tmp_path: Path) -> None:
    phases = [
        s
        for t in range(3)
        for s in slices(noise(4, 6, 8, seed=t), TriggerTime=30.0 * t, AcquisitionNumber=t + 1)
    ]
    study = se.open_study(write(tmp_path / "scan", phases))
    assert study[study.reference].leading
    seg, _ = exported(
        explained(study), study, tmp_path / "out", identity=se_identity(keep=True)
    ).files
    named = {
        item.ReferencedSOPInstanceUID
        for item in dcmread(seg).ReferencedSeriesSequence[0].ReferencedInstanceSequence
    }
    assert named == {s.SOPInstanceUID for s in phases[:4]}


def test_resampled_study_is_written_on_its_own_planes(tmp_path: Path) -> None:
    folder = write(tmp_path / "scan", slices(noise(5, 7, 9), orientation=ORIENTATIONS["oblique"]))
    study = se.open_study(folder, patient_axes=True)
    explanation = explained(study, slice(1, 3))
    done = exported(explanation, study, tmp_path / "out")
    assert "resampled" in done.notes[0]
    agree(done.files[0], explanation, study, "mask")
    agree(done.files[1], explanation, study, "heat")
    made = dcmread(done.files[0])
    assert len(made.ReferencedSeriesSequence[0].ReferencedInstanceSequence) == 5
    assert not made.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence


def test_second_modality_is_named_as_well(tmp_path: Path) -> None:
    t1 = slices(noise(4, 6, 8), SeriesDescription="t1 axial")
    t2 = slices(noise(4, 6, 8, seed=1), series="1.2.3.4.5", SeriesDescription="t2 axial")
    write(tmp_path / "scan", [*t1, *t2])
    study = se.open_study(tmp_path / "scan")
    assert {"t1", "t2"} <= set(study.images)
    explanation = explained(study)
    provenance = explanation.provenance
    inputs = {r: {"path": "", "sha256": study[r].source.checksum()} for r in ("t1", "t2")}
    explanation = explained(
        study, provenance=type(provenance)(**{**provenance.to_json(), "inputs": inputs})
    )
    seg, _ = exported(explanation, study, tmp_path / "out", identity=se_identity(keep=True)).files
    made = dcmread(seg)
    assert len(made.ReferencedSeriesSequence) == 2
    for group in made.PerFrameFunctionalGroupsSequence:
        named = group.DerivationImageSequence[0].SourceImageSequence
        positions = {
            tuple(s.ImagePositionPatient)
            for s in [*t1, *t2]
            if s.SOPInstanceUID in {n.ReferencedSOPInstanceUID for n in named}
        }
        assert len(named) == 2
        assert positions == {tuple(group.PlanePositionSequence[0].ImagePositionPatient)}


def test_model_version_and_checksum_are_in_every_object(tmp_path: Path) -> None:
    from napari_sparseexplain.export.dicom.objects import CapturedPicture

    study = se.open_study(write(tmp_path / "scan", slices(noise(4, 6, 8))))
    picture = CapturedPicture("picture", np.zeros((10, 12, 3), dtype=np.uint8))
    files = exported(explained(study), study, tmp_path / "out", pictures=[picture]).files
    assert len(files) == 3
    for path in files:
        made = dcmread(path)
        said = made.ContributingEquipmentSequence[0].ContributionDescription
        assert "sum-seg" in said
        assert SHA256 in said
        assert "NOT FOR DIAGNOSTIC USE" in said
        assert made.SoftwareVersions == "0.1.0"
        provenance = read_record(made)["provenance"]
        assert provenance["weights_sha256"] == SHA256
        assert provenance["parameters"] == {"steps": 20, "baseline": "zero"}
    for segment in dcmread(files[0]).SegmentSequence:
        (algorithm,) = segment.SegmentationAlgorithmIdentificationSequence
        assert algorithm.AlgorithmName == "sum-seg"
        assert "0.1.0" in algorithm.AlgorithmVersion
        assert SHA256[:12] in algorithm.AlgorithmVersion
        assert SHA256 in algorithm.AlgorithmParameters


def test_segments_are_named_and_numbered(tmp_path: Path) -> None:
    study = se.open_study(write(tmp_path / "scan", slices(noise(4, 6, 8))))
    seg, pm = exported(explained(study), study, tmp_path / "out").files
    segments = dcmread(seg).SegmentSequence
    assert [(s.SegmentNumber, s.SegmentLabel, s.SegmentDescription) for s in segments] == [
        (1, "oedema", "label 1"),
        (2, "enhancing tumour", "label 4"),
    ]
    kinds = [s.SegmentedPropertyTypeCodeSequence[0].CodeMeaning for s in segments]
    assert kinds == ["Edema", "Neoplasm"]
    mapping = dcmread(pm).SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
    assert mapping.RealWorldValueSlope == 1
    assert mapping.RealWorldValueIntercept == 0
    assert mapping.MeasurementUnitsCodeSequence[0].CodeValue == "1"


def test_no_value_is_padding_and_said(tmp_path: Path) -> None:
    study = se.open_study(write(tmp_path / "scan", slices(noise(4, 6, 8))))
    explanation = explained(study)
    explanation["heat"].data[1, 2, 3] = np.nan
    _, pm = exported(explanation, study, tmp_path / "out").files
    padding = dcmread(pm).FloatPixelPaddingValue
    values = placed_voxels(pm, study)["values"]
    assert values[1, 2, 3] == padding
    assert np.count_nonzero(values == padding) == 1


def test_empty_mask_is_an_object_without_voxels(tmp_path: Path) -> None:
    """That nothing was found is a result, too."""
    study = se.open_study(write(tmp_path / "scan", slices(noise(4, 6, 8))))
    explanation = explained(study)
    explanation["mask"].data[:] = 0
    seg, _ = exported(explanation, study, tmp_path / "out").files
    assert not placed_voxels(seg, study)["labels"].any()
    assert placed_voxels(seg, study)["covered"].all()


def test_single_image(tmp_path: Path) -> None:
    study = se.open_study(write(tmp_path / "scan", slices(noise(1, 6, 8))))
    explanation = explained(study)
    seg, pm = exported(explanation, study, tmp_path / "out").files
    agree(seg, explanation, study, "mask")
    agree(pm, explanation, study, "heat")
    assert se.open_study(seg).grid.matches(study.grid)


def test_image_without_orientation_is_refused(tmp_path: Path) -> None:
    from napari_sparseexplain.errors import StudyError

    study = se.open_study(save(image(noise(6, 8)), tmp_path / "one.dcm"))
    with pytest.raises(StudyError, match="where they lie"):
        exported(explained(study), study, tmp_path / "out")
