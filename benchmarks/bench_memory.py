"""Memory that opening a study holds, against one float32 or native copy of each volume."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import nibabel as nib
import numpy as np

from paired_timing import Row

_PROGRAM = """
import tracemalloc
from napari_sparseexplain.volumes import open_study
open_study({warm!r})  # modules that only opening loads are not the study's memory
tracemalloc.start()
study = open_study({path!r})
print(*tracemalloc.get_traced_memory())
"""


def _opened(path: Path, warm: Path) -> tuple[int, int]:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(path=str(path), warm=str(warm))],
        capture_output=True,
        text=True,
        check=True,
    )
    held, peak = done.stdout.split()[-2:]
    return int(held), int(peak)


def measure(repeats: int) -> list[Row]:
    """A study of four int16 volumes, one scaled volume, and an uncompressed 4-D file."""
    rows = []
    rng = np.random.default_rng(0)
    megabyte = 2**20
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        warm = folder / "small_flair.nii.gz"
        nib.save(nib.Nifti1Image(np.ones((8, 8, 8), np.int16), np.eye(4)), warm)
        study = folder / "case"
        study.mkdir()
        shape = (240, 240, 155)
        for role in ("t1", "t1ce", "t2", "flair"):
            noise = rng.integers(0, 500, shape, dtype=np.int16)
            nib.save(nib.Nifti1Image(noise, np.eye(4)), study / f"case_{role}.nii.gz")
        native = 4 * int(np.prod(shape)) * 2
        held, peak = _opened(study, warm)
        rows.append(
            Row(
                "study of four int16 volumes held",
                f"{held / megabyte:.0f} MiB",
                f"native {native / megabyte:.0f} MiB",
                f"{held / native:.2f} copies",
                "≤ 1.15",
                held <= 1.15 * native,
            )
        )
        image = nib.Nifti1Image(rng.integers(0, 500, shape, dtype=np.int16), np.eye(4))
        image.header.set_slope_inter(0.5, 1)
        nib.save(image, folder / "scaled_flair.nii.gz")
        single = int(np.prod(shape)) * 4
        held, peak = _opened(folder / "scaled_flair.nii.gz", warm)
        rows.append(
            Row(
                "scaled volume held (and peak while opening)",
                f"{held / megabyte:.0f} MiB ({peak / megabyte:.0f} MiB)",
                f"float32 {single / megabyte:.0f} MiB",
                f"{held / single:.2f} copies",
                "≤ 1.15",
                held <= 1.15 * single,
            )
        )
        series = rng.integers(0, 500, (128, 128, 60, 64), dtype=np.int16)
        nib.save(nib.Nifti1Image(series, np.eye(4)), folder / "series_dwi.nii")
        held, peak = _opened(folder / "series_dwi.nii", warm)
        whole = series.nbytes
        rows.append(
            Row(
                "4-D file, held after opening",
                f"{held / megabyte:.0f} MiB",
                f"file {whole / megabyte:.0f} MiB",
                f"{held / whole:.2f} of the file",
                "not copied whole",
                held < 0.5 * whole,
            )
        )
    return rows
