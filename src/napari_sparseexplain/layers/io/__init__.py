"""napari's entries: reader, writer and sample."""
