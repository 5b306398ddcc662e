"""Explanation folders that are damaged or hostile: what opens can be drawn; else one clear line."""

from __future__ import annotations

import copy
import gzip
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

import napari_sparseexplain as se
from napari_sparseexplain.errors import ReadError
from napari_sparseexplain.evidence import (
    Explanation,
    ExplanationMap,
    Provenance,
    map_file,
    store,
)
from napari_sparseexplain.evidence.store import RECORD_FILE
from napari_sparseexplain.volumes.nifti.voxels import VoxelPlan
from napari_sparseexplain.volumes.opening import declared_size

Place = tuple[str | int, ...]

WRONG: tuple[Any, ...] = (
    *(None, True, -1, 0, 7, 2**63, 1e308, -1e-320, "", "x", "../x", "/etc/passwd"),
    *([], {}, [[]], {"a": 1}, [None, None], [1e30, -1e30], "a" * 200_000),
)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> se.Study:
    path = tmp_path_factory.mktemp("study") / "case_flair.nii.gz"
    voxels = np.random.default_rng(0).integers(5, 90, (9, 12, 7)).astype(np.int16)
    nib.save(nib.Nifti1Image(voxels, np.diag([-0.9, 0.8, 3.0, 1.0])), path)
    return se.open_study(path)


@pytest.fixture(scope="module")
def saved(study: se.Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    shape = (2, *study.grid.shape[1:])
    rng = np.random.default_rng(1)
    maps = (
        ExplanationMap(
            "mask", rng.integers(0, 3, shape).astype(np.uint8), "segmentation", classes={1: "x"}
        ),
        ExplanationMap(
            "heat", rng.normal(size=shape).astype(np.float32), "heatmap", signed=True,
            value_range=(-1.0, 1.0),
        ),
        ExplanationMap(
            "impulse", rng.normal(size=(5, 5)), "response", space="space",
            axes={"spacing": (1.5, 1.5), "unit": "mm"},
        ),
    )  # fmt: skip
    found = Explanation(
        "signals",
        maps,
        Provenance("signals", {"alpha": 0.5}, inputs={"flair": {"path": "f", "sha256": ""}}),
        study.grid,
        slice(2, 4),
        scores={"dice": 0.5, "gap": None},
        notes=("A note.",),
    )
    out = tmp_path_factory.mktemp("saved") / "out"
    se.save_explanation(found, study, out)
    return out


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "out"))


def draw(folder: Path, study: se.Study) -> None:
    """All that is done with a loaded explanation."""
    found = se.load_explanations([folder], study)
    se.compose(se.default_reading(study, found), se.PictureSize(300, 260))
    for explanation in found.values():
        for item in explanation.maps:
            explanation.layer_data(item.name)


def refusal(folder: Path, study: se.Study) -> str:
    """What is said of a folder that is refused; empty when it opens."""
    try:
        se.load_explanations([folder], study)
    except se.SparseExplainError as error:
        return str(error)
    return ""


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    yield at
    if isinstance(value, dict):
        for name in value:
            yield from places(value[name], (*at, name))
    elif isinstance(value, list):
        for number in range(len(value)):
            yield from places(value[number], (*at, number))


def changed(value: Any, at: Place, new: Any) -> Any:
    if not at:
        return new
    out = copy.deepcopy(value)
    holder = out
    for step in at[:-1]:
        holder = holder[step]
    holder[at[-1]] = new
    return out


def test_any_field_of_any_wrong_kind_is_named_or_harmless(folder: Path, study: se.Study) -> None:
    """Every field, each replaced by one of the wrong values in turn, and each left out."""
    path = folder / RECORD_FILE
    record = json.loads(path.read_text())
    refused = 0
    for number, at in enumerate(places(record)):
        for new in (WRONG[number % len(WRONG)], WRONG[(7 * number + 3) % len(WRONG)]):
            path.write_text(json.dumps(changed(record, at, new)))
            said = refusal(folder, study)
            refused += bool(said)
            assert "\n" not in said
            assert len(said) < 1000
    assert refused > 100


