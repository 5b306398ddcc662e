"""Networks that read the tissue of single voxels from diffusion signals; the search in torch."""
