"""Layers side by side: which stand in which cell, and how a cell is painted."""
