"""Label maps: what their values mean, which one results are scored against."""
