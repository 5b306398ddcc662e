"""
Impulse and frequency response of a network
===========================================

Without its thresholds a SUM is a linear filter, and a filter is described by its answer to one
bright pixel. The answer depends on where the pixel falls, so it is averaged over all places;
the scores give its spread over them.
"""

import napari_sparseexplain as se

result = se.explain(None, "sum-rec", "responses", crop=32)
print("spatial spread (SDS)  ", round(result.scores["SDS"], 2))
print("smallest over places  ", round(result.scores["SDS lowest phase"], 2))
print("largest over places   ", round(result.scores["SDS highest phase"], 2))
figure = result.plot(maps=["averaged-response", "averaged-frequency"])
