"""A prior in the viewer: its scan and mask on the current grid, and pictures of both."""
