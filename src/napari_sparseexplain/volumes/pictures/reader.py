"""PNG, JPG and TIFF pictures as volumes: no millimetres, no patient orientation, no letters."""

from __future__ import annotations

import re
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import nibabel.orientations as nio
import numpy as np
import numpy.typing as npt

from ...errors import ReadError, reason_of
from ...files.regular_file import regular_size
from ...progress import Progress, Work
from ..finding import Finding
from ..grid import Grid, orientation_to_display
from ..labels.values import as_label_array
from ..roles.roles import read_name, stem_of
from ..volume import Source, Volume
from .size import check_picture, check_tiff, quiet_tiff

#: A folder of this name holds masks, whatever its files are called.
_MASK_FOLDER = re.compile(
    r"(?i)(masks?|labels?|gt|ground[-_ ]?truth|segmentations?|annotations?)(?:[-_ ]?\w*)"
)

#: Words that a mask's name has beyond the name of its picture.
_MASK_WORDS = re.compile(
    r"(?i)[-_. ]?(mask|masks|label|labels|seg|segmentation|gt|ground[-_ ]?truth|roi|annotation)"
    r"(?![a-z])"
)

_AGAIN = "Check that another program opens it, or export the picture again"


def read_picture(path: str | Path) -> tuple[Volume, list[Finding]]:
    """One picture, or all pages of a TIFF as slices.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    volume : Volume
        Shape (pages, rows, columns), a last axis of 3 or 4 for true colour; a picture whose
        colour channels are equal becomes grey, and an opaque alpha is dropped. Stored type.
    findings : list of Finding

    Raises
    ------
    ReadError
        No picture that can be decoded, or pages of unequal size.
    """
    path = Path(path)
    return _volume([path], is_mask_file(path), read_name(path.name).role or stem_of(path.name))


def read_pictures(
    paths: Sequence[Path], root: Path
) -> tuple[list[tuple[Volume, str, list[Finding]]], list[Finding]]:
    """The pictures of a folder as stacks, with the masks that go with them.

    Pictures whose names tell modalities (``t1.png``, ``flair.png``) stay single. Others of one
    size are stacked in the order of their names, numbers counted as numbers; masks are told by
    their name or their folder's (``labels``, ``masks``) and go with the picture of the same name.

    Parameters
    ----------
    paths : sequence of Path
    root : Path
        The study's folder.

    Returns
    -------
    volumes : list of (Volume, str, list of Finding)
        With the place of each within the folder.
    findings : list of Finding
        On the folder as a whole.

    Raises
    ------
    ReadError
        The pictures differ in size, or lie in several folders that are no pair of pictures and
        masks.
    """
    masks = [p for p in paths if is_mask_file(p)]
    pictures = [p for p in paths if p not in set(masks)]
    if not pictures:
        pictures, masks = masks, []
    told = [read_name(p.name).role for p in pictures]
    if len(paths) == 1 or (None not in told and len(set(told)) == len(told)):
        singles = [(*read_picture(p), p) for p in (*pictures, *masks)]
        return [(volume, p.relative_to(root).as_posix(), said) for volume, said, p in singles], []
    folders = sorted({p.parent for p in pictures})
    if len(folders) > 1:
        names = ", ".join(f.relative_to(root).as_posix() for f in folders[:4])
        raise ReadError(
            f"pictures lie in {len(folders)} folders ({names})",
            where=root,
            remedy="Open one of these folders at a time",
        )
    return _stacked(sorted(pictures, key=natural_order), masks, root)


def read_pictures_work(
    paths: Sequence[Path], root: Path
) -> Work[tuple[list[tuple[Volume, str, list[Finding]]], list[Finding]]]:
    """`read_pictures` as a generator, as the registry of readers asks for it."""
    yield Progress(0, len(paths), "reading pictures")
    return read_pictures(paths, root)


