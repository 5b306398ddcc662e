"""What one tab or panel has to tell another: each knows its own signals, and here they meet."""

from __future__ import annotations

from .review.hooks import ReviewHooks
from .tab_pages import TabPages


def connect_keys(tabs: TabPages, keys: ReviewHooks) -> None:
    """Connect the keys of the picture with the Review tab."""
    review = tabs.page("review")
    keys.key_slices = lambda: review.marking.key_slices
    keys.mark = lambda: review.marking.mark_key_slice()
    keys.flicker = lambda: review.priors.flicker_words()
    keys.export = lambda: tabs.setCurrentWidget(review)
