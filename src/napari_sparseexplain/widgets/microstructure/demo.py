"""What the demonstration shows of the Microstructure tab: two crossing bundles and their maps."""

from __future__ import annotations

from ...explanation.microstructure.shipped_dictionary import SHIPPED, dictionary_for
from ...microstructure.crossing_phantom import crossing_phantom, write_crossing_phantom
from ...microstructure.dictionary import distinct_b
from ...microstructure.gradient_table import HCP_MGH, shell_protocol
from ...microstructure.protocol.dipy_extra import has_dipy
from ...volumes import open_study
from ..demo import Demo

#: b-values in s/mm² and measurements at each.
SHELLS = ((0, 8), (1000, 30), (3000, 45), (5000, 60))


def show_microstructure(demo: Demo) -> None:
    """Maps of a simulated scan with fibre directions, a voxel explained, uncertainty and misfit.

    Where one bundle has much the larger share, the other's peak can be missed: the misfit shows it.

    Left out, with a line that says so, without the dictionary that ships or without dipy.
    """
    if not SHIPPED.is_file() or not has_dipy():
        lacks = "dipy is not installed" if SHIPPED.is_file() else "no dictionary ships"
        print(f"The tour leaves out microstructure: {lacks}.")
        return
    table = shell_protocol(SHELLS, HCP_MGH)
    phantom = crossing_phantom(dictionary_for("", distinct_b(table)), table)
    folder = write_crossing_phantom(phantom, demo.out / "crossing")
    workspace = demo.workspace
    before, index = workspace.study, workspace.current_slice
    cells = workspace.grid_view.layers
    study = open_study(folder)
    workspace.show_study(study)
    tab = workspace.page("microstructure")
    workspace.show_tab("microstructure")
    demo.wait("the gradients")
    demo.show("gradients")
    tab.run_slice()
    demo.wait("the fingerprint")
    rows, columns = phantom.share.shape[2:]
    workspace.click((workspace.current_slice, rows // 2, columns // 2))
    demo.settle()
    demo.wait("the voxel")
    tab.show_fibres()
    tab.show_read_out()
    demo.show("microstructure")
    workspace.grid_view.leave()
    demo.show("microstructure-fibres")
    tab.show_fibres(False)
    tab.show_result(tab.shown[-1], grid=True)
    tab.show_maps("uncertainty")
    demo.show("microstructure-uncertainty")
    tab.show_maps("misfit")
    demo.show("microstructure-misfit")
    tab.show_maps("mean")
    if before is not None:
        workspace.close_study(study)
        if workspace.study is not before:
            workspace.activate(before)
        # What follows finds the picture that stood here.
        workspace.go_to_slice(index)
        if cells:
            workspace.grid_view.show(cells)
