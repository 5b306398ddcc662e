"""
A sparse decomposition without any network
==========================================

FISTA writes a slice as a sum of few small patterns, here cosines. What they cannot express
stays in the residual. Nothing was learned, so this is what a trained model has to beat.
"""

import numpy as np

import napari_sparseexplain as se
from napari_sparseexplain.explanation.components.image_pursuit import decompose_study
from napari_sparseexplain.progress import drain
from napari_sparseexplain.sparse.slice_pursuit import PursuitSettings

flair = se.sample_study()["flair"].spatial()[70, ::2, ::2]
study = se.study_of_arrays({"flair": flair}, spacing=(1.0, 2.0, 2.0))
settings = PursuitSettings(method="fista", sparsity=0.05, iterations=40)
found = drain(decompose_study(study, settings, slices=slice(0, 1)))

result = found.explanation
share = np.linalg.norm(result["residual-flair"].data) / np.linalg.norm(flair)
in_use = np.mean([atom["nonzero"] for atom in found.atoms])
print(f"residual {share:.0%} of the scan, with {in_use:.0%} of the codes in use")
figure = result.plot(maps=["reconstruction-flair", "residual-flair"])
