"""Roles from words and physics: denied contrast, maps, registered scans, and what disagrees."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from dicom_writing import noise, slices, write

from napari_sparseexplain.volumes import open_study
from napari_sparseexplain.volumes.roles.contrast_words import contrast_in
from napari_sparseexplain.volumes.roles.decision import role_of_dicom
from napari_sparseexplain.volumes.roles.roles import read_name

WITHOUT = (
    *("AX T1 W/O CONTRAST", "AX T1 WITHOUT GAD", "T1 SE SANS GADO", "T1_C-", "T1 -C", "T1 WO"),
    *("T1w without contrast", "T1 ohne KM", "T1 nativ", "T1 vor KM", "T1 sin contraste", "T1 CE-"),
    "T1_w_o_contrast",
    *("T1 senza mdc", "T1 zonder contrast", "T1 sem contraste", "T1 NON-CONTRAST", "T1 PRE GAD"),
    *("T1 平扫", "T1 造影前", "T1 без контраста", "T1 bez kontrastu", "T1 avant injection"),
)
WITH = (
    *("AX T1 FS +C", "AX BRAVO +C", "T1造影", "T1 增强", "T1 C+", "T1 + Gd", "T1 nach KM"),
    *("T1 avec injection", "T1 Après gado", "T1 con mdc", "T1 com contraste", "T1 W/ GAD"),
    *("T1 with contrast", "T1 pós-contraste", "＋Ｃ T1", "T1 с контрастом", "T1 CONTRAST W/O FS"),
)
WITHOUT += (
    *("T1 C(-)", "T1 GD(-)", "T1 Gd (-)", "T1 ce(-)", "T1 造影(-)", "T1 造影（－）", "T1 IV-"),
    *("T1 C-AX", "T1 C-SAG", "T1 C-_tra", "t1_C-_ax", "T1 w/out contrast", "T1 oKM", "T1 o KM"),
    *("T1 sans produit de contraste", "T1 prima del contrasto", "T1 ante contraste"),
    *("T1 sans injection de produit de contraste", "T1 senza mezzo di contrasto"),
    *("T1 før kontrast", "T1 kontrast öncesi", "T1 kontrastsız", "T1 kontrast nélkül"),
    *("T1 造影なし", "T1 造影無し", "T1 造影剤なし", "T1 非增强", "T1 未增强", "T1 不增强"),
    *("T1 Gd前", "T1 조영제 없이", "T1 조영증강 전", "T1 до КУ", "T1 senza m.d.c.", "T1 wo con"),
)
WITH += (
    *("T1 с КУ", "T1 после КУ", "T1 po kontraście", "T1 con m.d.c.", "T1 contrastado", "T1 IV+"),
    *("T1+K", "T1 w con", "T1 强化", "T1 強化", "T1 注射后", "T1 对比剂", "T1 C (+)", "T1 造影(+)"),
    *("T1 造影後", "T1 Gd-DTPA", "T1 Gd-tra", "T1 mKM", "T1 kontrasztos", "T1 조영증강"),
)
NEITHER = ("T1 MPRAGE", "T1 post op", "T1 pre-op", "T1 W/O FAT SAT", "T1 sinc interpolation")
BOTH = ("T1 W WO CONTRAST", "T1 with and without contrast", "T1 W/ AND W/O GAD", "T1 pre/post gad")
BOTH += ("BRAIN W/O & W/ T1", "T1 造影前後", "AX T1 C+/-")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        *((text, "without") for text in WITHOUT),
        *((text, "with") for text in WITH),
        *((text, None) for text in NEITHER),
        *((text, "both") for text in BOTH),
    ],
)
def test_what_a_text_says_of_the_contrast_agent(text: str, said: str | None) -> None:
    assert contrast_in(text).said == said
    role = {"without": "t1", "with": "t1ce", None: "t1", "both": None}[said]
    assert role_of_dicom({"Modality": "MR", "SeriesDescription": text}).role == role


DESCRIPTIONS = {
    **dict.fromkeys(
        (
            *("qT1", "quantitative T1", "T1_native_map", "T1 time map", "mapa T1", "mappa T1"),
            *("Cartographie T1", "T2 star map", "SUB T1", "Exp. ADC", "ADC exp", "DTI_MD"),
            *("DTI_RD", "DTI_eddy_AD", "DTI L1", "ep2d_diff_ColFA", "T2 TIRM COR FS"),
            *("t2_tirm_tra", "T1 difference"),
        )
    ),
    "t2_spc_da-fl_sag": "flair",
    "t2_space_flair_sag": "flair",
    "t2_space_dark-fluid_sag_p2_iso": "flair",
    "t2_tirm_tra_dark-fluid": "flair",
    "Apparent Diffusion Coefficient (mm2/s)": "adc",
    "ep2d_diff_3scan_trace_p2_ADC": "adc",
    "Average DC": "adc",
    "T2_TSE_DARK_FL": "flair",
    "MP2RAGE_T1_Images": None,
    "3DT1": "t1",
    "eADC": None,
    "Exponential Apparent Diffusion Coefficient": None,
    "T2*": "t2star",
    "T2 star": "t2star",
    "t2_fl2d_tra_hemo": "t2star",
    "T1 map": None,
    "T2 mapping": None,
    "R2*": None,
    "rCBV": None,
    "T1 subtraction": None,
    "T2 STIR": None,
    "SWI_Images": "swi",
    "Pha_Images": None,
    "T1 in phase": "t1",
    "ep2d_diff_b1000": "dwi",
    "SAG 3D CUBE T2 FLAIR": "flair",
    "AX T1 FLAIR": None,
    "AX FSPGR 3D": "t1",
    "TOF_3D_multi-slab": "mra",
    "localizer": None,
}


@pytest.mark.parametrize(("text", "role"), DESCRIPTIONS.items())
def test_series_descriptions(text: str, role: str | None) -> None:
    assert role_of_dicom({"Modality": "MR", "SeriesDescription": text}).role == role


FILES = {
    **dict.fromkeys(("qT1.nii", "SUB_T1.nii", "UCSF-PDGM-0004_DTI_eddy_MD.nii.gz")),
    **dict.fromkeys(
        (
            *("T2_auf_FLAIR", "T2-on-FLAIR", "T2_onFLAIR", "T2_over_FLAIR", "T2_rsl_FLAIR"),
            *("T2_recale_sur_FLAIR", "T2_registriert_auf_FLAIR", "toFLAIR_T2", "T2_space-FLAIR"),
        ),
        "t2",
    ),
    "T1_on_T1ce.nii": "t1",
    "T1_post_op_FLAIR.nii": None,
    "FLAIR2T1.nii": "flair",
    "t2_tirm_dark-fluid.nii": "flair",
    "sub_T1.nii": None,
    "sub01_T1.nii": "t1",
    "sub-01_ce-none_T1w.nii.gz": "t1",
    "sub-01_acq-postgd_T1w.nii.gz": "t1ce",
    "sub-01_part-phase_T2starw.nii.gz": None,
    "sub-01_part-mag_T2starw.nii.gz": "t2star",
    "sub-01_T1map.nii.gz": None,
    "case7_fla_bet.nii.gz": "flair",
    "T2_0_regtoFLAIR.nii.gz": "t2",
    "t1_reg2flair.nii.gz": "t1",
    "T1_registered_to_T2.nii.gz": "t1",
    "regtoFLAIR_T2.nii.gz": "t2",
    "study_2_FLAIR.nii.gz": "flair",
    "reg_FLAIR.nii.gz": "flair",
    "t1_space-flair.nii.gz": "t1",
    "AD_001_T1.nii.gz": "t1",
    "sub_01_T1.nii.gz": "t1",
    "scout_t1.nii.gz": None,
    "OTMultiClass.nii.gz": "seg",
    "GOLD_STANDARD.nii.gz": "seg",
}


@pytest.mark.parametrize(("name", "role"), FILES.items())
def test_file_names(name: str, role: str | None) -> None:
    assert read_name(name).role == role


SE = {"Modality": "MR", "ScanningSequence": "SE"}


@pytest.mark.parametrize(
    ("details", "reasons"),
    [
        ({**SE, "SeriesDescription": "AX T2", "EchoTime": 12, "RepetitionTime": 500}, "TE 12"),
        (
            {
                **{**SE, "ScanningSequence": "SE\\IR"},
                **{"SeriesDescription": "T1", "EchoTime": 120},
                **{"RepetitionTime": 9000, "InversionTime": 2500},
            },
            "TI 2500",
        ),
        ({**SE, "SeriesDescription": "AX T1 C-", "ContrastBolusAgent": "Dotarem"}, "records"),
        ({**SE, "SeriesDescription": "AX T1 +C", "ContrastBolusAgent": "NONE"}, "no contrast"),
        ({**SE, "SeriesDescription": "T2 TSE", "DiffusionBValue": 1000}, "b = 1000"),
        *(
            (
                {
                    **{**SE, "SeriesDescription": name, "EchoTime": 60},
                    **{"RepetitionTime": 5000, "InversionTime": 150},
                },
                "those of a STIR",
            )
            for name in ("COR T2", "FLAIR")
        ),
    ],
)
def test_where_words_and_header_disagree_the_role_is_open(details: Any, reasons: str) -> None:
    decision = role_of_dicom(details)
    assert decision.role is None
    assert decision.disagree
    assert reasons in decision.why
    assert "says" in decision.why


@pytest.mark.parametrize("more", [{}, {"SeriesDescription": "series 4"}])
def test_the_times_of_a_stir_alone_give_no_role(more: Any) -> None:
    times = {"EchoTime": 60, "RepetitionTime": 5000, "InversionTime": 150}
    decision = role_of_dicom({**SE, **times, **more})
    assert decision.role is None
    assert "STIR" in decision.why


@pytest.mark.parametrize(
    "image_type",
    [
        ("DERIVED", "PRIMARY", "T1 MAP", "ND"),
        "DERIVED\\PRIMARY\\T1 MAP",
        ("DERIVED", "SECONDARY", "SUB"),
        ("ORIGINAL", "PRIMARY", "T2 STAR MAP", "T2", "UNSPECIFIED"),
    ],
)
def test_the_image_type_of_a_map_is_no_scan(image_type: Any) -> None:
    details = {"Modality": "MR", "SeriesDescription": "t1", "ImageType": image_type}
    decision = role_of_dicom(details)
    assert decision.role is None
    assert "image type" in decision.why


@pytest.mark.parametrize("agent", ["Unknown", "0 ml", "0", "?", "NONE"])
def test_what_is_no_agent(agent: str) -> None:
    details = {"Modality": "MR", "SeriesDescription": "T1", "ContrastBolusAgent": agent}
    assert role_of_dicom(details).role == "t1"


@pytest.mark.parametrize(("volume", "role"), [(0.0, "t1"), (7.5, "t1ce"), (None, "t1ce")])
def test_an_agent_of_which_nothing_was_given(volume: float | None, role: str) -> None:
    details = {"Modality": "MR", "SeriesDescription": "T1", "ContrastBolusAgent": "Gadovist"}
    more = {} if volume is None else {"ContrastBolusVolume": volume}
    assert role_of_dicom({**details, **more}).role == role


@pytest.mark.parametrize(("text", "role"), [("T1", "t1"), ("T1 POST", "t1ce"), ("T1 PRE", "t1")])
def test_a_protocol_with_and_without_leaves_it_to_the_description(text: str, role: str) -> None:
    details = {"Modality": "MR", "SeriesDescription": text, "ProtocolName": "BRAIN W WO"}
    assert role_of_dicom(details).role == role


def test_what_only_a_protocol_says_is_said_in_a_whole_sentence() -> None:
    details = {"Modality": "MR", "SeriesDescription": "T1", "ContrastBolusAgent": "Gadovist"}
    decision = role_of_dicom({**details, "ProtocolName": "BRAIN WITHOUT"})
    assert decision.role is None
    assert "the protocol's name says 'without'" in decision.why
    alone = role_of_dicom({"Modality": "MR", "ProtocolName": "T1 W WO"})
    assert alone.role is None


def test_a_flair_without_its_inversion_time_is_no_contradiction() -> None:
    details = {**SE, "SeriesDescription": "T2 FLAIR", "EchoTime": 120, "RepetitionTime": 9000}
    assert role_of_dicom(details).role == "flair"


def test_timing_settles_what_a_name_leaves_open() -> None:
    """GE's T1 FLAIR: TI and TE tell that it is a T1."""
    details = {**SE, "SeriesDescription": "AX T1 FLAIR", "ScanningSequence": "SE\\IR"}
    times = {"EchoTime": 20, "RepetitionTime": 2200, "InversionTime": 860}
    assert role_of_dicom({**details, **times}).role == "t1"


