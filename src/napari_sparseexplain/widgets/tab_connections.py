"""What one tab or panel has to tell another: each knows its own signals, and here they meet."""

from __future__ import annotations

from .proxy.responses_panel import ResponsesPanel
from .review.hooks import ReviewHooks
from .tab_pages import TabPages
from .window import WindowSignals


def connect_tabs(
    tabs: TabPages, responses: ResponsesPanel, keys: ReviewHooks, signals: WindowSignals
) -> None:
    """Connect the Proxy tab with the Responses panel, and the keys with the Review tab."""
    proxy, review = tabs.page("proxy"), tabs.page("review")

    def ask_filter(index: tuple[int, int, int]) -> None:
        # A click reads values; in the Proxy tab, once it has run, it also asks what decided.
        if tabs.currentWidget() is proxy and proxy.shown:
            responses.ask_voxel(index)

    proxy.setting_changed.connect(responses.follow)
    proxy.slice_shown.connect(responses.update_voxel)
    responses.follow(proxy.setting)
    signals.voxel_clicked.connect(ask_filter)
    keys.key_slices = lambda: review.marking.key_slices
    keys.mark = lambda: review.marking.mark_key_slice()
    keys.export = lambda: tabs.setCurrentWidget(review)
