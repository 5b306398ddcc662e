"""Partition SHAP: Owen values of the regions of an image, from scores alone."""
