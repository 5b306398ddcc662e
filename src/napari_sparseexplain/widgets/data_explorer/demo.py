"""What the demonstration shows of the Data tab: what the open study holds, its plots, a slice."""

from __future__ import annotations

from ..demo import Demo
from ..view.plots_dock import hide_plots


def show_data(demo: Demo) -> None:
    """The open study as a set of one: classes, measures of its slices, one of them opened."""
    workspace = demo.workspace
    tab = workspace.page("data")
    workspace.show_tab("data")
    tab.explore()
    demo.wait("exploring the open study")
    tab.show_plots()
    found = tab.found
    if found is not None:
        areas = found.values("area")
        tab.open_slice(int(areas.argmax()))
        demo.wait("opening a slice")
    demo.show("data")
    hide_plots(tab.panel)
