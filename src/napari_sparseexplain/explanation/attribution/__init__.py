"""Where a model looked: the gradient methods, Grad-CAM, occlusion and XRAI."""
