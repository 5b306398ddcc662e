"""Readers of gradients: every layout met; for each fault one error that names file and remedy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import napari_sparseexplain as se
from napari_sparseexplain.errors import ParameterError, ReadError, SparseExplainError
from napari_sparseexplain.microstructure.gradient_table import GAMMA, Timings
from napari_sparseexplain.microstructure.protocol.camino import read_camino
from napari_sparseexplain.microstructure.protocol.fsl import read_fsl
from napari_sparseexplain.microstructure.protocol.mrtrix import read_mrtrix
from napari_sparseexplain.microstructure.protocol.of_volume import gradient_table_of
from napari_sparseexplain.microstructure.protocol.sidecar_timings import sidecar_timings

from .diffusion_scans import (
    fibre_signals,
    fsl_vectors,
    gradients,
    write_fsl,
    write_mrtrix,
    write_scan,
    write_sidecar,
)

AFFINE = np.diag([-2.0, 2.0, 2.0, 1.0])
DELTA = Timings(12.9e-3, 21.8e-3, 57e-3)


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """A scan of 14 volumes with nothing beside it."""
    b, vectors = gradients()
    fibres = np.broadcast_to(np.array([1.0, 0, 0]), (3, 3, 3, 3))
    return write_scan(tmp_path, fibre_signals(fibres, b, vectors), AFFINE)


def table_of(path: Path, **timings: float):
    study = se.open_study(path)
    return gradient_table_of(study[study.reference], **timings)


def scheme(path: Path, *, columns: str = "STEJSKALTANNER") -> None:
    """The gradients as a Camino scheme in FSL's axes."""
    b, vectors = gradients()
    lines = [f"VERSION: {columns}"]
    for value, vector in zip(b, fsl_vectors(vectors, AFFINE), strict=True):
        strength = DELTA.strength(value)
        rest = (strength, DELTA.big_delta, DELTA.small_delta, DELTA.echo_time)
        if columns == "BVECTOR":
            rest = (value * 1e6,)
        lines.append(" ".join(f"{v:.9g}" for v in (*vector, *rest)))
    path.write_text("\n".join(lines))


# ---------------------------------------------------------------- layouts


@pytest.mark.parametrize("rows", [False, True])
@pytest.mark.parametrize("names", [("a.bval", "a.bvec"), ("a.bvals", "a.bvecs")])
def test_both_layouts_of_fsl(tmp_path: Path, rows: bool, names: tuple[str, str]) -> None:
    b, vectors = gradients()
    np.savetxt(tmp_path / names[0], b[:, None] if rows else b[None], fmt="%g")
    np.savetxt(tmp_path / names[1], vectors if rows else vectors.T, fmt="%.8f", delimiter="\t")
    read = read_fsl(tmp_path / names[0], tmp_path / names[1])
    assert np.allclose(read.b, b)
    assert np.allclose(read.vectors, vectors, atol=1e-7)


def test_three_volumes_are_read_as_fsl_writes_them(tmp_path: Path) -> None:
    """Three rows of three tell no layout; FSL's documentation has three rows."""
    (tmp_path / "a.bval").write_text("0 1000 1000\n")
    (tmp_path / "a.bvec").write_text("0 1 0\n0 0 0.6\n0 0 0.8\n")
    read = read_fsl(tmp_path / "a.bval", tmp_path / "a.bvec")
    assert np.allclose(read.vectors, [[0, 0, 0], [1, 0, 0], [0, 0.6, 0.8]])


def test_a_vector_that_is_no_number_is_none_where_nothing_is_weighted(tmp_path: Path) -> None:
    (tmp_path / "a.bval").write_text("0 1000")
    (tmp_path / "a.bvec").write_text("nan 1\nnan 0\nnan 0")
    assert np.allclose(read_fsl(tmp_path / "a.bval", tmp_path / "a.bvec").vectors[0], 0)


def test_mrtrix_scales_b_by_the_squared_length(tmp_path: Path) -> None:
    """Its documentation, "b-value scaling"."""
    path = tmp_path / "a.b"
    path.write_text("# command_history: x\n0 0 0 0\n0.6 0 0 2000\n0 1 0 2000\n")
    read = read_mrtrix(path)
    assert np.allclose(read.b, [0, 720, 2000])
    assert [f.code for f in read.findings] == ["b-values-scaled"]


