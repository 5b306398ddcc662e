"""The Attribution tab and its trust table."""
