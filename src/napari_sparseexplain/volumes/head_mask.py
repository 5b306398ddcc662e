"""Where the head is on each slice: what a share of a heat map is a share of."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from .brain_mask import brain_mask
from .study import Study

_KEPT: WeakKeyDictionary[Study, dict[int, npt.NDArray[np.bool_]]] = WeakKeyDictionary()


def head_in_slices(study: Study, span: slice) -> npt.NDArray[np.bool_]:
    """The head, or whatever a scan shows that is not background, slice by slice.

    Each slice is looked at alone, so that one that was explained alone and the same one in a
    volume have the same head. It is that of the study's reference scan, without air and with the
    air inside it.

    Parameters
    ----------
    study : Study
    span : slice
        Slices of the study, with start and stop.

    Returns
    -------
    ndarray of bool, shape (S, P, L)
        S slices of the span.
    """
    kept = _KEPT.setdefault(study, {})
    scan = study[study.reference].spatial()
    for index in range(span.start, span.stop):
        if index not in kept:
            kept[index] = brain_mask(np.asarray(scan[index]))
    return np.stack([kept[index] for index in range(span.start, span.stop)])
