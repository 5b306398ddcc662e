"""Phantoms: tissues add up, labels follow the recipe, signals follow physics, bytes repeat."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.phantom import anatomy as phantom_anatomy
from napari_sparseexplain.phantom.deformation import push_aside
from napari_sparseexplain.phantom.geometry import (
    LESION_FRACTION,
    TISSUES,
    PhantomGeometry,
    make_geometry,
)
from napari_sparseexplain.phantom.intensity_range import brain_sample, rendered_range
from napari_sparseexplain.phantom.noise import smooth_noise
from napari_sparseexplain.phantom.rendering import draw_appearance, render_slices
from napari_sparseexplain.phantom.signal import (
    FLAIR_NULL_MS,
    Sequence,
    draw_sequences,
    draw_tissues,
    tissue_signals,
)
from napari_sparseexplain.phantom.studies import make_phantom, phantom_shape, write_phantoms
from napari_sparseexplain.progress import drain
from napari_sparseexplain.volumes.brain_mask import brain_mask
from napari_sparseexplain.volumes.intensity.brain_range import brain_range
from napari_sparseexplain.volumes.opening.sample import sample_path

COARSE = {"spacing_mm": 3.75, "shape": (48, 64, 64)}


@pytest.fixture(scope="module")
def geometry() -> PhantomGeometry:
    return make_geometry(np.random.default_rng(3), tumours=1, **COARSE)


def test_tissues_share_every_voxel_of_the_brain(geometry: PhantomGeometry) -> None:
    total = geometry.fractions[:7].sum(axis=0)
    np.testing.assert_allclose(total[geometry.brain], 1.0, atol=1e-5)
    assert np.all(total[~geometry.brain] == 0)
    assert geometry.fractions.min() >= 0


def test_labels_are_where_the_lesion_fraction_exceeds_the_recipes(
    geometry: PhantomGeometry,
) -> None:
    lesion = geometry.fractions[4:7].sum(axis=0)
    labels = geometry.labels[geometry.box]
    np.testing.assert_array_equal(labels > 0, (lesion > LESION_FRACTION) & geometry.brain)
    assert (labels > 0).any()
    assert set(np.unique(geometry.labels)) <= {0, 1, 2, 4}


def test_no_tumour_gives_no_label() -> None:
    healthy = make_geometry(np.random.default_rng(3), tumours=0, **COARSE)
    assert not healthy.labels.any()
    assert not healthy.fractions[4:7].any()


@pytest.mark.parametrize("length", [3.0, 12.0])
def test_noise_is_standard_and_longer_features_are_smoother(length: float) -> None:
    rng = np.random.default_rng(0)
    fields = np.stack([smooth_noise(rng, (60, 60, 60), (1.0,) * 3, length) for _ in range(8)])
    assert abs(fields.mean()) < 0.2
    assert fields.std() == pytest.approx(1.0, abs=0.1)
    # Kernel of 0.7 lengths: E (df)^2 = 1 / (2 (0.7 L)^2) for a Gaussian kernel.
    slope = float(np.square(np.diff(fields, axis=1)).mean())
    assert slope == pytest.approx(1.0 / (2.0 * (0.7 * length) ** 2), rel=0.35)


def test_mass_effect_keeps_the_order_of_what_it_pushes() -> None:
    """The radial map must not fold, or tissue would show twice."""
    radii = np.linspace(0.5, 120.0, 400, dtype=np.float32)
    points = np.stack([radii, np.zeros_like(radii), np.zeros_like(radii)])
    seen = push_aside(
        points,
        points,
        np.full_like(radii, 40.0),
        centre_mm=np.zeros(3),
        radius_mm=20.0,
        strength=0.45,
    )
    assert np.all(np.diff(seen[0]) > 0)
    assert np.all(seen[0] <= radii)


def test_flair_nulls_csf_at_the_null_of_its_t1() -> None:
    """TI = T1 ln(2 / (1 + exp(-TR / T1))) makes the inversion-recovery signal zero."""
    tissues = draw_tissues(np.random.default_rng(0))
    csf = TISSUES.index("csf")
    tissues.t1[csf] = FLAIR_NULL_MS
    ti = FLAIR_NULL_MS * np.log(2.0 / (1.0 + np.exp(-9000.0 / FLAIR_NULL_MS)))
    signal = tissue_signals(tissues, Sequence(9000.0, 120.0, ti), contrast_agent=False)
    assert signal[csf] == pytest.approx(0.0, abs=1e-6)


def test_contrasts_are_those_of_the_clinic() -> None:
    """Fluid and agent always show; grey and white part in most draws, as ranges do overlap."""
    parted = {"t1": 0, "t2": 0}
    for seed in range(100):
        rng = np.random.default_rng(seed)
        tissues, sequences = draw_tissues(rng), draw_sequences(rng)
        t1, t1ce, t2, flair = (
            dict(
                zip(
                    TISSUES,
                    tissue_signals(tissues, sequences[role], contrast_agent=role == "t1ce"),
                    strict=True,
                )
            )
            for role in ("t1", "t1ce", "t2", "flair")
        )
        assert t1["csf"] < min(t1["gm"], t1["wm"])
        assert t2["csf"] > max(t2["gm"], t2["wm"], t2["oedema"])
        assert flair["oedema"] > flair["wm"] > flair["csf"]
        assert t1ce["enhancing"] > 1.2 * t1["enhancing"]
        parted["t1"] += t1["wm"] > t1["gm"]
        parted["t2"] += t2["gm"] > t2["wm"]
    assert min(parted.values()) >= 85


def test_range_of_a_slice_is_that_of_its_volume(geometry: PhantomGeometry) -> None:
    """A slice rendered alone is normalised as the whole scan would be at inference."""
    rng = np.random.default_rng(5)
    sample = brain_sample(geometry, rng)
    ratios = []
    for _ in range(6):
        appearance = draw_appearance(rng)
        quiet = replace(
            appearance.acquisition, gain_spread=0.0, crop=((0.0, 0.0),) * 3, remnants=0.0
        )
        appearance = replace(appearance, acquisition=quiet)
        volume = render_slices(geometry, appearance, rng, ("flair",))["flair"]
        low, high = brain_range(volume, volume > 0)
        estimate = rendered_range(sample, appearance, rng, "flair")
        ratios.append((estimate[1] - estimate[0]) / (high - low))
    assert np.median(ratios) == pytest.approx(1.0, abs=0.1)


def test_study_is_brats_like() -> None:
    study = make_phantom(4, spacing_mm=5.0, tumours=1)
    assert list(study.images) == ["t1", "t1ce", "t2", "flair"]
    assert study.grid.shape == phantom_shape(5.0)
    flair, labels = study["flair"].data, study["seg"].data
    assert flair.dtype == np.int16
    assert labels.dtype == np.uint8
    assert np.all(flair[labels > 0] > 0)
    assert brain_mask(flair).mean() > 0.05
    for role in study.images:
        np.testing.assert_array_equal(study[role].data > 0, flair > 0)


def test_files_repeat_byte_for_byte_and_lie_as_brats_does(tmp_path: Path) -> None:
    first = drain(write_phantoms(tmp_path / "a", subjects=2, seed=9, spacing_mm=6.0))
    second = drain(write_phantoms(tmp_path / "b", subjects=1, seed=9, spacing_mm=6.0))
    names = sorted(p.name for p in first[0].iterdir())
    assert names == [f"Phantom-00000_{r}.nii.gz" for r in ("flair", "seg", "t1", "t1ce", "t2")]
    for name in names:
        assert (first[0] / name).read_bytes() == (second[0] / name).read_bytes()
    flair = nib.load(first[0] / "Phantom-00000_flair.nii.gz")
    other = nib.load(first[1] / "Phantom-00001_flair.nii.gz")
    assert nib.aff2axcodes(flair.affine) == ("L", "P", "S")
    assert flair.get_data_dtype() == np.int16
    assert not np.array_equal(np.asarray(flair.dataobj), np.asarray(other.dataobj))
    assert "McGill" in (tmp_path / "a" / "NOTICE.txt").read_text(encoding="utf-8")


def test_a_folder_with_phantoms_is_left_alone_unless_told(tmp_path: Path) -> None:
    """Two seeds in one folder would be taken for one set."""

    def made(subjects: int, seed: int, **options: bool) -> list[Path]:
        return drain(
            write_phantoms(tmp_path, subjects=subjects, seed=seed, spacing_mm=6.0, **options)
        )

    made(2, 1)
    (tmp_path / "Phantom-00001" / "report.txt").write_text("mine")
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    with pytest.raises(SparseExplainError, match="holds 2 phantoms already"):
        made(1, 2)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
    (folder,) = made(1, 2, overwrite=True)
    left = {p for p in tmp_path.rglob("*") if p.is_file()}
    assert left == {
        *folder.iterdir(),
        tmp_path / "NOTICE.txt",
        tmp_path / "Phantom-00001" / "report.txt",
    }
    assert all(p.read_bytes() != before[p] for p in folder.iterdir())


def test_file_and_display_hold_the_same_anatomy(tmp_path: Path) -> None:
    (folder,) = drain(write_phantoms(tmp_path, subjects=1, seed=2, spacing_mm=6.0))
    study = make_phantom((2, 0), spacing_mm=6.0)
    stored = np.asarray(nib.load(folder / "Phantom-00000_t1.nii.gz").dataobj)
    np.testing.assert_array_equal(stored.transpose(2, 1, 0), study["t1"].data)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [({"subjects": 0, "seed": 1}, "at least one"), ({"subjects": 1, "seed": -1}, "seed of 0")],
)
def test_impossible_numbers_are_refused(
    tmp_path: Path, arguments: dict[str, int], said: str
) -> None:
    with pytest.raises(SparseExplainError, match=said):
        drain(write_phantoms(tmp_path, **arguments))


def test_impossible_spacing_is_refused() -> None:
    with pytest.raises(SparseExplainError, match="spacing"):
        make_phantom(1, spacing_mm=0.01)


def test_missing_nilearn_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phantom_anatomy, "find_spec", lambda name: None)
    with pytest.raises(SparseExplainError, match=r"\[phantom\]"):
        phantom_anatomy.template_folder()


def test_sample_subject_is_small_and_whole() -> None:
    """At most 12 MB, one enhancing tumour with core and oedema, on one grid."""
    folder = sample_path()
    files = sorted(folder.glob("Phantom-00000_*.nii.gz"))
    assert len(files) == 5
    assert sum(path.stat().st_size for path in files) <= 12_000_000
    images = [nib.load(path) for path in files]
    assert {image.shape for image in images} == {(240, 240, 155)}
    labels = np.asarray(nib.load(folder / "Phantom-00000_seg.nii.gz").dataobj)
    assert set(np.unique(labels)) == {0, 1, 2, 4}