def _stacked(
    pictures: list[Path], masks: list[Path], root: Path
) -> tuple[list[tuple[Volume, str, list[Finding]]], list[Finding]]:
    """One stack of pictures and, where there are masks, one of these."""
    place = pictures[0].parent.relative_to(root).as_posix()
    name = pictures[0].parent.name if len(pictures) > 1 else stem_of(pictures[0].name)
    volume, said = _volume(pictures, False, name)
    entry = (volume, pictures[0].name if place == "." else place, said)
    if len(pictures) > 1:
        said.append(
            Finding(
                "info",
                "picture-stack",
                f"{len(pictures)} pictures of one size are shown as slices in the order of their "
                "names; their distance is not known",
                place,
            )
        )
    if not masks:
        return [entry], []
    by_name: dict[str, list[Path]] = defaultdict(list)
    for mask in masks:
        by_name[_MASK_WORDS.sub("", stem_of(mask.name)).lower()].append(mask)
    found = [by_name.get(stem_of(p.name).lower(), [None])[0] for p in pictures]
    missing = sum(mask is None for mask in found)
    findings: list[Finding] = []
    if missing == len(pictures):
        findings.append(
            Finding(
                "warning",
                "unmatched-masks",
                f"{len(masks)} masks have no picture of the same name and were left out",
                masks[0].relative_to(root).as_posix(),
            )
        )
        return [entry], findings
    if missing:
        findings.append(
            Finding(
                "warning",
                "missing-masks",
                f"{missing} of {len(pictures)} pictures have no mask; theirs is shown empty",
                masks[0].parent.relative_to(root).as_posix(),
            )
        )
    label, label_said = _volume(found, True, "seg", size=volume.grid.shape[1:])
    where = masks[0].relative_to(root).as_posix() if len(masks) == 1 else masks[0].parent.name
    return [entry, (label, where, label_said)], findings


def is_mask_file(path: Path) -> bool:
    """Whether a picture is a mask, by its name or its folder's."""
    return read_name(path.name).label == "yes" or bool(_MASK_FOLDER.fullmatch(path.parent.name))


