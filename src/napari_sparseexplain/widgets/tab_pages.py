"""The tabs of the families in their order, and what is asked of all of them at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qtpy.QtWidgets import QTabWidget

from ..families import attempt, families, left_out, resolve
from ..volumes import Study
from .explain_tab import ExplainTab
from .parts.notices import show_warning_message
from .view.faint_words import keep_faint_words_readable
from .window import Window

#: Room left and right of a tab's title.
_NARROW = "QTabBar::tab { padding: 4px 0px; }"


class TabPages(QTabWidget):
    """Every tab once."""

    def __init__(self, window: Window) -> None:
        super().__init__()
        self.setDocumentMode(True)
        # So narrow that all tabs are seen in the narrowest window, none behind arrows.
        if (bar := self.tabBar()) is not None:
            bar.setStyleSheet(_NARROW)
            bar.setDrawBase(False)
        for family in families():
            with attempt(family):
                if family.tab:
                    self.addTab(resolve(family.tab)(window), family.title)
        keep_faint_words_readable(self, window.viewer)
        for line in left_out():
            show_warning_message(line)

    def pages(self) -> Iterator[ExplainTab]:
        """The tabs in their order."""
        for position in range(self.count()):
            page = self.widget(position)
            if isinstance(page, ExplainTab):
                yield page

    def page(self, name: str) -> Any:
        """The tab of a name."""
        for page in self.pages():
            if page.name == name:
                return page
        raise KeyError(name)

    def wait(self, seconds: float) -> bool:
        """Keep the window alive until nothing runs in any tab; False where something still does."""
        done = True
        for page in self.pages():
            done = page.wait(seconds) and done
        return done

    def stop(self) -> None:
        """Ask every run to stop at its next step."""
        for page in self.pages():
            page.stop()

    def follow_layers(self) -> None:
        """Layers came, went, or were shown or hidden."""
        for page in self.pages():
            page.follow_layers()

    def follow_study(self, study: Study | None) -> None:
        """Another study is active."""
        for page in self.pages():
            for bar in page.run_bars():
                bar.follow_study(study)

    def follow_replaced(self, old: Study, new: Study) -> None:
        """A study after an edit of its roles stands for the one before."""
        for page in self.pages():
            for bar in page.run_bars():
                bar.follow_replaced(old, new)

    def fit_width(self) -> None:
        """The forms have the theme's font now."""
        if (bar := self.tabBar()) is not None:
            self.setMinimumWidth(bar.sizeHint().width())
        for page in self.pages():
            page.fit_width()
