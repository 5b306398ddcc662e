"""A family of another package: in the catalogue, on the command line, in records; or left out."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import napari_sparseexplain as se
from napari_sparseexplain.commands.models import list_methods
from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.explanation.catalogue import method_info
from napari_sparseexplain.explanation.repeat import repeat_work
from napari_sparseexplain.explanation.target import Target
from napari_sparseexplain.explanation.trust.explained_slices import explained_slices
from napari_sparseexplain.explanation.trust.map_figures import Effort, map_figures
from napari_sparseexplain.families import FAMILIES, families, left_out
from napari_sparseexplain.layers.io.napari_reader import may_be_a_scan
from napari_sparseexplain.progress import drain
from napari_sparseexplain.volumes import write_nifti
from napari_sparseexplain.volumes.opening.sample import sample_path
from napari_sparseexplain.volumes.readers import dialog_filter, readers

from .explanation.test_methods import Weighted, model_of
from .other_families import install, install_small, on_the_path

IMPORT = "from napari_sparseexplain.families import Family\n"

METHOD = """
from napari_sparseexplain.explanation.method import MethodInfo
METHODS = (MethodInfo(name={name!r}, title="One", summary="One", work="x:y", heat=None),)
"""

#: Packages that cannot be taken in, each with what its one line says.
UNFIT = {
    "does-not-import": (
        "import no_such_library\n",
        "the family 'does_not_import' of does-not-import 1.0 is left out "
        "(ModuleNotFoundError: No module named 'no_such_library')",
    ),
    "goes-away": (
        "raise SystemExit('not on this machine')\n",
        "the family 'goes_away' of goes-away 1.0 is left out (SystemExit: not on this machine)",
    ),
    "is-none": (
        "FAMILY = 1\n",
        "the family 'is_none' of is-none 1.0 is left out (TypeError: is_none:FAMILY is no Family)",
    ),
    "named-study": (
        IMPORT + "FAMILY = Family(name='study', title='Study')\n",
        "the family 'named_study' of named-study 1.0 is left out "
        "(ValueError: napari-sparseexplain has a family 'study' already)",
    ),
    "own-xrai": (
        IMPORT
        + METHOD.format(name="xrai")
        + "FAMILY = Family(name='own', title='Own', methods='own_xrai:METHODS')\n",
        "the family 'own' of own-xrai 1.0 is left out "
        "(ValueError: napari-sparseexplain has a method 'xrai' already)",
    ),
    "own-ig": (
        IMPORT
        + METHOD.format(name="ig")
        + "FAMILY = Family(name='ig', title='Own', methods='own_ig:METHODS')\n",
        "the family 'ig' of own-ig 1.0 is left out "
        "(ValueError: napari-sparseexplain has a method 'ig' already)",
    ),
    "own-explain": (
        IMPORT
        + "def run(): pass\n"
        + "FAMILY = Family(name='run', title='Run', commands={'explain': 'own_explain:run'})\n",
        "the family 'run' of own-explain 1.0 is left out "
        "(ValueError: sparseexplain has a command 'explain' already)",
    ),
    "own-unet": (
        IMPORT + "FAMILY = Family(name='nets', title='N', bundles=('json:bundles/unet',))\n",
        "the family 'nets' of own-unet 1.0 is left out "
        "(ValueError: napari-sparseexplain has a model 'unet' already)",
    ),
    "own-nifti": (
        IMPORT
        + "from napari_sparseexplain.volumes.readers import Reader\n"
        + "R = Reader(name='own', title='own', endings=('.nii',), reads='', file='json:load')\n"
        + "FAMILY = Family(name='files', title='F', readers=('own_nifti:R',))\n",
        "the family 'files' of own-nifti 1.0 is left out "
        "(ValueError: napari-sparseexplain reads .nii already)",
    ),
    "no-methods": (
        IMPORT + "FAMILY = Family(name='none', title='None', methods='no_methods:METHODS')\n",
        "the family 'none' of no-methods 1.0 is left out "
        "(AttributeError: module 'no_methods' has no attribute 'METHODS')",
    ),
}


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """The small family, installed."""
    site = install_small(tmp_path / "site")
    with on_the_path(site):
        yield site


def run(site: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command as a shell would, with the packages of ``site`` installed."""
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH", "")])])
    return subprocess.run(
        [sys.executable, "-m", "napari_sparseexplain.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )


def study() -> se.Study:
    rng = np.random.default_rng(0)
    return se.study_of_arrays(
        {role: rng.random((2, 20, 16)).astype(np.float32) for role in ("t1", "flair")}
    )


def test_its_method_runs_and_the_record_says_where_it_came_from(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [f.name for f in families()] == [*(f.name for f in FAMILIES), "small"]
    assert not left_out()
    scans, model = study(), model_of(Weighted())
    found = se.explain(scans, model, "gxi", target="WT", slices=0)
    assert found.method == "gradient-times-input"
    assert found.scores["completeness error"] is not None
    wanted = se.explain(scans, model, "ig", target="WT", slices=0)["heatmap"].data
    # Of a network that is linear, up to its constant: the same as integrated gradients.
    np.testing.assert_allclose(found["heatmap"].data, wanted, atol=1e-5)
    record = found.provenance
    assert record.versions["sparseexplain-small"] == "0.3"
    assert record.parameters["positive"] is False
    assert "sparseexplain-small" not in se.explain(scans, model, "segmentation").provenance.versions
    list_methods()
    listed = capsys.readouterr().out
    assert "gradient-times-input: Gradient × input (from sparseexplain-small 0.3)" in listed
    again = drain(repeat_work(record.to_json(), scans, model=model))
    np.testing.assert_array_equal(again["heatmap"].data, found["heatmap"].data)


def test_its_map_is_scored_for_what_it_says_that_its_values_are(small: Path) -> None:
    slices = drain(
        explained_slices(study(), model_of(Weighted()), Target.region("WT"), slice(0, 2))
    )
    found = drain(map_figures(slices, "gxi", {}, Effort(kinds=("infidelity",))))
    assert found.figures["infidelity"] == pytest.approx(0, abs=1e-4)


def test_the_command_line_has_its_method_and_its_command(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    lesion = np.count_nonzero(se.open_study(sample_path())["seg"].data, axis=(1, 2))
    done = run(
        small,
        *("explain", sample_path(), "--model", "sum-seg", "--method", "gradient-times-input"),
        *("--target", "WT", "--slice", lesion.argmax(), "--device", "cpu", "--out", out),
    )
    assert done.returncode == 0, done.stderr
    assert "warning: the family" not in done.stderr
    record = se.load_explanation(out).provenance
    assert record.method == "gradient-times-input"
    assert record.versions["sparseexplain-small"] == "0.3"
    assert "Gradient × input" in run(small, "small").stdout


def test_its_format_is_opened_alone_and_beside_others(small: Path, tmp_path: Path) -> None:
    values = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    text = "2 3 4 5 1 2\n" + " ".join(map(str, values.ravel()))
    (tmp_path / "study").mkdir()
    file = tmp_path / "study" / "scan_flair.sfv"
    file.write_text(text, encoding="utf-8")
    scan = se.open_study(file)["flair"]
    np.testing.assert_array_equal(scan.data, values)
    assert scan.grid.spacing == (5.0, 1.0, 2.0)
    assert may_be_a_scan(file)
    assert "*.sfv" in dialog_filter()
    with pytest.raises(SparseExplainError, match="small family volumes"):
        se.open_study(__file__)
    write_nifti(tmp_path / "study" / "scan_t1.nii.gz", values, like=scan)
    (tmp_path / "study" / "t2.sfv").write_text("2 3", encoding="utf-8")
    (tmp_path / "study" / "pd.sfv").write_bytes(b"\xff\xfe2 3")
    study = se.open_study(tmp_path / "study")
    assert set(study.images) == {"flair", "t1"}
    said = [finding.message for finding in study.warnings]
    assert [f.code for f in study.warnings] == ["unreadable", "unreadable"]
    assert any("the values are not those of the shape" in text for text in said)
    # What is a fault of the reader, not of the file, does not cost the study either.
    assert any("the reader 'sfv' of sparseexplain-small failed" in t for t in said)


def test_a_family_that_cannot_be_taken_in_costs_one_line_and_nothing_else(tmp_path: Path) -> None:
    site = tmp_path / "site"
    for name, (source, _) in UNFIT.items():
        install(site, name, source)
    done = run(site, "methods")
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if "left out" in line]
    # What it would bring is noticed where it is asked for: models and files by no such command.
    later = ("own-unet", "own-nifti")
    asked = [line for name, (_, line) in UNFIT.items() if name not in later]
    assert sorted(said) == sorted(f"warning: {line}" for line in asked)
    assert "Traceback" not in done.stderr
    assert len([line for line in done.stdout.splitlines() if line.startswith("xrai: ")]) == 1
    with on_the_path(site):
        assert "One" not in {info.title for info in se.methods().values()}
        assert "unet" in se.models()
        assert UNFIT["own-unet"][1] in left_out()
        assert "own" not in {reader.name for reader in readers()}
        assert UNFIT["own-nifti"][1] in left_out()
        with pytest.raises(SparseExplainError, match=r"own-xrai 1\.0 is left out"):
            method_info("of-a-family-left-out")
        assert {f.package for f in families()} == {"napari-sparseexplain", "own-explain"}
    assert not left_out()
