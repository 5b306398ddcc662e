"""What the demonstration shows of the Proxy tab: signals, α, responses, a filter."""

from __future__ import annotations

from ...networks.bundle.catalogue import models
from ..demo import Demo
from ..view.plots_dock import hide_plots, show_plots

#: α of the picture that shows the thresholds half drawn back.
HALF_ALPHA = 0.5

#: A network of the same build and another purpose, for the comparison of responses.
COMPARED = "sum-denoise"


def show_proxy(demo: Demo) -> None:
    """A network's signals on the slice, at two α; its responses, and its filter at a voxel."""
    workspace = demo.workspace
    proxy = workspace.page("proxy")
    workspace.show_tab("proxy")
    proxy.models.choose(demo.model)
    proxy.run_slice()
    demo.wait("Run on slice")
    demo.show("signals")
    proxy.set_alpha(HALF_ALPHA)
    demo.wait("α")
    demo.show("half-thresholds")
    proxy.set_alpha(1.0)
    demo.wait("α")

    panel = proxy.responses
    show_plots(workspace.viewer, panel)
    panel.model.choose(demo.model)
    if COMPARED in models() and demo.model != COMPARED:
        panel.beside.choose(COMPARED)
    panel.refresh()
    demo.wait("Responses")
    demo.show("responses")
    voxel = demo.voxel
    workspace.go_to_voxel(voxel)
    panel.show_voxel(voxel)
    demo.wait("the filter at a voxel")
    demo.show("filter-at-a-voxel")
    hide_plots(panel)
