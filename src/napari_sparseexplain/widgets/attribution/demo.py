"""What the demonstration shows of the Attribution tab: two methods on one slice, and trust."""

from __future__ import annotations

from ..demo import Demo

#: Methods that are put side by side.
SIDE_BY_SIDE = ("xrai", "guided-integrated-gradients")


def show_attribution(demo: Demo) -> None:
    """Where the network looked, by two methods on one slice, and how far to trust them."""
    workspace, voxel = demo.workspace, demo.voxel
    tab = workspace.page("attribution")
    workspace.show_tab("attribution")
    tab.models.choose(demo.model)
    for method in SIDE_BY_SIDE:
        tab.choose_method(method)
        tab.run_slice()
        demo.wait(method)
    workspace.click(voxel)
    demo.settle(0.2)
    tab.show_table()
    demo.show("attribution")
