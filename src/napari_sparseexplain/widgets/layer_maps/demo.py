"""What the demonstration shows of the Layers tab: blocks, single maps, a field, kernels."""

from __future__ import annotations

from ..demo import Demo
from ..view.plots_dock import hide_plots


def show_layers(demo: Demo) -> None:
    """What each block of a network holds, single maps of one, and what a voxel of it sees."""
    workspace, voxel = demo.workspace, demo.voxel
    tab = workspace.page("layers")
    workspace.show_tab("layers")
    tab.models.choose(demo.model)
    tab.run_slice()
    demo.wait("Run on slice")
    workspace.click(voxel)
    demo.wait("what the deepest layer sees")
    demo.show("layers")
    names = [row.name for row in tab.layers.rows]
    tab.tick(names[len(names) // 4])
    tab.choose_order("agreement")
    demo.wait("single maps of one layer")
    demo.show("layer-maps")
    tab.show_kernels()
    demo.wait("First-layer kernels")
    demo.show("kernels")
    hide_plots(tab.panel)
