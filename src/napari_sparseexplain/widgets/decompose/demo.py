"""What the demonstration shows of the Decompose tab: components, rounds, classes switched off."""

from __future__ import annotations

from ...networks.bundle.catalogue import models
from ..demo import Demo
from .tab import FIRST_DECOMPOSER


def show_decomposition(demo: Demo) -> None:
    """What each class contributes; left out, with a line that says so, where no model ships."""
    if FIRST_DECOMPOSER not in models():
        print(f"The tour leaves out the decomposition: the model {FIRST_DECOMPOSER} is not there.")
        return
    workspace, voxel = demo.workspace, demo.voxel
    tab = workspace.page("decompose")
    workspace.show_tab("decompose")
    tab.models.choose(FIRST_DECOMPOSER)
    tab.run_slice()
    demo.wait("Decompose")
    tab.parameters.button.setChecked(True)
    demo.show("components")
    tab.parameters.button.setChecked(False)
    tab.set_round(1)
    demo.wait("Round")
    demo.show("most-salient")
    tab.set_round(tab.rounds.slider.maximum())
    demo.wait("Round")
    tab.show_classes_over_scan()
    workspace.click(voxel)
    demo.show("classes")
    channel = tab.likeliest(voxel)
    if channel is not None:
        tab.switch(channel, False)
        demo.wait("a class switched off")
        demo.show("without-a-class")
        tab.switch(channel, True)
        demo.wait("a class switched on")
    tab.show_grid()
