"""The picture of a voxel of the hybrid network, and the voxel itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.text import Text

import napari_sparseexplain as se
from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.explanation.microstructure.hybrid_voxel import (
    HybridVoxel,
    explain_hybrid_voxel,
)
from napari_sparseexplain.layers.plots.hybrid_plot import MOST_CANCELLED
from napari_sparseexplain.layers.plots.plot_theme import LIGHT, themed_figure
from napari_sparseexplain.layers.plots.voxel_plot import SIZE, draw_any_voxel, save_voxel_picture
from napari_sparseexplain.microstructure.walks.phases_file import save_phases

from ..explanation.test_fingerprint import SIGMA, write_scan
from ..microstructure.small_dictionary import small_phases
from ..microstructure.untrained_network import write_untrained


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[se.Study, se.Explanation]:
    folder = tmp_path_factory.mktemp("hybrid-voxel")
    write_scan(folder / "scan")
    save_phases(small_phases(), folder / "small.npz")
    write_untrained("hybrid", folder / "hybrid")
    study = se.open_study(folder / "scan")
    found = se.explain(
        study, None, "hybrid-microstructure", slices=slice(0, 1), small_delta=12.9, big_delta=21.8,
        sigma=SIGMA, dictionary=str(folder / "small.npz"), network=str(folder / "hybrid"),
    )  # fmt: skip
    return study, found


def test_outputs_are_those_of_the_maps_and_shared_out_whole(told) -> None:
    study, result = told
    for index, count in (((0, 4, 4), 2), ((0, 4, 0), 1)):
        voxel = explain_hybrid_voxel(result, study, index)
        assert voxel.populations == count
        assert voxel.by_atom.shape[1] == voxel.by_shell.shape[1] == 3 * count
        assert np.allclose(voxel.by_shell.sum(axis=0), voxel.by_atom.sum(axis=0), rtol=1e-6)
        radius = float(np.asarray(result["radius-1"].data)[index])
        raw = voxel.outputs[1].value
        assert np.clip(raw, voxel.radii.min(), voxel.radii.max()) == pytest.approx(radius, abs=1e-3)
        assert len(json.loads(json.dumps(voxel.numbers()))["outputs"]) == 3 * count
    with pytest.raises(SparseExplainError, match="not compared"):
        explain_hybrid_voxel(result, study, (1, 4, 4))


def test_the_picture_names_atoms_and_says_where_shells_tell_nothing(told, tmp_path: Path) -> None:
    study, result = told
    voxel: HybridVoxel = explain_hybrid_voxel(result, study, (0, 4, 4))
    figure = themed_figure(LIGHT, size=SIZE)
    draw_any_voxel(figure, voxel, LIGHT)
    words = " ".join(item.get_text() for item in figure.findobj(Text))
    population, radius, density = voxel.atom(int(voxel.outputs[0].active[0]))
    assert f"{population}: r {radius:.1f}, f {density:.2f}" in words
    alike = np.abs(voxel.by_shell).sum() > MOST_CANCELLED * np.abs(voxel.by_atom).sum()
    assert ("nearly alike" in words) == alike
    file = save_voxel_picture(voxel, tmp_path / "voxel.pdf")
    assert file.read_bytes().startswith(b"%PDF")


def test_another_dictionary_or_network_than_the_results_is_not_explained(told) -> None:
    study, result = told
    said = result.provenance.parameters
    for name, words in (("network_sha256", "network is not"), ("dictionary_sha256", "dictionary")):
        provenance = replace(result.provenance, parameters={**said, name: "0" * 64})
        with pytest.raises(SparseExplainError, match=f"{words}.* of the result"):
            explain_hybrid_voxel(replace(result, provenance=provenance), study, (0, 4, 4))
