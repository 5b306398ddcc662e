"""Damaged and hostile files against everything that the product reads; ``python -m tests.fuzz``."""
