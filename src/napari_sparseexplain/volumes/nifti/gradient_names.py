"""Names of the files beside a NIfTI scan that tell its gradients."""

from __future__ import annotations

#: Endings of FSL's two, behind the scan's own name.
BVALS = (".bval", ".bvals", "_bval.txt", "_bvals.txt", ".bval.txt", ".bvals.txt")
BVECS = (".bvec", ".bvecs", "_bvec.txt", "_bvecs.txt", ".bvec.txt", ".bvecs.txt")

#: Of MRtrix and Camino.
MRTRIX, CAMINO = ".b", ".scheme"

#: Names that a folder with one diffusion scan has them under.
FOLDER_BVALS = ("bvals.txt", "bvals", "bval", "bval.txt")
FOLDER_BVECS = ("bvecs.txt", "bvecs", "bvec", "bvec.txt")


def tells_gradients(names: set[str], stem: str) -> bool:
    """Whether a folder's files, by their names in small letters, tell gradients of a scan."""
    own = {stem.lower() + end for end in (*BVALS, MRTRIX, CAMINO)}
    return bool(names & own) or not names.isdisjoint(FOLDER_BVALS)
