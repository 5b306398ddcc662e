"""A small untrained pursuit of two modalities, and a shared window in which it was run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .conftest import new_workspace, settle, with_study
from .shared_window import SharedWindow, Step

CLASSES = {"0": "healthy tissue", "2": "oedema", "4": "enhancing tumour"}
ROLES = {"t1": "T1", "flair": "FLAIR"}


def save_pursuit(folder: Path, title: str = "Small", **arguments: Any) -> Path:
    """A small untrained pursuit of two modalities."""
    import torch

    from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
    from napari_sparseexplain.networks.bundle.saving import save_bundle
    from napari_sparseexplain.networks.modules.jf_ml_ista_network import JfMlIstaNetwork

    torch.manual_seed(0)
    given = {"modalities": 2, "classes": 3, "features": 4, "layers": 2, **arguments}
    network = JfMlIstaNetwork(**given)
    card = ModelCard(
        name="small",
        title=title,
        architecture="jf-ml-ista",
        arguments=given,
        task="segmentation",
        inputs=Inputs(tuple(ROLES), "brain-range", 1.0, 32),
        classes=CLASSES,
    )
    save_bundle(folder, card, network)
    return folder


def with_pursuit_run(pursuit: Path) -> Step:
    """The pursuit run on the slice in the picture, FLAIR's cells in the grid: few come fast."""

    def step(workspace: Any) -> None:
        tab = workspace.page("decompose")
        workspace.show_tab("decompose")
        tab.models.choose(pursuit)
        tab.device.setCurrentIndex(tab.device.findData("cpu"))
        for role in ROLES:
            tab.cells.rows.choose(role, role == "flair")
        run_now(workspace)

    return "pursuit", step


def with_all_roles(workspace: Any) -> None:
    """Both modalities in the grid, as they are when the slice is run."""
    for role in ROLES:
        workspace.page("decompose").cells.rows.choose(role, True)
    run_now(workspace)


def lend_pursuit(
    shared_window: SharedWindow, study: Path, pursuit: Path, *, all_roles: bool = False
) -> Any:
    """A workspace in which the pursuit was run, one modality or both in the grid."""
    steps = [with_study(study), with_pursuit_run(pursuit)]
    if all_roles:
        steps.append(("all roles", with_all_roles))
    return shared_window.lend(new_workspace, steps)


def run_now(workspace: Any) -> Any:
    workspace.page("decompose").run_slice()
    assert workspace.wait(120)
    settle()
    return workspace


def the_one(workspace: Any) -> Any:
    (shown,) = workspace.page("decompose").shown
    return shown
