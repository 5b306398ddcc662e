"""Texts of any length and any characters: a report goes on over pages, nothing ends in an error."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

import napari_sparseexplain as se
from napari_sparseexplain.evidence import Explanation, ExplanationMap, Provenance
from napari_sparseexplain.export.pictures.compositor import PictureSize
from napari_sparseexplain.export.pictures.picture_series import export_slices
from napari_sparseexplain.export.report.document import write_report
from napari_sparseexplain.export.report.pages import ReportPages, text_parts
from napari_sparseexplain.progress import drain
from napari_sparseexplain.review.annotation import annotation_on_grid
from napari_sparseexplain.review.default_review import default_reading
from napari_sparseexplain.review.reading import Reading
from napari_sparseexplain.review.review import KeySlice
from napari_sparseexplain.volumes import Finding, Study

SMALL = PictureSize(300, 300)

TEXTS = {
    "words": "word " * 2000,
    "one word": "x" * 10_000,
    "lines": "line\n" * 2000,
    "no Latin letters": "漢字🙂" * 2500,
    "what no font and no encoding has": "a\x00b\x1f\ud800\udcff\uffff <b>&amp;</b>" * 300,
}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    path = tmp_path_factory.mktemp("case") / "case_flair.nii.gz"
    data = np.random.default_rng(0).integers(5, 90, (12, 14, 8)).astype(np.int16)
    nib.save(nib.Nifti1Image(data, np.diag([-1.0, -1.0, 2.0, 1.0])), path)
    return se.open_study(path)


def reading_of(study: Study, **texts: Any) -> Reading:
    """A reading in which some text is another one."""
    study = replace(
        study,
        name=texts.get("title", study.name),
        findings=(Finding("warning", "x", texts.get("finding", "a finding")),),
    )
    item = ExplanationMap("heat", np.ones(study.grid.shape, np.float32), "heatmap")
    record = Provenance("grad-cam", {"layer": texts.get("parameter", "last")},
                        model=texts.get("model", "mine"), weights_sha256="ab" * 32)  # fmt: skip
    found = Explanation("grad-cam", (item,), record, study.grid, slice(0, study.grid.shape[0]),
                        texts.get("target", "WT"), {texts.get("score", "dice"): 0.5},
                        notes=(texts.get("remark", "a remark"),))  # fmt: skip
    start = default_reading(study, {"cam": found})
    mark = annotation_on_grid("distance", [(3, 2, 2), (3, 9, 6)], study.grid, study="study",
                              plane="axial", index=3, text=texts.get("mark", "rim"))  # fmt: skip
    keys = (KeySlice("study", "axial", 3, texts.get("note", "grows")),)
    review = replace(start.review, annotations=(mark,), key_slices=keys, code=texts.get("code", ""))
    return start.with_review(review)


WHERE = ["note", "mark", "title", "code", "finding", "parameter", "score", "remark", "target",
         "model"]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_a_long_text_ends_no_export(text: str, study: Study, tmp_path: Path) -> None:
    """Wherever a text can stand, all at once."""
    reading = reading_of(study, **dict.fromkeys(WHERE, TEXTS[text]))
    path = drain(write_report(reading, tmp_path / "r.pdf", dpi=40, identify=True))
    assert path.read_bytes().rstrip().endswith(b"%%EOF")
    assert len(drain(export_slices(reading, tmp_path / "out", size=SMALL))) == 2


def drawn(monkeypatch: pytest.MonkeyPatch, make: Callable[[], Any]) -> tuple[str, int]:
    """All text that a report draws, in order, and its pages."""
    from reportlab.pdfgen.textobject import PDFTextObject

    said: list[str] = []
    real = PDFTextObject._formatText

    def note(self: Any, text: str) -> str:
        said.append(text)
        return real(self, text)

    with monkeypatch.context() as patch:
        patch.setattr(PDFTextObject, "_formatText", note)
        content = make()
    return " ".join(said), len(re.findall(rb"/Type /Page\b(?!s)", content))


@pytest.mark.parametrize("as_what", ["paragraph", "heading", "cell", "note"])
def test_all_of_a_text_is_drawn_in_order_over_pages(
    as_what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    words = [f"w{number}" for number in range(3000)]

    def make() -> bytes:
        pages = ReportPages("title", "foot")
        text = " ".join(words)
        if as_what == "paragraph":
            pages.paragraph(text)
        elif as_what == "heading":
            pages.heading(text)
        elif as_what == "cell":
            pages.table([["a", "b"], ["short", text]])
        else:
            pages.picture_page("A key slice", [text], Image.new("RGB", (300, 200)))
        return pages.content()

    said, count = drawn(monkeypatch, make)
    assert re.findall(r"w\d+", said) == words
    assert count > 1


def test_parts_hold_every_character_and_are_no_longer_than_asked() -> None:
    from reportlab.pdfbase import pdfmetrics

    ReportPages("title", "foot")  # registers the font
    for text in ("word " * 500, "x" * 5000, "漢字" * 900, "a " * 10 + "y" * 3000 + " b" * 10, ""):
        parts = text_parts(text, "DejaVuSans", 8.0, 200.0, 5)
        assert "".join(parts).replace(" ", "") == "".join(text.split())
        widths = [pdfmetrics.stringWidth(part, "DejaVuSans", 8.0) for part in parts]
        assert max(widths) <= 5 * 200.0


def test_a_result_that_the_view_did_not_show_is_in_the_report(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It belongs to the reading; what is on the screen are the panels."""
    reading = reading_of(study)
    single = reading.with_review(replace(reading.review, panels=reading.review.panels[:1]))
    assert (reading.on_screen, single.on_screen) == (("cam",), ())

    def make(given: Reading, name: str) -> bytes:
        return drain(write_report(given, tmp_path / name, dpi=40)).read_bytes()

    said, count = drawn(monkeypatch, lambda: make(single, "single.pdf"))
    whole, pages = drawn(monkeypatch, lambda: make(reading, "whole.pdf"))
    assert count == pages + 1
    for words in (said, whole):
        assert "grad-cam" in words
        assert "dice" in words
    assert "not in the view" in said
