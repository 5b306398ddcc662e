"""Short names of classes: in the names of maps, of files and of columns."""

from __future__ import annotations


def class_ids(names: tuple[str, ...]) -> tuple[str, ...]:
    """Lower case, without commas and spaces (``"enhancing-tumour"``)."""
    return tuple(name.lower().replace(",", "").replace(" ", "-") for name in names)
