"""
Where does your own network look?
=================================

Any torch module from images to logits can be explained. Here it is one convolution that was
never trained; put your own in its place. XRAI divides the slice into regions and ranks them by
how much they raise the score of class 1 where the module predicts it.
"""

import torch

import napari_sparseexplain as se

torch.manual_seed(0)
module = torch.nn.Conv2d(1, 2, 3, padding=1)
study = se.sample_study()

result = se.explain(study, module, "xrai", roles="flair", target=1, slices=70)
figure = result.plot(maps=["heatmap"])

# %%
# The notes say what was assumed about the module.
for note in result.notes:
    print("-", note)
