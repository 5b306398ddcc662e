"""Which slices a folder holds, and which mask or contour goes with each.

Two layouts: pictures with masks of the same names in a folder beside them (``images/``,
``labels/``), and DICOM files with contours as text, as the Sunnybrook cardiac data come.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...errors import ReadError
from ...files.folder_walk import walk_folder
from ...progress import Progress, Work
from ..dicom.single_picture import read_dicom_picture
from ..finding import Finding
from ..pictures.reader import natural_order, read_picture
from ..readers import all_endings
from ..roles.roles import read_name, stem_of
from .contour_file import CONTOUR_NAME, inside_contour, read_contour
from .labelled_slice import LabelledSlice, SlicePixels, grey
from .patients_of_folder import patients_of, patients_said
from .slice_folders import is_mask, place_of

_PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
_DICOM = (".dcm", ".dicom", ".ima", "")

#: Words by which a mask's name differs from its picture's.
_MASK_WORDS = re.compile(
    r"(?i)[-_. ]?(mask|masks|label|labels|seg|segmentation|gt|ground[-_ ]?truth|roi|annotation)"
    r"(?![a-z])"
)

#: Given as a label: all that is drawn, of whatever structure.
ALL_LABELS = 0

#: Values besides 0 up to which a mask's values are labels; more are shades of an edge.
_LABELS = 12

_HEAD = re.compile(r"(?i)IM-(\d+)-(\d+)")


@dataclass(frozen=True)
class LabelledFolder:
    """The slices of a folder.

    Attributes
    ----------
    root : Path
    slices : tuple of LabelledSlice
        By patient, then in the order of names.
    findings : tuple of Finding
        What did not match: images without a mask, masks and contours without an image.
    """

    root: Path
    slices: tuple[LabelledSlice, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def patients(self) -> tuple[str, ...]:
        """Whose slices these are, each once."""
        return tuple(dict.fromkeys(item.patient for item in self.slices))

    def without(self, patients: Iterable[str]) -> LabelledFolder:
        """The same without some patients."""
        left = set(patients)
        return replace(self, slices=tuple(s for s in self.slices if s.patient not in left))


def find_labelled(root: str | Path) -> Work[LabelledFolder]:
    """Look through a folder; only names are read.

    Raises
    ------
    ReadError
        No such folder, or nothing in it that is a slice.
    """
    folder = Path(root)
    if not folder.is_dir():
        raise ReadError(
            "there is no such folder", where=folder, remedy="Give a folder of images with masks"
        )
    files: list[Path] = []
    for place, _, names in walk_folder(folder):
        files += [place / name for name in names if not name.startswith(".")]
        yield Progress(len(files), 0, f"{len(files)} files")
    contours = [p for p in files if CONTOUR_NAME.search(p.name)]
    found = _with_contours(folder, files, contours) if contours else _with_masks(folder, files)
    if not found.slices:
        raise ReadError(
            f"none of the {len(files)} files in it is a picture or a DICOM file with a contour",
            where=folder,
            remedy="Give a folder with images/ and labels/, or DICOM files with contours as text",
        )
    return found


def read_labelled(item: LabelledSlice, label: int | None = None) -> SlicePixels:
    """The pixels of a slice, and what was drawn on it.

    Parameters
    ----------
    item : LabelledSlice
    label : int, optional
        Of a mask with several structures the one that is meant; everything else is outside.
        `ALL_LABELS`: all of them are inside.

    Raises
    ------
    ReadError
        A file cannot be read, a mask has another size than its image, or it holds several labels
        and none was chosen.
    """
    if item.image.suffix.lower() in _PICTURES:
        image, spacing, padding = _picture(item.image), None, None
    else:
        image, spacing, padding = read_dicom_picture(item.image)
    findings: list[str] = []
    mask = outer = None
    labels: dict[int, int] = {}
    if item.mask is not None:
        drawn = _picture(item.mask)
        if drawn.shape != image.shape:
            ours, theirs = ("×".join(map(str, a.shape)) for a in (image, drawn))
            raise ReadError(
                f"the mask has {theirs} pixels and its image {ours}",
                where=item.mask,
                remedy="Export the mask at the size of the image",
            )
        mask, labels, said = _inside(drawn, item.mask, label)
        findings += said
    for name, path in (("inner", item.inner), ("outer", item.outer)):
        if path is None:
            continue
        inside, said = inside_contour(read_contour(path), image.shape)
        findings += [f"{name} contour: {text}" for text in said]
        mask, outer = (inside, outer) if name == "inner" else (mask, inside)
    return SlicePixels(image, mask, outer, spacing, tuple(findings), labels, padding)


def _inside(
    drawn: npt.NDArray[np.float32], path: Path, label: int | None
) -> tuple[npt.NDArray[np.bool_], dict[int, int], list[str]]:
    """A mask's inside, the labels in it, and what is to be said of its values."""
    values, counts = np.unique(drawn, return_counts=True)
    lossy = path.suffix.lower() in (".jpg", ".jpeg")
    inside = {float(v): int(n) for v, n in zip(values, counts, strict=True) if v > 0}
    if len(inside) > _LABELS or (lossy and not label):
        if label:
            raise ReadError(
                f"the mask holds {len(inside)} values, which are no labels",
                where=path,
                remedy="Leave out --label, or save masks as PNG, a value a label",
            )
        said = []
        if len(inside) > 1:
            shown = ", ".join(f"{v:g}" for v in values[:6]) + (" …" if len(values) > 6 else "")
            said.append(
                f"its mask holds the values {shown}; what is half its largest or more counts as "
                "inside"
            )
        return drawn >= max(float(drawn.max()) / 2, 0.5), {}, said
    labels = {int(v): n for v, n in inside.items()}
    if label:
        return drawn == label, labels, []
    if len(labels) > 1 and label is None:
        raise several_labels(labels, path)
    return drawn > 0, labels, []


