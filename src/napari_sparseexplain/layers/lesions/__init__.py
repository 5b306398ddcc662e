"""Lesions in the viewer: the masks that they are of, their diameters, an edited copy."""
