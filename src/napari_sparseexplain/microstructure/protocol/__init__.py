"""The protocol of a diffusion scan from its files, its checks; tensor, peaks and noise."""
