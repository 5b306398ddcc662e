"""Words of every script: which font has a letter, in which order letters stand, how they join."""