def test_a_camino_scheme_tells_b_and_timings(tmp_path: Path) -> None:
    """b = (γ G δ)² (Δ - δ/3), in SI units."""
    scheme(tmp_path / "a.scheme")
    read = read_camino(tmp_path / "a.scheme")
    assert np.allclose(read.b, gradients()[0], rtol=1e-6)
    assert read.timings == DELTA
    strength = DELTA.strength(1000.0)
    by_hand = (GAMMA * strength * 12.9e-3) ** 2 * (21.8e-3 - 12.9e-3 / 3) / 1e6
    assert np.isclose(read.b[-1], by_hand)
    scheme(tmp_path / "b.scheme", columns="BVECTOR")
    assert np.allclose(read_camino(tmp_path / "b.scheme").b, gradients()[0])


# ---------------------------------------------------------------- beside a scan


@pytest.mark.parametrize(
    "names",
    [
        ("scan_dwi.bval", "scan_dwi.bvec"),
        ("scan_dwi.BVALS", "scan_dwi.bvecs"),
        ("scan_dwi_bvals.txt", "scan_dwi_bvecs.txt"),
        ("bvals.txt", "bvecs.txt"),
        ("bvals", "bvecs"),
    ],
)
def test_files_are_found_by_the_scans_name_or_the_folders(
    scan: Path, names: tuple[str, str]
) -> None:
    b, vectors = gradients()
    write_fsl(scan.parent, b, fsl_vectors(vectors, AFFINE))
    for ending, name in zip(("bval", "bvec"), names, strict=True):
        (scan.parent / f"scan_dwi.{ending}").rename(scan.parent / name)
    table, findings = table_of(scan)
    assert np.allclose(table.b, b)
    assert findings[0].code == "gradients-read"
    assert "2 without diffusion weighting, 12 at b = 1000" in findings[0].message


def test_a_folder_with_two_scans_lends_its_files_to_none(scan: Path) -> None:
    b, vectors = gradients()
    write_fsl(scan.parent, b, vectors, "x")
    (scan.parent / "x.bval").rename(scan.parent / "bvals")
    (scan.parent / "x.bvec").rename(scan.parent / "bvecs")
    write_scan(scan.parent, np.ones((3, 3, 3, 14)), AFFINE, "other_dwi")
    with pytest.raises(ReadError, match="no file beside it tells its gradients"):
        table_of(scan)
    (scan.parent / "other_dwi.nii").unlink()
    write_scan(scan.parent, np.ones((3, 3, 3)), AFFINE, "brain_mask")
    assert len(table_of(scan)[0]) == 14, "a mask is no scan"


def test_a_scheme_beside_fsl_brings_its_timings(scan: Path) -> None:
    b, vectors = gradients()
    write_fsl(scan.parent, b, fsl_vectors(vectors, AFFINE))
    scheme(scan.parent / "scan_dwi.scheme")
    table, findings = table_of(scan)
    assert table.timings == DELTA
    assert {f.code for f in findings} == {"gradients-read"}


def test_files_that_disagree_are_said(scan: Path) -> None:
    b, vectors = gradients()
    write_fsl(scan.parent, b, fsl_vectors(vectors, AFFINE))
    write_mrtrix(scan.parent, b, vectors[:, [1, 0, 2]])
    table, findings = table_of(scan)
    told = [f.message for f in findings if f.code == "gradient-files-disagree"]
    assert len(told) == 1
    assert "° apart" in told[0]
    assert "scan_dwi.bval and scan_dwi.bvec are used" in told[0]
    assert np.allclose(table.directions, table_of(scan)[0].directions)


# ---------------------------------------------------------------- timings


def test_timings_from_the_sidecar(scan: Path) -> None:
    b, vectors = gradients()
    write_fsl(scan.parent, b, vectors)
    write_sidecar(scan.parent, EchoTime=0.0715)
    table, findings = table_of(scan)
    assert table.timings is None
    assert "no-gradient-timings" in {f.code for f in findings}
    write_sidecar(scan.parent, EchoTime=0.057, SmallDelta=0.0129, BigDelta=0.0218)
    assert table_of(scan)[0].timings == DELTA
    given, findings = table_of(scan, small_delta=10.0, big_delta=30.0)
    assert given.timings == Timings(0.010, 0.030, 0.057)
    assert {f.code for f in findings} == {"gradients-read"}


