"""
Open a study and see what was found
===================================

A study is a NIfTI file, a DICOM or BIDS folder, or a folder in BraTS naming. Opening it tells
the scans apart, brings them to one grid, and says what you must know before you trust what you
see.
"""

import napari_sparseexplain as se

# The sample study; with your own it is se.open_study("my_study/").
study = se.sample_study()
print(study)
for role, scan in study.images.items():
    print(role, scan.data.shape, scan.data.dtype, scan.source.description)

# %%
# The findings say what was resampled and what looks wrong. This study has none to tell.
for finding in study.findings:
    print(finding.level, finding.words())
print(len(study.findings), "findings")

# %%
# The scans side by side, on the slice where the lesion is largest.
picture = se.compose(se.default_reading(study)).image
