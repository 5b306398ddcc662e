"""What the keys ask of the review, whichever part of the window keeps it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...review.review import KeySlice


class ReviewHooks:
    """Filled by who keeps key slices and exports; until then the keys say that nobody does.

    Attributes
    ----------
    key_slices : callable or None
        Key slices of the active study.
    mark : callable or None
        Marks the slice in the picture, or takes the mark away.
    export : callable or None
        Starts an export.
    flicker : callable or None
        Shows the other one of current and prior, and says which.
    """

    def __init__(self) -> None:
        self.key_slices: Callable[[], Sequence[KeySlice]] | None = None
        self.mark: Callable[[], None] | None = None
        self.export: Callable[[], None] | None = None
        self.flicker: Callable[[], str] | None = None
