"""No name of a patient, physician, file or folder is in anything that a default export writes.

The studies are made such that names stand everywhere: in headers of all kinds, in series
descriptions that become roles, in file and folder names, in a NIfTI file's free fields, in a note.
What was written is decoded here by other means than the product's own check.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from exported_studies import IDENTITY, explained
from PIL import Image
from pydicom import dcmread
from pypdf import PdfReader
from typer.testing import CliRunner

from dicom_writing import item, noise, slices, write  # isort: skip

import napari_sparseexplain as se
from napari_sparseexplain.cli import app
from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.evidence.store import load_explanation
from napari_sparseexplain.export.explanation_export import export_explanation
from napari_sparseexplain.export.pictures.compositor import PictureSize, compose
from napari_sparseexplain.export.pictures.picture_file import write_picture
from napari_sparseexplain.export.privacy.output_check import check_content, check_folder
from napari_sparseexplain.export.privacy.policy import policy_for, released
from napari_sparseexplain.export.report.measurements import measurement_csv, measurements
from napari_sparseexplain.review.annotation import annotation_on_grid
from napari_sparseexplain.review.default_review import default_reading, label_overlay
from napari_sparseexplain.review.reading import Reading
from napari_sparseexplain.review.review import KeySlice
from napari_sparseexplain.volumes import Finding, Study

#: Parts of names that stand somewhere in the studies, and dates and numbers, in small letters.
NAMES = (
    *("quandertide", "philomena", "xanthe", "brackwater", "ignatius", "oldershaw", "thessaly"),
    *("mrn-7741", "7741", "alt-99172", "acc-55120", "stu-3318", "umbria", "quillon", "eudoxia"),
    *("19370214", "1937-02-14", "14.02.1937", "20031107", "2003-11-07", "14feb1937"),
    *("fitzgerald", "wolfram", "zugspitz", "delacroix", "szymborska", "privatename", "deepnest"),
    *("vantongeren", "ottilie", "eskildsen", "habsburg", "grauwacke", "scannerfolk"),
)

SMALL = PictureSize(700, 600)


@pytest.fixture(scope="module")
def dicom_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two series, the second of which is of no known role."""
    folder = tmp_path_factory.mktemp("a") / "Vantongeren_Ottilie_14Feb1937"
    described = (
        ("ax FLAIR QuandertidePhilomena 14Feb1937 for Dr Fitzgerald", 1),
        ("Loc of Wolfram ward Zugspitz", 2),
    )
    for description, number in described:
        more = {
            **IDENTITY,
            "SeriesDescription": description,
            "ProtocolName": description,
            "ContrastBolusAgent": "Gadobutrol given by Szymborska",
            "RequestAttributesSequence": [item(RequestedProcedureDescription="for Delacroix")],
        }
        scans = slices(noise(3, 24, 20), series=f"1.2.3.{number}", SeriesNumber=number, **more)
        for scan in scans:
            block = scan.private_block(0x0029, "SCANNERFOLK 1.0", create=True)
            block.add_new(0x01, "LO", "Privatename")
            block.add_new(0x03, "SQ", [item(PatientName="Deepnest^Dora")])
        write(folder / f"Habsburg_{number}", scans)
    for place, path in enumerate(sorted(folder.rglob("*.dcm"))):
        path.rename(path.with_name(f"Eskildsen_{place:03d}.dcm"))
    return folder


