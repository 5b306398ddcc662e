"""Solvers: which atoms explain a voxel, by search over all of them or by least squares."""
