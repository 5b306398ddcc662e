"""A reading without a viewer: what is looked at, marked and noted, as plain data."""
