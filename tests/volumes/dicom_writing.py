"""Small DICOM files for tests, written with pydicom: what a scanner would write, and worse."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    CTImageStorage,
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    generate_uid,
)

AXIAL = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
SAGITTAL = [0.0, 1.0, 0.0, 0.0, 0.0, -1.0]

SERIES = "1.2.826.0.1.3680043.8.498.1"
STUDY = "1.2.826.0.1.3680043.8.498.2"
PLACE = "1.2.826.0.1.3680043.8.498.3"


def image(
    pixels: np.ndarray, *, sop_class: str = MRImageStorage, series: str = SERIES, **elements: Any
) -> FileDataset:
    """A grey image of ``pixels`` (rows, columns) or (frames, rows, columns), integer."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(sop_class)
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID = meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.StudyInstanceUID = STUDY
    dataset.SeriesInstanceUID = series
    dataset.FrameOfReferenceUID = PLACE
    dataset.Modality = "CT" if sop_class == CTImageStorage else "MR"
    dataset.SeriesNumber = 7
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    if pixels.ndim == 3:
        dataset.NumberOfFrames = len(pixels)
    dataset.BitsAllocated = dataset.BitsStored = pixels.dtype.itemsize * 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.PixelSpacing = [1.0, 1.0]
    dataset.PixelData = pixels.tobytes()
    for keyword, value in elements.items():
        if value is None:
            if keyword in dataset:
                del dataset[keyword]
        else:
            setattr(dataset, keyword, value)
    return dataset


def slices(
    pixels: np.ndarray,
    *,
    step: float = 2.0,
    orientation: list[float] = AXIAL,
    origin: tuple[float, float, float] = (-10.0, -20.0, 5.0),
    **elements: Any,
) -> list[FileDataset]:
    """One classic image a slice of ``pixels`` (slices, rows, columns), evenly along the normal."""
    normal = np.cross(orientation[:3], orientation[3:])
    return [
        image(
            plane,
            ImageOrientationPatient=orientation,
            ImagePositionPatient=[float(v) for v in np.asarray(origin) + k * step * normal],
            SliceThickness=step,
            InstanceNumber=k + 1,
            **elements,
        )
        for k, plane in enumerate(pixels)
    ]


def write(folder: Path, datasets: list[FileDataset], *, prefix: str = "im") -> Path:
    """Write data sets under names in their order; the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for k, dataset in enumerate(datasets):
        save(dataset, folder / f"{prefix}{k:03d}.dcm")
    return folder


def save(dataset: FileDataset, path: Path) -> Path:
    """Write one data set in the transfer syntax of its meta header."""
    dcmwrite(path, dataset, enforce_file_format=True)
    return path


def item(**elements: Any) -> Dataset:
    """A sequence item."""
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def enhanced(
    pixels: np.ndarray,
    frames: list[Dataset],
    *,
    sop_class: str = EnhancedMRImageStorage,
    **more: Any,
) -> FileDataset:
    """An enhanced object: ``pixels`` (frames, rows, columns) and its per-frame groups."""
    return image(
        pixels,
        sop_class=sop_class,
        PixelSpacing=None,
        SharedFunctionalGroupsSequence=Sequence(
            [
                item(
                    PlaneOrientationSequence=Sequence([item(ImageOrientationPatient=AXIAL)]),
                    PixelMeasuresSequence=Sequence(
                        [item(PixelSpacing=[1.5, 1.0], SliceThickness=3.0)]
                    ),
                )
            ]
        ),
        PerFrameFunctionalGroupsSequence=Sequence(frames),
        **more,
    )


def frame(z: float, **groups: Dataset) -> Dataset:
    """Functional groups of one frame at the height ``z``."""
    return item(
        PlanePositionSequence=Sequence([item(ImagePositionPatient=[0.0, 0.0, z])]),
        **{name: Sequence([group]) for name, group in groups.items()},
    )


def noise(*shape: int, dtype: str = "uint16", seed: int = 0) -> np.ndarray:
    """Reproducible values from 0 to 999."""
    return np.random.default_rng(seed).integers(0, 1000, shape).astype(dtype)


def tiled(scan: np.ndarray) -> np.ndarray:
    """The mosaic of a scan: tiles row by row, the square filled up with zeros."""
    count, rows, columns = scan.shape
    side = int(np.ceil(np.sqrt(count)))
    square = np.zeros((side * side, rows, columns), scan.dtype)
    square[:count] = scan
    return square.reshape(side, side, rows, columns).swapaxes(1, 2).reshape(side * rows, -1)


def csa(elements: dict[str, list[str]], *, version: int = 2) -> bytes:
    """A CSA header as Siemens writes it."""
    offset = 6
    first = {"EchoLinePosition": [""] * offset}
    everything = {**first, **elements} if version == 1 else elements
    block = b"SV10\4\3\2\1" if version == 2 else b""
    block += struct.pack("<2I", len(everything), 77)
    for name, values in everything.items():
        block += struct.pack("<64si4s3i", name.encode(), len(values), b"IS", 0, len(values), 77)
        for value in values:
            text = value.encode() + b"\0" if value else b""
            length = len(text)
            block += struct.pack(
                "<4i", length + (offset if version == 1 else 0), length, 77, length
            )
            block += text + b"\0" * (-length % 4)
    return block
