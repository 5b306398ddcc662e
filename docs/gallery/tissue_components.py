"""
What each tissue contributed
============================

JF-ML-ISTA takes four scans apart into one component a tissue class. Together with the residual,
the part that no class explains, the components add up to the scan.
"""

import numpy as np

import napari_sparseexplain as se

study = se.sample_study()
result = se.explain(study, "jf-ml-ista", "components", slices=70)
for region in ("WT", "TC", "ET"):
    print("Dice", region, round(result.scores[f"Dice {region}"], 2))

classes = ("healthy-tissue", "oedema", "necrotic-and-non-enhancing-core", "enhancing-tumour")
names = [f"component-{name}-flair" for name in classes]
figure = result.plot(maps=names)

# %%
# The sum of the components is the reconstruction of the FLAIR.
summed = sum(result[name].data for name in names)
print("they add up:", np.allclose(summed, result["reconstruction-flair"].data, atol=1e-3))
