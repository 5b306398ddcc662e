"""Plots as matplotlib figures, in the colours of the viewer."""
