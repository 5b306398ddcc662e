"""An explanation as files that may leave: maps as NIfTI and one record, without names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..arguments import check_kind
from ..evidence import Explanation, store
from ..volumes import Study
from .privacy.output_check import check_folder
from .privacy.policy import ExportPolicy, policy_for


@dataclass(frozen=True)
class ExportedExplanation:
    """Files that were written.

    Attributes
    ----------
    files : list of Path
        ``provenance.json`` last.
    explanation : Explanation
        As it was written: its maps may have other names.
    policy : ExportPolicy
        For what else is written of it.
    """

    files: list[Path]
    explanation: Explanation
    policy: ExportPolicy

    @property
    def notes(self) -> tuple[str, ...]:
        """What was replaced, so that nobody is named."""
        return self.policy.notes()


def export_explanation(
    explanation: Explanation,
    study: Study,
    out: str | Path,
    *,
    identify: bool = False,
    overwrite: bool = False,
) -> ExportedExplanation:
    """Write an explanation into a folder; see `evidence.store.write_explanation`.

    Parameters
    ----------
    identify : bool
        Whether the study's name and names of scans that come from files stand as they are.

    Raises
    ------
    SparseExplainError
        As `save_explanation`; or what was made would tell who was examined.
    """
    check_kind(explanation, Explanation, "explanation", "what se.explain gave")
    check_kind(study, Study, "study", "the one explained, from se.open_study")
    policy = policy_for([study], identify=identify)
    policy.know_roles(study)
    public = policy.explanation(explanation)
    files = store.write_explanation(
        public,
        study,
        out,
        overwrite=overwrite,
        study_name=study.name if identify else "",
        inspect=lambda folder: check_folder(folder, policy),
    )
    return ExportedExplanation(files, public, policy)


def save_explanation(
    explanation: Explanation,
    study: Study,
    out: str | Path,
    *,
    identify: bool = False,
    overwrite: bool = False,
) -> list[Path]:
    """Write an explanation into a folder without names, and give its files; `export_explanation`.

    Parameters
    ----------
    explanation : Explanation
    study : Study
        The study explained.
    out : str or Path
        Folder, made when it is not there; it may hold other explanations.
    identify : bool
        Whether names of study and scans stand as they are.
    overwrite : bool
        Whether an explanation of the same method and target may be replaced.

    Returns
    -------
    list of Path
        The files written, ``provenance.json`` last.

    Raises
    ------
    SparseExplainError
        A file is there already, the folder cannot be written, the maps do not lie on the study's
        grid, or what was made would tell who was examined.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> import torch, numpy as np, napari_sparseexplain as se
    >>> _ = torch.manual_seed(0)
    >>> study = se.study_of_arrays({"flair": np.random.default_rng(0).random((16, 16))})
    >>> module = torch.nn.Conv2d(1, 2, 3, padding=1)
    >>> result = se.explain(study, module, "vanilla-gradient", roles="flair", target=1)
    >>> files = se.save_explanation(result, study, folder.name)
    >>> files[-1].name
    'provenance.json'
    """
    made = export_explanation(explanation, study, out, identify=identify, overwrite=overwrite)
    return made.files
