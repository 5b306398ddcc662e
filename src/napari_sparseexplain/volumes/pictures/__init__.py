"""PNG, JPG and TIFF pictures as volumes, and slices as pictures."""
