"""The torch modules of the networks, and the list of their names."""
