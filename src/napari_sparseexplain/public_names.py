"""The names that outside code may rely on, and where each lives; resolved when first used.

Every floor may read this list: it names them by texts and loads none.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

#: Module of each name, below this package.
HOMES = {
    "SparseExplainError": "errors",
    "Explanation": "evidence",
    "Provenance": "evidence",
    "load_explanation": "evidence.store",
    "save_explanation": "export.explanation_export",
    "save_picture": "export.results_on_paper",
    "save_slice_sheet": "export.report.slice_sheet",
    "report": "export.results_on_paper",
    "Normalisation": "volumes.intensity.normalisation",
    "Study": "volumes",
    "Volume": "volumes",
    "open_study": "volumes",
    "study_of_arrays": "volumes",
    "sample_study": "volumes.opening.sample",
    "Target": "explanation.target",
    "trust": "explanation.trust.table",
    "explain": "explanation.catalogue",
    "explain_slice": "explanation.slice_sheet.sheet_work",
    "methods": "explanation.catalogue",
    "Model": "networks.bundle.model",
    "load_model": "networks.bundle.loading",
    "models": "networks.bundle.catalogue",
    "read_dictionary": "sparse.dictionary_file",
    "Reading": "review.reading",
    "default_reading": "review.default_review",
    "load_explanations": "review.explanation_folder",
    "restore_review": "review.store",
    "save_review": "review.store",
    "Picture": "export.pictures.compositor",
    "PictureSize": "export.pictures.compositor",
    "compose": "export.pictures.compositor",
}


def public(name: str) -> Any:
    """What a public name stands for.

    Raises
    ------
    KeyError
        There is no such name.
    """
    return getattr(import_module(f".{HOMES[name]}", __package__), name)