@pytest.mark.parametrize(
    ("fields", "small", "big"),
    [
        ({"SmallDelta": 0.01, "LargeDelta": 0.03}, 0.01, 0.03),
        ({"small_delta": 10.0, "big_delta": 30.0}, 0.01, 0.03),
        ({"PVM_DwGradDur": [4.0], "PVM_DwGradSep": [12.0]}, 0.004, 0.012),
    ],
)
def test_names_of_timings_that_are_met(tmp_path: Path, fields, small: float, big: float) -> None:
    write_sidecar(tmp_path, "x", **fields)
    timings, _ = sidecar_timings(tmp_path / "x.json")
    assert timings is not None
    assert np.allclose([timings.small_delta, timings.big_delta], [small, big])


@pytest.mark.parametrize("bad", ["[1]", "", "{", '{"EchoTime": "soon"}', '{"SmallDelta": true}'])
def test_a_sidecar_that_tells_nothing_stops_nothing(scan: Path, bad: str) -> None:
    b, vectors = gradients()
    write_fsl(scan.parent, b, vectors)
    (scan.parent / "scan_dwi.json").write_text(bad)
    assert table_of(scan)[0].timings is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"small_delta": 10.0}, "Δ was not given"),
        ({"small_delta": 0.01, "big_delta": 0.03}, "in milliseconds, not in seconds"),
        ({"small_delta": 40.0, "big_delta": 30.0}, "cannot be timings"),
        ({"small_delta": float("nan"), "big_delta": 30.0}, "cannot be timings"),
    ],
)
def test_timings_that_cannot_be(scan: Path, given: dict[str, float], said: str) -> None:
    write_fsl(scan.parent, *gradients())
    with pytest.raises(ParameterError, match=said):
        table_of(scan, **given)


def test_a_sidecars_timings_that_cannot_be_are_refused_unless_others_are_given(scan: Path) -> None:
    write_fsl(scan.parent, *gradients())
    write_sidecar(scan.parent, SmallDelta=0.03, BigDelta=0.01)
    with pytest.raises(ParameterError, match=r"scan_dwi\.json.*in seconds"):
        table_of(scan)
    table, findings = table_of(scan, small_delta=10.0, big_delta=30.0)
    assert table.timings == Timings(0.010, 0.030)
    assert "unreadable" in {f.code for f in findings}


# ---------------------------------------------------------------- faults


def lines(values: np.ndarray) -> str:
    return "\n".join(" ".join(f"{v:.6g}" for v in row) for row in np.atleast_2d(values))


