"""Two scans on one grid compared: checkerboard, edges, matched grey values, subtraction."""
