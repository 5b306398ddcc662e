"""What a scan is: geometry, volumes, studies, readers, writers, phantoms. No torch here."""

from .array_study import study_of_arrays, study_of_channels
from .grid import Grid
from .nifti_reader import read_nifti
from .nifti_writer import write_nifti
from .open_study import open_study
from .resampling import patient_axes_grid, resample_to
from .roles import LABEL_ROLES, ROLES
from .study import Finding, Resampling, Study
from .volume import Source, Volume

__all__ = [
    "LABEL_ROLES",
    "ROLES",
    "Finding",
    "Grid",
    "Resampling",
    "Source",
    "Study",
    "Volume",
    "open_study",
    "patient_axes_grid",
    "read_nifti",
    "resample_to",
    "study_of_arrays",
    "study_of_channels",
    "write_nifti",
]
