"""Networks that read the tissue of single voxels from diffusion signals."""