def faults() -> dict[str, tuple[dict[str, str | bytes], str, str]]:
    """Contents of files, the file that the error names, and what it says."""
    b, vectors = gradients()
    bval, bvec = lines(b), lines(vectors.T)
    long = vectors.copy()
    long[5] *= 1.2
    nan = vectors.copy()
    nan[5, 1] = np.nan
    weighted = np.where(b[:, None] > 0, vectors, [1.0, 0.0, 0.0])
    missing = b.copy()
    missing[4] = np.nan
    fsl = {"scan_dwi.bval": bval, "scan_dwi.bvec": bvec}
    vec, val = "scan_dwi.bvec", "scan_dwi.bval"
    row = lines(np.column_stack([vectors, b]))
    return {
        "nothing": ({}, "scan_dwi.nii", "no file beside it tells its gradients"),
        "no directions": ({val: bval}, "scan_dwi.nii", "none of directions"),
        "no b": ({vec: bvec}, "scan_dwi.nii", "none of b-values"),
        "empty b": ({**fsl, val: ""}, val, "empty"),
        "empty directions": ({**fsl, vec: " \n\n"}, vec, "empty"),
        "words": ({**fsl, val: "b1 b2 b3"}, val, "'b1'"),
        "no text": ({**fsl, vec: b"\x00\x01\xff\xfe"}, vec, "no text file"),
        "infinite": ({**fsl, val: bval.replace("1000", "inf", 1)}, val, "infinite"),
        "fewer directions": ({**fsl, vec: lines(vectors[:-1].T)}, vec, "13 directions"),
        "both shorter": (
            {val: lines(b[:-1]), vec: lines(vectors[:-1].T)},
            "scan_dwi.nii",
            "13 gradients and the scan has 14 volumes",
        ),
        "swapped files": ({val: bvec, vec: bval}, val, "3 rows of 14 numbers"),
        "b as directions": ({val: bval, vec: bval}, vec, "1 rows of 14 numbers"),
        "uneven rows": ({**fsl, vec: bvec + " 1"}, vec, "equally many"),
        "no unit vector": ({**fsl, vec: lines(long.T)}, vec, "volume 6, b = 1000: length 1.2"),
        "zero vector": ({**fsl, vec: lines(0 * vectors.T)}, vec, "not unit vectors"),
        "nan direction": ({**fsl, vec: lines(nan.T)}, vec, "direction of volume 6"),
        "nan b": ({**fsl, val: lines(missing)}, val, "b-value of volume 5 is no number"),
        "negative b": ({**fsl, val: lines(-b)}, val, "negative"),
        "no b0": ({val: lines(b + 900), vec: lines(weighted.T)}, val, "lowest b-value is 900"),
        "five columns": ({"scan_dwi.b": row.replace("\n", " 1\n")}, "scan_dwi.b", "equally many"),
        "mrtrix of three": ({"scan_dwi.b": lines(vectors)}, "scan_dwi.b", "four"),
        "no version": ({"scan_dwi.scheme": row}, "scan_dwi.scheme", "VERSION: STEJSKALTANNER"),
        "other version": (
            {"scan_dwi.scheme": "VERSION: TRSE\n" + row}, "scan_dwi.scheme", "TRSE",
        ),
        "short scheme": (
            {"scan_dwi.scheme": "VERSION: STEJSKALTANNER\n" + row}, "scan_dwi.scheme", "has 7",
        ),
        "several TE": (
            {"scan_dwi.scheme": "VERSION: 1\n1 0 0 .06 .03 .01 .07\n0 1 0 .06 .03 .01 .08"},
            "scan_dwi.scheme", "several TE",
        ),
        "scheme in ms": (
            {"scan_dwi.scheme": "VERSION: 1\n1 0 0 .06 30 10 70"}, "scan_dwi.scheme", "timings",
        ),
    }  # fmt: skip


@pytest.mark.parametrize("name", list(faults()))
def test_each_fault_is_one_error_that_names_the_file(scan: Path, name: str) -> None:
    contents, where, said = faults()[name]
    for file, content in contents.items():
        data = content.encode() if isinstance(content, str) else content
        (scan.parent / file).write_bytes(data)
    with pytest.raises((ReadError, ParameterError)) as error:
        table_of(scan)
    assert said in error.value.what or said in (error.value.remedy or ""), error.value
    assert (error.value.where or "").endswith(where)
    assert error.value.remedy
    assert "\n" not in str(error.value)


def test_rounded_vectors_are_scaled_and_said(scan: Path) -> None:
    b, vectors = gradients()
    write_fsl(scan.parent, b, 1.01 * vectors)
    table, findings = table_of(scan)
    assert "directions-not-unit" in {f.code for f in findings}
    assert np.allclose(np.linalg.norm(table.directions[b > 0], axis=1), 1)


def test_files_of_any_bytes_end_in_one_error_or_a_table(scan: Path) -> None:
    """Nothing but SparseExplainError comes out of damaged files."""
    b, vectors = gradients()
    rng = np.random.default_rng(0)
    good = {"bval": lines(b).encode(), "bvec": lines(vectors.T).encode()}
    volume = se.open_study(scan)["dwi"]
    for trial in range(150):
        for ending, content in good.items():
            data = bytearray(content)
            for _ in range(int(rng.integers(0, 4))):
                at = int(rng.integers(len(data)))
                data[at : at + int(rng.integers(0, 9))] = bytes(rng.integers(0, 256, trial % 5))
            (scan.parent / f"scan_dwi.{ending}").write_bytes(bytes(data))
        try:
            table, _ = gradient_table_of(volume)
        except SparseExplainError:
            continue
        assert len(table) == 14


def test_a_scan_without_directions_is_refused(tmp_path: Path) -> None:
    write_scan(tmp_path, np.ones((3, 3, 3)), AFFINE, "t1")
    with pytest.raises(SparseExplainError, match="several volumes along one axis"):
        table_of(tmp_path / "t1.nii")
    arrays = se.study_of_arrays({"flair": np.zeros((4, 8, 8))})
    with pytest.raises(SparseExplainError):
        gradient_table_of(arrays["flair"])
