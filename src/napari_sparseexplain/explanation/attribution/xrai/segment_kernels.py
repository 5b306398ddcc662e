"""The loops over single memberships, compiled: stamping, sparse matrices, sums, covering.

numba is loaded with this module, which is imported where a loop is run and nowhere else. What was
compiled is kept on disk for the next process.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_compiled = numba.njit(cache=True, nogil=True)


@_compiled
def stamped(
    owner: Array, place: Array, edges: Array, before: Array, starts: Array, offsets: Array
) -> tuple[Array, Array]:
    """Pixels outside a segment that its border reaches, with the segment, each once.

    Two neighbouring border pixels reach nearly the same, so of the second only what the first did
    not reach is stamped.

    Parameters
    ----------
    owner : ndarray of int32
        Segment of every pixel of the padded image, flat; -1 in the margin.
    place : ndarray of int32
        Index of each padded pixel in the image itself; -1 in the margin.
    edges : ndarray of int32
        Padded indices of border pixels, grouped by segment, ascending within one.
    before : ndarray of int32, shape (N,)
        Steps to neighbours that come earlier, in padded indices.
    starts, offsets : ndarray of int64, shape (N + 2,), and of int32
        ``offsets[starts[n]:starts[n + 1]]``: steps to what a pixel reaches and its neighbour
        ``before[n]`` does not; the last of them, all that it reaches.

    Returns
    -------
    pixels, segments : ndarray of int32
    """
    mark = np.full(owner.size, -1, np.int32)
    is_edge = np.zeros(owner.size, np.bool_)
    for e in edges:
        is_edge[e] = True
    pixels = np.empty(max(1024, 4 * edges.size), np.int32)
    segments = np.empty(pixels.size, np.int32)
    count = 0
    for e in edges:
        mine = owner[e]
        which = before.size
        for n in range(before.size):
            neighbour = e + before[n]
            if owner[neighbour] == mine and is_edge[neighbour]:
                which = n
                break
        if count + starts[-1] > pixels.size:
            pixels = np.concatenate((pixels, np.empty(pixels.size, np.int32)))
            segments = np.concatenate((segments, np.empty(segments.size, np.int32)))
        for i in range(starts[which], starts[which + 1]):
            q = e + offsets[i]
            # A mark suffices to stamp once, since the edges of a segment come together.
            if owner[q] != mine and mark[q] != mine:
                mark[q] = mine
                if place[q] >= 0:
                    pixels[count] = place[q]
                    segments[count] = mine
                    count += 1
    return pixels[:count], segments[:count]


@_compiled
def grouped(edges: Array, owner: Array, first: int, count: int) -> Array:
    """``edges`` in the order of their owners, which are ``first`` to ``first + count - 1``.

    Among those of one owner the order stays.
    """
    begins = np.zeros(count + 1, np.int64)
    for e in edges:
        begins[owner[e] - first + 1] += 1
    for k in range(count):
        begins[k + 1] += begins[k]
    found = np.empty_like(edges)
    for e in edges:
        k = owner[e] - first
        found[begins[k]] = e
        begins[k] += 1
    return found


@_compiled
def summed(starts: Array, pixels: Array, values: Array) -> tuple[Array, Array]:
    """Sum of the values, and of their sizes, over each row of a sparse matrix."""
    sums = np.zeros(starts.size - 1)
    sizes = np.zeros(starts.size - 1)
    for k in range(starts.size - 1):
        total, size = 0.0, 0.0
        for i in range(starts[k], starts[k + 1]):
            total += values[pixels[i]]
            size += abs(values[pixels[i]])
        sums[k] = total
        sizes[k] = size
    return sums, sizes


@_compiled
def gathered(own: Array, pixels: Array, segments: Array) -> tuple[Array, Array]:
    """For each pixel its own segments and those stamped on it, as compressed rows.

    Parameters
    ----------
    own : ndarray of int32, shape (scales, pixels)
    pixels, segments : ndarray of int32
        Stamped pairs.
    """
    starts = np.empty(own.shape[1] + 1, np.int64)
    starts[:] = np.arange(own.shape[1] + 1) * own.shape[0]
    extra = np.zeros(own.shape[1] + 1, np.int64)
    for p in pixels:
        extra[p + 1] += 1
    for p in range(own.shape[1]):
        extra[p + 1] += extra[p]
    starts += extra
    owners = np.empty(starts[-1], np.int32)
    filled = starts[:-1].copy()
    for i in range(pixels.size):
        owners[filled[pixels[i]]] = segments[i]
        filled[pixels[i]] += 1
    for p in range(own.shape[1]):
        for scale in range(own.shape[0]):
            owners[filled[p] + scale] = own[scale, p]
    return starts, owners


@_compiled
def turned(starts: Array, columns: Array, count: int) -> tuple[Array, Array]:
    """The transpose of a sparse 0-1 matrix of compressed rows, as compressed rows.

    Within each new row the indices ascend, whatever their order was.
    """
    begins = np.zeros(count + 1, np.int64)
    for column in columns:
        begins[column + 1] += 1
    for k in range(count):
        begins[k + 1] += begins[k]
    rows = np.empty(columns.size, np.int32)
    filled = begins[:-1].copy()
    for row in range(starts.size - 1):
        for i in range(starts[row], starts[row + 1]):
            column = columns[i]
            rows[filled[column]] = row
            filled[column] += 1
    return begins, rows


@_compiled
def cover(
    pixels: Array, starts: Array, owners: Array, values: Array, counts: Array, sums: Array
) -> None:
    """Take ``pixels`` out of the count and sum of every segment that owns them, in place."""
    for p in pixels:
        value = values[p]
        for i in range(starts[p], starts[p + 1]):
            k = owners[i]
            counts[k] -= 1
            sums[k] -= value


@_compiled
def _root(parents: Array, place: int) -> int:
    """Root of a tree; the way to it is halved for whoever comes next."""
    while parents[place] != place:
        parents[place] = parents[parents[place]]
        place = parents[place]
    return place


@_compiled
def joined_by_cost(edges: Array, cost: Array, count: int, scale: float, min_size: int) -> Array:
    """Labels of ``count`` pixels after joining along edges, cheapest first.

    Parameters
    ----------
    edges : ndarray of int32, shape (E, 2)
    cost : ndarray of float64, shape (E,)
        Ascending.
    scale : float
        Two segments join along an edge that costs less than the dearest edge inside either, plus
        ``scale`` over its pixels.
    min_size : int
        Afterwards a segment of fewer pixels joins along its cheapest edge.

    Returns
    -------
    ndarray of int32, shape (count,)
        From 0, in the order of the segments' first pixels.
    """
    parents = np.arange(count, dtype=np.int32)
    sizes = np.ones(count, np.int64)
    inside = np.zeros(count, np.float64)
    for e in range(cost.size):
        one, other = _root(parents, edges[e, 0]), _root(parents, edges[e, 1])
        if one == other:
            continue
        limit = min(inside[one] + scale / sizes[one], inside[other] + scale / sizes[other])
        if cost[e] < limit:
            # The root is the first pixel, which gives the labels their order.
            low, high = min(one, other), max(one, other)
            parents[high] = low
            sizes[low] += sizes[high]
            inside[low] = cost[e]
    for e in range(cost.size):
        one, other = _root(parents, edges[e, 0]), _root(parents, edges[e, 1])
        if one != other and (sizes[one] < min_size or sizes[other] < min_size):
            low, high = min(one, other), max(one, other)
            parents[high] = low
            sizes[low] += sizes[high]
    labels = np.empty(count, np.int32)
    number = 0
    for place in range(count):
        root = _root(parents, place)
        if root == place:
            labels[place] = number
            number += 1
        else:
            labels[place] = labels[root]
    return labels
