"""Where a model looked: the gradient methods, Grad-CAM, occlusion, SHAP and XRAI."""
