"""
Save a result, read it again, write a report
============================================

A result is saved as NIfTI on the scan's own grid, beside one JSON file with which it can be run
again. Pictures and reports carry no names: the study is called by a code unless you ask for its
name.
"""

import tempfile
from pathlib import Path

from PIL import Image

import napari_sparseexplain as se

folder = Path(tempfile.mkdtemp())
study = se.sample_study()
se.explain(study, "sum-seg", "signals", slices=70).save(folder / "signals")
print(sorted(path.name for path in (folder / "signals").iterdir()))

# %%
# Read again, with the study, the result is what it was.
result = se.load_explanation(folder / "signals", on=study)
print(result)

# %%
# A picture of the scan with the masks, and a PDF with the scores.
se.save_picture(study, result, folder / "signals.png")
picture = Image.open(folder / "signals.png")
print(se.report(study, result, folder / "report.pdf").name)
