"""Random walks of water inside and between axons, and the phases that are kept of them."""
