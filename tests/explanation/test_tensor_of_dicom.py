"""A diffusion series in DICOM, from its files to the tensor's maps and these as DICOM again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import napari_sparseexplain as se
from napari_sparseexplain.export.dicom.objects import export_dicom_work
from napari_sparseexplain.progress import drain

from ..microstructure.diffusion_scans import fibre_signals, gradients
from ..microstructure.test_dicom_gradients import CORONAL, OBLIQUE, ge, series, siemens
from ..volumes.dicom_writing import write

pytest.importorskip("dipy")

FIBRE = np.array([0.36, 0.48, -0.8])  # RAS, of length 1


@pytest.mark.parametrize(("writer", "plane"), [(siemens, OBLIQUE), (ge("ROW"), CORONAL)])
def test_a_fibre_is_found_in_the_patient(tmp_path: Path, writer: object, plane: list) -> None:
    b, ras = gradients(((900.0, 7),), b0=1)
    lps = ras * (-1.0, -1.0, 1.0)
    clean = fibre_signals(np.broadcast_to(FIBRE, (3, 5, 4, 3)), b, ras)
    scan = np.moveaxis(clean, -1, 0).round().astype(np.uint16)
    folder = write(tmp_path / "series", series(writer, plane, b, lps, scan))  # type: ignore[arg-type]
    study = se.open_study(folder)
    found = se.explain(study, None, "tensor")
    grid = study.grid
    expected = np.linalg.inv(grid.affine[:3, :3] / grid.spacing) @ FIBRE
    ways = np.stack([np.asarray(found[f"direction-1-{axis}"].data) for axis in "spl"], axis=-1)
    np.testing.assert_allclose(abs(ways @ expected), 1, atol=1e-3)
    colours = np.asarray(found["colours"].data)[0, 0, 0]
    assert colours.argmax() == abs(expected[::-1]).argmax()
    assert any("no file tells δ and Δ" in note for note in found.notes)
    done = drain(export_dicom_work(found, study, tmp_path / "out"))
    assert "tensor_md.dcm" in [path.name for path in done.files]
    assert any("'colours' holds more than one value" in note for note in done.notes)
    back = se.open_study(tmp_path / "out" / "tensor_md.dcm")
    (md,) = back.images.values()
    np.testing.assert_allclose(np.asarray(md.data), np.asarray(found["md"].data), rtol=1e-6)
    assert md.unit in ("10⁻³ mm²/s", "10*-3.mm2/s")
