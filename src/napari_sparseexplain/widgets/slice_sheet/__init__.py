"""*Explain this slice* in the window: one button, a sheet of cells that fill, the verdict below."""
