"""`sparseexplain small`."""

from __future__ import annotations


def small() -> None:
    """Say what the family Small can do."""
    from .methods import METHODS

    for method in METHODS:
        print(f"{method.title}: {method.summary}")
