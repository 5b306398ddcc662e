"""Whose slices these are, by the names that sets in use give them."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_sparseexplain.progress import drain
from napari_sparseexplain.volumes.labelled.labelled_folder import LabelledFolder, find_labelled

ACDC = [f"patient{p:03d}_frame{f:02d}_slice0{s}" for p in (1, 2) for f in (1, 12) for s in "12"]

#: A set: what its files are called, and whose they are.
SCHEMES: dict[str, tuple[list[str], set[str]]] = {
    "Sunnybrook": (["SC-HF-I-01-IM-0001-0048", "SC-HF-I-01-IM-0001-0059", "SC-N-02-IM-0550-0001"],
                   {"SC-HF-I-01", "SC-N-02"}),
    "Sunnybrook, one picture each": (["SC-HF-I-01", "SC-HF-I-02", "SC-HF-NI-03", "SC-N-02"],
                                     {"SC-HF-I-01", "SC-HF-I-02", "SC-HF-NI-03", "SC-N-02"}),
    "ACDC": (ACDC, {"patient001", "patient002"}),
    "ACDC, one picture each": ([f"patient{p:03d}" for p in range(1, 6)],
                               {f"patient{p:03d}" for p in range(1, 6)}),
    "ACDC, phases": (["patient001_ED_3", "patient001_ES_3", "patient002_4d_slice_1"],
                     {"patient001", "patient002"}),
    "M&Ms, frame and slice": ([f"{p}_{f}_{s}" for p in ("A0S9V9", "A1D0Q7")
                               for f in (0, 9) for s in range(3)], {"A0S9V9", "A1D0Q7"}),
    "M&Ms, whole cines": ([f"{p}_{f}_{s}" for p in ("A0S9V9", "A1D0Q7")
                           for f in range(12) for s in range(2)], {"A0S9V9", "A1D0Q7"}),
    "M&Ms, named": (["A0S9V9_sa_ED_slice3", "A0S9V9_sa_ES_slice3", "A1D0Q7_sa_ED_slice3"],
                    {"A0S9V9", "A1D0Q7"}),
    "BraTS 2020": ([f"BraTS20_Training_{p:03d}_{m}_{s}" for p in (1, 2, 3)
                    for m in ("flair", "t1ce") for s in (60, 75)],
                   {f"BraTS20_Training_{p:03d}" for p in (1, 2, 3)}),
    "BraTS 2023, two times": (["BraTS-GLI-00000-000_75", "BraTS-GLI-00000-001_75",
                               "BraTS-GLI-00002-000_75"], {"BraTS-GLI-00000", "BraTS-GLI-00002"}),
    "Cheng": ([str(n) for n in range(1, 9)], {str(n) for n in range(1, 9)}),
    "LGG": (["TCGA_CS_4941_19960909_1", "TCGA_CS_4941_19960909_2", "TCGA_DU_5849_19950405_1"],
            {"TCGA_CS_4941", "TCGA_DU_5849"}),
    "OASIS": ([f"OAS1_{p:04d}_MR1_mpr-{m}_{s}" for p in range(1, 5) for m in (1, 2)
               for s in (100, 101)], {f"OAS1_{p:04d}" for p in range(1, 5)}),
    "IXI": (["IXI002-Guys-0828-T1_80", "IXI002-Guys-0828-T2_80", "IXI012-HH-1211-T1_80"],
            {"IXI002-Guys-0828", "IXI012-HH-1211"}),
    "BIDS": (["sub-01_ses-02_T2w_slice3", "sub-01_ses-01_T2w_slice3", "sub-CC002_T1w_4"],
             {"sub-01", "sub-CC002"}),
    "case and number": ([f"case_{n:02d}" for n in range(1, 6)],
                        {f"case_{n:02d}" for n in range(1, 6)}),
    "case and slice": (["case_12_slice_3", "case_12_slice_4", "case_13_3"], {"case_12", "case_13"}),
    "numbers of patient and slice": (["012_3", "012_4", "013_3"], {"012", "013"}),
    "counted scans": (["scan_1", "scan_2", "scan_3"], {"scan"}),
    "folders of patients": (["pat1/3", "pat1/4", "pat2/3"], {"pat1", "pat2"}),
    "folders of sequences": ([f"{p}/{scan}/{i}" for p in ("p1", "p2") for scan in ("T1C+", "T2")
                             for i in (3, 4)], {"p1", "p2"}),
    "folders of sequences above": ([f"{scan}/{p}/{i}" for p in ("p1", "p2")
                                    for scan in ("T1C+", "T2") for i in (3, 4)], {"p1", "p2"}),
    "folders, words inside": (["anna/heart_1", "anna/heart_2", "ben/heart_1"],
                              {"anna/heart", "ben/heart"}),
    "folders of classes": (["glioma/patient001", "glioma/patient002", "none/patient003"],
                           {"patient001", "patient002", "patient003"}),
    "folders of classes, codes": (["yes/Y1", "yes/Y2", "no/N1"], {"Y1", "Y2", "N1"}),
    "a letter that is no counter": (["cohort_S01", "cohort_S02"], {"cohort_S01", "cohort_S02"}),
    "image first": (["img_0001_patient003", "img_0002_patient003"], {"patient003"}),
}  # fmt: skip


def found_in(root: Path, names: list[str]) -> LabelledFolder:
    for name in names:
        path = root / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")  # only names are read
    return drain(find_labelled(root))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_names_in_use_tell_their_patients(tmp_path: Path, scheme: str) -> None:
    names, patients = SCHEMES[scheme]
    assert set(found_in(tmp_path, names).patients) == patients


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([f"heart_slice{n}" for n in range(5)], "all 5 slices are taken for those of one patient"),
        ([f"case_{n:02d}" for n in range(5)], "each of the 5 slices is taken for a patient"),
        ([f"P01_{n}" for n in range(3)] + [f"a{n}" for n in range(6)],
         "6 of the 7 patients have one slice only, and the others 3"),
        (["A0S9V9_0_3", "A0S9V9_9_3", "A1D0Q7_0_3"],
         "names as A0S9V9_0 are taken for patient A0S9V9 at one of several times"),
    ],
)  # fmt: skip
def test_a_number_of_patients_that_looks_wrong_is_said(
    tmp_path: Path, names: list[str], said: str
) -> None:
    messages = [f.message for f in found_in(tmp_path, names).findings]
    assert any(message.startswith(said) for message in messages), messages


def test_sets_that_are_read_rightly_are_not_doubted(tmp_path: Path) -> None:
    findings = found_in(tmp_path, ACDC).findings
    assert [f for f in findings if f.code == "patients-by-name"] == []
