"""The path of guided integrated gradients: which features move, and how far, at each step.

Kapishnikov et al., *Guided Integrated Gradients: an Adaptive Path Method for Removing Noise*, CVPR
2021, algorithm 1, for several images at once and for steps of any length.
"""

from __future__ import annotations

import torch

QUANTILES = ("movable", "all")

#: Distances this close count as equal (relative, and in absolute terms), as in the authors' code.
TOLERANCE = 1e-9


class GuidedPath:
    """Paths of images (B, C, H, W) from their baselines.

    Only features that differ from the baseline in any of the images are held: on medical images a
    third, and all that is sorted and added up at every step.

    Parameters
    ----------
    fraction : float
        Share of the features that move at a time, in (0, 1].
    max_dist : float
        How far a feature may be ahead of or behind the straight line, as a share of its way.
    quantile_over : {"movable", "all"}
        Whether the share is of the features that differ from the baseline, or of all.

    Attributes
    ----------
    begin, end : Tensor, shape (B, features)
        Features at the baseline and of the image.
    """

    def __init__(
        self,
        x: torch.Tensor,
        baseline: torch.Tensor,
        fraction: float,
        max_dist: float,
        quantile_over: str,
    ) -> None:
        if quantile_over not in QUANTILES:
            raise ValueError(f"quantile_over must be one of {QUANTILES}")
        self.x, self.baseline, self.max_dist = x, baseline, max_dist
        difference = (x - baseline).flatten(1)
        moving = difference != 0
        count = torch.full((len(x),), difference.shape[1], device=x.device)
        if quantile_over == "movable":
            count = moving.sum(dim=1)
        self._block = (fraction * (count - 1).clamp(min=0)).floor().long() + 1
        self._columns = moving.any(dim=0).nonzero()[:, 0]
        if not len(self._columns):  # an image that is its baseline: one feature, which stays
            self._columns = torch.zeros(1, dtype=torch.long, device=x.device)
        self.begin, self.end = self.features(baseline), self.features(x)
        self._way = self.end - self.begin
        self._l1 = difference.abs().sum(dim=1)

    def only(self, images: torch.Tensor) -> GuidedPath:
        """The paths of some of the images.

        Parameters
        ----------
        images : Tensor of int
            Their places in the batch.
        """
        found = object.__new__(GuidedPath)
        found.__dict__.update(self.__dict__)
        for name in ("x", "baseline", "begin", "end", "_way", "_l1", "_block"):
            setattr(found, name, getattr(self, name)[images])
        return found

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """The features held of images, or gradients, (B, C, H, W)."""
        return images.flatten(1).index_select(1, self._columns)

    def images(self, here: torch.Tensor) -> torch.Tensor:
        """Images (B, C, H, W) whose features are ``here``; the rest is at the baseline."""
        flat = self.baseline.flatten(1).clone()
        return flat.index_copy_(1, self._columns, here).view_as(self.x)

    def shares(self, values: torch.Tensor) -> torch.Tensor:
        """Values of features as maps (B, C, H, W), 0 where nothing moves."""
        flat = torch.zeros_like(self.x).flatten(1)
        return flat.index_copy_(1, self._columns, values).view_as(self.x)

    def moved(self, here: torch.Tensor, slopes: torch.Tensor, ahead: torch.Tensor) -> torch.Tensor:
        """Where the path goes from ``here``, shape (B, features).

        The features, sorted by the size of their gradient, move in blocks (equal ones at a
        block's end with it): every block before the last goes all the way it may, the last one
        only as far as the distance asks for. One sort and one cumulative sum say how many.

        Parameters
        ----------
        here, slopes : Tensor, shape (B, features)
            Where the path is, and the gradient there.
        ahead : Tensor, shape (B,)
            Share of its way at which the straight line then is.
        """
        begin, end, way = self.begin, self.end, self._way
        lowest = (ahead - self.max_dist).clamp(min=0.0)[:, None]
        low = begin + way * lowest
        high = begin + way * (ahead + self.max_dist).clamp(max=1.0)[:, None]
        place = torch.where(way != 0, (here - begin) / way, torch.inf)
        moved = torch.where(place < lowest, low, here)

        target = self._l1 * (1 - ahead)
        need = (moved - end).abs().sum(dim=1) - target
        close = TOLERANCE * torch.maximum(
            torch.maximum(target, target + need), torch.ones_like(need)
        )
        open_rows = need > close

        # Those that are as far as they may be come last, and are never chosen.
        size = torch.where(moved == high, torch.inf, slopes.abs())
        keys, order = size.sort(dim=1)
        room = (moved - high).abs().gather(1, order)
        reach = torch.where(keys.isinf(), 0.0, room).cumsum(dim=1)
        movable = (~keys.isinf()).sum(dim=1)

        start = torch.zeros_like(self._block)
        chosen_start, chosen_end = torch.zeros_like(start), torch.zeros_like(start)
        gamma = torch.zeros_like(need)
        looking = open_rows & (movable > 0)
        while bool(looking.any()):
            last = torch.minimum(start + self._block, movable) - 1
            threshold = keys.gather(1, last.clamp(min=0)[:, None])
            stop = torch.minimum(torch.searchsorted(keys, threshold, right=True)[:, 0], movable)
            before = torch.where(start > 0, _at(reach, start - 1), 0.0)
            span = _at(reach, stop - 1) - before
            share = torch.where(span > 0, (need - before) / span, torch.inf)
            found = looking & (share <= 1.0)
            # Rounding can leave nothing to move with a little distance to go: then all have moved.
            spent = looking & ~found & (stop >= movable)
            chosen_start = torch.where(found, start, torch.where(spent, stop, chosen_start))
            chosen_end = torch.where(found | spent, stop, chosen_end)
            gamma = torch.where(found, share.clamp(min=0.0), gamma)
            looking = looking & ~found & ~spent
            start = stop
        rank = torch.empty_like(order).scatter_(
            1, order, torch.arange(order.shape[1], device=order.device).expand_as(order)
        )
        whole = rank < chosen_start[:, None]
        partly = ~whole & (rank < chosen_end[:, None])
        return torch.where(
            whole, high, torch.where(partly, moved + (high - moved) * gamma[:, None], moved)
        )


def _at(table: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """``table[b, index[b]]``, shape (B,)."""
    return table.gather(1, index.clamp(0, table.shape[1] - 1)[:, None])[:, 0]
