"""The method *tensor*: the same of a fibre however its scan is stored, shown beside what else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from napari.layers import Layer

import napari_sparseexplain as se
from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.export.pictures.compositor import PictureSize, compose
from napari_sparseexplain.layers.canvas.probe import value_at
from napari_sparseexplain.layers.explanation_layers import explanation_layers
from napari_sparseexplain.layers.layer_overlays import layer_parts
from napari_sparseexplain.layers.review_keys import ReviewKeys
from napari_sparseexplain.review.default_review import default_reading, map_overlay
from napari_sparseexplain.review.store import restore_review, save_review

from ..microstructure.diffusion_scans import (
    AXIAL,
    RADIAL,
    fibre_signals,
    fsl_vectors,
    gradients,
    rotation,
    spl,
    write_fsl,
    write_scan,
)
from ..microstructure.test_gradient_axes import FIBRE, ORIENTATIONS

pytest.importorskip("dipy")

SHAPE = (5, 6, 7)
FA = float(
    np.sqrt(1.5)
    * np.linalg.norm(np.array([AXIAL, RADIAL, RADIAL]) - (AXIAL + 2 * RADIAL) / 3)
    / np.linalg.norm([AXIAL, RADIAL, RADIAL])
)


def one_fibre(folder: Path, affine: np.ndarray) -> Path:
    """A block with the fibre everywhere, its middle at the origin; one shell without timings."""
    affine = affine.copy()
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(SHAPE) - 1) / 2)
    b, vectors = gradients()
    signals = fibre_signals(np.broadcast_to(FIBRE, (*SHAPE, 3)), b, vectors)
    write_scan(folder, signals, affine)
    write_fsl(folder, b, fsl_vectors(vectors, affine))
    return folder


def checked(found: Any, expected: np.ndarray) -> int:
    """Each voxel that was fitted has FA, MD, direction and colours of the fibre; how many."""
    values = {item.name: np.asarray(item.data) for item in found.maps}
    there = np.isfinite(values["fa"])
    np.testing.assert_allclose(values["fa"][there], FA, atol=1e-4)
    np.testing.assert_allclose(values["md"][there], 1e3 * (AXIAL + 2 * RADIAL) / 3, rtol=1e-4)
    ways = np.stack([values[f"direction-1-{axis}"][there] for axis in "spl"], axis=-1)
    np.testing.assert_allclose(abs(ways @ expected), 1, atol=1e-5)
    colours = values["colours"]
    assert np.allclose(colours[there] / 255, abs(expected[::-1]) * FA, atol=0.006)
    assert not colours[~there].any()
    return int(there.sum())


def test_a_fibre_is_the_same_in_every_orientation(tmp_path: Path) -> None:
    """All 48 are in `test_gradient_axes`, of the table and the fit; here through the method."""
    for number, affine in enumerate(ORIENTATIONS[::6]):
        study = se.open_study(one_fibre(tmp_path / str(number), affine))
        found = se.explain(study, None, "tensor", slices=study.grid.shape[0] // 2)
        assert checked(found, spl(FIBRE)) == np.prod(study.grid.shape[1:])


def test_a_tilted_scan_is_the_same_in_the_patients_axes(tmp_path: Path) -> None:
    affine = ORIENTATIONS[11].copy()
    affine[:3, :3] = rotation((1, 2, 0), 18.0) @ affine[:3, :3]
    folder = one_fibre(tmp_path, affine)
    alone = se.explain(se.open_study(folder), None, "tensor")
    own = se.open_study(folder).grid
    checked(alone, np.linalg.inv(own.affine[:3, :3] / own.spacing) @ FIBRE)
    study = se.open_study(folder, patient_axes=True)
    assert study.originals
    found = se.explain(study, None, "tensor")
    assert checked(found, spl(FIBRE)) > 0
    assert found.scores["voxels"] <= np.prod(SHAPE), "each voxel of the scan once"


def test_beside_another_scan_it_is_told_along_that_scans_axes(tmp_path: Path) -> None:
    folder = one_fibre(tmp_path, ORIENTATIONS[29])
    tilt = rotation((0, 1, 1), 25.0)
    affine = np.eye(4)
    affine[:3, :3] = tilt @ np.diag([-1.0, -1.0, 1.0])
    affine[:3, 3] = -affine[:3, :3] @ (11.5, 11.5, 11.5)
    anatomy = np.random.default_rng(0).uniform(50, 99, (24, 24, 24)).astype(np.float32)
    nib.save(nib.Nifti1Image(anatomy, affine), folder / "t1.nii.gz")
    study = se.open_study(folder, reference="t1")
    found = se.explain(study, None, "tensor", slices=slice(10, 14))
    grid = study.grid
    expected = np.linalg.inv(grid.affine[:3, :3] / grid.spacing) @ FIBRE
    assert checked(found, expected) > 4 * found.scores["voxels"], "a finer grid repeats voxels"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return se.open_study(one_fibre(tmp_path_factory.mktemp("fibre"), ORIENTATIONS[3]))


@pytest.fixture(scope="module")
def explained(study: Any) -> Any:
    return se.explain(study, None, "tensor", slices=slice(1, 3))


def test_one_shell_without_timings_will_do_and_what_it_cannot_tell_is_said(explained: Any) -> None:
    said = " ".join(explained.notes)
    assert "one shell" in said
    assert "no file tells δ and Δ" in said
    assert "where fibres cross" in said
    assert explained.provenance.parameters["scan"] == "dwi"


@pytest.mark.parametrize(
    ("corrected", "said"),
    [("yes", None), ("no", "were not corrected:"), ("not known", "corrected is not known")],
)
def test_whether_motion_was_corrected_is_recorded_and_noted_unless_it_was(
    study: Any, corrected: str, said: str | None
) -> None:
    found = se.explain(study, None, "tensor", slices=1, corrected=corrected)
    notes = [note for note in found.notes if "eddy currents" in note]
    assert [said in note for note in notes] == ([] if said is None else [True])
    assert found.provenance.parameters["corrected"] == corrected


def test_the_record_tells_the_gradients(study: Any, explained: Any, tmp_path: Path) -> None:
    told = explained.provenance.parameters["gradients_checksum"]
    again = se.explain(study, None, "tensor", slices=0)
    assert again.provenance.parameters["gradients_checksum"] == told
    folder = one_fibre(tmp_path, ORIENTATIONS[3])
    b, vectors = gradients()
    vectors[-1] = -vectors[-2]
    write_fsl(folder, b, fsl_vectors(vectors, ORIENTATIONS[3]))
    other = se.explain(se.open_study(folder), None, "tensor", slices=0)
    assert other.provenance.parameters["gradients_checksum"] != told


def test_a_denoised_scan_is_nearer_to_the_truth_and_that_is_said(tmp_path: Path) -> None:
    b, vectors = gradients(((1000.0, 20),))
    clean = fibre_signals(np.broadcast_to(FIBRE, (*SHAPE, 3)), b, vectors)
    noise = np.random.default_rng(0).normal(0, 60, (2, *clean.shape))
    write_scan(tmp_path, np.hypot(clean + noise[0], noise[1]), ORIENTATIONS[0])
    write_fsl(tmp_path, b, fsl_vectors(vectors, ORIENTATIONS[0]))
    study = se.open_study(tmp_path)
    spread = {}
    for denoise in (False, True):
        found = se.explain(study, None, "tensor", denoise=denoise)
        spread[denoise] = np.nanstd(np.asarray(found["fa"].data))
        assert any("denoised before (MP-PCA" in note for note in found.notes) is denoise
        assert found.provenance.parameters["denoise"] is denoise
    assert spread[True] < 0.6 * spread[False]


def test_colours_come_back_from_disk(explained: Any, study: Any, tmp_path: Path) -> None:
    se.save_explanation(explained, study, tmp_path)
    back = se.load_explanation(tmp_path, on=study)
    for item in explained.maps:
        np.testing.assert_array_equal(np.asarray(back[item.name].data), np.asarray(item.data))
    assert back["colours"].classes == explained["colours"].classes
    written = nib.load(tmp_path / "tensor_colours.nii.gz")
    assert written.get_data_dtype().fields is not None, "RGB, as viewers know it"


def test_colours_are_drawn_as_they_are(explained: Any, study: Any, tmp_path: Path) -> None:
    """In the picture of a review, saved and restored; with what the three stand for."""
    reading = default_reading(study, {"tensor": explained})
    panel = next(p for p in reading.review.panels if p.overlays)
    assert panel.overlays[0].name == "colours"
    alone = reading.with_review(replace(reading.review, panels=(panel,)))
    picture = compose(alone, PictureSize(300, 400))
    wanted = np.asarray(explained["colours"].data)[0, 2, 2]
    pixels = np.asarray(picture.image).reshape(-1, 3)
    assert (pixels == wanted).all(axis=1).mean() > 0.2
    (entry,) = picture.record["panels"][0]["overlays"]
    assert "left-right" in str(entry)
    save_review(alone, tmp_path / "review", arrays=True)
    again = compose(restore_review(tmp_path / "review"), PictureSize(300, 400))
    colours = np.asarray(again.image).reshape(-1, 3)
    assert (colours == wanted).all(axis=1).mean() > 0.2


def test_colours_are_a_layer_in_colour(explained: Any, study: Any) -> None:
    ((data, options, kind),) = explanation_layers(explained, study, ["colours"])
    assert kind == "image"
    assert options["rgb"]
    assert data.shape == (2, *study.grid.shape[1:], 3)
    layer = Layer.create(data, options, kind)
    (part,) = layer_parts(layer, (0.0, 0.0, 0.0), ReviewKeys())
    assert part == map_overlay(part.key, explained, explained["colours"], alone=True)
    assert value_at(layer, (0.0, 0.0, 0.0)) is None
    explained.plot(1)


def test_directions_that_tell_no_tensor_are_refused(tmp_path: Path) -> None:
    b, vectors = gradients(((1000.0, 5),))
    signals = fibre_signals(np.broadcast_to(FIBRE, (*SHAPE, 3)), b, vectors)
    affine = ORIENTATIONS[0]
    write_scan(tmp_path, signals, affine)
    write_fsl(tmp_path, b, fsl_vectors(vectors, affine))
    with pytest.raises(SparseExplainError, match="six directions"):
        se.explain(se.open_study(tmp_path), None, "tensor")


@pytest.mark.realdata
def test_a_real_scan_of_one_shell(shared_data: Path) -> None:
    study = se.open_study(shared_data / "diffusion" / "uih_dti")
    scans = list(study.images)
    with pytest.raises(SparseExplainError, match="have gradients"):
        se.explain(study, None, "tensor", slices=9)
    found = se.explain(study, None, "tensor", slices=9, scan=scans[0])
    fa, md = (np.asarray(found[name].data) for name in ("fa", "md"))
    assert 0.1 < np.nanmedian(fa) < 0.3
    assert 0.6 < np.nanmedian(md) < 1.2, "10⁻³ mm²/s of tissue"
