"""Every text of a finished file, decoded as whoever gets the file can decode it."""

from __future__ import annotations

import io
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import nibabel as nib
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset

from .identifying_values import elements, texts

#: Text that a PDF tells beside what it draws (ISO 32000-1, 14.9.4), as a report writes it.
_ACTUAL_TEXT = re.compile(rb"/ActualText <FEFF((?:[0-9A-F]{4})*)>")

#: All words of a NIfTI file stand in its first part; the rest is voxels.
HEADER_BYTES = 1 << 20


class SaidText(NamedTuple):
    """A text, and what of the file holds it."""

    where: str
    said: str


def texts_of(name: str, content: bytes) -> Iterator[SaidText]:
    """Texts of a file that this program writes, and its name.

    PNG and PDF are inflated, PDF text goes through its fonts' maps to Unicode; of NIfTI and DICOM
    every element of the header is read.

    Parameters
    ----------
    name : str
        Its ending tells the format; of another one the printable text is taken.
    content : bytes
        The whole file.
    """
    yield SaidText("file's name", name)
    ending = "".join(Path(name).suffixes[-2:]).lower()
    if ending.endswith(".png"):
        yield from _of_png(content)
    elif ending.endswith(".pdf"):
        yield from _of_pdf(content)
    elif ending.endswith(".json"):
        yield from _of_json(json.loads(content), "JSON")
    elif ending.endswith((".nii", ".nii.gz")):
        yield from _of_nifti(name, content)
    elif ending.endswith(".dcm"):
        yield from _of_dicom(dcmread(io.BytesIO(content)))
    elif not ending.endswith(".npz"):  # arrays alone, without words
        yield SaidText("text", content.decode("utf-8-sig", "replace"))


def texts_of_dataset(dataset: Dataset) -> Iterator[SaidText]:
    """Texts of a DICOM object, on all levels, the JSON in its elements taken apart."""
    yield from _of_dicom(dataset)


def _of_png(content: bytes) -> Iterator[SaidText]:
    with Image.open(io.BytesIO(content)) as image:
        image.load()  # texts may stand behind the pixels
        for key, said in getattr(image, "text", {}).items():
            yield SaidText(f"PNG text {key!r}", str(key))
            yield from _of_text(str(said), f"PNG text {key!r}")


def _of_pdf(content: bytes) -> Iterator[SaidText]:
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(content))
    for key, said in (reader.metadata or {}).items():
        yield SaidText(f"PDF property {key}", str(said))
    for number, page in enumerate(reader.pages, start=1):
        yield SaidText(f"page {number}", page.extract_text())
        found = page.get_contents()
        for said in _ACTUAL_TEXT.findall(found.get_data() if found is not None else b""):
            text = bytes.fromhex(said.decode("ascii")).decode("utf-16-be", "replace")
            yield SaidText(f"page {number}", text)


def _of_json(value: Any, where: str) -> Iterator[SaidText]:
    if isinstance(value, str):
        yield SaidText(where, value)
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield SaidText(where, str(key))
            yield from _of_json(part, f"{where} {str(key)!r}")
    elif isinstance(value, list):
        for part in value:
            yield from _of_json(part, where)


def _of_text(said: str, where: str) -> Iterator[SaidText]:
    """A text, taken apart where it is JSON."""
    if said[:1] in ("{", "["):
        try:
            values = json.loads(said)
        except ValueError:  # it only looks like JSON
            yield SaidText(where, said)
            return
        yield from _of_json(values, where)
        return
    yield SaidText(where, said)


def _of_nifti(name: str, content: bytes) -> Iterator[SaidText]:
    if name.lower().endswith(".gz"):
        content = zlib.decompressobj(wbits=31).decompress(content, HEADER_BYTES)
    kind = nib.Nifti2Header if content[:4] in (b"\x1c\x02\0\0", b"\0\0\x02\x1c") else None
    header = (kind or nib.Nifti1Header).from_fileobj(io.BytesIO(content))
    for field in header:
        raw = header[field]
        if raw.dtype.kind == "S":
            said = raw.tobytes().rstrip(b"\0").decode("utf-8", "replace")
            yield SaidText(f"NIfTI field {field}", said)
    for extension in header.extensions:
        found = extension.get_content()
        if isinstance(found, Dataset):
            yield from _of_dicom(found)
        else:
            said = found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found)
            yield from _of_text(said, "NIfTI extension")


def _of_dicom(dataset: Dataset) -> Iterator[SaidText]:
    """Texts of a data set and of its file's own header.

    Codes of the standard's tables, and elements whose values the standard lists, hold no words of
    a person.
    """
    for element in (*elements(getattr(dataset, "file_meta", Dataset())), *elements(dataset)):
        if element.VR == "CS" or element.keyword in ("CodeMeaning", "CodeValue"):
            continue
        for said in texts(element):
            yield from _of_text(said, f"element {element.name}")
