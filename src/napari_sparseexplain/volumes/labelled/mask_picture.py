"""Where the finding of a picture lies, at the size that the picture is looked at."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...errors import ReadError
from ..dicom.single_picture import read_dicom_picture
from ..pictures.reader import read_picture
from .class_image import ClassImage

#: Formats whose values are not kept: what is half the largest or more counts as inside.
_LOSSY = (".jpg", ".jpeg")

#: Masks that are kept, small as they are looked at.
_KEPT = 512


def finding_of_picture(image: ClassImage, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Where the finding lies: by the picture's mask, else by its boxes, else nowhere.

    Parameters
    ----------
    shape : (rows, columns)
        Of the picture as it is read: masks and boxes, drawn on the file, are turned as it is.

    Raises
    ------
    ReadError
        As of `mask_of_picture`.
    """
    rows, columns = image.turn.stored_shape(*shape)
    if image.mask is not None:
        return image.turn.shown(mask_of_picture(image.mask, (rows, columns)))
    drawn = np.zeros((rows, columns), dtype=np.bool_)
    for top, left, bottom, right in image.boxes:
        last = int(np.ceil(bottom * rows)), int(np.ceil(right * columns))
        drawn[int(top * rows) : last[0], int(left * columns) : last[1]] = True
    return image.turn.shown(drawn)


def mask_of_picture(path: Path, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """What is inside: every value but 0, of a JPEG those from half of the largest on.

    Parameters
    ----------
    shape : (rows, columns)
        To which the mask is brought: a pixel is inside where its middle is.

    Raises
    ------
    ReadError
        It cannot be read, or has several pages.
    """
    try:
        changed = path.stat().st_mtime_ns
    except OSError as error:
        raise ReadError(
            f"the mask cannot be read ({error.strerror or error})",
            where=path,
            remedy="Put it back beside its picture, or open the folder again",
        ) from error
    return _mask(path, changed, shape)


@lru_cache(maxsize=_KEPT)
def _mask(path: Path, _changed: int, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    if path.suffix.lower() in (".dcm", ".dicom", ".ima"):
        drawn = read_dicom_picture(path).values
    else:
        volume, _ = read_picture(path)
        pages = np.asarray(volume.spatial())
        if len(pages) != 1:
            raise ReadError(
                f"the mask has {len(pages)} pages",
                where=path,
                remedy="Save the page that is meant as a picture of its own",
            )
        drawn = pages[0]
    lossy = path.suffix.lower() in _LOSSY
    inside = drawn >= max(float(drawn.max()) / 2, 1.0) if lossy else drawn != 0
    rows, columns = (
        ((np.arange(wanted) + 0.5) * have / wanted).astype(np.intp)
        for wanted, have in zip(shape, inside.shape, strict=True)
    )
    found = np.ascontiguousarray(inside[np.ix_(rows, columns)])
    found.setflags(write=False)
    return found