@pytest.mark.parametrize(
    ("at", "new", "said"),
    [
        (("value_range",), [], r"maps\[1\].value_range' must have 2 values"),
        (("value_range",), [1.0, -1.0], r"value_range' must have its lower value first"),
        (("value_range", 0), [[]], r"value_range\[0\]' must be a number"),
        (("classes",), {"9" * 30: "x"}, r"no whole number of a label"),
        (("axes",), {"spacing": ["a", "b"]}, r"axes.spacing\[0\]' must be a number"),
        (("kind",), "space", r"kind' must be one of"),
        (("space",), None, r"space' must be one of"),
    ],
)
def test_a_wrong_field_of_a_map_is_named(
    folder: Path, study: se.Study, at: Place, new: Any, said: str
) -> None:
    path = folder / RECORD_FILE
    record = json.loads(path.read_text())
    path.write_text(json.dumps(changed(record, ("explanations", "signals", "maps", 1, *at), new)))
    with pytest.raises(ReadError, match=said):
        draw(folder, study)


@pytest.mark.parametrize(
    ("at", "new", "said"),
    [
        (("grid", "affine"), 10**18, r"grid.affine' must be a list"),
        (("grid", "affine", 0), [0.0] * 4, r"affine is singular"),
        (("grid", "shape", 0), 2**40, r"grid.shape\[0\]' must lie between"),
        (("grid", "to_display"), [[0, 1], [0, 1], [0, 1]], r"no order of the three axes"),
        (("slices",), [], r"slices' must have 2 values"),
        (("slices",), [3, 99], r"slices 3 to 99 are not those of the grid"),
        (("scores",), "x", r"scores' must be an object"),
        (("scores", "dice"), "x", r"scores.dice' must be a number"),
        (("provenance", "inputs", "flair"), "x", r"provenance.inputs.flair' must be an object"),
        (("provenance", "parameters"), None, r"provenance.parameters' must be an object"),
        (("method",), -1, r"method' must be a text"),
        (("maps", 0, "name"), "heat", r"two maps have one name"),
    ],
)
def test_a_wrong_field_of_a_record_is_named(
    folder: Path, study: se.Study, at: Place, new: Any, said: str
) -> None:
    path = folder / RECORD_FILE
    record = json.loads(path.read_text())
    path.write_text(json.dumps(changed(record, ("explanations", "signals", *at), new)))
    with pytest.raises(ReadError, match=said):
        draw(folder, study)


def test_no_maps_are_no_trouble(folder: Path, study: se.Study) -> None:
    path = folder / RECORD_FILE
    record = json.loads(path.read_text())
    record["explanations"]["signals"]["maps"] = []
    path.write_text(json.dumps(record))
    draw(folder, study)
    path.write_text(json.dumps({**record, "explanations": {}}))
    with pytest.raises(ReadError, match="no explanation was saved here"):
        draw(folder, study)


