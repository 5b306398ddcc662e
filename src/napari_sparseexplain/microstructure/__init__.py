"""Microstructure of white matter from diffusion MRI: simulations, dictionaries, solvers.

No network and no viewer is needed.
"""
