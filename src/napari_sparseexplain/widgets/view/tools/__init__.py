"""What a hand does with the picture beyond scrolling: left button, turns, slabs, cine, presets."""
