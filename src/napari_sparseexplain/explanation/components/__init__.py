"""What each class contributed to a scan: decompositions into morphological components."""
