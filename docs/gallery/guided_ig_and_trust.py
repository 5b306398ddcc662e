"""
Integrated gradients, guided or straight, and how far to trust them
===================================================================

Both methods add up slopes on the way from an empty image to the scan. The guided one moves
first the pixels to which the score hardly responds. Two maps that look alike need not be
equally good, so each is compared with a random map, the edges of the scan and the centre of
the head.
"""

from matplotlib.figure import Figure

import napari_sparseexplain as se
from napari_sparseexplain.explanation.trust.map_figures import Effort

study = se.sample_study()
straight = se.explain(study, "sum-rec", "ig", target="WT", slices=70)
guided = se.explain(study, "sum-rec", "guided-ig", target="WT", slices=70, n_steps=50)

figure = Figure(figsize=(8, 4), layout="constrained")
for axes, title, result in zip(
    figure.subplots(1, 2), ("straight", "guided"), (straight, guided), strict=True
):
    heat = result["heatmap"].data[0]
    axes.imshow(heat, cmap="RdBu_r", vmin=-abs(heat).max(), vmax=abs(heat).max())
    axes.set(title=title, xticks=[], yticks=[])

# %%
# A good map has its values inside the lesion, and the score returns early when pixels are put
# back in its order (insertion). A map no better than the random one says nothing.
effort = Effort(kinds=("insertion-deletion",), steps=5)
for result in (straight, guided):
    print(se.trust(study, "sum-rec", result, effort=effort).text())
