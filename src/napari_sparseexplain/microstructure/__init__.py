"""Microstructure of white matter from diffusion MRI: simulated signals, dictionaries and solvers; no network, no viewer."""
