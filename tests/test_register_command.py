"""`sparseexplain register`: what it writes, and that nothing is half written or named."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from napari_sparseexplain.volumes.registration.rigid_motion import itk_text, rigid_motion
from napari_sparseexplain.volumes.registration.transform_files import read_transform

from .command_line import run

#: Voxels of 4 mm, RAS; the prior lies 8 mm to the left of the current scan.
AFFINE = np.diag([4.0, 4.0, 4.0, 1.0])
SHIFT = rigid_motion((0, 0, 0), (8, 0, 0))


def write(folder: Path, roll: int) -> Path:
    """A textured box with a bright cube and its mask."""
    folder.mkdir(parents=True)
    texture = np.random.default_rng(0).uniform(100, 200, (24, 26, 16))
    head = np.zeros((32, 34, 20))
    head[4:28, 4:30, 2:18] = texture
    lesion = np.zeros(head.shape)
    lesion[12:16, 12:16, 8:12] = 1
    for name, array in (("flair", head + 200 * lesion), ("seg", lesion)):
        dtype = "u1" if name == "seg" else "i2"
        image = nib.Nifti1Image(np.roll(array, -roll, axis=0).astype(dtype), AFFINE)  # type: ignore[attr-defined]
        nib.save(image, folder / f"sub-Smith_{name}.nii.gz")  # type: ignore[attr-defined]
    return folder


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Prior and current."""
    root = tmp_path_factory.mktemp("pair")
    return write(root / "2023-01-31", 2), write(root / "2024-01-31", 0)


def test_a_prior_is_laid_on_the_current_grid_by_a_transform_and_named_by_role(
    studies: tuple[Path, Path], tmp_path: Path
) -> None:
    transform, out = tmp_path / "by_another_program.tfm", tmp_path / "out"
    transform.write_text(itk_text(SHIFT))
    done = run("register", *studies, "--out", out, "--transform", transform)
    assert done.returncode == 0, done.stderr
    assert "100 % of the prior's edges" in done.stdout
    names = ["check.png", "prior_flair.nii.gz", "prior_seg.nii.gz"]
    assert sorted(p.name for p in out.iterdir()) == sorted(
        [*names, "prior_to_current.tfm", "registration.json"]
    )
    current, prior = (
        nib.load(p).get_fdata()  # type: ignore[attr-defined]
        for p in (studies[1] / "sub-Smith_seg.nii.gz", out / "prior_seg.nii.gz")
    )
    np.testing.assert_array_equal(prior, current)
    assert np.linalg.inv(read_transform(out / "prior_to_current.tfm").matrix) == pytest.approx(
        SHIFT
    )
    facts = json.loads((out / "registration.json").read_text())
    assert facts["prior_to_current_ras_mm"][0][3] == pytest.approx(8)
    written = (out / "registration.json").read_text() + str(Image.open(out / "check.png").info)
    assert not any(word in written for word in ("Smith", "2023", str(tmp_path)))
    # A second time nothing is overwritten unless asked for.
    again = run("register", *studies, "--out", out, "--transform", transform)
    assert again.returncode == 1
    assert "--overwrite" in again.stderr


def test_a_transform_that_mirrors_ends_in_one_line_and_writes_nothing(
    studies: tuple[Path, Path], tmp_path: Path
) -> None:
    transform, out = tmp_path / "t.tfm", tmp_path / "out"
    transform.write_text(itk_text(np.diag([-1.0, 1, 1, 1])))
    done = run("register", *studies, "--out", out, "--transform", transform)
    assert done.returncode == 1
    assert "mirrors the patient" in done.stderr
    assert not out.exists()
