"""Methods: from a model and a study to an `Explanation`."""
