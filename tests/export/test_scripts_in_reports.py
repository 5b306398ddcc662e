"""Words in every script on the pages of a report: shaped, found by a search, searched for names."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from font_making import font_with
from pypdf import PdfReader

from napari_sparseexplain.export.privacy.file_texts import texts_of
from napari_sparseexplain.export.report.pages import ReportPages
from napari_sparseexplain.export.typesetting import text_runs
from napari_sparseexplain.export.typesetting.coverage import FontFile
from napari_sparseexplain.export.typesetting.font_choice import FontChoice
from napari_sparseexplain.export.typesetting.text_runs import program_font


@pytest.fixture
def fonts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    han = font_with(tmp_path / "han.ttf", "病变边缘山田太郎", 1000)
    choice = FontChoice([FontFile(program_font()), han])
    monkeypatch.setattr(text_runs, "_fonts", lambda *, bold: choice)
    text_runs.text_runs.cache_clear()
    yield
    text_runs.text_runs.cache_clear()


def pages_of(*texts: str) -> bytes:
    pages = ReportPages("title", "foot")
    for text in texts:
        pages.heading(text)
        pages.paragraph(text)
        pages.table([["", "comment"], ["1", text]])
    return pages.content()


def said(content: bytes) -> str:
    found = "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    return " ".join(found.split())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ADC 0.8 הלסיון השמאלי", "הלסיון השמאלי"),
        ("حافة الورم", "حافة الورم"),
        ("FLAIR 病变边缘 12 mm", "病变边缘"),
        ("Край опухоли", "Край опухоли"),
    ],
)
def test_words_are_found_in_heading_text_and_table(text: str, words: str, fonts: None) -> None:
    assert said(pages_of(text)).count(words) == 3


def test_what_the_last_look_reads_holds_names_in_every_script(fonts: None) -> None:
    texts = [t.said for t in texts_of("r.pdf", pages_of("病变 山田太郎", "𠮷野家", "משה כהן לוי"))]
    together = " ".join(" ".join(texts).split())
    assert "山田太郎" in together
    assert "𠮷野家" in together  # a letter beyond U+FFFF
    assert "משה כהן לוי" in together


def test_a_latin_report_has_no_pictures_and_no_other_fonts(fonts: None) -> None:
    content = pages_of("FLAIR · edge 12.5 mm²", "Край опухоли")
    fonts_used = {
        str(font["/BaseFont"])
        for page in PdfReader(io.BytesIO(content)).pages
        for font in (f.get_object() for f in page["/Resources"]["/Font"].values())
    }
    assert all("DejaVu" in name or "Helvetica" in name for name in fonts_used)
    assert b"/Image" not in content.replace(b"/ImageB", b"").replace(b"/ImageC", b"").replace(
        b"/ImageI", b""
    )
    assert "Span" not in content.decode("latin-1")


def test_one_reading_gives_one_file_in_every_script(fonts: None) -> None:
    assert pages_of("病变边缘 אבג") == pages_of("病变边缘 אבג")


def test_a_long_text_in_han_goes_on_over_pages(fonts: None) -> None:
    pages = ReportPages("title", "foot")
    pages.paragraph("病变边缘" * 2000)
    content = pages.content()
    assert len(PdfReader(io.BytesIO(content)).pages) > 1
    assert said(content).replace(" ", "").count("病变边缘") > 1800  # some stand over two lines


def test_a_paragraph_that_runs_to_the_left_ends_at_the_right_edge(fonts: None) -> None:
    """Where the words' own letters are placed, in points from the left."""
    from napari_sparseexplain.export.report import shaped_text

    placed: list[float] = []
    real = shaped_text.ShapedText._draw_picture

    def note(self, runs, left: float, base: float) -> None:
        placed.append(left)
        real(self, runs, left, base)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shaped_text.ShapedText, "_draw_picture", note)
        pages = ReportPages("title", "foot")
        pages.paragraph("אבג")
        pages.paragraph("ADC אבג")
        width = pages.width
    assert placed[0] > width * 0.9
    assert placed[1] < width * 0.1
    assert np.isfinite(placed).all()
