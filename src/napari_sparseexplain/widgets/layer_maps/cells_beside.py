"""What is asked beside the layers' maps: the field of a clicked voxel, Grad-CAM, the kernels.

Each of the first two is found in a thread of its own, so that neither overtakes the other, and
stands over the scan in a cell of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from qtpy.QtCore import QObject

from ...errors import SparseExplainError
from ...evidence import Explanation
from ...volumes.reading_order import first_shown
from ..parts.model_session import ModelKey
from ..parts.run_bar import RunBar
from ..parts.work_runner import LatestRunner
from ..view.plots_dock import show_plots
from ..view.window_control import scan_window
from ..window import Window
from .kernels_panel import KernelsPanel
from .layer_form import LayerForm
from .session import LayersSession
from .shown_layer_maps import CAM, FIELD, CamAsk, ShownLayerMaps

Voxel = tuple[int, int, int]


class LayersPage(Protocol):
    """What is needed of the tab."""

    session: LayersSession
    shown: list[ShownLayerMaps]
    form: LayerForm
    run_bar: RunBar

    @property
    def current(self) -> ShownLayerMaps | None:
        """The slice of the chosen model and the active study."""
        ...

    @property
    def last_click(self) -> Voxel | None:
        """The voxel that was clicked last."""
        ...

    def isVisible(self) -> bool:
        """Whether it is in front."""
        ...

    def show_result(self, shown: ShownLayerMaps, *, grid: bool) -> None:
        """See `MethodTab.show_result`."""
        ...

    def describe(self) -> None:
        """Write what it says of its results anew."""
        ...


@dataclass(frozen=True, eq=False)
class _CamAnswer:
    """What a question for Grad-CAM came to: a map, or why there is none."""

    shown: ShownLayerMaps
    asked: CamAsk
    found: Explanation | None = None
    error: SparseExplainError | None = None


def _asked(shown: ShownLayerMaps, wanted: tuple[str, str]) -> CamAsk:
    found = shown.explanation
    return found.slices.start, found.frame, found.provenance.weights_sha256, wanted


class CellsBeside:
    """Asks, and puts the answers into the picture.

    Attributes
    ----------
    clicks, cams : LatestRunner
        Receptive fields and kernels; Grad-CAM.
    """

    def __init__(
        self, page: LayersPage, window: Window, panel: KernelsPanel, parent: QObject
    ) -> None:
        self._page, self._window, self._panel = page, window, panel
        self.clicks, self.cams = LatestRunner(parent), LatestRunner(parent)
        self.clicks.succeeded.connect(self._on_field)
        self.cams.succeeded.connect(self._on_cam)
        for runner in (self.clicks, self.cams):
            runner.failed.connect(lambda error: page.run_bar.show_error(str(error)))
        page.form.seeing_changed.connect(self._on_seeing)
        page.form.cam_changed.connect(self._on_cam_changed)
        window.signals.window_changed.connect(self._draw_all)

    @property
    def computing(self) -> bool:
        """Whether an answer is still to come."""
        return self.clicks.busy or self.cams.busy

    def wait(self, seconds: float) -> bool:
        """Until nothing is asked here."""
        return self.clicks.wait(seconds) and self.cams.wait(seconds)

    def stop(self) -> None:
        """The window is closing."""
        self.clicks.drop()
        self.cams.drop()

    def follow(self, shown: ShownLayerMaps) -> None:
        """Another slice stands in a result: the same is asked there."""
        if shown is not self._page.current:
            return
        if shown.seen is not None:
            self._see_again(shown)
        self.ask_cam(shown)

    # -- receptive fields and kernels ----------------------------------------------------------

    def ask_kernels(self, key: ModelKey) -> None:
        """The kernels of a model's first convolution, into the panel below."""
        session = self._page.session
        self.clicks.submit(lambda: (key, session.kernels(key)))

    def see(self, index: Voxel) -> None:
        """Ask for the field of the chosen layer at a voxel of the slice that was run."""
        page = self._page
        shown, layer = page.current, page.form.seen_layer
        if not layer or shown is None or not shown.visible:
            return
        if not page.isVisible() or not shown.explanation.covers(index[0]):
            return
        session, frame = page.session, shown.explanation.frame
        self.clicks.submit(
            lambda: (shown, session.field(shown.study, shown.key, index, layer, frame))
        )

    def _see_again(self, shown: ShownLayerMaps) -> None:
        """The same place on another slice."""
        if (clicked := self._page.last_click) is not None:
            self.see((shown.explanation.slices.start, *clicked[1:]))

    def _on_seeing(self) -> None:
        """Another layer was chosen, or none is to be shown any more."""
        shown = self._page.current
        if shown is None:
            return
        if self._page.form.seen_layer:
            self._see_again(shown)
        else:
            self.clicks.drop()
            self._drop(shown, FIELD)

    def _on_field(self, answer: tuple[Any, Any]) -> None:
        of, found = answer
        if isinstance(of, ModelKey):
            show_plots(self._window.viewer, self._panel)
            self._panel.show_kernels(found)
            return
        shown: ShownLayerMaps = of
        here = shown.explanation
        if shown in self._page.shown and (found.slices, found.frame) == (here.slices, here.frame):
            shown.seen = found
            self._put(shown, FIELD)

    # -- Grad-CAM ------------------------------------------------------------------------------

    def ask_cam(self, shown: ShownLayerMaps | None) -> None:
        """Grad-CAM of a result's slice as the form has it, unless it stands there already."""
        page = self._page
        wanted = page.form.cam_wanted
        if wanted is None or shown is None or not shown.visible:
            return
        asked = _asked(shown, wanted)
        if shown.cam is not None and shown.cam_of == asked:
            self.cams.drop()
            return
        session, study, key = page.session, shown.study, shown.key
        index, frame = shown.explanation.slices.start, shown.explanation.frame

        def answer() -> _CamAnswer:
            try:
                found = session.grad_cam(study, key, index, *wanted, frame)
            except SparseExplainError as error:
                return _CamAnswer(shown, asked, error=error)
            return _CamAnswer(shown, asked, found)

        self.cams.submit(answer)

    def _on_cam_changed(self) -> None:
        shown = self._page.current
        if self._page.form.cam_wanted is None:
            self.cams.drop()
            if shown is not None:
                self._drop(shown, CAM)
        else:
            self.ask_cam(shown)

    def _on_cam(self, answer: _CamAnswer) -> None:
        shown = answer.shown
        wanted = self._page.form.cam_wanted
        if shown not in self._page.shown or wanted is None or answer.asked != _asked(shown, wanted):
            return  # another slice, layer or class meanwhile
        if answer.found is None:
            # What stood there is of another slice or another layer.
            self._drop(shown, CAM)
            self._page.run_bar.show_error(f"Grad-CAM at {wanted[0]}: {answer.error}")
            return
        shown.cam, shown.cam_of = answer.found, answer.asked
        self._page.run_bar.forget_error()
        self._put(shown, CAM)

    # -- both ----------------------------------------------------------------------------------

    def _put(self, shown: ShownLayerMaps, name: str) -> None:
        """Draw what was found into its layer, made where there is none yet."""
        viewer = self._window.viewer
        shown.drop_missing(viewer.layers)
        new, active = name not in shown.layers, viewer.layers.selection.active
        visible = shown.visible
        if new:
            shown.add_layers(viewer)
            viewer.layers.selection.active = active
        self._draw(shown)
        if new and visible:
            self._page.show_result(shown, grid=False)
        self._page.describe()

    def _drop(self, shown: ShownLayerMaps, name: str) -> None:
        shown.drop(name, self._window.grid_view)
        self._page.describe()

    def _draw(self, shown: ShownLayerMaps) -> None:
        role = next((r for r in shown.roles if r in shown.study.images), first_shown(shown.study))
        shown.draw_over_scan(role, scan_window(self._window, shown.study, role))

    def _draw_all(self, *_: object) -> None:
        """Grey values were set otherwise: fields and maps lie over them."""
        for shown in self._page.shown:
            self._draw(shown)
