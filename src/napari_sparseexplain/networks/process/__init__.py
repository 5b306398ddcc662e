"""A model from a file in a process of its own, with limits and without rights."""
