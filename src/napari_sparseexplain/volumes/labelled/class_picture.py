"""One picture of a class as it is read: its grey values, and what its file says of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import ReadError
from ..dicom.single_picture import read_shown_picture
from ..picture_turn import AS_STORED, PictureTurn
from ..pictures.reader import read_picture
from ..volume import measured
from .class_image import ClassImage
from .tumour_mat import read_tumour_picture

#: Endings of DICOM files.
DICOM = (".dcm", ".dicom", ".ima")


@dataclass(frozen=True, eq=False)
class ClassPicture:
    """A picture, turned as the viewer shows its plane.

    Attributes
    ----------
    values : ndarray, shape (rows, columns), float32
    padding : (float, float) or None
        Range of the values that stand where nothing was measured (`Volume.padding`).
    inverted : bool
        Whether low values are shown bright (MONOCHROME1).
    view : str
        The plane, where the file tells.
    turn : PictureTurn
        From the file's rows and columns to these.
    """

    values: npt.NDArray[np.float32]
    padding: tuple[float, float] | None = None
    inverted: bool = False
    view: str = ""
    turn: PictureTurn = AS_STORED

    @property
    def shown(self) -> npt.NDArray[np.float32]:
        """What is shown bright is high, and what was not measured is NaN.

        Of MONOCHROME1 the sum of the least and the greatest value less what is stored.
        """
        values = self.values
        there = measured(values, self.padding)
        if self.padding is not None:
            values = np.where(there, values, np.float32(np.nan))
        if self.inverted and there.any():
            values = values[there].min() + values[there].max() - values
        return values


def read_class_picture(image: ClassImage) -> ClassPicture:
    """Read a picture.

    Raises
    ------
    ReadError
        It cannot be decoded, or has several pages.
    """
    if image.path.suffix.lower() == ".mat":
        return ClassPicture(read_tumour_picture(image.path))
    if image.path.suffix.lower() in DICOM:
        return ClassPicture(*read_shown_picture(image.path))
    volume, _ = read_picture(image.path)
    array = np.asarray(volume.spatial())
    if len(array) != 1:
        raise ReadError(
            f"it has {len(array)} pages",
            where=image.path,
            remedy="Save each page as a picture of its own",
        )
    return ClassPicture(np.asarray(array[0], dtype=np.float32))
