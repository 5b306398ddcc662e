"""Parts that are shared out between threads make up the whole."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from napari_sparseexplain.microstructure import in_threads as shared
from napari_sparseexplain.microstructure.gradient_table import HCP_MGH
from napari_sparseexplain.microstructure.in_threads import in_threads
from napari_sparseexplain.microstructure.walks.random_walk import inside_walk


@pytest.mark.parametrize(("threads", "count"), [(1, 7), (2, 7), (3, 100), (8, 2), (2, 0)])
def test_every_number_falls_to_one_part(
    threads: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numba, "get_num_threads", lambda: threads)
    done = np.zeros(count, dtype=int)

    def work(start: int, stop: int) -> None:
        done[start:stop] += 1

    in_threads(work, count)
    assert (done == 1).all()


def test_what_a_part_raises_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba, "get_num_threads", lambda: 2)

    def work(start: int, stop: int) -> None:
        if start:
            raise ValueError(f"at {start}")

    with pytest.raises(ValueError, match="at"):
        in_threads(work, 20)


def test_threads_change_no_spin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has its own stream of random numbers, whichever part it falls into."""
    alone = inside_walk(2.0, 50, HCP_MGH, 2e-9, 3)
    monkeypatch.setattr(shared.numba, "get_num_threads", lambda: 3)
    np.testing.assert_array_equal(inside_walk(2.0, 50, HCP_MGH, 2e-9, 3), alone)
