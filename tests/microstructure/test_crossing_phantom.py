"""The crossing phantom is read back as it was written."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_sparseexplain.microstructure.crossing_phantom import (
    crossing_phantom,
    write_crossing_phantom,
)
from napari_sparseexplain.microstructure.gradient_table import HCP_MGH
from napari_sparseexplain.microstructure.protocol.of_volume import gradient_table_in
from napari_sparseexplain.microstructure.protocol.scan_signals import signals_of
from napari_sparseexplain.volumes import open_study

from .small_dictionary import small_dictionary, small_protocol


def test_signals_directions_and_timings_come_back(tmp_path: Path) -> None:
    phantom = crossing_phantom(small_dictionary(), small_protocol(), shape=(2, 7, 9))
    study = open_study(write_crossing_phantom(phantom, tmp_path / "crossing"))
    table, _ = gradient_table_in(study, "dwi")
    np.testing.assert_allclose(signals_of(study["dwi"]), phantom.signals, rtol=1e-6)
    np.testing.assert_allclose(table.directions, phantom.table.directions, atol=1e-6)
    np.testing.assert_allclose(table.b, phantom.table.b)
    assert table.timings == HCP_MGH


def test_signals_fall_along_the_fibres(tmp_path: Path) -> None:
    phantom = crossing_phantom(small_dictionary(), small_protocol(), shape=(1, 7, 7), snr=1e6)
    shell = phantom.table.b == 3000
    directions, signals = phantom.table.directions[shell], phantom.signals[..., shell]
    for axis, (row, column) in {2: (3, 0), 1: (0, 3)}.items():
        along = np.abs(directions[:, axis])
        assert np.corrcoef(along, signals[0, row, column])[0, 1] < -0.8
    assert phantom.share.sum(axis=0).max() == 1
    assert (phantom.share > 0).all(axis=0).sum() == 9
