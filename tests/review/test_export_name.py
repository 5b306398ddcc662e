"""Names of exported files hold study code, plane and slice from 1, and nothing that identifies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_sparseexplain.review.default_review import default_reading
from napari_sparseexplain.review.export_name import export_name
from napari_sparseexplain.volumes import study_of_arrays


def test_a_file_is_called_by_code_plane_and_slice() -> None:
    study = study_of_arrays({"flair": np.zeros((4, 5, 6), np.float32)}, name="Jane Doe")
    reading = default_reading(study)
    index = reading.review.panels[0].index + 1
    name = export_name(reading, "slice")
    assert name.endswith(f"_axial_{index:03d}")
    assert name.startswith("study-")
    assert "Jane" not in name
    coded = reading.with_review(replace(reading.review, code="Case 7/b"))
    assert export_name(coded, "slice") == f"Case-7-b_axial_{index:03d}"
    assert export_name(coded, "report") == "Case-7-b_report"
