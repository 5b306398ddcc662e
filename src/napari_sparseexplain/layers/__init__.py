"""From studies and explanations to napari layers, and what is drawn on the canvas."""