def test_the_json_beside_a_nifti_counts_and_its_seconds_are_seconds(tmp_path: Path) -> None:
    def scan(name: str, **fields: object) -> None:
        voxels = noise(8, 9, 7, dtype="int16")
        nib.save(nib.Nifti1Image(voxels, np.eye(4)), tmp_path / f"{name}.nii.gz")  # type: ignore[attr-defined]
        (tmp_path / f"{name}.json").write_text(json.dumps(fields))

    timing = {"EchoTime": 0.012, "RepetitionTime": 0.5, "ScanningSequence": "SE"}
    scan("series4", **timing)
    scan("brain_T2", **timing)
    scan("x", SeriesDescription="FLAIR", EchoTime=0.12, RepetitionTime=9, InversionTime=2.5)
    study = open_study(tmp_path)
    assert {role: v.source.description for role, v in study.images.items()} == {
        "t1": "series4.nii.gz",
        "brain_T2": "brain_T2.nii.gz",
        "flair": "x.nii.gz",
    }
    (said,) = [f for f in study.findings if f.code == "role-disagreement"]
    assert "'t2'" in said.message
    assert "TE 12 ms and TR 500 ms" in said.message
    assert study["t1"].why == "TE 12 ms and TR 500 ms are those of t1"


def test_a_study_says_why(tmp_path: Path) -> None:
    series = slices(noise(4, 16, 16), SeriesDescription="AX T1 +C")
    study = open_study(write(tmp_path / "dicom", series))
    assert study["t1ce"].why == "the series description says 't1', '+c'"
    assert study.with_role("t1ce", "t1")["t1"].why == "given by a person"
