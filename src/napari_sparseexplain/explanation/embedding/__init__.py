"""Pictures of what the layers of a network tell apart."""
