"""Small valid files of every kind that the product reads, from which the damaged ones are made."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import torch
from PIL import Image
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage
from torch import nn

import napari_sparseexplain as se
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.bundle.saving import save_bundle
from napari_sparseexplain.networks.modules.sum_network import SumNetwork
from napari_sparseexplain.review.annotation import annotation_on_grid

#: Columns, rows and slices of all scans here.
SIZE = (20, 18, 6)

FOREIGN_CARD = {
    "name": "elsewhere",
    "task": "segmentation",
    "inputs": {"roles": ["flair"], "normalisation": "unit", "spacing_mm": 2.0, "size": 16},
    "classes": {"0": "tissue", "1": "lesion"},
}


@dataclass(frozen=True)
class ValidFiles:
    """Where each kind lies.

    Attributes
    ----------
    scans, pictures, dictionaries, programs : tuple of Path
        Files that are read alone.
    study : Path
        A folder with a scan and its mask.
    series : Path
        A folder with a DICOM series.
    bundle, explanation, review : Path
        Folders that this program wrote.
    """

    scans: tuple[Path, ...]
    pictures: tuple[Path, ...]
    dictionaries: tuple[Path, ...]
    programs: tuple[Path, ...]
    study: Path
    series: Path
    bundle: Path
    explanation: Path
    review: Path


def make_valid_files(root: Path) -> ValidFiles:
    """Write all of them into an empty folder."""
    noise = np.random.default_rng(4).integers(20, 600, SIZE).astype(np.int16)
    study = _study(root / "study", noise)
    bundle = _bundle(root / "bundle")
    explanation, review = _saved(root, study, bundle)
    return ValidFiles(
        scans=_scans(root / "scans", noise),
        pictures=_pictures(root / "pictures", noise),
        dictionaries=(_dictionary(root / "atoms.npz"),),
        programs=_programs(root / "programs"),
        study=study,
        series=_series(root / "series", noise),
        bundle=bundle,
        explanation=explanation,
        review=review,
    )


def _scans(folder: Path, noise: np.ndarray) -> tuple[Path, ...]:
    folder.mkdir()
    affine = np.diag([1.5, 2.0, 3.0, 1.0])
    plain = nib.Nifti1Image(noise, affine)
    films = np.stack([noise, noise + 3], axis=-1)
    images = {
        "ax_flair.nii": plain,
        "ax_t1.nii.gz": plain,
        "wide_t2.nii": nib.Nifti2Image(noise, affine),
        "film_bold.nii.gz": nib.Nifti1Image(films.astype(np.float32), affine),
        "ax_seg.nii.gz": nib.Nifti1Image((noise > 500).astype(np.uint8), affine),
    }
    for name, image in images.items():
        nib.save(image, folder / name)
    return tuple(folder / name for name in images)


def _study(folder: Path, noise: np.ndarray) -> Path:
    folder.mkdir()
    affine = np.diag([2.0, 2.0, 3.0, 1.0])
    nib.save(nib.Nifti1Image(noise, affine), folder / "case_flair.nii.gz")
    nib.save(nib.Nifti1Image((noise > 550).astype(np.uint8), affine), folder / "case_seg.nii.gz")
    return folder


def _pictures(folder: Path, noise: np.ndarray) -> tuple[Path, ...]:
    import tifffile

    folder.mkdir()
    grey = (noise[..., 0] // 3).astype(np.uint8)
    for name in ("slice.png", "slice.jpg", "slice.bmp"):
        Image.fromarray(grey).save(folder / name)
    tifffile.imwrite(folder / "stack.tif", noise.transpose(2, 1, 0).astype(np.uint16))
    tifffile.imwrite(folder / "packed.tif", noise[..., 0].astype(np.float32), compression="zlib")
    return tuple(sorted(folder.iterdir()))


def _series(folder: Path, noise: np.ndarray) -> Path:
    folder.mkdir()
    for k in range(3):
        data = pydicom.Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.file_meta.MediaStorageSOPClassUID = MRImageStorage
        data.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.4.{k + 1}"
        data.SOPClassUID, data.SOPInstanceUID = MRImageStorage, f"1.2.3.4.{k + 1}"
        data.StudyInstanceUID, data.SeriesInstanceUID = "1.2.3", "1.2.3.4"
        data.FrameOfReferenceUID, data.Modality = "1.2.3.9", "MR"
        data.PatientName, data.PatientID = "Nobody^At^All", "N1"
        data.SpecificCharacterSet, data.SeriesDescription = "ISO_IR 192", "flair axial"
        data.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
        data.SeriesNumber, data.InstanceNumber, data.EchoTime = 1, k + 1, "90"
        data.SliceThickness, data.PixelSpacing = "3", ["2", "2"]
        data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        data.ImagePositionPatient = [-20, -18, 3.0 * k]
        data.RescaleSlope, data.RescaleIntercept = "1", "0"
        data.WindowCenter, data.WindowWidth, data.NumberOfFrames = "300", "600", "1"
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.Rows, data.Columns = SIZE[1], SIZE[0]
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
        data.PixelData = noise[..., k].T.tobytes()
        data.save_as(folder / f"im{k}.dcm", enforce_file_format=True)
    return folder


def _dictionary(path: Path) -> Path:
    atoms = np.random.default_rng(2).normal(size=(4, 1, 5, 5)).astype(np.float32)
    np.savez(path, phi=atoms / np.linalg.norm(atoms))
    return path


def _programs(folder: Path) -> tuple[Path, ...]:
    """One network as TorchScript and as a `torch.export` file, with a card beside them."""
    folder.mkdir()
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.Conv2d(2, 2, 1)).eval()
    example = torch.zeros(1, 1, 16, 16)
    torch.jit.save(torch.jit.trace(network, example), folder / "net.ts")
    torch.export.save(torch.export.export(network, (example,)), folder / "net.pt2")
    (folder / "card.json").write_text(json.dumps(FOREIGN_CARD))
    return folder / "net.ts", folder / "net.pt2"


def _bundle(folder: Path) -> Path:
    torch.manual_seed(1)
    card = ModelCard(
        name="small",
        title="Small",
        architecture="sum",
        arguments={"maps": 2, "levels": 2},
        task="segmentation",
        inputs=Inputs(("flair",), "brain-range", spacing_mm=2.0, size=16),
        classes={"1": "lesion"},
        notes=("For tests.",),
    )
    save_bundle(folder, card, SumNetwork(maps=2, levels=2))
    return folder


def _saved(root: Path, place: Path, bundle: Path) -> tuple[Path, Path]:
    """An explanation folder, and a review with its maps."""
    study, model = se.open_study(place), se.load_model(bundle)
    found = se.explain(study, model, "signals", slices=slice(1, 4))
    se.save_explanation(found, study, root / "explanation")
    se.save_explanation(se.explain(study, model, "responses"), study, root / "explanation")
    reading = se.default_reading(study, {"signals": found})
    mark = annotation_on_grid(
        "polygon",
        [(2, 3, 3), (2, 9, 3), (2, 9, 9)],
        study.grid,
        study="study",
        plane="axial",
        index=2,
        text="rim",
    )
    review = replace(reading.review, annotations=(mark,), probe=(10.0, 10.0, 6.0), crosshair=True)
    se.save_review(reading.with_review(review), root / "review", arrays=True)
    return root / "explanation", root / "review"
