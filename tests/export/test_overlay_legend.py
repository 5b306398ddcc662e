"""The legend of a panel and the words in its corners: each thing once, classes by their names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

import napari_sparseexplain as se
from napari_sparseexplain.evidence import Explanation, ExplanationMap, Provenance
from napari_sparseexplain.export.pictures import overlay_legend, panel_lettering
from napari_sparseexplain.export.pictures.burned_in import panel_facts
from napari_sparseexplain.export.pictures.compositor import PictureSize, compose
from napari_sparseexplain.export.pictures.lettering import text_width
from napari_sparseexplain.export.pictures.plane_view import PlaneView
from napari_sparseexplain.phantom.studies import make_phantom
from napari_sparseexplain.review.default_review import default_reading
from napari_sparseexplain.review.reading import Reading
from napari_sparseexplain.volumes.labels.names import label_names

ROLES = ("t1", "t1ce", "t2", "flair")
NAMES = ["necrotic and non-enhancing core", "oedema", "enhancing tumour"]


def tumour_study(
    folder: Path, values: tuple[int, ...], roles: tuple[str, ...] = ROLES, case: str = "case"
) -> Any:
    """Scans and a mask with these values."""
    folder.mkdir(exist_ok=True)
    data = np.random.default_rng(0).integers(5, 90, (18, 16, 6)).astype(np.int16)
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    for role in roles:
        nib.save(nib.Nifti1Image(data, affine), folder / f"{case}_{role}.nii.gz")
    mask = np.zeros(data.shape, np.uint8)
    for place, value in enumerate(values):
        mask[3 + place : 5 + place, 4:9, 2:5] = value
    nib.save(nib.Nifti1Image(mask, affine), folder / f"{case}_seg.nii.gz")
    return se.open_study(folder)


def words_in_legend(reading: Reading, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that is written into the legend of a picture."""
    written: list[str] = []
    write = overlay_legend.write

    def record(image: Any, place: Any, text: str, *rest: Any, **more: Any) -> None:
        written.append(text)
        write(image, place, text, *rest, **more)

    monkeypatch.setattr(overlay_legend, "write", record)
    first = reading.with_review(replace(reading.review, panels=reading.review.panels[-1:]))
    compose(first, PictureSize(900, 700))
    return written


@pytest.mark.parametrize(
    ("case", "values"),
    [
        ("BraTS-GLI-00001-000", (1, 2, 3)),
        ("BraTS2021_00001", (1, 2, 4)),
        ("Phantom-00001", (1, 2, 4)),
    ],
)
def test_a_tumour_masks_legend_names_its_classes_once(
    case: str, values: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = default_reading(tumour_study(tmp_path / "one", values, case=case))
    masked = replace(reading.review, panels=reading.review.panels[:1])
    written = words_in_legend(reading.with_review(masked), monkeypatch)
    assert [text for text in written if text in NAMES] == NAMES
    assert not any("label" in text for text in written)


def test_what_no_file_tells_is_told_by_a_person_or_not_at_all(
    tmp_path: Path,
) -> None:
    study = tumour_study(tmp_path / "case", (1, 2, 4))
    assert label_names(study, "seg") == {}
    assert label_names(study.with_label_numbering("brats-2021"), "seg")[4] == "enhancing tumour"
    after = label_names(study.with_label_numbering("brats-2024"), "seg")
    assert after[4] == "resection cavity"
    assert label_names(make_phantom(0, spacing_mm=4.0), "seg")[4] == "enhancing tumour"


@pytest.mark.parametrize(
    ("case", "values", "roles"),
    [
        ("case", (1, 2, 3), ("t1", "flair")),
        ("case", (3, 4), ROLES),
        ("case", (1, 5), ROLES),
    ],
)
def test_what_nothing_tells_is_not_guessed(
    case: str, values: tuple[int, ...], roles: tuple[str, ...], tmp_path: Path
) -> None:
    assert label_names(tumour_study(tmp_path / "one", values, roles, case), "seg") == {}


def test_the_numbering_of_another_challenge_is_not_taken_for_the_gliomas_one(
    tmp_path: Path,
) -> None:
    names = label_names(
        tumour_study(tmp_path / "one", (1, 2, 4), case="BraTS-PED-00001-000"), "seg"
    )
    assert "enhancing tumour" not in names.values()


@pytest.mark.parametrize(
    ("name", "target", "title"),
    [
        ("IG · WT", "WT", "IG · WT"),
        ("IG · WT · steps 50", "WT", "IG · WT · steps 50"),
        ("IG · WT in the drawn region", "WT in the drawn region", "IG · WT in the drawn region"),
        ("IG · WT in the drawn region", "WT", "IG · WT in the drawn region · WT"),
        ("Heat", "WT", "Heat · WT"),
        ("Heat", "", "Heat"),
    ],
)
def test_a_maps_target_is_said_once(name: str, target: str, title: str) -> None:
    assert overlay_legend.entry_title(name, target) == title


def test_the_legend_of_an_attribution_says_its_target_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = tumour_study(tmp_path / "case", (1, 2, 4))
    data = np.random.default_rng(3).standard_normal((1, *study.grid.shape[1:])).astype(np.float32)
    item = ExplanationMap("heatmap", data, "heatmap", "IG · WT", value_range=(-2, 2), signed=True)
    record = Provenance("integrated-gradients", {"steps": 50}, model="mine", weights_sha256="ab")
    found = Explanation(
        "integrated-gradients", (item,), record, study.grid, slice(2, 3), "WT"
    )  # fmt: skip
    reading = default_reading(study, {"e": found})
    written = words_in_legend(reading, monkeypatch)
    assert sum(text.count("WT") for text in written) == 1


def test_no_words_in_a_corner_reach_the_letter_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = default_reading(tumour_study(tmp_path / "case", (1, 2, 4)))
    panel, size, width = reading.review.panels[0], 12, 400
    view = PlaneView(reading.study_of(panel).grid, panel.plane, panel.index, (300, width))
    facts = panel_facts(reading, panel, view)
    values = {f"{role} of a study with a long name": 123.4 for role in ROLES}
    facts["probe"] = {"points_ras_mm": [[1.0, 2.0, 3.0]], "values": values}
    reached: list[tuple[float, float, str]] = []
    write = panel_lettering.write

    def record(image: Any, place: Any, text: str, wide: int, **more: Any) -> None:
        if more.get("anchor", "la")[0] == "l" and place[0] < width / 4:
            reached.append((place[0] + text_width(text, wide), place[1], text))
        write(image, place, text, wide, **more)

    monkeypatch.setattr(panel_lettering, "write", record)
    panel_lettering.letter_panel(Image.new("RGB", (width, 300)), facts, view, size)
    assert len(reached) > 5
    assert max(right for right, _, _ in reached) < width / 2 - size
