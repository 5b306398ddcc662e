"""The tab *Small*: choose a model, run, see the map beside the scan."""

from __future__ import annotations

from typing import Any

from napari.layers import Layer
from qtpy.QtWidgets import QLineEdit, QPushButton

from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.layers.explanation_layers import explanation_layers
from napari_sparseexplain.volumes.reading_order import first_shown
from napari_sparseexplain.widgets.explain_tab import ExplainTab
from napari_sparseexplain.widgets.parts.model_choice import ModelChoice
from napari_sparseexplain.widgets.parts.results_list import Result


class SmallTab(ExplainTab):
    """Where a model looks, by one gradient."""

    name, title = "small", "Small"

    def __init__(self, window: Any) -> None:
        super().__init__(window)
        self._of = window
        self.models = ModelChoice()
        self.what.addRow("Model", self.models)
        self.target = QLineEdit("WT")
        self.target.setToolTip("A class or region; WT@seg is the study's own mask of it")
        self.what.addRow("Target", self.target)
        self.run = QPushButton("Run on the slice")
        self.run.clicked.connect(self.start)
        self.extras.addWidget(self.run)
        self.runner.succeeded.connect(self._show)

    def start(self) -> None:
        """Explain the slice in the picture; the window stays alive meanwhile."""
        study, here = self._of.study, self._of.current_slice
        model, target = self.models.model, self.target.text()
        if study is None:
            self._on_failed(SparseExplainError("no study is open", remedy="Open one first"))
            return

        def work() -> Any:
            from napari_sparseexplain.explanation.catalogue import explain_work

            found = yield from explain_work(
                study, model, "gradient-times-input", target=target, slices=here
            )
            return study, found

        self.runner.start(work)

    def _show(self, answer: Any) -> None:
        study, found = answer
        layers = [
            self._of.viewer.add_layer(Layer.create(*layer))
            for layer in explanation_layers(found, study, ["heatmap"])
        ]
        self.results.add(Result(f"Small · {found.target}", layers, value=found))
        scan = self._of.study_layer(first_shown(study))
        self._of.grid_view.show([layer for layer in (scan, *layers) if layer is not None])
