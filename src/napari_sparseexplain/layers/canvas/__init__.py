"""What is drawn on the canvas beside the layers: words, letters, crosshair."""
