"""Training and evaluation of the networks that ship."""
