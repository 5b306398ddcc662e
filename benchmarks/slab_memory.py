"""Peak memory of a fingerprint and a tensor of a slab of 96 × 96 × 50 voxels and 552 volumes.

    python benchmarks/slab_memory.py FOLDER [METHOD]

A synthetic scan (float32, 1.0 GB) is written into the folder, which must have room; 55 % of it, a
cylinder, has signal. The whole slab is asked for. Once voxels are compared the run goes on for
some batches and is cancelled: what follows takes hours, and no more memory. Printed at each step:
seconds, and the largest resident memory so far, in which pages of the mapped file count.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np

import napari_sparseexplain as se
from napari_sparseexplain.explanation.catalogue import explain_work
from napari_sparseexplain.microstructure.gradient_table import paper_protocol

SHAPE = (50, 96, 96)

#: Batches of 256 voxels that are compared before the run is cancelled.
COMPARED = 8


def peak_gb() -> float:
    """Largest resident memory so far, in GB (Linux counts in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def write_slab(folder: Path) -> Path:
    """The scan with FSL's files and timings, one volume at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    table = paper_protocol()
    path = folder / "dwi.nii"
    header = nib.Nifti1Header()
    header.set_data_dtype(np.float32)
    header.set_data_shape((*SHAPE[::-1], len(table)))
    header.set_sform(np.diag([-2.0, -2.0, 2.0, 1.0]), 1)
    header["vox_offset"] = 352
    rng = np.random.default_rng(0)
    _, p, l = np.meshgrid(*[np.linspace(-1, 1, n) for n in SHAPE], indexing="ij")  # noqa: E741
    head = p**2 + l**2 < 0.7
    axis = np.stack([np.zeros_like(p), -l, p + 1e-3], axis=-1)
    axis /= np.linalg.norm(axis, axis=-1, keepdims=True)
    with open(path, "wb") as stream:
        header.write_to(stream)
        stream.write(b"\0\0\0\0")
        for b, way in zip(table.b, table.directions, strict=True):
            rate = 0.3e-3 + 1.4e-3 * (axis @ way) ** 2
            clean = np.where(head, 400 * np.exp(-b * rate) + 40, 0.0)
            noise = rng.normal(0, 8.0, (2, *SHAPE))
            stream.write(np.hypot(clean + noise[0], noise[1]).astype(np.float32).tobytes())
    vectors = table.directions[:, ::-1] * (-1, 1, 1)
    np.savetxt(folder / "dwi.bvec", vectors.T, fmt="%.7f")
    np.savetxt(folder / "dwi.bval", table.b[None], fmt="%g")
    (folder / "dwi.json").write_text('{"SmallDelta": 0.0129, "BigDelta": 0.0218}')
    return path


def main() -> None:
    folder, method = Path(sys.argv[1]), (sys.argv[2:] or ["fingerprint"])[0]
    path = folder / "dwi.nii"
    if not path.exists():
        write_slab(folder)
        print(f"scan written; run again to measure it ({path.stat().st_size / 1e9:.2f} GB)")
        return
    study = se.open_study(path)
    print(f"{method}, opened: peak {peak_gb():.2f} GB resident", flush=True)
    started, last, compared = time.perf_counter(), "", 0
    work = explain_work(study, None, method)
    try:
        while compared < COMPARED:
            step = next(work)
            compared += step.message == "Comparing voxels"
            if step.message != last:
                seconds = time.perf_counter() - started
                print(f"{seconds:6.0f} s  {step.message} ({peak_gb():.2f} GB so far)", flush=True)
                last = step.message
    except StopIteration as end:
        print(end.value)
    work.close()
    print(f"{time.perf_counter() - started:6.0f} s  end: peak {peak_gb():.2f} GB resident")


if __name__ == "__main__":
    main()
