"""The tab *Microstructure*: maps of axon radius, density and share from a diffusion scan."""
