"""Words in every script: the right font for each letter, measured as they are drawn, or said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from font_making import font_with
from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw

from napari_sparseexplain.export.pictures import lettering
from napari_sparseexplain.export.pictures.lettering import font, text_width, wrapped, write
from napari_sparseexplain.export.typesetting import letter_notes, text_runs
from napari_sparseexplain.export.typesetting.coverage import FontFile
from napari_sparseexplain.export.typesetting.font_choice import FontChoice
from napari_sparseexplain.export.typesetting.line_breaks import breakable_parts
from napari_sparseexplain.export.typesetting.system_fonts import font_folders, system_fonts
from napari_sparseexplain.export.typesetting.text_runs import (
    is_plain,
    machine_language,
    program_font,
    split_by_font,
)

#: A word in each script that the program's own font has not, and a letter that tells its font.
SCRIPTS = {
    "Chinese": "病变边缘",
    "Japanese": "病変の辺縁、ガドリニウム",
    "Korean": "종양 가장자리",
    "Thai": "ขอบเขตของเนื้องอก",
    "Devanagari": "ट्यूमर की सीमा",
}


@pytest.fixture
def fonts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FontChoice:
    """A machine with two fonts: some Han letters and their comma; Thai, all but one mark."""
    han = font_with(tmp_path / "han.ttf", "病变、。", 1000)
    thai = font_with(tmp_path / "thai.ttf", "กขคงอบ\u0e34", 600)
    choice = FontChoice([FontFile(program_font()), han, thai])
    monkeypatch.setattr(text_runs, "_fonts", lambda *, bold: choice)
    text_runs.text_runs.cache_clear()
    yield choice
    text_runs.text_runs.cache_clear()


def parts(runs: tuple[text_runs.TextRun, ...]) -> list[tuple[str, str]]:
    return [(run.text, run.font.stem) for run in runs]


def test_each_part_of_a_line_has_the_font_that_has_its_letters(fonts: FontChoice) -> None:
    assert parts(split_by_font("FLAIR 病变、12 mm ขก", fonts)) == [
        ("FLAIR ", "DejaVuSans"),
        ("病变、", "han"),
        ("12 mm ", "DejaVuSans"),
        ("ขก", "thai"),
    ]


def test_a_letter_and_its_marks_are_of_one_font(fonts: FontChoice) -> None:
    assert parts(split_by_font("ก\u0e34ข", fonts)) == [("ก\u0e34ข", "thai")]


def test_a_line_in_two_directions_and_three_fonts(fonts: FontChoice) -> None:
    """As it is seen: the Hebrew and Arabic words to the left of what follows them."""
    runs = split_by_font("ABC 病 אבג 变 דה", fonts)
    assert [run.text for run in runs] == ["ABC ", "病", " ", "אבג", " ", "变", " ", "דה"]
    assert [run.leftward for run in runs].count(True) == 2
    runs = split_by_font("אבג 病 דה", fonts)
    assert [run.text for run in runs] == [" דה", "病", "אבג "]


def test_the_width_is_that_of_what_is_drawn(fonts: FontChoice) -> None:
    """Letters of 1 em and 0.6 em, and the program's font between."""
    expected = 2 * 20 + font(20).getlength(" 12 ") + 3 * 12
    assert text_width("病变 12 กขค", 20) == pytest.approx(expected, abs=0.5)
    image = Image.new("L", (300, 40))
    write(image, (10, 5), "病变 12 กขค", 20, outlined=False)
    columns = np.flatnonzero(np.asarray(image).max(axis=0))
    assert columns[0] == pytest.approx(10 + 1, abs=1)
    assert columns[-1] == pytest.approx(10 + expected - 1, abs=2)


@pytest.mark.parametrize("anchor", ["la", "lm", "ld", "ma", "ra", "rm", "rd"])
def test_a_line_of_several_fonts_stands_where_its_anchor_is(anchor: str, fonts: FontChoice) -> None:
    """The letters of the program's font lie where they would lie in a line of it alone."""
    tops = []
    for text in ("ABC", "ABC病"):
        image = Image.new("L", (200, 80))
        write(image, (100, 40), text, 20, anchor=anchor, outlined=False)
        edge = 100 + {"l": 0, "m": -text_width(text, 20) / 2, "r": -text_width(text, 20)}[anchor[0]]
        pixels = np.asarray(image)[:, round(edge) : round(edge + font(20).getlength("AB"))]
        tops.append(np.flatnonzero(pixels.max(axis=1))[[0, -1]])
    assert np.abs(tops[0] - tops[1]).max() <= 1


def test_letters_that_no_font_has_are_said(fonts: FontChoice) -> None:
    (note,) = letter_notes.letter_notes(["FLAIR", "病变 한국 ქ", "ক"])
    assert "Hangul 국 한" in note
    assert "Bengali ক" in note
    assert "[fonts]" in note
    assert letter_notes.letter_notes(["FLAIR 12 mm", "病变 אבג ข"]) == ()


