"""What a scan is: geometry, volumes, studies, readers, writers, phantoms. No torch here."""

from .finding import Finding
from .grid import Grid
from .nifti.reader import read_nifti
from .nifti.writer import write_nifti
from .opening.array_study import study_of_arrays, study_of_channels
from .opening.open_study import open_study
from .resampling import patient_axes_grid, resample_to
from .roles.roles import LABEL_ROLES, ROLES
from .study import Resampling, Study
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
