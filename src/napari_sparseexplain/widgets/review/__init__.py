"""The Review tab: marks, key slices, saving, restoring, export."""
