"""What the demonstration shows of the tab Embedding: drawn slices as a stack and as points."""

from __future__ import annotations

from importlib.util import find_spec

from ...phantom.class_pictures import write_class_pictures
from ..demo import Demo
from ..view.plots_dock import hide_plots


def show_classifiers(demo: Demo) -> None:
    """Synthetic slices of two classes: a picture with its box beside the points of all.

    By pixels alone: no classifier of these classes ships, and one that was not trained would show
    nothing true. The points are left out, with a line that says so, without openTSNE.
    """
    folder = write_class_pictures(demo.out / "classes")
    workspace = demo.workspace
    before, index = workspace.study, workspace.current_slice
    cells = workspace.grid_view.layers
    tab = workspace.page("classifiers")
    workspace.show_tab("classifiers")
    tab.models.combo.setCurrentIndex(0)
    tab.open_pictures(folder)
    demo.wait("the pictures")
    if find_spec("openTSNE") is None:
        print("The tour leaves out pictures as points: openTSNE is not installed.")
        demo.show("classifiers-stack")
    else:
        tab.embed()
        demo.wait("the points")
        tab.open_picture(len(tab.stack) // 2)
        demo.settle()
        demo.show("classifiers")
        hide_plots(tab.panel)
    if before is not None and tab.shown.study is not None:
        workspace.close_study(tab.shown.study)
        if workspace.study is not before:
            workspace.activate(before)
        # What follows finds the picture that stood here.
        workspace.go_to_slice(index)
        if cells:
            workspace.grid_view.show(cells)
