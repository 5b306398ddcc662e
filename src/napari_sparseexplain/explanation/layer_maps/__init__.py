"""Hidden layers: what each layer of a network holds for a slice, and how far it sees."""