@pytest.fixture(scope="module")
def nifti_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scans called after people, and free fields of the header with names in them."""
    folder = tmp_path_factory.mktemp("b") / "Vantongeren^Ottilie"
    folder.mkdir()
    values = np.random.default_rng(0).integers(1, 500, (24, 20, 5)).astype(np.int16)
    for name in ("Quandertide_flair", "OttilieVantongeren19370214"):
        image = nib.Nifti1Image(values, np.diag([-2.0, -2.0, 2.0, 1.0]))
        image.header["descrip"] = b"of Philomena"
        image.header["aux_file"] = b"Quandertide.txt"
        image.header["db_name"] = b"Xanthe"
        image.header["intent_name"] = b"Oldershaw"
        image.header.extensions.append(
            nib.nifti1.Nifti1Extension("comment", b"read by Dr Brackwater")
        )
        nib.save(image, folder / f"{name}.nii.gz")
    labels = nib.Nifti1Image((values > 400).astype(np.uint8), image.affine)
    nib.save(labels, folder / "seg_by_Grauwacke.nii.gz")
    return folder


def run(*arguments: object) -> None:
    done = CliRunner().invoke(app, [str(a) for a in arguments])
    assert done.exit_code == 0, (done.output, done.exception)


def decoded(path: Path) -> list[str]:
    """Everything that can be read in a file, by the libraries of the formats."""
    raw = path.read_bytes()
    found = [path.name, raw.decode("latin-1"), raw.decode("utf-16-le", "replace")]
    if path.suffix == ".gz":
        raw = gzip.decompress(raw)
        found += [raw[:2000].decode("latin-1"), str(nib.load(path).header)]
    elif path.suffix == ".png":
        with Image.open(path) as image:
            image.load()
            found.append(repr(image.info))
    elif path.suffix == ".pdf":
        reader = PdfReader(path)
        found += [page.extract_text() for page in reader.pages] + [repr(reader.metadata)]
    elif path.suffix == ".dcm":
        found.append(str(dcmread(path)))
    elif path.suffix == ".json":
        found.append(repr(json.loads(raw)))
    return found


def stands_in(name: str, text: str) -> bool:
    """Whether a name is in a text; a number as a number, since any few digits are in some UID."""
    return bool(re.search(rf"(?<!\d){name}(?!\d)" if name.isdigit() else re.escape(name), text))


def names_in(folder: Path) -> list[tuple[str, str]]:
    """Names that stand in files below a folder, however they are put together."""
    told = []
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    for path in files:
        for said in decoded(path):
            plain = unicodedata.normalize("NFKD", said).casefold()
            joined = re.sub(r"[\W_]+", "", plain)
            told += [
                (path.name, name)
                for name in NAMES
                if stands_in(name, plain) or (len(name) > 6 and re.sub(r"\W", "", name) in joined)
            ]
    return told


@pytest.mark.parametrize("kind", ["dicom", "nifti"])
def test_commands_write_no_name(
    kind: str, dicom_folder: Path, nifti_folder: Path, tmp_path: Path
) -> None:
    folder = dicom_folder if kind == "dicom" else nifti_folder
    result, report = tmp_path / "result", tmp_path / "report"
    run("explain", folder, "--method", "signals", "--slices", "1", "--out", result)
    more = ["--dicom"] if kind == "dicom" else []
    small = ["--width", 700, "--height", 600]
    run("report", folder, "--explanations", result, "--out", report, *small, *more)
    if kind == "dicom":
        run("export-dicom", result, "--study", folder, "--out", tmp_path / "objects")
    assert names_in(tmp_path) == []
    # And what may stand there does: roles, methods, models, numbers.
    (told,) = json.loads((report / "pictures" / "001_axial_002.json").read_text())["panels"][:1]
    assert told["study"].startswith("study-")
    assert told["scan"]["role"] == "flair"
    assert load_explanation(result).provenance.model == "sum-seg"


def test_sparse_codes_of_a_scan_called_after_a_patient(nifti_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run("decompose", nifti_folder, "--slices", "1", "--iterations", 2, "--out", out)
    assert names_in(out) == []
    names = [m.name for m in load_explanation(out).maps]
    assert {"reconstruction-flair", "reconstruction-scan 1"} <= set(names)


def marked(study: Study) -> Reading:
    """A reading with names in every place where a person can write."""
    reading = default_reading(study)
    words = "rim, as PhilomenaQuandertide said on 14Feb1937, see /data/Xanthe/scan.nii"
    box = [(1, 2, 2), (1, 2, 12), (1, 9, 12), (1, 9, 2)]
    mark = annotation_on_grid(
        "polygon", box, study.grid, study="study", plane="axial", index=1, text=words
    )
    panels = [replace(panel, title=f"for Oldershaw {n}") for n, panel in
              enumerate(reading.review.panels)]  # fmt: skip
    panels[0] = replace(panels[0], title="")
    review = replace(
        reading.review,
        annotations=(mark,),
        key_slices=(KeySlice("study", "axial", 1, f"left frontal lesion: {words}"),),
        panels=tuple(panels),
        probe=tuple(float(v) for v in study.grid.world((1, 5, 5))),
    )
    return replace(reading.with_review(review), studies={"study": study})


def test_words_of_a_person_keep_what_names_nobody(nifti_folder: Path, tmp_path: Path) -> None:
    reading = marked(se.open_study(nifti_folder))
    public, policy = released(reading)
    note = public.review.key_slices[0].note
    assert note == ("left frontal lesion: rim, as [removed] said on [removed], see [removed]")
    said = " ".join(policy.notes())
    assert "note of a key slice" in said
    assert "scan 1 stands for it" in said
    assert not any(name in said.casefold() for name in NAMES)
    write_picture(compose(reading, SMALL), tmp_path / "a.png")
    (tmp_path / "a.csv").write_bytes(measurement_csv(measurements(reading)))
    assert names_in(tmp_path) == []


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="needs tesseract (tesseract-ocr)")
def test_what_is_drawn_is_read_by_another_program(dicom_folder: Path, tmp_path: Path) -> None:
    reading = marked(se.open_study(dicom_folder))

    def read(identify: bool) -> str:
        picture = compose(reading, PictureSize(1300, 900, 130), identify=identify)
        path = tmp_path / f"{identify}.png"
        picture.image.save(path)
        done = subprocess.run(
            ["tesseract", str(path), "-", "--psm", "11"], capture_output=True, text=True, check=True
        )
        return done.stdout.casefold()

    plain, named = read(False), read(True)
    assert "napari-sparseexplain" in plain
    assert "study-" in plain
    assert not [name for name in NAMES if name in plain]
    assert "vantongeren" in named, "the reading of pixels finds no name where one stands"


def test_roles_classes_units_and_findings_that_files_word(dicom_folder: Path) -> None:
    study = se.open_study(dicom_folder)
    found = (
        Finding("warning", "unreadable", "Quandertide.dcm cannot be read", "/data/Quandertide.dcm"),
        Finding("warning", "nan", "flair holds NaN", "flair"),
    )
    images = {role: replace(volume, unit="Xanthe") for role, volume in study.images.items()}
    study = replace(study, findings=found, images=images)
    policy = policy_for([study])
    public = policy.study(study)
    assert set(public.images) == {"flair", "scan 1"}
    assert [v.unit for v in public.images.values()] == ["", ""]
    assert [f.message for f in public.findings] == [
        "A file or series beside others could not be opened",
        "FLAIR: Voxels are NaN or infinite",
    ]
    assert public.name.startswith("study-")


def test_names_of_labels_that_a_file_gives(nifti_folder: Path) -> None:
    study = se.open_study(nifti_folder)
    reading = default_reading(study)
    overlay = label_overlay(study, "seg")
    overlay = replace(
        overlay, classes={1: "Left-Cerebral-White-Matter", 2: "CA1", 3: "drawn by Dr Halloway"}
    )
    panel = replace(reading.review.panels[0], overlays=(overlay,))
    public = released(reading.with_review(replace(reading.review, panels=(panel,))))[0]
    classes = public.review.panels[0].overlays[0].classes
    assert classes == {1: "Left-Cerebral-White-Matter", 2: "CA1", 3: "label 3"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", b'{"deep": [{"note": "of Quandertide"}]}'),
        ("a.json", b'{"note": "of Quandert\\u0069de"}'),
        ("a.csv", b"\xef\xbb\xbfnumber,comment\r\n1,14Feb1937\r\n"),
        ("Quandertide.json", b"{}"),
        ("a.txt", "Quandert\u00adide".encode()),
    ],
)
def test_the_last_check_finds_what_the_policy_let_through(
    name: str, content: bytes, dicom_folder: Path
) -> None:
    policy = policy_for([se.open_study(dicom_folder)])
    with pytest.raises(SparseExplainError, match="would tell who was examined") as refused:
        check_content(name, content, policy)
    assert "uandertide" not in str(refused.value).replace("Quandertide.json", "")
    check_content(name, content, policy_for([], identify=True))


def test_the_last_check_reads_binary_formats(dicom_folder: Path, tmp_path: Path) -> None:
    from reportlab.pdfgen.canvas import Canvas

    study = se.open_study(dicom_folder)
    policy = policy_for([study])
    image = nib.Nifti1Image(np.zeros((4, 4, 4), np.uint8), np.eye(4))
    image.header["aux_file"] = b"Quandertide"
    nib.save(image, tmp_path / "a.nii.gz")
    canvas = Canvas(str(tmp_path / "b.pdf"), pageCompression=1)
    canvas.drawString(99, 99, "Xanthe")
    canvas.save()
    picture = compose(default_reading(study), SMALL, identify=True)
    write_picture(picture, tmp_path / "c.png")
    (tmp_path / "c.json").unlink()
    shutil.copy(next(dicom_folder.rglob("*.dcm")), tmp_path / "d.dcm")
    for path in sorted(tmp_path.glob("?.*")):
        with pytest.raises(SparseExplainError, match=path.name):
            check_content(path.name, path.read_bytes(), policy)


def test_nothing_is_under_its_name_when_the_last_check_fails(
    dicom_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = se.open_study(dicom_folder)
    from napari_sparseexplain.export.privacy.policy import ExportPolicy

    monkeypatch.setattr(ExportPolicy, "words", lambda self, said, what: said)
    explanation = explained(study, notes=("as Quandertide said",))
    with pytest.raises(SparseExplainError, match=r"provenance\.json"):
        export_explanation(explanation, study, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_names_stand_where_they_were_asked_for(nifti_folder: Path, tmp_path: Path) -> None:
    study = se.open_study(nifti_folder)
    run(
        *("explain", nifti_folder, "--method", "signals", "--slices", "1"),
        *("--identify", "--out", tmp_path / "out"),
    )
    record: dict[str, Any] = json.loads((tmp_path / "out" / "provenance.json").read_text())
    assert record["explanations"]["signals"]["study"] == study.name
    check_folder(tmp_path / "out", policy_for([study], identify=True))


def test_a_scan_of_today_can_be_exported_today(tmp_path: Path) -> None:
    """The time of the export stands in pictures, and is no date of the patient's."""
    from datetime import UTC, datetime

    now = datetime.now(UTC)
    scans = slices(noise(3, 24, 20), StudyDate=f"{now:%Y%m%d}", SeriesDescription="flair")
    reading = default_reading(se.open_study(write(tmp_path / "s", scans)))
    picture = compose(reading, SMALL, created=now)
    assert picture.record["created"] == now.isoformat(timespec="seconds")


