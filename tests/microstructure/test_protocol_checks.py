"""What is said of a protocol and its signals, and that nothing is said of a good one."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from napari_sparseexplain.errors import ParameterError
from napari_sparseexplain.microstructure.gradient_table import (
    HCP_MGH,
    GradientTable,
    shell_protocol,
)
from napari_sparseexplain.microstructure.protocol import checks, dipy_extra
from napari_sparseexplain.microstructure.protocol.checks import protocol_findings
from napari_sparseexplain.microstructure.protocol.coherence import signed_permutations
from napari_sparseexplain.microstructure.protocol.finding_weight import heaviest_first, says_noise
from napari_sparseexplain.volumes.finding import Finding

from .diffusion_scans import fibre_signals

GOOD = shell_protocol([(0, 6), (1000, 30), (2500, 30)], HCP_MGH)


def bundles(size: int = 22, count: int = 14) -> np.ndarray:
    """Straight bundles (S, P, L) two voxels thick across a block; zero beside them."""
    rng = np.random.default_rng(4)
    middle = (size - 1) / 2
    places = np.stack(np.meshgrid(*[np.arange(size) - middle] * 3, indexing="ij"), -1)
    fibres = np.zeros((size, size, size, 3))
    for _ in range(count):
        along = rng.standard_normal(3)
        along /= np.linalg.norm(along)
        start = rng.uniform(-middle, middle, 3)
        inside = np.linalg.norm(np.cross(places - start, along), axis=-1) < 1.9
        fibres[inside] = along
    return fibres


@cache
def measured(b0: int = 6, high: float = 2500.0, sigma: float = 10.0) -> np.ndarray:
    """Signals of the bundles with Rician noise."""
    table = GOOD if high == 2500.0 else shell_protocol([(0, b0), (1000, 20), (high, 20)], None)
    clean = fibre_signals(bundles(), table.b, table.directions)
    noise = np.random.default_rng(0).normal(0, sigma, (2, *clean.shape))
    signals = np.hypot(clean + noise[0], noise[1]).astype(np.float32)
    signals.setflags(write=False)
    return signals


def codes(table: GradientTable, *given, **more) -> set[str]:
    return {f.code for f in protocol_findings(table, *given, **more)}


def test_nothing_is_said_of_a_good_scan() -> None:
    pytest.importorskip("dipy")
    found = codes(GOOD, measured(), sigma=10.0)
    assert found <= {"directions-half-sphere"}


def test_counts_and_shells() -> None:
    assert codes(shell_protocol([(0, 1), (1000, 30), (2000, 30)], None)) == {"few-unweighted"}
    one = protocol_findings(shell_protocol([(0, 4), (1000, 30)], None))
    assert [f.code for f in one] == ["single-shell"]
    assert "cannot be estimated" in one[0].message
    assert "few-directions" in codes(shell_protocol([(0, 4), (1000, 30), (2000, 4)], None))


def test_directions() -> None:
    table = shell_protocol([(0, 2), (1000, 20), (2000, 20)], None)
    doubled = GradientTable(
        np.concatenate([table.b, table.b]), np.concatenate([table.directions, -table.directions])
    )
    found = {f.code: f for f in protocol_findings(doubled)}
    assert "40 volumes repeat" in found["directions-repeat"].message
    assert "directions-half-sphere" not in found, "a direction and its opposite are on both sides"
    half = np.where(table.directions[:, :1] < 0, -table.directions, table.directions)
    assert "directions-half-sphere" in codes(GradientTable(table.b, half))
    angle = np.linspace(0, np.pi, 20, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle), 0 * angle], 1)
    b = np.r_[0, 0, np.full(20, 1000.0)]
    flat = GradientTable(b, np.concatenate([np.zeros((2, 3)), ring]))
    assert "directions-in-a-plane" in codes(flat)


def test_directions_that_hardly_tell_a_tensor() -> None:
    """Nearly on one cone: a condition number far above that of spread directions (1.3 to 3)."""
    angle = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    low = 0.577 * np.where(np.arange(20) % 2, 1.03, 0.97)
    cone = np.stack([np.cos(angle), np.sin(angle), low], 1)
    cone /= np.linalg.norm(cone, axis=1, keepdims=True)
    b = np.r_[0, 0, np.full(20, 1000.0)]
    table = GradientTable(b, np.concatenate([np.zeros((2, 3)), cone]))
    assert "directions-badly-spread" in codes(table)
    assert "directions-badly-spread" not in codes(GOOD)


def test_a_volume_that_lost_its_signal_is_named() -> None:
    bad = measured().copy()
    bad[..., 20] *= 0.7
    bad[..., 2] *= 1.3
    said = [f for f in protocol_findings(GOOD, bad) if f.code == "outlier-volumes"]
    assert len(said) == 1
    assert "3 (+30 %), 21 (-29 %)" in said[0].message


def test_values_that_no_magnitude_has() -> None:
    bad = measured().copy()
    mask = np.linalg.norm(bundles(), axis=-1) > 0
    inside = np.argwhere(mask)
    bad[(*inside[0], 5)] = np.nan
    bad[(*inside[1], 6)] = 0
    bad[(*inside[2], 7)] = -3
    found = {f.code: f.message for f in protocol_findings(GOOD, bad, mask=mask)}
    assert found["signal-not-finite"].startswith("1 voxel ")
    assert found["signal-not-positive"].startswith("2 voxels ")


def test_a_shell_in_the_noise_is_named() -> None:
    table = shell_protocol([(0, 4), (1000, 20), (10000, 20)], None)
    noisy = measured(4, 10000.0, 100.0)
    said = [f for f in protocol_findings(table, noisy, sigma=100.0) if f.code == "below-noise"]
    assert len(said) == 1
    assert "b = 10000" in said[0].message
    with pytest.raises(ParameterError, match="no noise level"):
        protocol_findings(table, noisy, sigma=0.0)


def test_each_flip_and_swap_is_proposed_and_never_applied() -> None:
    """Schilling et al. 2019: with wrong axes fibres no longer run on from voxel to voxel."""
    pytest.importorskip("dipy")
    from napari_sparseexplain.microstructure.protocol.coherence import gradient_axes_check
    from napari_sparseexplain.microstructure.protocol.tensor import fit_tensor

    ways = signed_permutations()
    right = fit_tensor(GOOD, measured())
    for number, way in enumerate(ways):
        # A tensor turns as its gradients do: of four ways that is fitted, of the others taken.
        wrong = GOOD.rotated(way)
        maps = replace(right, directions=(right.directions @ way.T).astype(np.float32))
        if number in (1, 9, 17):
            block = np.s_[8:14, 8:14]
            fitted = fit_tensor(wrong, measured()[block])
            anisotropic = right.fa[block] > 0.3
            cosine = abs((fitted.principal * maps.principal[block]).sum(axis=-1))[anisotropic]
            assert cosine.size > 100
            assert cosine.min() > 0.999
        before = wrong.directions.copy()
        check = gradient_axes_check(maps)
        back = check.matrix @ way
        assert np.allclose(back, np.eye(3) * back[0, 0]), "a line has no sign"
        assert check.proposes == (number > 0)
        assert np.array_equal(wrong.directions, before)


def test_nothing_is_proposed_from_noise() -> None:
    pytest.importorskip("dipy")
    from napari_sparseexplain.microstructure.protocol.coherence import gradient_axes_check
    from napari_sparseexplain.microstructure.protocol.tensor import TensorMaps

    for seed in range(12):
        rng = np.random.default_rng(seed)
        vectors = rng.standard_normal((14, 14, 14, 3, 3)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
        fa = rng.uniform(0.2, 0.9, (14, 14, 14)).astype(np.float32)
        maps = TensorMaps(0 * vectors[..., 0], vectors, fa, fa, np.arange(3))
        assert not gradient_axes_check(maps).proposes


def test_what_makes_results_worthless_stands_before_what_blurs_them() -> None:
    codes = ("few-unweighted", "new", "single-shell", "directions-badly-spread", "gradient-axes")
    found = heaviest_first([Finding("warning", code, code) for code in codes])
    assert [f.code for f in found] == [
        "directions-badly-spread", "gradient-axes", "single-shell", "few-unweighted", "new",
    ]  # fmt: skip
    flat = GOOD.directions * (1, 1, 0.14)
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)
    notes = [f.message for f in protocol_findings(GradientTable(GOOD.b, flat))]
    assert says_noise(notes)
    assert not says_noise(f.message for f in protocol_findings(GOOD))


def test_words_of_a_proposal() -> None:
    pytest.importorskip("dipy")
    wrong = GOOD.rotated(np.diag([1.0, 1.0, -1.0]))
    said = {f.code: f.message for f in protocol_findings(wrong, measured())}["gradient-axes"]
    assert "with left-right flipped" in said
    assert "were not changed" in said


def test_ways_are_24_that_differ_for_lines() -> None:
    ways = signed_permutations()
    assert np.allclose(ways[0], np.eye(3))
    lines = {tuple((np.sign(w[np.nonzero(w)][0]) * w).ravel()) for w in ways}
    assert len(lines) == 24


def test_without_dipy_the_axes_are_not_checked_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checks, "has_dipy", lambda: False)
    said = [f for f in protocol_findings(GOOD, measured()) if f.code == "gradient-axes-not-checked"]
    assert "[diffusion]" in said[0].message
    monkeypatch.setattr(dipy_extra, "has_dipy", lambda: False)
    dipy_extra.dipy_module.cache_clear()
    from napari_sparseexplain.errors import SparseExplainError
    from napari_sparseexplain.microstructure.protocol.tensor import fit_tensor

    with pytest.raises(SparseExplainError, match=r"napari-sparseexplain\[diffusion\]"):
        fit_tensor(GOOD, measured())
    dipy_extra.dipy_module.cache_clear()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"signals": np.ones((3, 3, 3, 5))}, "do not go together"),
        ({"signals": np.ones((2, 66)), "mask": np.zeros(2)}, "holds no voxel"),
        ({"signals": np.ones((2, 66)), "mask": np.ones(3)}, "the mask has the shape"),
        ({"signals": np.zeros((2, 66))}, "no voxel has a signal"),
        ({"signals": np.full((2, 66), np.nan)}, "no voxel has a signal"),
    ],
)
def test_what_does_not_go_together_is_refused(given, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        protocol_findings(GOOD, **given)


def test_voxels_without_neighbours_are_checked_but_for_the_axes() -> None:
    voxels = measured().reshape(-1, len(GOOD))
    assert not {c for c in codes(GOOD, voxels) if c.startswith("gradient-axes")}
