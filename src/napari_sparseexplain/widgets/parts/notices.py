"""What a person must know, as napari notifications: one clear message, nothing lost."""

from __future__ import annotations

from napari.utils.notifications import show_error, show_info, show_warning

from ...errors import SparseExplainError
from ...volumes import Finding


def show_error_dialog(error: SparseExplainError) -> None:
    """Show what was found, where, and what to do."""
    show_error(str(error))


def show_finding(finding: Finding) -> None:
    """Show one thing noticed on opening a study."""
    (show_warning if finding.level == "warning" else show_info)(finding.words())


def show_warning_message(message: str) -> None:
    """Show a sentence that must not be missed."""
    show_warning(message)
