"""Which modality a scan is, from its header and from its names; never guessed."""
