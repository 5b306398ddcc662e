"""A review reads maps outside its own folder only where it is allowed, and fits what it names."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from typer.testing import CliRunner

import napari_sparseexplain as se
from napari_sparseexplain.cli import app
from napari_sparseexplain.errors import ReadError
from napari_sparseexplain.evidence import Explanation, ExplanationMap, Provenance
from napari_sparseexplain.files.json_file import parse_json
from napari_sparseexplain.review import restored_explanation
from napari_sparseexplain.review.store import StudyMovedError, explanations_elsewhere

WRONG: tuple[Any, ...] = (
    *(None, True, -1, 0, 7, 2**63, 1e308, -1e-320, "", "x", "../x", "/etc/passwd"),
    *([], {}, [[]], {"a": 1}, [None, None], [1e30, -1e30], "a" * 200_000),
)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study, an explanation of it, and a review with its maps."""
    root = tmp_path_factory.mktemp("saved")
    (root / "case").mkdir()
    rng = np.random.default_rng(0)
    affine = np.diag([-1.0, 1.5, 2.0, 1.0])
    for name, voxels in (
        ("flair", rng.integers(5, 90, (12, 14, 8))),
        ("seg", rng.integers(0, 2, (12, 14, 8))),
    ):
        image = nib.Nifti1Image(voxels.astype(np.int16), affine)
        nib.save(image, root / "case" / f"case_{name}.nii.gz")
    study = se.open_study(root / "case")
    heat = rng.random(study.grid.shape).astype(np.float32)
    found = Explanation(
        "grad-cam",
        (ExplanationMap("heat", heat, "heatmap", value_range=(0.0, 1.0)),),
        Provenance("grad-cam", {"layer": "last"}, inputs={"flair": {"path": "f", "sha256": ""}}),
        study.grid,
        slice(0, study.grid.shape[0]),
    )
    se.save_explanation(found, study, root / "results")
    se.save_review(se.default_reading(study, {"cam": found}), root / "review", arrays=True)
    return root


@pytest.fixture
def review(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved / "review", tmp_path / "review"))


def edit(review: Path, *at: str | int, to: Any) -> None:
    path = review / "review.json"
    values = json.loads(path.read_text())
    holder = values["review"]
    for step in at[:-1]:
        holder = holder[step]
    holder[at[-1]] = to
    path.write_text(json.dumps(values))


def absolute(saved: Path, review: Path) -> str:
    return str(saved / "results")


def upwards(saved: Path, review: Path) -> str:
    shutil.copytree(saved / "results", review.parent / "results")
    return "explanations/../../results"


def through_a_link(saved: Path, review: Path) -> str:
    (review / "explanations" / "linked").symlink_to(saved / "results")
    return "explanations/linked"


@pytest.mark.parametrize("place", [absolute, upwards, through_a_link])
def test_maps_elsewhere_are_read_only_where_allowed(
    place: Callable[[Path, Path], str], saved: Path, review: Path
) -> None:
    folder = place(saved, review)
    edit(review, "explanations", "cam", "folder", to=folder)
    assert explanations_elsewhere(review) == {"cam": review / folder}
    reading = se.restore_review(review)
    assert not reading.explanations
    (said,) = [f for f in reading.findings if f.code == "explanation-elsewhere"]
    assert said.level == "warning"
    assert str(review / folder) in said.message
    assert "--elsewhere" in said.message
    allowed = se.restore_review(review, elsewhere=True)
    assert set(allowed.explanations) == {"cam"}
    assert allowed.findings == ()


def test_what_the_program_itself_saved_needs_no_question(review: Path) -> None:
    assert explanations_elsewhere(review) == {}
    reading = se.restore_review(review)
    assert set(reading.explanations) == {"cam"}
    assert reading.findings == ()


def test_what_is_elsewhere_is_not_even_looked_at(review: Path, tmp_path: Path) -> None:
    """Whether a place is there is already an answer."""
    edit(review, "explanations", "cam", "folder", to=str(tmp_path / "nowhere"))
    codes = [f.code for f in se.restore_review(review).findings]
    assert codes == ["explanation-elsewhere"]


def test_the_command_asks_for_an_option(saved: Path, review: Path, tmp_path: Path) -> None:
    edit(review, "explanations", "cam", "folder", to=str(saved / "results"))
    small = ["--width", "300", "--height", "300"]
    run = CliRunner()
    refused = run.invoke(app, ["report", str(review), "--out", str(tmp_path / "a"), *small])
    assert "--elsewhere" in refused.output
    given = ["report", str(review), "--out", str(tmp_path / "b"), "--elsewhere", *small]
    done = run.invoke(app, given)
    assert done.exit_code == 0, done.output
    assert "--elsewhere" not in done.output


