"""What stands beside the curve of a cine, in the panel and in files."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from pypdf import PdfReader
from skimage.io import imread

import napari_sparseexplain as se
from napari_sparseexplain.errors import ParameterError, SparseExplainError
from napari_sparseexplain.evidence import Provenance
from napari_sparseexplain.layers.plots.cine_plot import save_cine_picture
from napari_sparseexplain.training.left_ventricle.cine_explanations import cine_explanations
from napari_sparseexplain.training.left_ventricle.cine_figures import (
    LIMITS,
    figure_columns,
    figure_sentences,
    figures_csv,
)
from napari_sparseexplain.training.left_ventricle.cine_volumes import CineVolumes, volumes_of_masks


def squares(name: str, sides: list[int]) -> CineVolumes:
    """Three slices, the first without a ventricle at the last time point."""
    masks = np.zeros((len(sides), 3, 16, 16), bool)
    for point, side in enumerate(sides):
        masks[point, :, 2 : 2 + side, 3 : 3 + side] = True
    masks[-1, 0] = False
    return volumes_of_masks(name, masks, (10.0, 2.0, 2.0))


FOUND = [squares("one", [8, 4, 6]), squares("two", [8, 6, 6])]


def test_figures_are_those_of_the_masks_with_the_spread_and_the_limits() -> None:
    """8² pixels of 4 mm² on two slices 10 mm apart: 5.12 ml; 4²: 1.28; 6²: 2.88."""
    heads, columns = figure_columns(FOUND, ["One", "Two"])
    assert heads == ["One", "Two", "differ by"]
    assert columns[0] == ["5.1", "1.3", "3.8", "75.0", "1, 2", "2 of 3"]
    assert columns[2] == ["0.0", "1.6", "1.6", "31.2", "", ""]
    said = figure_sentences(FOUND, ["One", "Two"])
    assert said[0].startswith("One, Two: not added: slice 1, which the ventricle leaves.")
    assert said[-1] == LIMITS
    assert "no bound of the error" in said[-1]


def test_the_table_holds_every_frame_and_its_head_is_read_as_comments() -> None:
    text = figures_csv(FOUND)
    assert f"# {LIMITS}\n" in text
    assert "# EDV (ml): one 5.1; two 5.1; differ by 0.0\n" in text
    assert "# ED, ES at: one 1, 2; two 1, 2\n" in text
    rows = list(csv.reader(line for line in text.splitlines() if not line.startswith("#")))
    assert rows[0] == [
        "network", "time point", "area 1 mm2", "area 2 mm2", "area 3 mm2", "ml", "note",
    ]  # fmt: skip
    assert len(rows) == 1 + 6
    assert rows[2][:6] == ["one", "2", "64.0", "64.0", "64.0", "1.28"]


@pytest.mark.parametrize("index", [None, 1])
def test_the_picture_is_png_or_pdf_with_curve_figures_and_limits(
    tmp_path: Path, index: int | None
) -> None:
    titles = ["One", "Two"]
    picture = imread(save_cine_picture(FOUND, titles, tmp_path / "a.png", index=index))[..., :3]
    assert picture.shape[1] == 1200
    assert (picture[:5] > 250).all()  # on white
    assert picture.std() > 10
    page = PdfReader(save_cine_picture(FOUND, titles, tmp_path / "a.pdf", index=index)).pages[0]
    words = " ".join(page.extract_text().split())
    for said in ("EDV (ml)", "differ by", "75.0", LIMITS, "area (cm" if index else "volume (ml)"):
        assert said in words
    with pytest.raises(ParameterError, match=r"cine's curve is no \.tiff"):
        save_cine_picture(FOUND, titles, tmp_path / "a.tiff")
    with pytest.raises(SparseExplainError):
        save_cine_picture(FOUND, titles, tmp_path / "a.png")


def test_a_result_of_each_time_point_has_mask_outline_and_figures() -> None:
    study = se.study_of_arrays({"cine": np.zeros((3, 16, 16), np.float32)})
    made = cine_explanations(study, FOUND[0], "One", Provenance("cine", {"component": "c"}))
    assert [each.frame for each in made] == [(0,), (1,), (2,)]
    outline, mask = (made[1][name].data for name in ("outline", "mask"))
    np.testing.assert_array_equal(mask > 0, FOUND[0].masks[1])
    assert outline[1].sum() == 12  # of 4 × 4 pixels all but the inner four
    assert not outline[1, 3:5, 4:6].any()
    assert made[1].scores["volume at this time point (ml)"] == pytest.approx(1.28)
    assert made[0].scores["EF"] == pytest.approx(0.75)
    assert LIMITS in made[0].notes
