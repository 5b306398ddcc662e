"""Masks of a scan in time or of several directions: one mask a frame, where the scan tells so.

A NIfTI mask of four dimensions alone can be one channel a class, as networks write it, or one mask
a frame. Beside a scan with as many frames it is the second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...progress import Progress, Work
from ..finding import Finding
from ..nifti.reader import open_nifti
from ..roles.assignment import Opened
from ..volume import Volume
from .dataset_folder import named_by_dataset

#: Codes of what is said of a mask of four dimensions that was read by itself.
_BY_ITSELF = ("one-hot-mask", "not-a-label-map")

#: Axes that are no frames: what lies along them belongs to one image.
_NO_FRAMES = ("channel", "component")


def masks_of_frames_work(opened: Sequence[Opened]) -> Work[list[Opened]]:
    """The same volumes; a mask with as many frames as a scan beside it has one mask a frame.

    Only where its values are label numbers in every frame. Other masks stay as they were read.
    """
    found: list[Opened] = []
    for item in opened:
        count = _frames_of_mask(item)
        scan = next((o.volume for o in opened if o is not item and _has_frames(o, count)), None)
        if not count or scan is None:
            found.append(item)
            continue
        yield Progress(0, 0, f"reading the masks of the frames of {item.place}")
        made = _read_again(item, scan)
        found.append(item if made is None else made)
    return found


def _frames_of_mask(item: Opened) -> int:
    """Length of the fourth axis of a NIfTI mask that was read by itself; 0 of anything else."""
    source = item.volume.source
    if source.format != "nifti" or not any(f.code in _BY_ITSELF for f in item.findings):
        return 0
    further = [int(n) for n in source.header.get_data_shape()[3:]]
    return further[0] if further and all(n == 1 for n in further[1:]) and further[0] > 1 else 0


def _has_frames(item: Opened, count: int) -> bool:
    """Whether it is a scan with so many frames on its one axis beyond space."""
    volume = item.volume
    return (
        volume.kind == "image"
        and len(volume.leading) == 1
        and volume.leading[0] not in _NO_FRAMES
        and int(volume.data.shape[0]) == count
        and not any(f.code in _BY_ITSELF for f in item.findings)
    )


def _read_again(item: Opened, scan: Volume) -> Opened | None:
    """The mask with the scan's axis; None where its values are no labels."""
    (axis,) = scan.leading
    parts = named_by_dataset(*open_nifti(item.volume.source.paths[0], frames=axis))
    if len(parts) != 1 or parts[0][0].leading != (axis,) or parts[0][0].kind != "label":
        return None
    volume, said = parts[0]
    count = int(volume.data.shape[0])
    note = Finding(
        "info",
        "mask-of-frames",
        f"the mask has {count} images along {axis}, as the scan {scan.role} has: each is the mask "
        "of one of these",
        item.place,
    )
    return replace(item, volume=volume, findings=(*said, note))
