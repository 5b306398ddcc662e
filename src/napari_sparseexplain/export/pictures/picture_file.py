"""A picture as PNG, with all that it says in its text chunks and in a JSON file beside it."""

from __future__ import annotations

import io
import json
from pathlib import Path

from PIL.PngImagePlugin import PngInfo

from ...files.atomic_write import moved_together, refuse_existing, write_atomically
from .compositor import Picture


def png_bytes(picture: Picture) -> bytes:
    """The picture as PNG; the same picture gives the same bytes."""
    text = PngInfo()
    record = picture.record
    text.add_itxt("Software", str(record["software"]))
    text.add_itxt("Creation Time", str(record["created"]))
    text.add_itxt("Disclaimer", str(record["notice"]))
    said = json.dumps(record, ensure_ascii=False, allow_nan=False)
    # What UTF-8 cannot hold is written as JSON reads it back.
    said = said.encode("utf-8", "backslashreplace").decode("utf-8")
    text.add_itxt("sparseexplain", said)
    stream = io.BytesIO()
    picture.image.save(
        stream, "PNG", pnginfo=text, dpi=(picture.dpi, picture.dpi), compress_level=6
    )
    return stream.getvalue()


def write_picture(picture: Picture, path: str | Path, *, overwrite: bool = False) -> list[Path]:
    """Write the PNG and, beside it, the JSON file; both or none.

    Raises
    ------
    SparseExplainError
        A file is there already, or cannot be written.
    """
    png = Path(path)
    if png.suffix.lower() != ".png":
        png = png.with_name(png.name + ".png")
    beside = png.with_suffix(".json")
    for file in (png, beside):
        refuse_existing(file, overwrite)
    text = json.dumps(picture.record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with moved_together(png.parent, overwrite=overwrite) as temporary:
        write_atomically(temporary / png.name, png_bytes(picture))
        write_atomically(temporary / beside.name, text)
    return [png, beside]
