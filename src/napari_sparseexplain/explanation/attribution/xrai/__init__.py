"""XRAI: segments at several scales, and the growth of regions over an attribution."""