def test_cells_that_a_spreadsheet_would_run_are_text() -> None:
    from napari_sparseexplain.export.report.measurements import _as_text

    for said in ("=1+1", "\n=1+1", "\ufeff=1", "＝1+1", " =1", "\t=1", "\u200b@SUM(1)", "+1", "|x",
                 "\r\n", "\u2028=1", "﹦1", "＠x", '"=1"'):  # fmt: skip
        assert _as_text(said) == f"'{said}", repr(said)
    for said in ("rim", "2 = 2", "", " a", "left-right"):
        assert _as_text(said) == said


@pytest.mark.parametrize(
    "said",
    [
        "T1/T2/FLAIR mismatch",
        "lesion in 1/2 of the lobe, left frontal; and then 3/4 of it enhances",
        "20/30 mm, 4/5 mm, left/right",
        "signal/noise (SNR) and/or artefact",
        "a lesion of 12 mm in slice 12",
    ],
)
def test_notes_that_hold_no_path_stay(said: str, tmp_path: Path) -> None:
    """Nor does a scan that is called by a number or a letter change what stands in a note."""
    for name in ("12", "a"):
        image = nib.Nifti1Image(np.ones((9, 9, 4), np.int16), np.eye(4))
        nib.save(image, tmp_path / f"{name}.nii")
    study = se.open_study(tmp_path)
    policy = policy_for([study])
    policy.know_roles(study)
    assert policy.words(said, "a note") == said


@pytest.mark.parametrize(
    "said", ["/data/pat/x.nii", "D:\\Pat\\a", "file:///pat/x", "~/x/y", "scan.mha", "kim.nii.gz"]
)
def test_paths_never_leave(said: str) -> None:
    policy = policy_for([])
    assert policy.words(f"see {said} now", "a note") == "see [removed] now"


def test_a_long_note_is_searched_soon() -> None:
    """Texts without a space took half a minute: the search is linear in them."""
    policy = policy_for([])
    for said in ("a." * 50_000, "x" * 100_000, "1." * 50_000):
        assert policy.words(said, "a note") == said


def test_the_patients_number_is_taken_out_of_words_of_the_program(tmp_path: Path) -> None:
    scans = slices(noise(3, 24, 20), PatientID="4711", SeriesDescription="flair")
    policy = policy_for([se.open_study(write(tmp_path / "s", scans))])
    assert policy.words("scan 4711", "a title") == "scan [removed]"
