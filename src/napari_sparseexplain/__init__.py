"""napari-sparseexplain: see what an interpretable model did inside, beside the scan.

The names below are what outside code may rely on. They are loaded when first used, so that
importing the package, or opening a scan, does not load torch.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from .public_names import HOMES, public

if TYPE_CHECKING:
    from .errors import SparseExplainError
    from .evidence import Explanation, Provenance
    from .evidence.store import load_explanation
    from .explanation.catalogue import explain, methods
    from .explanation.slice_sheet.sheet_work import explain_slice
    from .explanation.target import Target
    from .explanation.trust.table import trust
    from .export.explanation_export import save_explanation
    from .export.pictures.compositor import Picture, PictureSize, compose
    from .export.report.slice_sheet import save_slice_sheet
    from .export.results_on_paper import report, save_picture
    from .networks.bundle.catalogue import models
    from .networks.bundle.loading import load_model
    from .networks.bundle.model import Model
    from .review.default_review import default_reading
    from .review.explanation_folder import load_explanations
    from .review.reading import Reading
    from .review.store import restore_review, save_review
    from .sparse.dictionary_file import read_dictionary
    from .volumes import Study, Volume, open_study, study_of_arrays
    from .volumes.opening.sample import sample_study

try:
    __version__ = version("napari-sparseexplain")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0.0.0+source"

__all__ = [
    "Explanation",
    "Model",
    "Picture",
    "PictureSize",
    "Provenance",
    "Reading",
    "SparseExplainError",
    "Study",
    "Target",
    "Volume",
    "__version__",
    "compose",
    "default_reading",
    "explain",
    "explain_slice",
    "load_explanation",
    "load_explanations",
    "load_model",
    "methods",
    "models",
    "open_study",
    "read_dictionary",
    "report",
    "restore_review",
    "sample_study",
    "save_explanation",
    "save_picture",
    "save_review",
    "save_slice_sheet",
    "study_of_arrays",
    "trust",
]


def __getattr__(name: str) -> Any:
    if name in HOMES:
        return public(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
