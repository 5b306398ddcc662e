"""What a click on a map of ranked regions says: the region's rank, gain and size."""

from __future__ import annotations

from dataclasses import dataclass

from .explanation import Explanation

#: Name of the map of ranks, and of the table in its ``axes``.
REGIONS = "regions"

#: Key of the table when all slices share one growth.
VOLUME = "volume"


@dataclass(frozen=True)
class RegionReading:
    """One region, as read at a voxel.

    Attributes
    ----------
    rank, total : int
        1 is the largest gain, of so many regions in this slice or volume.
    gain : float
        Mean attribution over the region.
    pixels : int
        Network pixels in it.
    """

    rank: int
    total: int
    gain: float
    pixels: int

    def sentence(self) -> str:
        """For a person."""
        return (
            f"Region {self.rank} of {self.total}, gain {self.gain:.3g}, {self.pixels} pixels "
            "of the network"
        )


def region_at(explanation: Explanation, index: tuple[int, int, int]) -> RegionReading | None:
    """The region at a voxel (slice, row, column) of the study; None where there is none.

    Raises
    ------
    KeyError
        The explanation has no regions.
    """
    item = explanation[REGIONS]
    s, p, l = index  # noqa: E741
    span = explanation.slices
    if not span.start <= s < span.stop or min(p, l) < 0:
        return None
    if p >= item.data.shape[1] or l >= item.data.shape[2]:
        return None
    rank = int(item.data[s - span.start, p, l])
    tables = item.axes[REGIONS]
    table = tables[VOLUME] if VOLUME in tables else tables.get(str(s))
    if rank == 0 or table is None:
        return None
    gain, pixels = table[rank - 1]
    return RegionReading(rank, len(table), float(gain), int(pixels))
