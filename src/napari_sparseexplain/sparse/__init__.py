"""The mathematics of sparse coding: thresholds, dictionaries, pursuits."""