def natural_order(path: Path) -> list[Any]:
    """Sort key that counts: ``slice2`` comes before ``slice10``."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [(1, int(p), "") if p.isdigit() else (0, 0, p) for p in parts]


def _volume(
    paths: Sequence[Path | None], mask: bool, role: str, *, size: tuple[int, ...] | None = None
) -> tuple[Volume, list[Finding]]:
    """Stack of all pages of all files; None stands for an empty page of ``size``."""
    there = [p for p in paths if p is not None]
    array, stored = _stack(paths, size)
    findings: list[Finding] = []
    kind = "image"
    if mask:
        labels = None if array.ndim == 4 else as_label_array(array)
        if labels is None:
            findings.append(
                Finding(
                    "warning",
                    "not-a-label-map",
                    "is named as a mask but is a picture in colour or of many values; it is shown "
                    "as an image",
                    there[0].name,
                )
            )
        else:
            array, kind, role = labels, "label", "seg"
    pages, rows, columns = array.shape[:3]
    # A file index that NIfTI readers assume where no orientation is told (left, anterior,
    # superior), so that a result saved without orientation is shown as the picture was.
    affine = np.diag([-1.0, 1.0, 1.0, 1.0])
    to_display = orientation_to_display(affine)
    shape = (columns, rows, pages)
    array.setflags(write=False)
    return (
        Volume(
            data=array,
            grid=Grid(
                (pages, rows, columns),
                affine @ nio.inv_ornt_aff(to_display, shape),
                calibrated=False,
                oriented=False,
            ),
            role=role,
            kind=kind,  # type: ignore[arg-type]
            source=Source(
                paths=tuple(there),
                format="image",
                shape=shape,
                affine=affine,
                dtype=stored,
                to_display=to_display,
                description=there[0].name if len(there) == 1 else there[0].parent.name,
            ),
            colour=array.ndim == 4,
        ),
        findings,
    )


def _stack(
    paths: Sequence[Path | None], size: tuple[int, ...] | None
) -> tuple[npt.NDArray[Any], np.dtype[Any]]:
    """All pages in one array, which becomes one in colour when a page needs it."""
    first = next(p for p in paths if p is not None)
    if len(paths) == 1:
        pages = [_plain(page, first) for page in _pages(first)]
        if not pages:
            raise ReadError("the picture has no page", where=first, remedy=_AGAIN)
        if len({p.shape for p in pages}) > 1:
            raise ReadError(
                "the pages of the file differ in size or colour",
                where=first,
                remedy="Save each page as a file of its own",
            )
        stack = pages[0][np.newaxis] if len(pages) == 1 else np.stack(pages)
        return stack, stack.dtype
    out: npt.NDArray[Any] | None = None
    for index, path in enumerate(paths):
        if path is None:
            continue
        page = _plain(next(_pages(path)), path)
        if out is None:
            size = size or page.shape[:2]
            out = np.zeros((len(paths), *size, *page.shape[2:]), dtype=page.dtype)
        if page.shape[:2] != out.shape[1:3]:
            ours, theirs = ("×".join(map(str, s)) for s in (page.shape[1::-1], out.shape[2:0:-1]))
            raise ReadError(
                f"the picture has {ours} pixels and those before it {theirs}, so they are no stack",
                where=path,
                remedy="Open one picture at a time, or put those of one size into one folder",
            )
        if page.ndim > out.ndim - 1:  # the first one in colour among grey ones
            out = np.repeat(out[..., np.newaxis], page.shape[2], axis=3)
        elif page.ndim < out.ndim - 1:
            page = np.repeat(page[..., np.newaxis], out.shape[3], axis=2)
        if page.dtype != out.dtype:
            out = out.astype(np.result_type(out.dtype, page.dtype))
        out[index] = page[..., : out.shape[3]] if out.ndim == 4 else page
    assert out is not None
    return out, out.dtype


def _pages(path: Path) -> Iterator[npt.NDArray[Any]]:
    """Pages of a picture file, decoded one by one."""
    if regular_size(path) == 0:
        raise ReadError("the file is empty", where=path, remedy=_AGAIN)
    try:
        with warnings.catch_warnings():
            # Decoders warn of odd metadata; what matters here are pixels, and these are checked.
            warnings.simplefilter("ignore")
            if path.suffix.lower() in (".tif", ".tiff"):
                check_tiff(path)
                with quiet_tiff(), iio.imopen(path, "r", plugin="tifffile") as file:
                    yield from map(np.asarray, file.iter_pages())  # type: ignore[attr-defined]
            else:
                check_picture(path)
                yield np.asarray(iio.imread(path, plugin="pillow", index=0))
    except ReadError:
        raise
    except Exception as error:  # the decoders raise whatever broken bytes provoke
        raise ReadError(
            f"the picture cannot be decoded ({reason_of(error)})",
            where=path,
            remedy=_AGAIN,
        ) from error


def _plain(page: npt.NDArray[Any], path: Path) -> npt.NDArray[Any]:
    """A page as (rows, columns) where it is grey, else (rows, columns, 3 or 4)."""
    if page.dtype.kind not in "biuf" or page.size == 0:
        raise ReadError(
            "a page holds complex numbers or no pixels, which is no picture",
            where=path,
            remedy=_AGAIN,
        )
    if page.dtype == bool:
        page = page.astype(np.uint8)
    page = page.astype(page.dtype.newbyteorder("="), copy=False)
    if page.ndim == 3 and page.shape[2] > 4 and page.shape[0] in (3, 4):
        page = np.moveaxis(page, 0, 2)  # TIFF with its colours in separate planes
    if page.ndim == 2:
        return page
    if page.ndim != 3 or page.shape[2] > 4:
        raise ReadError(f"a page of shape {page.shape} is no picture", where=path, remedy=_AGAIN)
    has_alpha = page.shape[2] in (2, 4)
    colours, alpha = (page[..., :-1], page[..., -1]) if has_alpha else (page, None)
    if colours.shape[2] == 1 or all(
        np.array_equal(colours[..., 0], colours[..., c]) for c in range(1, colours.shape[2])
    ):
        return np.ascontiguousarray(colours[..., 0])
    if alpha is not None and (alpha != np.iinfo(alpha.dtype).max).any():
        return page
    return np.ascontiguousarray(colours)
