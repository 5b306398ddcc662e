"""
Inside a network: the signal before its output, at two thresholds
=================================================================

A SUM is a segmentation network that denoises: filters, thresholds, filters back. At α = 1 its
thresholds are those it was trained with, at α = 0 they are gone and what is left is linear.
What disappears between the two is what the thresholds decide.
"""

from matplotlib.figure import Figure

import napari_sparseexplain as se

study = se.sample_study()
trained = se.explain(study, "sum-seg", "signals", slices=70)
linear = se.explain(study, "sum-seg", "signals", slices=70, alpha=0.0)
print("Dice with thresholds   ", round(trained.scores["dice"], 2))
print("Dice without thresholds", round(linear.scores["dice"], 2))

figure = Figure(figsize=(8, 8), layout="constrained")
for row, result, alpha in zip(figure.subplots(2, 2), (trained, linear), (1, 0), strict=True):
    for axes, name in zip(row, ("signal", "mask"), strict=True):
        axes.imshow(result[name].data[0], cmap="gray")
        axes.set(title=f"{name}, α = {alpha}", xticks=[], yticks=[])
