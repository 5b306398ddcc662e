"""What is loaded by importing the package, by reading the manifest, by opening a scan."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import nibabel as nib
import numpy as np

from paired_timing import Row

_PROGRAMS = {
    "import napari_sparseexplain": "import napari_sparseexplain",
    "read the manifest": (
        "from npe2 import PluginManifest; PluginManifest.from_distribution('napari-sparseexplain')"
    ),
    "open a NIfTI": "import napari_sparseexplain as se; se.open_study({path!r})",
}


def measure(repeats: int) -> list[Row]:
    """One row an action: is torch loaded, and how many modules are."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "scan_flair.nii.gz")
        nib.save(nib.Nifti1Image(np.ones((8, 9, 10), np.int16), np.eye(4)), path)
        for name, program in _PROGRAMS.items():
            text = (
                "import sys; "
                + program.format(path=path)
                + "; print('torch' in sys.modules, len(sys.modules))"
            )
            done = subprocess.run(
                [sys.executable, "-c", text], capture_output=True, text=True, check=True
            )
            loaded, modules = done.stdout.split()[-2:]
            rows.append(
                Row(
                    name,
                    f"torch loaded: {loaded}",
                    "",
                    f"{modules} modules",
                    "no torch",
                    loaded == "False",
                )
            )
    return rows
