"""An attribution study in the viewer: a picture and all its maps side by side, gone through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Layer

from ...layers.batched_changes import batched_changes
from ...layers.open_studies import rename_study
from ...volumes import Study
from ..window import Window

if TYPE_CHECKING:
    from ...training.classifiers.study_browser import StudyBrowser
    from ...volumes.labelled.class_image import ClassImage


class ShownStudy:
    """The cells of a study's picture.

    Attributes
    ----------
    browser : StudyBrowser or None
    study : Study or None
        Whose slices are its pictures.
    """

    def __init__(self, window: Window) -> None:
        self._window = window
        self.browser: StudyBrowser | None = None
        self.study: Study | None = None
        self._layers: list[Layer] = []

    @property
    def index(self) -> int:
        """Number of the picture in the viewer; -1 where something else is shown."""
        if self.study is None or self._window.study is not self.study:
            return -1
        return self._window.current_slice

    def show(self, browser: StudyBrowser) -> None:
        """Put a study into the grid, on its first picture; one that was there makes way."""
        from ...layers.study_map_layer import study_map_layers
        from ...training.classifiers.study_browser import browser_study

        before = self.study
        study = browser_study(browser)
        made = [Layer.create(*item) for item in study_map_layers(browser, study)]
        viewer = self._window.viewer
        self._window.show_study(study)
        # At once: napari lays out its canvas after each that comes alone.
        with batched_changes(viewer.layers):
            viewer.layers.extend(made)
        if before is not None and before in self._window.studies:
            self._window.close_study(before)
            rename_study(viewer, study, study)  # those that went had their names
        self._layers = made
        self.browser, self.study = browser, study
        self._window.go_to_slice(0)
        self.write_names()
        self._window.grid_view.show(self._layers)

    def show_again(self) -> None:
        """Bring the cells back after something else was in the picture."""
        if self.study is None or self.study not in self._window.studies:
            return
        if self._window.study is not self.study:
            self._window.activate(self.study)
        there = [layer for layer in self._layers if layer in self._window.viewer.layers]
        self._window.grid_view.show(there)

    def step(self, by: int, label: str = "") -> None:
        """The next picture, or the one before; of a class where one is named."""
        browser = self.browser
        if browser is None or self.study is None:
            return
        index = self._window.current_slice if self.index >= 0 else -1
        if self.index < 0 or not self._window.grid_view.active:
            self.show_again()
            index = self._window.current_slice
        classes = browser.slices.classes
        wanted = [
            number
            for number, target in enumerate(browser.slices.targets)
            if not label or classes[target] == label
        ]
        after = [n for n in wanted if n > index] if by > 0 else [n for n in wanted if n < index]
        if after:
            self._window.go_to_slice(after[0] if by > 0 else after[-1])
            self.write_names()
        elif index not in wanted and wanted:
            self._window.go_to_slice(wanted[0])
            self.write_names()

    def write_names(self) -> None:
        """Say in every cell what its map is worth on the picture that is shown."""
        from ...layers.study_layers import METADATA_KEY
        from ...layers.study_map_layer import StudyMapLayer, study_map_name

        browser, index = self.browser, self.index
        if browser is None or index < 0:
            return
        for layer in self._layers:
            known: Any = layer.metadata.get(METADATA_KEY)
            if layer in self._window.viewer.layers and isinstance(known, StudyMapLayer):
                name = study_map_name(browser, index, known.column)
                if layer.name != name:
                    layer.name = name

    def words(self) -> str:
        """Which picture is shown."""
        browser, index = self.browser, self.index
        if browser is None or index < 0:
            return ""
        image = browser.slices.images[index]
        count = int(np.count_nonzero(browser.slices.targets == browser.slices.targets[index]))
        told = ", ".join(filter(None, (image.name, image.label, image.view)))
        chance = f"; AUPRC {share}" if (share := browser.chance(index)) else ""
        return f"{index + 1} of {len(browser)}: {told} ({count} of this class){chance}"

    @property
    def image(self) -> ClassImage | None:
        """The picture whose maps are in the viewer; None where something else is shown."""
        return None if self.browser is None or self.index < 0 else (
            self.browser.slices.images[self.index]
        )  # fmt: skip

    def on_closed(self, study: Study) -> None:
        """A study goes."""
        if study is self.study:
            self.study, self.browser, self._layers = None, None, []
