"""What a script or a notebook does with a result in one line: show it, plot it, save it."""

from __future__ import annotations

import base64
import io
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import napari_sparseexplain as se
from napari_sparseexplain.errors import StudyError
from napari_sparseexplain.evidence import Explanation, ExplanationMap, Provenance

SHAPE = (4, 12, 10)


@pytest.fixture
def study() -> se.Study:
    scan = np.random.default_rng(0).random(SHAPE).astype(np.float32)
    scan[:, :2] = 0
    labels = (scan > 0.9).astype(np.uint8)
    return se.study_of_arrays(
        {"flair": scan}, {"seg": labels}, spacing=(3.0, 2.0, 1.0), name="A & <b>"
    )


@pytest.fixture
def result(study: se.Study) -> Explanation:
    heat = np.zeros((2, *SHAPE[1:]), np.float32)
    heat[1, 3:6, 3:6] = 2.0
    maps = (
        ExplanationMap("heatmap", heat, "heatmap", "Heat map", signed=True),
        ExplanationMap(
            "mask", (heat > 1).astype(np.uint8), "segmentation", classes={1: "lesion <1>"}
        ),
        ExplanationMap("impulse", np.eye(5), "response", space="space", axes={"spacing": (1, 1)}),
    )
    record = Provenance("xrai", {"top": 0.3}, model="small")
    scores = {"completeness error": 0.5, "dice": None}
    return Explanation(
        "xrai", maps, record, study.grid, slice(1, 3), "WT", scores, ("Read me.",), study
    )


def picture_in(html: str) -> Image.Image:
    found = re.search(r'src="data:image/png;base64,([^"]+)"', html)
    assert found is not None
    return Image.open(io.BytesIO(base64.b64decode(found[1])))


def test_what_is_printed_is_one_short_line(study: se.Study, result: Explanation) -> None:
    model = se.load_model("sum-seg")
    for thing in (study, study["flair"], result, result["heatmap"], model):
        assert len(repr(thing)) < 200
        assert "\n" not in repr(thing)
    assert repr(study).startswith("<Study 'A & <b>': flair | seg; 4 × 12 × 10 voxels of 3 × 2 × 1")
    assert repr(result) == "<Explanation xrai of WT by small: heatmap, mask, impulse; slices 2–3>"
    assert "sum-seg" in repr(model)
    assert "segmentation of flair" in repr(model)


def test_a_notebook_shows_a_small_picture_in_millimetres(study, result) -> None:
    for thing, words in ((study, ("flair", "seg", "4 × 12 × 10")), (result, ("WT", "Read me."))):
        html = thing._repr_html_()
        assert all(word in html for word in words)
        picture = picture_in(html)
        assert picture.height == 180
        assert picture.width == 75  # 24 mm by 10 mm
    assert "A &amp; &lt;b&gt;" in study._repr_html_()
    assert "& <b>" not in study._repr_html_()
    shown = np.asarray(picture_in(result._repr_html_()).convert("RGB"), dtype=int)
    coloured = np.ptp(shown, axis=-1) > 60
    assert coloured[180 * 4 // 12, 75 * 4 // 10]  # where the map holds most, on its own slice
    assert not coloured[-20:].any()


def test_a_result_of_no_study_has_no_picture_and_still_a_page() -> None:
    found = Explanation("responses", (), Provenance("responses"))
    assert "<img" not in found._repr_html_()
    with pytest.raises(se.SparseExplainError, match="holds no map"):
        found.plot()


def test_a_plot_is_a_figure_of_the_slice_that_holds_most(result: Explanation) -> None:
    figure = result.plot()
    drawn = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in drawn] == ["Heat map", "mask", "impulse"]
    assert figure.get_suptitle() == "xrai · WT · slice 3"
    assert {text.get_text() for text in drawn[0].texts} == {"R", "L", "A", "P"}
    assert drawn[0].get_aspect() == 2.0
    legend = drawn[1].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["lesion <1>"]
    assert "RESEARCH ONLY" in figure.get_supxlabel()
    one = result.plot(1, ["mask"])
    assert one.get_suptitle() == "xrai · WT · slice 2"
    assert len([axes for axes in one.axes if axes.get_title()]) == 1
    with pytest.raises(se.SparseExplainError, match="slice 3, counted from 0, was not explained"):
        result.plot(3)
    with pytest.raises(KeyError, match="no map is called 'heat'"):
        result.plot(maps=["heat"])


def test_plotting_opens_no_window_and_nothing_loads_matplotlib_before() -> None:
    program = (
        "import sys, numpy as np, napari_sparseexplain as se\n"
        "from napari_sparseexplain.evidence import Explanation, ExplanationMap, Provenance\n"
        "heat = ExplanationMap('h', np.eye(4)[None], 'heatmap')\n"
        "study = se.study_of_arrays({'flair': np.eye(4)})\n"
        "found = Explanation('m', (heat,), Provenance('m'), study.grid, slice(0, 1))\n"
        "repr(found), study._repr_html_()\n"
        "assert 'matplotlib' not in sys.modules\n"
        "found.plot()\n"
        "assert 'matplotlib.pyplot' not in sys.modules and 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_what_is_saved_comes_back_and_knows_its_study_again(study, result, tmp_path: Path) -> None:
    files = result.save(tmp_path / "out")
    assert files[-1].name == "provenance.json"
    assert "A & <b>" not in files[-1].read_text(encoding="utf-8")
    alone = se.load_explanation(tmp_path / "out")
    assert np.array_equal(alone["heatmap"].data, result["heatmap"].data)
    alone.plot()
    with pytest.raises(StudyError, match=r"Give it: result.save\(folder, study\)"):
        alone.save(tmp_path / "again")
    known = se.load_explanation(tmp_path / "out", on=study)
    assert known.study is study
    known.save(tmp_path / "again")
    alone.save(tmp_path / "third", study)
    with pytest.raises(se.SparseExplainError, match="left as it is"):
        result.save(tmp_path / "out")
    result.save(tmp_path / "out", overwrite=True)
    other = se.study_of_arrays({"flair": np.zeros((4, 12, 11))})
    with pytest.raises(StudyError, match="grid"):
        se.load_explanation(tmp_path / "out", on=other)


def test_a_script_result_knows_its_study_and_work_in_a_window_lets_it_go(study) -> None:
    from napari_sparseexplain.explanation.catalogue import explain_work
    from napari_sparseexplain.progress import drain

    given = {"target": "WT@seg", "slices": 1}
    assert se.explain(study, "sum-seg", "vanilla-gradient", **given).study is study
    assert drain(explain_work(study, "sum-seg", "vanilla-gradient", **given)).study is None


def test_a_picture_and_a_report_in_one_line(study, result, tmp_path: Path) -> None:
    png, beside = se.save_picture(study, result, tmp_path / "out.png")
    assert Image.open(png).size == (1600, 1400)
    assert "A & <b>" not in beside.read_text(encoding="utf-8")
    small = se.PictureSize(500, 400)
    assert se.save_picture(study, None, tmp_path / "scan", index=0, size=small)[0].is_file()
    file = se.report(study, {"one": result, "two": result}, tmp_path / "report.pdf")
    assert file.read_bytes().startswith(b"%PDF")
    with pytest.raises(se.SparseExplainError, match="there already"):
        se.report(study, [result, result], tmp_path / "report.pdf")
    with pytest.raises(se.SparseExplainError, match="there is no axial slice"):
        se.save_picture(study, result, tmp_path / "none.png", index=9)
