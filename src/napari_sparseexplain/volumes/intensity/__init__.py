"""Grey values: the range that networks see, and the windows that a person looks through."""
