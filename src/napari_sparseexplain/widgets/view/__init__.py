"""How the picture is shown: bar, keys, modes, planes, window, jumps."""
