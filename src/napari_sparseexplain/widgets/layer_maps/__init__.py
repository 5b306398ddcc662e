"""The tab *Layers*: what hidden layers hold for the slice, and how far they see."""
