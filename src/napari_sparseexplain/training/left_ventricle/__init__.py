"""The left ventricle in short-axis MRI: slices, training, search and evaluation."""
