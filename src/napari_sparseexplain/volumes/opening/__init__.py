"""From a path, or from arrays, to a study on one grid."""