@pytest.mark.parametrize("path", ["", ".", "case", "../case", "/nowhere", "x" * 4000])
def test_a_study_is_never_looked_for_where_the_program_started(
    review: Path, saved: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(saved)
    edit(review, "studies", "study", "path", to=path)
    with pytest.raises(StudyMovedError):
        se.restore_review(review)


@pytest.mark.parametrize(
    ("at", "new", "said"),
    [
        (("studies",), {}, r"'explanations.cam.study' names the study|'studies' names no study"),
        (("explanations", "cam", "study"), "x", "names the study 'x'"),
        (("explanations", "cam", "provenance", "weights_sha256"), 1.5, "must be a text"),
        (("explanations", "cam", "provenance", "versions"), None, "must be an object"),
        (("panels", 0, "study"), "x", r"panels\[0\].study' names the study 'x'"),
        (("panels", 0, "index"), 8, "is slice 8 .* and the study has 8 axial ones"),
        (("panels", 0, "index"), -1, "must lie between 0 and"),
        (("panels", 0, "scan", "role"), "t9", "names the volume 't9'"),
        (("panels", 0, "scan", "window"), [2.0, 1.0], "must have its lower value first"),
        (("panels", 0, "scan", "leading"), [3], r"leading' is \[3\], and the volume has \[\]"),
        (("panels", 0, "camera", "canvas"), [10**9, 5], "must lie between"),
        (("panels", 1, "overlays", 0, "name"), "x", "names the map 'x'"),
        (("panels", 1, "overlays", 0, "key"), "x", "names the explanation 'x'"),
        (("panels", 0, "overlays", 0, "colours"), {"1": "red"}, "a colour as #RRGGBB"),
        (("panels", 1, "overlays", 0, "opacity"), 1.5, "must lie between 0 and 1"),
        (("key_slices", 0, "study"), "x", r"key_slices\[0\].study' names the study 'x'"),
        (("key_slices", 0, "index"), 80_000, r"key_slices\[0\].index' is slice 80000"),
        (("probe",), [1e6, 0.0, 0.0], "'probe' lies outside the study"),
        (("columns",), 10**6, "must lie between"),
    ],
)
def test_what_no_picture_can_be_made_of_is_named(
    review: Path, at: tuple[str | int, ...], new: Any, said: str
) -> None:
    edit(review, *at, to=new)
    with pytest.raises(ReadError, match=said) as caught:
        se.restore_review(review)
    assert "\n" not in str(caught.value)


def test_any_field_of_any_wrong_kind_is_named_or_can_be_drawn(review: Path) -> None:
    """Every field, each replaced by one of the wrong values in turn."""
    path = review / "review.json"
    values = json.loads(path.read_text())
    refused = 0
    for number, at in enumerate(_places(values["review"])):
        path.write_text(json.dumps(values))
        edit(review, *at, to=WRONG[number % len(WRONG)])
        said = _refusal(review)
        refused += bool(said)
        assert "\n" not in said
        assert len(said) < 6000
    assert refused > 60


def _refusal(review: Path) -> str:
    try:
        se.compose(se.restore_review(review), se.PictureSize(200, 200))
    except se.SparseExplainError as error:
        return str(error)
    return ""


def _places(value: Any, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [at] if at else []
    steps = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    for step in steps:
        found += _places(value[step], (*at, step))
    return found


def test_a_review_that_could_not_be_opened_again_is_not_written(
    review: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = se.restore_review(review)
    monkeypatch.setattr("napari_sparseexplain.review.store.MOST_BYTES", 400)
    monkeypatch.setattr("napari_sparseexplain.review.store.parse_json", _small)
    with pytest.raises(ReadError, match="too large to be opened again"):
        se.save_review(reading, tmp_path / "again")
    assert not (tmp_path / "again" / "review.json").exists()


def _small(content: bytes, **options: Any) -> Any:
    return parse_json(content, **{**options, "most_bytes": 400})


def test_what_many_references_name_is_read_once(
    review: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small folder named a thousand times fills no memory."""
    values = json.loads((review / "review.json").read_text())["review"]
    edit(review, "explanations", to={str(k): values["explanations"]["cam"] for k in range(50)})
    edit(review, "panels", to=values["panels"][:1])
    read, calls = restored_explanation.load_explanation, []

    def counted(*place: Any, **options: Any) -> Explanation:
        calls.append(place)
        return read(*place, **options)

    monkeypatch.setattr(restored_explanation, "load_explanation", counted)
    reading = se.restore_review(review)
    assert len(reading.explanations) == 50
    assert len(calls) == 1
