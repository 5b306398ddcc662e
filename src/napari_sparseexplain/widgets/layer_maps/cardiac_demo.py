"""What the demonstration shows of the heart: a cine's volumes, and the layers of one slice."""

from __future__ import annotations

from ...phantom.short_axis_cine import short_axis_cine, write_short_axis_cine
from ...volumes import Study, open_study
from ..demo import Demo
from ..view.plots_dock import hide_plots
from .cine_panel import ROLE

#: The network of the paper.
NETWORK = "left-ventricle-fcn"


def show_cardiac(demo: Demo) -> None:
    """A synthetic short-axis cine, or the study given where it is one; its volumes; its layers."""
    workspace = demo.workspace
    before, index = workspace.study, workspace.current_slice
    cells = workspace.grid_view.layers
    study, made = before, None
    if before is None or not is_cine(before):
        made = short_axis_cine()
        study = open_study(write_short_axis_cine(made, demo.out / "heart"))
        workspace.show_study(study)
    assert study is not None
    tab = workspace.page("layers")
    workspace.show_tab("layers")
    cine, panels = tab.cine, tab.panels
    panels.show_cine()
    cine.choose(NETWORK)
    cine.run()
    demo.wait("the cine")
    (found,) = cine.found
    print(f"Found: EDV {found.edv:.1f} ml, ESV {found.esv:.1f} ml. {found.not_added}".rstrip())
    if made is not None:
        print(f"True: EDV {made.volumes.max():.1f} ml, ESV {made.volumes.min():.1f} ml.")
    workspace.go_to_slice(study.grid.shape[0] // 2)
    for name, point in (
        ("cine-end-diastole", found.end_diastole),
        ("cine-end-systole", found.end_systole),
    ):
        cine.go_to(point)
        demo.show(name)
    hide_plots(cine)
    tab.models.choose(NETWORK)
    tab.run_slice()
    demo.wait("layers of a slice")
    demo.show("cine-layers")
    if study is not before and before is not None:
        workspace.close_study(study)
        if workspace.study is not before:
            workspace.activate(before)
        # What follows finds the picture that stood here.
        workspace.go_to_slice(index)
        if cells:
            workspace.grid_view.show(cells)


def is_cine(study: Study) -> bool:
    """Whether the ventricle's networks can be run on a study."""
    scan = study.images.get(ROLE)
    return scan is not None and len(scan.leading) == 1 and study.grid.calibrated
