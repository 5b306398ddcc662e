"""What a person is asked about a review: yes or no, and which folder, from where it was last."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from weakref import WeakKeyDictionary

from qtpy.QtWidgets import QFileDialog, QMessageBox, QWidget

from ...errors import SparseExplainError
from ...review.store import explanations_elsewhere
from ...volumes import Study
from ..parts.new_folder_dialog import ask_new_folder
from ..parts.preferences import on_preference, preference


class ReviewDialogs:
    """The dialogs of the Review tab.

    Attributes
    ----------
    ask : callable
        Asks a question that is answered by yes or no.
    ask_folder, ask_new_folder, ask_file : callable
        Ask for a folder that is there, for one to write, for a file to write; nothing is an empty
        text.
    study : Study or None
        Whose folders are meant: a dialog for one study does not begin where another was saved.
    """

    def __init__(self, parent: QWidget) -> None:
        self._parent = parent
        self.ask = self._ask_yes
        self.ask_folder = self._ask_folder
        self.ask_new_folder = partial(ask_new_folder, parent)
        self.ask_file = self._ask_file
        self.study: Study | None = None
        #: Where the review of each study was saved or opened last, and exported to.
        self.saved_in: WeakKeyDictionary[Study, Path] = WeakKeyDictionary()
        self.exported_to: WeakKeyDictionary[Study, Path] = WeakKeyDictionary()
        on_preference("export.folder", self._on_preference)

    def replace_study(self, old: Study, new: Study) -> None:
        """A study after an edit of its roles."""
        for kept in (self.saved_in, self.exported_to):
            if old in kept:
                kept[new] = kept.pop(old)
        self.study = new if self.study is old else self.study

    def folder_to_save(self) -> str:
        """Where the review is to be saved."""
        return self.ask_new_folder("Save the review in a folder", self.start(self.saved_in))

    def folder_to_open(self) -> str:
        """Which saved review is to be opened."""
        return self.ask_folder("Open a review's folder", self.start(self.saved_in))

    def path_to_export(self, what: str, name: str) -> str:
        """File or folder to which something is to be exported; a file is offered that name."""
        start = self.start(self.exported_to)
        if what not in ("slice", "report"):
            return self.ask_new_folder("Export to a folder", start)
        ending = ".pdf" if what == "report" else ".png"
        kind = "PDF (*.pdf)" if what == "report" else "PNG (*.png)"
        path = self.ask_file("Export", str(Path(start) / f"{name}{ending}"), kind)
        return f"{path}{ending}" if path and not path.lower().endswith(ending) else path

    def may_read_elsewhere(self, folder: Path) -> bool:
        """Asks before maps are read from where only the review says that they are."""
        try:
            places = sorted({str(place) for place in explanations_elsewhere(folder).values()})
        except SparseExplainError:
            return False  # opening it says what is wrong
        if not places:
            return False
        named = "\n".join(place[:200] for place in places[:5]) + ("\n…" if len(places) > 5 else "")
        return self.ask(
            "This review names maps outside of its own folder:\n\n"
            f"{named}\n\nRead them? Only if you trust whoever made the review."
        )

    def start(self, last: WeakKeyDictionary[Study, Path]) -> str:
        """Where a dialog begins: where the study's last one ended, else as the preferences say."""
        if self.study is not None and self.study in last:
            return str(last[self.study])
        chosen = str(preference("export.folder"))
        return chosen if chosen and Path(chosen).is_dir() else str(Path.home())

    def _on_preference(self) -> None:
        """A folder that was just chosen comes before those of the last dialogs."""
        self.saved_in.clear()
        self.exported_to.clear()

    def _ask_yes(self, question: str) -> bool:
        yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
        return QMessageBox.question(self._parent, "Review", question, yes | no, no) == yes

    def _ask_folder(self, title: str, start: str = "") -> str:
        return QFileDialog.getExistingDirectory(self._parent, title, start)

    def _ask_file(self, title: str, name: str, kind: str) -> str:
        # Whether a file may be replaced is asked once, for all that will be written.
        option = QFileDialog.Option.DontConfirmOverwrite
        return QFileDialog.getSaveFileName(self._parent, title, name, kind, options=option)[0]
