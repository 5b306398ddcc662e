"""From a study to a network's input, through the network, and back onto the study's voxels."""
