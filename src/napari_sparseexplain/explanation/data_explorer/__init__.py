"""A labelled folder before any model: balance, positions, duplicates, masks that do not fit."""
