"""Classifiers of single slices: data, split, training, evaluation, and the study of their maps."""
