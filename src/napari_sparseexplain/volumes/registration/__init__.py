"""Scans that were registered elsewhere: their transforms, and whether they lie over each other."""
