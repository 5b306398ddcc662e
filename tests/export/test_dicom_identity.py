"""No identifying value of the images in any byte of a default export; all of them when asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from exported_studies import IDENTITY, SHA256, explained, exported
from pydicom import dcmread
from pydicom.dataset import Dataset

from dicom_writing import item, noise, slices, write  # isort: skip

import napari_sparseexplain as se
from napari_sparseexplain.errors import SparseExplainError, StudyError
from napari_sparseexplain.evidence.explanation import Explanation
from napari_sparseexplain.evidence.provenance import Provenance
from napari_sparseexplain.export.dicom.deidentification import Deidentification
from napari_sparseexplain.export.dicom.objects import CapturedPicture
from napari_sparseexplain.export.dicom.record import read_record
from napari_sparseexplain.volumes import Study

PICTURE = CapturedPicture("picture", np.full((10, 12, 3), 200, dtype=np.uint8))

#: Elements of a scan that say nothing of whom it is of.
_TECHNICAL = {
    "SOPClassUID",
    "MediaStorageSOPClassUID",
    "TransferSyntaxUID",
    "PatientSex",
}


@pytest.fixture
def study(tmp_path: Path) -> Study:
    scans = slices(
        noise(4, 6, 8),
        **IDENTITY,
        RequestAttributesSequence=[
            item(
                RequestedProcedureDescription="for Quandertide", ScheduledProcedureStepID="SPS-9917"
            )
        ],
    )
    for scan in scans:
        block = scan.private_block(0x0029, "A SCANNER OF THE TEST", create=True)
        block.add_new(0x10, "LO", "Quandertide private")
    return se.open_study(write(tmp_path / "Quandertide_scan", scans))


def values_of(dataset: Dataset) -> set[bytes]:
    """Every text of a header that is no technical word, as bytes, names also in their parts."""
    found: set[str] = set()
    for element in dataset.iterall():
        keyword = element.keyword
        identifying = keyword in IDENTITY or element.VR == "UI" or keyword.endswith("StepID")
        if not identifying or keyword in _TECHNICAL:
            continue
        for value in str(element.value).split("\\"):
            found.add(value)
            if element.VR == "PN":
                found.update(value.split("^"))
    return {value.encode() for value in found if len(value) > 2}


def test_no_byte_tells_the_patient(study: Study, tmp_path: Path) -> None:
    explanation = explained(study, notes=("Opened from Quandertide_scan",))
    files = exported(explanation, study, tmp_path / "out", pictures=[PICTURE]).files
    sought: set[bytes] = set()
    for path in study[study.reference].source.paths:
        header = dcmread(path)
        sought |= values_of(header) | values_of(header.file_meta)
    assert len(sought) > 30
    assert b"Quandertide" in sought
    for path in files:
        content = path.read_bytes().lower()
        told = [value for value in sought if value.lower() in content]
        assert not told, path.name
        assert b"quandertide" not in path.name.lower().encode()


def test_objects_say_that_they_are_de_identified(study: Study, tmp_path: Path) -> None:
    for path in exported(explained(study), study, tmp_path / "out", pictures=[PICTURE]).files:
        made = dcmread(path)
        assert made.PatientIdentityRemoved == "YES"
        assert made.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
        assert str(made.PatientName).startswith("ANON-")
        assert made.PatientBirthDate == ""
        assert made.StudyDate == ""
        assert made.AccessionNumber == ""


def test_no_object_says_when_it_was_made(study: Study, tmp_path: Path) -> None:
    """PS3.15, Basic Profile: dates and times are emptied, removed or a dummy, on all levels."""
    for path in exported(explained(study), study, tmp_path / "out", pictures=[PICTURE]).files:
        said = {
            str(element.value)
            for element in dcmread(path).iterall()
            if element.VR in ("DA", "DT", "TM") and element.value
        }
        assert said <= {"19000101", "000000"}, path.name


def test_uids_agree_within_an_export_and_not_between_two(study: Study, tmp_path: Path) -> None:
    def told(out: str, **options: Deidentification) -> list[tuple[str, str, str, str]]:
        files = exported(explained(study), study, tmp_path / out, **options).files
        made = [dcmread(path) for path in files]
        return [
            (
                d.StudyInstanceUID,
                d.FrameOfReferenceUID,
                d.PatientID,
                d.SourceImageSequence[0].ReferencedSOPInstanceUID,
            )
            for d in made
        ]

    first, second = told("a"), told("b")
    assert first[0] == first[1]
    assert not set(first[0]) & set(second[0])
    key = Deidentification(key=b"a key that is kept")
    assert told("c", identity=key) == told("d", identity=Deidentification(key=key.key))


def test_references_within_an_export_are_consistent(study: Study, tmp_path: Path) -> None:
    seg, pm = (dcmread(p) for p in exported(explained(study), study, tmp_path / "out").files)
    named = {i.ReferencedSOPInstanceUID for i in seg.SourceImageSequence}
    assert named == {i.ReferencedSOPInstanceUID for i in pm.SourceImageSequence}
    for made in (seg, pm):
        used = {
            source.ReferencedSOPInstanceUID
            for group in made.PerFrameFunctionalGroupsSequence
            for source in group.DerivationImageSequence[0].SourceImageSequence
        }
        assert used == named
        assert seg.StudyInstanceUID == made.StudyInstanceUID
        assert seg.SeriesInstanceUID != pm.SeriesInstanceUID


def test_identity_is_kept_when_asked(study: Study, tmp_path: Path) -> None:
    scan = dcmread(study[study.reference].source.paths[0])
    keep = Deidentification(keep_identity=True)
    picture = CapturedPicture("shown", PICTURE.pixels, shows_identity=True)
    files = exported(
        explained(study), study, tmp_path / "out", identity=keep, pictures=[picture]
    ).files
    for path in files:
        made = dcmread(path)
        for keyword in ("PatientName", "PatientID", "PatientBirthDate", "StudyDate", "StudyID"):
            assert made[keyword].value == scan[keyword].value, keyword
        assert made.StudyInstanceUID == scan.StudyInstanceUID
        assert made.PatientIdentityRemoved == "NO"
    assert dcmread(files[0]).FrameOfReferenceUID == scan.FrameOfReferenceUID
    assert dcmread(files[2]).BurnedInAnnotation == "YES"


@pytest.mark.parametrize("where", ["target", "title", "parameter", "model"])
def test_a_word_that_names_the_patient_is_refused(study: Study, tmp_path: Path, where: str) -> None:
    explanation = explained(study)
    values = explanation.provenance.to_json()
    if where == "target":
        explanation = explained(study, target="lesion of Quandertide")
    elif where == "title":
        object.__setattr__(explanation.maps[0], "title", "Mask quandertide")
    elif where == "parameter":
        values["parameters"] = {"baseline": "/scans/MRN-7741-QX/mean.nii"}
        explanation = explained(study, provenance=Provenance(**values))
    else:
        values["model"] = "trained-for-Philomena"
        explanation = explained(study, provenance=Provenance(**values))
    with pytest.raises(SparseExplainError, match="Patient") as refused:
        exported(explanation, study, tmp_path / "out")
    assert "uandertide" not in str(refused.value).replace("Quandertide_scan", "").split(":")[0]
    assert not (tmp_path / "out").exists()


def test_a_picture_called_after_the_patient_is_refused(study: Study, tmp_path: Path) -> None:
    for named in (
        CapturedPicture("Quandertide-12", PICTURE.pixels),
        CapturedPicture("shown", PICTURE.pixels, title="for Dr. Brackwater"),
    ):
        with pytest.raises(SparseExplainError, match="name of a picture"):
            exported(explained(study), study, tmp_path / "out", pictures=[named])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "said",
    [
        "QUANDERTIDE's lesion",
        "Philomena Quandertide",
        "núcleo de Quándertide",
        "born 1937-02-14",
        "14.02.1937",
        "of Mr. Oldershaw",
        "STATION-UMB-4/scans",
        "mrn-7741-qx",
    ],
)
def test_other_ways_of_writing_it_are_found(study: Study, tmp_path: Path, said: str) -> None:
    with pytest.raises(SparseExplainError, match="target would tell who the patient is"):
        exported(explained(study, target=said), study, tmp_path / "out")


@pytest.mark.parametrize(
    "harmless",
    [
        {"PatientName": "T1", "PatientID": "1"},
        {"PatientName": "A^B", "PatientID": "WT", "StudyID": "20"},
        {"PatientName": "Zero^Mask", "PatientID": "100", "AccessionNumber": "20"},
        {"PatientName": "Tumour^Enhancing", "PatientID": "XRAI"},
        {"PatientName": "ANON", "PatientID": "NONE", "OperatorsName": "Research"},
        {"PatientName": "Anonymous", "PatientComments": "oedema", "StationName": "MR"},
        {"PatientName": "Basic^Profile", "InstitutionName": "napari", "StudyID": "label 1"},
    ],
    ids=lambda values: values["PatientName"],
)
def test_a_name_that_is_a_word_stops_no_export(tmp_path: Path, harmless: dict[str, str]) -> None:
    """Program words: XRAI, WT, zero, mask, enhancing tumour, and what the tags themselves say."""
    study = se.open_study(write(tmp_path / "s", slices(noise(4, 6, 8), **harmless)))
    files = exported(explained(study), study, tmp_path / "out", pictures=[PICTURE]).files
    assert len(files) == 3
    for path in files:
        made = dcmread(path)
        assert str(made.PatientName) != harmless["PatientName"]
        assert made.PatientID.startswith("ANON-")


def test_a_short_number_is_found_where_a_person_typed_it(tmp_path: Path) -> None:
    scans = slices(noise(4, 6, 8), PatientID="4711", PatientName="王^小明")
    for scan in scans:
        scan.SpecificCharacterSet = "ISO_IR 192"
    study = se.open_study(write(tmp_path / "s", scans))
    for said in ("drawn for 4711", "小明 core"):
        with pytest.raises(SparseExplainError, match="Patient"):
            exported(explained(study, target=said), study, tmp_path / "out")
    exported(explained(study, target="voxel 80, 120, 4711"), study, tmp_path / "out")


def test_note_that_names_the_patient_is_left_out_and_that_is_said(
    study: Study, tmp_path: Path
) -> None:
    explanation = explained(study, notes=("Made from MRN-7741-QX", "Two slices were empty"))
    path = exported(explanation, study, tmp_path / "out").files[0]
    notes = read_record(dcmread(path))["notes"]
    assert notes == ["(a note that names the patient was left out)", "Two slices were empty"]


def test_picture_with_a_name_in_it_is_refused(study: Study, tmp_path: Path) -> None:
    picture = CapturedPicture("shown", PICTURE.pixels, shows_identity=True)
    with pytest.raises(SparseExplainError, match="drawn into the picture"):
        exported(explained(study), study, tmp_path / "out", pictures=[picture])
    assert not list(tmp_path.glob("out/*"))


def test_malformed_identity_leaves_valid_objects(tmp_path: Path) -> None:
    """Type 2 elements that are absent or nonsense are written empty."""
    odd = {"PatientSex": "unknown", "PatientBirthDate": "12 May", "StudyDate": None}
    study = se.open_study(write(tmp_path / "s", slices(noise(4, 6, 8), **odd)))
    keep = Deidentification(keep_identity=True)
    for path in exported(explained(study), study, tmp_path / "out", identity=keep).files:
        made = dcmread(path)
        for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate"):
            assert keyword in made
            assert not made[keyword].value
        assert made.StudyInstanceUID


def test_no_frame_of_reference_is_said(tmp_path: Path) -> None:
    scans = slices(noise(4, 6, 8), FrameOfReferenceUID=None)
    study = se.open_study(write(tmp_path / "s", scans))
    done = exported(explained(study), study, tmp_path / "out")
    assert any("frame of reference" in note for note in done.notes)
    assert all(dcmread(path).FrameOfReferenceUID for path in done.files)


def test_scans_of_two_patients_are_refused(tmp_path: Path) -> None:
    one = slices(noise(4, 6, 8), SeriesDescription="t1", PatientID="A-17")
    other = slices(noise(4, 6, 8), series="1.2.3.9", SeriesDescription="t2", PatientID="B-18")
    study = se.open_study(write(tmp_path / "s", [*one, *other]))
    explanation: Explanation = explained(study)
    values = explanation.provenance.to_json()
    values["inputs"] = {r: {"path": "", "sha256": ""} for r in study.images}
    with pytest.raises(StudyError, match="several patients"):
        exported(explained(study, provenance=Provenance(**values)), study, tmp_path / "out")


def test_words_beyond_ascii_are_written_whole(tmp_path: Path) -> None:
    scans = slices(
        noise(4, 6, 8),
        SpecificCharacterSet="ISO_IR 100",
        PatientName="Müller^Jürgen",
        PatientID="7",
    )
    study = se.open_study(write(tmp_path / "s", scans))
    keep = Deidentification(keep_identity=True)
    path = exported(explained(study), study, tmp_path / "out", identity=keep).files[0]
    made = dcmread(path)
    assert str(made.PatientName) == "Müller^Jürgen"
    assert read_record(made)["provenance"]["weights_sha256"] == SHA256