def test_a_map_of_another_size_is_refused_before_it_is_unpacked(
    folder: Path, study: se.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "signals_heat.nii.gz"
    whole = bytearray(gzip.decompress(path.read_bytes()))
    whole[42:48] = (1290).to_bytes(2, "little") * 3
    path.write_bytes(gzip.compress(bytes(whole)))
    read = map_file.read_voxels

    def watched(plan: VoxelPlan) -> Any:
        assert plan.file.path != path, "was unpacked"
        return read(plan)

    monkeypatch.setattr(map_file, "read_voxels", watched)
    with pytest.raises(ReadError, match=r"shape \(1290, 1290, 1290\) on file"):
        draw(folder, study)


def test_a_record_that_agrees_with_a_bomb_does_not_help_it(
    folder: Path, study: se.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(declared_size, "HARMLESS_BYTES", 1000)
    image = nib.load(folder / "signals_heat.nii.gz")
    nib.save(nib.Nifti1Image(np.zeros((100, 100, 90)), image.affine), folder / "zeros.nii.gz")
    os.replace(folder / "zeros.nii.gz", folder / "signals_heat.nii.gz")
    path = folder / RECORD_FILE
    record = json.loads(path.read_text())
    record["explanations"]["signals"]["grid"]["shape"] = [90, 100, 100]
    record["explanations"]["signals"]["maps"] = record["explanations"]["signals"]["maps"][1:2]
    path.write_text(json.dumps(record))
    # Of a volume that was explained in part, only that part is held.
    assert se.load_explanation(folder)["heat"].data.shape == (2, 100, 100)
    record["explanations"]["signals"]["slices"] = [0, 90]
    path.write_text(json.dumps(record))
    with pytest.raises(ReadError, match="made to fill the memory"):
        se.load_explanation(folder)


def test_many_maps_together_are_counted(
    folder: Path, study: se.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(declared_size, "HARMLESS_BYTES", 1000)
    monkeypatch.setattr(declared_size, "BEST_RATIO", 0.1)
    with pytest.raises(ReadError, match="made to fill the memory"):
        draw(folder, study)


def test_maps_of_another_study_are_not_read(
    folder: Path, study: se.Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nib.save(nib.Nifti1Image(np.ones((9, 12, 8), np.int16), np.eye(4)), tmp_path / "y_flair.nii")
    other = se.open_study(tmp_path / "y_flair.nii")
    monkeypatch.setattr(store, "read_map", lambda *_: pytest.fail("was read"))
    with pytest.raises(se.SparseExplainError, match="not lie on the grid of this study"):
        se.load_explanations([folder], other)


def test_one_file_is_one_map(folder: Path, study: se.Study) -> None:
    """Else a small file named a thousand times fills the memory."""
    path = folder / RECORD_FILE
    record = json.loads(path.read_text())
    again = copy.deepcopy(record["explanations"]["signals"])
    path.write_text(json.dumps(changed(record, ("explanations", "again"), again)))
    with pytest.raises(ReadError, match="two explanations name one file"):
        draw(folder, study)
    maps = again["maps"]
    maps.append({**maps[0], "name": "other"})
    path.write_text(json.dumps(changed(record, ("explanations",), {"signals": again})))
    with pytest.raises(ReadError, match="two maps have one file"):
        draw(folder, study)


@pytest.mark.parametrize("axes", ["LAS", "RPI", "PSR", "SAL", "IRP"])
def test_a_part_of_a_volume_is_the_same_in_any_layout(tmp_path: Path, axes: str) -> None:
    """Read as a whole or as the part that is asked for, slice by slice."""
    codes = nib.orientations.axcodes2ornt(axes)
    affine = nib.orientations.inv_ornt_aff(codes, (5, 6, 7)) if axes != "RAS" else np.eye(4)
    voxels = np.random.default_rng(5).integers(1, 900, (5, 6, 7)).astype(np.int16)
    nib.save(nib.Nifti1Image(voxels, affine), tmp_path / "z_flair.nii.gz")
    study = se.open_study(tmp_path / "z_flair.nii.gz")
    scan = np.asarray(study["flair"].data).astype(np.float32)
    for start in range(len(scan) - 1):
        span = slice(start, start + 2)
        item = ExplanationMap("scan", scan[span], "heatmap")
        found = Explanation("m", (item,), Provenance("m"), study.grid, span)
        out = tmp_path / str(start)
        se.save_explanation(found, study, out)
        assert np.array_equal(se.load_explanation(out)["scan"].data, scan[span])


@pytest.mark.parametrize("name", ["signals_heat.nii.gz", "signals_impulse.npz"])
@pytest.mark.parametrize(
    "way", ["empty", "cut", "bits", "text", "other kind", "pipe", "link out", "loop", "folder"]
)
def test_a_damaged_map_is_one_line(folder: Path, study: se.Study, name: str, way: str) -> None:
    path = folder / name
    content = path.read_bytes()
    other = folder / ("signals_impulse.npz" if name.endswith("gz") else "signals_heat.nii.gz")
    path.unlink()
    if way == "pipe":
        os.mkfifo(path)
    elif way == "link out":
        shutil.copy(other, folder.parent / "outside")
        path.symlink_to("../outside")
    elif way == "loop":
        path.symlink_to(path)
    elif way == "folder":
        path.mkdir()
    else:
        middle = len(content) // 2
        bits = content[:middle] + bytes(b ^ 0x5A for b in content[middle : middle + 40])
        path.write_bytes(
            {
                "empty": b"",
                "cut": content[:-9],
                "bits": bits + content[middle + 40 :],
                "text": b"not a map",
                "other kind": other.read_bytes(),
            }[way]
        )
    with pytest.raises(ReadError, match="cannot be read") as caught:
        draw(folder, study)
    assert "\n" not in str(caught.value)
    assert "pickle" not in caught.value.what


def test_a_link_within_the_folder_is_followed(folder: Path, study: se.Study) -> None:
    """As tools for large data lay files out."""
    (folder / "kept").mkdir()
    shutil.move(folder / "signals_heat.nii.gz", folder / "kept" / "heat")
    (folder / "signals_heat.nii.gz").symlink_to(Path("kept") / "heat")
    draw(folder, study)


def test_a_segmentation_of_fractions_is_none(folder: Path, study: se.Study) -> None:
    path = folder / "signals_mask.nii.gz"
    image = nib.load(path)
    halves = np.full(image.shape, 0.5, np.float32)
    nib.save(nib.Nifti1Image(halves, image.affine), path)
    with pytest.raises(ReadError, match="holds no label numbers"):
        draw(folder, study)
