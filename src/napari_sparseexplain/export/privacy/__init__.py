"""What may leave in an export, the search for what must not, and the check of finished files."""