def test_without_raqm_the_order_is_right_and_what_is_not_joined_is_said(
    fonts: FontChoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (letter_notes, lettering):
        monkeypatch.setattr(module, "has_layout", lambda: False)
    lettering.run_width.cache_clear()
    drawn: list[str] = []
    real = ImageDraw.ImageDraw.text

    def note(self, place, text, *rest, **how) -> None:
        drawn.append(text)
        assert "direction" not in how
        real(self, place, text, *rest, **how)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", note)
    write(Image.new("RGB", (300, 40)), (5, 5), "ADC 0.8 אבג", 14, outlined=False)
    write(Image.new("RGB", (300, 40)), (5, 5), "病 אבג باب", 14, outlined=False)
    lettering.run_width.cache_clear()
    assert drawn == ["ADC 0.8 גבא", "病", " ", "\ufe8f\ufe8e\ufe91 גבא"]
    assert any("raqm" in note for note in letter_notes.letter_notes(["ขก"]))


def test_lines_are_broken_between_letters_where_there_are_no_spaces(fonts: FontChoice) -> None:
    """Chinese: not before a comma or a full stop, nothing lost, each line within its width."""
    text = "病变、" * 9 + "病变。"
    lines = wrapped(text, 14, 100)
    assert "".join(lines) == text
    assert all(text_width(line, 14) <= 100 for line in lines)
    assert all(line[0] not in "、。" for line in lines)
    assert breakable_parts("病（变）。x") == ["病", "（变）。", "x"]
    assert breakable_parts("ABC/def") == ["ABC/def"]


def test_a_cut_leaves_no_letter_without_its_marks(fonts: FontChoice) -> None:
    text = "ก\u0e34" * 30
    for width in range(40, 90):
        kept = lettering.fitted(text, 14, width)
        assert kept.endswith("…")
        assert len(kept) % 2 == 1


@pytest.mark.parametrize("bold", [False, True])
def test_plain_letters_are_those_of_the_programs_font(bold: bool) -> None:
    """The quick test for Latin, Greek and Cyrillic never says more than the font has."""
    has = TTFont(program_font(bold=bold), lazy=True).getBestCmap()
    plain = [code for code in range(0x20, 0x2300) if text_runs._PLAIN.fullmatch(chr(code))]
    assert len(plain) > 500
    assert not [hex(code) for code in plain if code not in has]


@pytest.mark.parametrize("bold", [False, True])
def test_the_letters_of_a_font_are_those_that_fonttools_reads(bold: bool) -> None:
    path = program_font(bold=bold)
    names = TTFont(path, lazy=True)
    glyphs = names.getReverseGlyphMap()
    expected = {code for code, name in names.getBestCmap().items() if glyphs[name]}
    starts, stops = FontFile(path).ranges
    found = {c for a, b in zip(starts, stops, strict=True) for c in range(int(a), int(b) + 1)}
    assert found == expected


@pytest.mark.parametrize("content", [b"", b"ttcf", b"\0\1\0\0\xff\xff" + b"\xff" * 400])
def test_a_damaged_font_has_no_letters(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "damaged.ttf"
    path.write_bytes(content)
    assert not FontFile(path).has("病")
    assert not FontFile(tmp_path / "gone.ttf").has("病")


def test_latin_is_drawn_as_pillow_draws_it_in_the_programs_font() -> None:
    """Pixel for pixel: what is drawn in other scripts changes nothing of it."""
    for text in ("FLAIR · W 120 L 40 – “edge” 12.5 mm²", "Край опухоли", "Όριο α ≥ 0.5"):
        ours, plain = (Image.new("RGB", (500, 40), "#305070") for _ in range(2))
        write(ours, (6, 4), text, 18)
        ImageDraw.Draw(plain).text(
            (6, 4), text, "#FFFFFF", font(18), "la", stroke_width=2, stroke_fill="#000000"
        )
        assert is_plain(text)
        assert np.array_equal(np.asarray(ours), np.asarray(plain))


@pytest.mark.parametrize("script", SCRIPTS)
def test_words_of_a_script_are_letters_and_no_boxes(script: str) -> None:
    """Where the machine has a font: as many different forms as there are letters, all drawn."""
    words = SCRIPTS[script]
    if letter_notes.missing_letters([words]):
        pytest.skip(f"no font of this machine has {script}")
    forms = set()
    for letter in set(text_runs.clusters(words)) - {" "}:
        image = Image.new("L", (80, 60))
        write(image, (10, 10), letter, 30, outlined=False)
        forms.add(image.tobytes())
    assert len(forms) == len(set(text_runs.clusters(words)) - {" "})


def test_han_letters_follow_the_language_of_their_line() -> None:
    assert machine_language({"LANG": "zh_TW.UTF-8"}, lambda: None) == "zh-Hant"
    assert machine_language({"LC_ALL": "ja_JP.UTF-8", "LANG": "zh_TW"}, lambda: None) == "ja"
    assert machine_language({}, lambda: "ko_KR") == "ko"
    assert machine_language({"LANG": "C.UTF-8"}, lambda: None) == "zh-Hans"
    assert text_runs._language_of("病変の") == "ja"
    assert text_runs._language_of("病變 종양") == "ko"


def test_fonts_lie_in_the_usual_folders_of_each_system() -> None:
    home = Path("/home/x")
    assert Path("/usr/share/fonts") in font_folders("linux", {}, home)
    assert home / "Library" / "Fonts" in font_folders("darwin", {}, home)
    windows = font_folders("win32", {"WINDIR": "W", "LOCALAPPDATA": "L"}, home)
    assert windows == [Path("W") / "Fonts", Path("L") / "Microsoft" / "Windows" / "Fonts"]


def test_regular_fonts_come_before_other_styles() -> None:
    names = [font.path.name.lower() for font in system_fonts()]
    if not any(name.startswith("notosans-regular") for name in names):
        pytest.skip("Noto Sans is not on this machine")
    assert names.index("notosans-regular.ttf") < names.index("notosans-bold.ttf")
