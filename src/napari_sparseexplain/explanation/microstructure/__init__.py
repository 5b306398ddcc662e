"""Microstructure of white matter as explanations: what a voxel is made of, and how sure that is."""
