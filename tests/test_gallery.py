"""The scripts of the gallery run as they stand, make their picture, and print what is true.

What a page must say is told in a test of its own name below; that of a new page is added there.
"""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

GALLERY = Path(__file__).resolve().parents[1] / "docs" / "gallery"
SCRIPTS = sorted(GALLERY.glob("*.py"))


def numbers(text: str) -> list[float]:
    """The last word of each printed line, as a number."""
    return [float(line.split()[-1]) for line in text.splitlines()]


def open_a_study(names: dict[str, Any], printed: str) -> None:
    assert printed.count("(155, 240, 240)") == 4
    assert printed.endswith(f"{len(names['study'].findings)} findings\n")


def explain_your_module(names: dict[str, Any], printed: str) -> None:
    assert names["result"].method == "xrai"
    assert printed.startswith("- ")


def guided_ig_and_trust(names: dict[str, Any], printed: str) -> None:
    assert printed.count("| insertion AUC") == 2
    for result in (names["straight"], names["guided"]):
        assert result.scores["completeness error"] < 0.05


def signals_of_a_network(names: dict[str, Any], printed: str) -> None:
    trained, linear = numbers(printed)
    assert trained > 0.7 > linear


def impulse_and_frequency(names: dict[str, Any], printed: str) -> None:
    mean, lowest, highest = numbers(printed)
    assert 0 < lowest < highest
    assert mean > 0


def tissue_components(names: dict[str, Any], printed: str) -> None:
    assert printed.endswith("they add up: True\n")


def sparse_decomposition(names: dict[str, Any], printed: str) -> None:
    result = names["result"]
    back = result["reconstruction-flair"].data + result["residual-flair"].data
    np.testing.assert_allclose(back[0], names["flair"], atol=1e-2)
    assert 0 < names["share"] < 0.5


def save_load_report(names: dict[str, Any], printed: str) -> None:
    assert "provenance.json" in printed
    assert printed.endswith("report.pdf\n")


def dicom_objects(names: dict[str, Any], printed: str) -> None:
    assert "Parametric Map Storage" in printed
    assert "identity removed: YES" in printed
    assert "CompressedSamples" not in printed  # the patient's name in the image


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_page_runs_and_says_what_is_true(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    names = runpy.run_path(str(script))
    globals()[script.stem](names, capsys.readouterr().out)
    made = names.get("figure") or names["picture"]
    assert isinstance(made, Figure | Image.Image)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_page_is_short_and_has_a_title(script: Path) -> None:
    lines = script.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 40
    assert lines[0] == '"""'
    assert set(lines[2]) == {"="}
    assert len(lines[2]) >= len(lines[1])