def several_labels(labels: Iterable[int], where: Path) -> ReadError:
    """The error of masks in which several structures have a value each."""
    shown = ", ".join(str(v) for v in sorted(labels))
    return ReadError(
        f"the masks hold several labels ({shown})",
        where=where,
        remedy="Say which one is meant with --label",
    )


def _picture(path: Path) -> npt.NDArray[np.float32]:
    volume, _ = read_picture(path)
    if volume.data.shape[0] != 1:
        raise ReadError(
            f"the file holds {volume.data.shape[0]} pages, and one slice is wanted",
            where=path,
            remedy="Save each page as a picture of its own",
        )
    return grey(volume.data[0])


def _with_masks(root: Path, files: list[Path]) -> LabelledFolder:
    pictures = [p for p in files if p.suffix.lower() in _PICTURES]
    masks: dict[tuple[str, str], list[Path]] = defaultdict(list)
    images = []
    names = {_key(p, root) for p in pictures if not is_mask(p, root)}
    for path in pictures:
        # ``1_gt.png`` may be a scan of that name; beside ``1.png`` it is its mask.
        perhaps = read_name(path.name).label == "maybe" and _key(path, root) != _whole(path, root)
        if is_mask(path, root) or (perhaps and _key(path, root) in names):
            masks[_key(path, root)].append(path)
        else:
            images.append(path)
    slices: list[LabelledSlice] = []
    missing = 0
    images.sort(key=natural_order)
    patients, findings = patients_of(images, root)
    for path, patient in zip(images, patients, strict=True):
        found = masks.pop(_whole(path, root), []) or masks.pop(_key(path, root), [])
        if len(found) > 1:
            findings.append(
                _said(f"{len(found)} masks fit this image; the first one was taken", path, root)
            )
        missing += not found
        slices.append(
            LabelledSlice(stem_of(path.name), patient, 0, path, found[0] if found else None)
        )
    if missing and missing < len(slices):
        findings.append(
            _said(f"{missing} of {len(slices)} images have no mask", images[0].parent, root)
        )
    elif missing and masks:
        findings.append(_said("no mask has the name of an image", images[0].parent, root))
    elif missing:
        findings.append(_said("none of the images has a mask", images[0].parent, root))
    if masks:
        first = next(iter(masks.values()))[0]
        findings.append(_said(f"{len(masks)} masks have no image of the same name", first, root))
    findings += patients_said(slices, root)
    return LabelledFolder(root, _ordered(slices), tuple(findings))


def _short(path: Path) -> str:
    """A name without the words by which a mask's differs from its picture's."""
    return _MASK_WORDS.sub("", stem_of(path.name)).lower()


def _key(path: Path, root: Path) -> tuple[str, str]:
    """By what a mask and its image are known to belong together: where they lie, and the name."""
    return "/".join(place_of(path, root)), _short(path)


def _whole(path: Path, root: Path) -> tuple[str, str]:
    return "/".join(place_of(path, root)), stem_of(path.name).lower()


def _with_contours(root: Path, files: list[Path], contours: list[Path]) -> LabelledFolder:
    """DICOM files with contours: matched by patient and image number."""
    known = tuple(ending for ending in all_endings() if ending not in (".dcm", ".dicom", ".ima"))
    images: dict[tuple[str, int], Path] = {}
    for path in files:
        if path.suffix.lower() in _DICOM and not path.name.lower().endswith(known):
            found = _HEAD.search(path.name)
            number = int(found[2]) if found else _last_number(path.name)
            if number is not None:
                images[(_case(path, root), number)] = path
    drawn: dict[tuple[str, int], dict[str, Path]] = defaultdict(dict)
    for path in contours:
        matched = CONTOUR_NAME.search(path.name)
        assert matched is not None
        drawn[(_case(path, root), int(matched[2]))][matched[3].lower()] = path
    slices, unmatched = [], []
    for key, named in sorted(drawn.items()):
        image = images.get(key)
        if image is None:
            unmatched.append(next(iter(named.values())))
            continue
        slices.append(
            LabelledSlice(
                f"{key[0]}-{key[1]:04d}", key[0], 0, image,
                inner=named.get("i"), outer=named.get("o"),
            )
        )  # fmt: skip
    findings = []
    if unmatched:
        findings.append(
            _said(f"{len(unmatched)} contours have no image of their number", unmatched[0], root)
        )
    findings += patients_said(slices, root)
    return LabelledFolder(root, _ordered(slices), tuple(findings))


def _case(path: Path, root: Path) -> str:
    """The case that a file belongs to: a folder as ``SC-HF-I-1``, whose number may have zeros."""
    for part in reversed(path.parent.relative_to(root).parts):
        if found := re.fullmatch(r"(?i)(SC-(?:HF-I|HF-NI|HYP|N))-0*(\d+)", part):
            return f"{found[1].upper()}-{int(found[2]):02d}"
    above = path.parent.relative_to(root).parts
    return above[0] if above else root.name


def _last_number(name: str) -> int | None:
    found = re.findall(r"\d+", Path(name).stem)
    return int(found[-1]) if found else None


def _ordered(slices: list[LabelledSlice]) -> tuple[LabelledSlice, ...]:
    counts: dict[str, int] = defaultdict(int)
    ordered = []
    for item in sorted(slices, key=lambda s: s.patient):
        ordered.append(replace(item, order=counts[item.patient]))
        counts[item.patient] += 1
    return tuple(ordered)


def _said(message: str, path: Path, root: Path) -> Finding:
    where = path.relative_to(root).as_posix() if path != root else root.name
    return Finding("warning", "unmatched", message, where)
