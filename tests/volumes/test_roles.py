"""Roles from names and headers. The names are those that the data sets publish."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sparseexplain.volumes.grid import Grid
from napari_sparseexplain.volumes.labels.purpose import can_be_truth
from napari_sparseexplain.volumes.roles.roles import read_name, role_from_dicom, stem_of
from napari_sparseexplain.volumes.volume import Source, Volume

NAMES = {
    # BraTS 2018-2021
    "BraTS20_Training_001_t1.nii.gz": "t1",
    "BraTS20_Training_001_t1ce.nii.gz": "t1ce",
    "BraTS20_Training_001_t2.nii.gz": "t2",
    "BraTS20_Training_001_flair.nii.gz": "flair",
    "Brats18_TCIA10_202_1_t1ce.nii": "t1ce",
    # BraTS 2023
    "BraTS-GLI-00000-000-t1n.nii.gz": "t1",
    "BraTS-GLI-00000-000-t1c.nii.gz": "t1ce",
    "BraTS-GLI-00000-000-t2w.nii.gz": "t2",
    "BraTS-GLI-00000-000-t2f.nii.gz": "flair",
    # BIDS
    "sub-01_ses-1_T1w.nii.gz": "t1",
    "sub-01_ce-gadolinium_T1w.nii.gz": "t1ce",
    "sub-01_space-T1w_desc-preproc_T2w.nii.gz": "t2",
    "sub-01_acq-3D_FLAIR.nii.gz": "flair",
    "sub-01_dir-AP_dwi.nii.gz": "dwi",
    "sub-01_task-rest_bold.nii.gz": "bold",
    # any other
    "patient07_T1POST.nii.gz": "t1ce",
    "patient07_T1.nii.gz": "t1",
    "study1_T1W.nii.gz": "t1",
    "study2_FLAIR.nii.gz": "flair",
    "T1Gd.nii": "t1ce",
    "t1-contrast.nii": "t1ce",
    "T1+C.nii": "t1ce",
    "mprage.nii": "t1",
    "mprage_post.nii": "t1ce",
    "t1_pre.nii": "t1",
    "t1_without_contrast.nii": "t1",
    "t1_postop.nii": "t1",
    "TCGA-FG-6692-native_t1ce.nii.gz": "t1ce",
    "t2_tse_dark-fluid.nii": "flair",
    "t1_to_flair.nii": "t1",
    "ADC.nii": "adc",
}
LABELS = (
    *("FLAIR_mask1.nii", "T1_seg2.nii", "T1_lesionmask1.nii", "T1ce_lbl1.nii", "mask1.nii"),
    *("seg1.nii", "ROI1.nii", "segm1.nii", "SEG2.nii", "labelmap2.nii", "FLAIR_roi_2.nii"),
    *("training01_01_mask1.nii", "TCGA-02-0006_GlistrBoost_ManuallyCorrected.nii.gz"),
    *("tumor_brain_mask.nii", "T1_lesion_bet_mask.nii", "brain_lesion_mask.nii"),
    *("lesion_mask_brain.nii", "sub-01_label-L_mask.nii", "wm_lesion_mask.nii"),
    *("BraTS20_Training_001_seg.nii.gz", "BraTS-GLI-00000-000-seg.nii.gz", "seg-BraTS23_1.nii"),
    *("sub-01_label-lesion_mask.nii.gz", "sub-01_dseg.nii.gz", "flair_mask.nii", "label.nii"),
)
MAYBE = {
    "T1_tumor1.nii": "t1",
    "gtv1.nii": None,
    "patient07_lesion-expert.nii.gz": None,
    "gt.nii.gz": None,
    "AAAC0_flair_pp_shrunk_testTumor.nii.gz": "flair",
    "FLAIR_lesion.nii": "flair",
}


@pytest.mark.parametrize(("name", "role"), NAMES.items())
def test_scan_names(name: str, role: str) -> None:
    reading = read_name(name)
    assert (reading.role, reading.label) == (role, "no")


@pytest.mark.parametrize("name", LABELS)
def test_label_names(name: str) -> None:
    reading = read_name(name)
    assert (reading.role, reading.label) == ("seg", "yes")


@pytest.mark.parametrize(("name", "scan_role"), MAYBE.items())
def test_names_that_only_the_voxels_can_decide(name: str, scan_role: str | None) -> None:
    reading = read_name(name)
    assert (reading.role, reading.label, reading.scan_role) == ("seg", "maybe", scan_role)


@pytest.mark.parametrize(
    "name",
    [
        *("sub-01_desc-brain_mask.nii.gz", "T1_brain_mask.nii", "brainmask.nii"),
        *("mask_brain.nii", "MaskBrain.nii", "BrainExtractionMask.nii", "T1_robex_mask.nii"),
        *("tiv_mask.nii", "masque_cerveau.nii", "sub-01_T1w_brain_mask.nii", "hirnmaske.nii"),
        *("UCSF-PDGM-0004_brain_segmentation.nii.gz", "T1_mask_brain.nii", "brain_mask1.nii"),
    ],
)
def test_a_brain_mask_is_no_lesion(name: str) -> None:
    assert read_name(name).role == "brain_mask"


@pytest.mark.parametrize(
    "name",
    [
        *("wm_mask", "gm_mask", "T1_csf_mask", "ventricle_mask", "sub-01_label-WM_mask"),
        *("sub-01_label-GM_mask", "sub-01_label-CSF_mask", "mask_wm", "white_matter_seg"),
        *("aparc_aseg", "UCSF-PDGM-0004_brain_parenchyma_segmentation", "followup wm_mask"),
    ],
)
def test_a_mask_of_a_tissue_has_no_role_and_is_no_truth(name: str) -> None:
    reading = read_name(f"{name}.nii.gz")
    assert (reading.role, reading.label) == (None, "yes")
    voxels = np.zeros((3, 3, 3), np.uint8)
    source = Source((), "memory", (3, 3, 3), np.eye(4), voxels.dtype, np.eye(3)[:, :2])
    mask = Volume(voxels, Grid((3, 3, 3), np.eye(4)), name, "label", source)
    assert not can_be_truth(name, mask)
    assert not can_be_truth(f"{name} (2)", mask)
    assert can_be_truth("seg", mask)


@pytest.mark.parametrize("name", ["t1_flair.nii", "t1_t2.nii", "image01.nii", "t12.nii"])
def test_an_ambiguous_or_silent_name_gives_no_role(name: str) -> None:
    """GE sells a T1 FLAIR: with two modalities in a name nothing is guessed."""
    assert read_name(name).role is None


def test_stem_loses_all_imaging_endings() -> None:
    assert stem_of("a.b.dcm.png") == "a.b"
    assert stem_of("scan.nii.gz") == "scan"
    assert stem_of(".nii") == ".nii"


MR = {"Modality": "MR"}
SE, GR = {"ScanningSequence": "SE"}, {"ScanningSequence": "GR", "SequenceVariant": "SP\\OSP"}


def times(tr: float, te: float, ti: float | None = None, **more: object) -> dict[str, object]:
    """Sequence timing in milliseconds."""
    found: dict[str, object] = {**MR, "RepetitionTime": tr, "EchoTime": te, **more}
    return found if ti is None else {**found, "InversionTime": ti}


DICOM = [
    ({**MR, "SeriesDescription": "t2_flair_tra"}, "flair"),
    ({**MR, "SeriesDescription": "T1 MPRAGE", "ContrastBolusAgent": "Gadovist"}, "t1ce"),
    # The two contradict each other: one of them is wrong, and which one nobody can tell.
    ({**MR, "SeriesDescription": "T1 pre contrast", "ContrastBolusAgent": "Gadovist"}, None),
    ({**MR, "SeriesDescription": "T1 MPRAGE", "ContrastBolusAgent": "NONE"}, "t1"),
    ({**MR, "SeriesDescription": "ax T1 +C"}, "t1ce"),
    ({**MR, "SeriesDescription": "scan 4", "ProtocolName": "T2 TSE"}, "t2"),
    ({**MR, "SeriesDescription": "localizer"}, None),
    ({**MR, "SeriesDescription": "reformat<MPR Collection>"}, None),
    ({**MR, "AcquisitionContrast": "FLUID_ATTENUATED"}, "flair"),
    ({**MR, "SeriesDescription": "T1", "image_type": ("ORIGINAL", "PRIMARY", "P", "ND")}, None),
    ({**MR, "image_type": ("DERIVED", "PRIMARY", "DIFFUSION", "ADC")}, "adc"),
    ({"Modality": "CT", "SeriesDescription": "T1"}, "ct"),
    ({"Modality": "US", "SeriesDescription": "t1"}, None),
    (times(9000, 120, 2500, ScanningSequence="SE\\IR"), "flair"),
    (times(500, 12, **SE), "t1"),
    (times(500, 12, ContrastBolusAgent="Dotarem", **SE), "t1ce"),
    (times(4500, 100, **SE), "t2"),
    (times(2000, 15, **SE), None),
    (times(2300, 3, 900, **GR), "t1"),
    (times(20, 4, FlipAngle=25.0, **GR), "t1"),
    (times(30, 20, FlipAngle=15.0, **GR), None),
    (times(34, 1.5, FlipAngle=58.0, ScanningSequence="GR", SequenceVariant="SK"), None),
    (times(3000, 90, ScanningSequence="EP"), None),
    (times(3000, 90, ScanningSequence="EP", DiffusionBValue=1000.0), "dwi"),
    (times(500, 12), None),
]


@pytest.mark.parametrize(("details", "role"), DICOM)
def test_dicom_headers(details: dict[str, object], role: str | None) -> None:
    assert role_from_dicom(details) == role
