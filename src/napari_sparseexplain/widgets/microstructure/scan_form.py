"""Which diffusion scan, what its gradients are, and how its voxels are compared."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QDoubleSpinBox, QFormLayout, QWidget
from superqt.utils import signals_blocked

from ...errors import ParameterError
from ...explanation.method import ParameterValue
from ...explanation.microstructure.methods import BIG_DELTA, SMALL_DELTA
from ...layers.study_layers import role_title
from ...volumes import Study
from ..parts.wrapped_label import wrapped_label
from .method_form import MethodForm, add_row, number_box
from .session import Gradients, scans_with_frames
from .warnings_block import WarningsBlock

#: A scan that cannot be run, and why.
ONE_SHELL = (
    "✗ One shell: radius, density and volume fraction cannot be estimated. Choose the method "
    "Diffusion tensor (one shell is enough), or a scan with at least two shells."
)

#: What a method that compares with simulated signals cannot do without.
NO_TIMINGS = (
    "✗ δ and Δ are not known: fill in both in milliseconds, the scan's protocol says them. The "
    "method Diffusion tensor needs none."
)

_READING = "Reading the gradients …"
_NO_SCAN = "No scan of this study has several volumes: open a diffusion scan."


class ScanForm(QWidget):
    """The rows of the form; they stand in the tab's own.

    Attributes
    ----------
    study : Study or None
        Whose scans can be chosen.
    how : MethodForm
        The method and its parameters.
    said : QLabel
        What the gradients are, and why nothing can be run.
    warnings : WarningsBlock
        What a person should know of the protocol.

    Signals
    -------
    scan_changed(): another scan is meant, or other timings were filled in.
    """

    scan_changed = Signal()

    def __init__(self, form: QFormLayout, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.hide()
        self._filled = (0.0, 0.0)
        self.study: Study | None = None
        self.known: Gradients | None = None
        self.scan = QComboBox()
        self.scan.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.scan.setMinimumContentsLength(6)
        self.scan.currentIndexChanged.connect(lambda _: self._on_scan())
        add_row(form, "Scan", self.scan, "The scan with one volume for each gradient")
        self.said = wrapped_label(_NO_SCAN)
        add_row(form, "Gradients", self.said, "Read from the files beside the scan")
        self.warnings = WarningsBlock()
        form.addRow(self.warnings)
        self.small_delta, self.big_delta = self._time_box(), self._time_box()
        add_row(form, "δ", self.small_delta, f"{SMALL_DELTA.tooltip}.")
        add_row(form, "Δ", self.big_delta, f"{BIG_DELTA.tooltip}.")
        self.how = MethodForm(form, self)
        self.how.method_changed.connect(self._on_method)

    # -- what a script can call ----------------------------------------------------------------

    @property
    def role(self) -> str:
        """The scan that is meant; empty where there is none."""
        return str(self.scan.currentData() or "")

    @property
    def timings(self) -> tuple[float, float]:
        """δ and Δ in ms as they stand in the form; 0 where they are not known."""
        for box in (self.small_delta, self.big_delta):
            box.interpretText()  # what is being typed counts too
        return self.small_delta.value(), self.big_delta.value()

    @property
    def given_timings(self) -> tuple[float, float]:
        """Those that a person filled in; zeros where they are the files' own."""
        return (0.0, 0.0) if self.timings == self._filled else self.timings

    def set_timings(self, small_delta: float, big_delta: float) -> None:
        """Fill in δ and Δ in ms."""
        with signals_blocked(self.small_delta):
            self.small_delta.setValue(small_delta)
        with signals_blocked(self.big_delta):
            self.big_delta.setValue(big_delta)
        self.scan_changed.emit()

    @property
    def refusal(self) -> str:
        """Why nothing can be run with what stands in the form; empty where something can."""
        if not self.role:
            return _NO_SCAN
        if self.known is None or not self.how.needs_timings:
            return ""
        if self.known.one_shell:
            return ONE_SHELL
        return "" if all(self.timings) else NO_TIMINGS

    def values(self) -> dict[str, ParameterValue]:
        """The method's parameters.

        Raises
        ------
        ParameterError
            No scan, no timings, one of them alone, or δ longer than Δ.
        """
        if not self.role:
            raise ParameterError(
                "no scan of this study has several volumes",
                where="scan",
                remedy="Open a diffusion scan with its gradients (bval and bvec) beside it",
            )
        if not self.how.needs_timings:
            return {"scan": self.role, **self.how.values()}
        small, big = self.timings
        if not (small and big):
            raise ParameterError(
                "δ and Δ, the timings of the gradients, are not known",
                where=role_title(self.role),
                remedy="Fill in both in milliseconds; the scan's protocol says them",
            )
        if small > big:
            raise ParameterError(
                f"δ ({small:g} ms) is longer than Δ ({big:g} ms)",
                where=role_title(self.role),
                remedy="Give the length of a pulse as δ, and from its start to the next as Δ",
            )
        given = self.given_timings
        return {
            "scan": self.role,
            "small_delta": given[0],
            "big_delta": given[1],
            **self.how.values(),
        }

    # -- the study -----------------------------------------------------------------------------

    def set_study(self, study: Study | None) -> None:
        """The scans of a study; the one that was meant stays where it is the same study."""
        before = self.role if study is self.study else ""
        self.study = study
        roles = scans_with_frames(study)
        with signals_blocked(self.scan):
            self.scan.clear()
            for role in roles:
                self.scan.addItem(role_title(role), role)
            if not roles:
                self.scan.addItem("No diffusion scan")
            if before in roles:
                self.scan.setCurrentIndex(roles.index(before))
        self.scan.setEnabled(bool(roles))
        if not self.role or self.role != before:
            self._on_scan()
            self.show_reading()

    def replace_study(self, old: Study, new: Study) -> None:
        """The same study after an edit of its roles."""
        if self.study is old:
            # The files' own are read anew, with all their digits; the boxes round what they show.
            place, given = self.scan.currentIndex(), self.given_timings
            self.study = new
            self.set_study(new)
            with signals_blocked(self.scan):
                self.scan.setCurrentIndex(min(max(place, 0), self.scan.count() - 1))
            if given != (0.0, 0.0):
                self.set_timings(*given)
            else:
                self.scan_changed.emit()

    # -- what was read -------------------------------------------------------------------------

    def show_reading(self) -> None:
        """The gradients are being read."""
        self.said.setText(_READING if self.role else _NO_SCAN)
        self.warnings.show_warnings(())

    def show_gradients(self, found: Gradients) -> None:
        """What the files say; timings go into their boxes where nobody has filled them in."""
        self.known = found
        if found.small_delta and self.timings == (0.0, 0.0):
            with signals_blocked(self.small_delta):
                self.small_delta.setValue(found.small_delta)
            with signals_blocked(self.big_delta):
                self.big_delta.setValue(found.big_delta)
            self._filled = self.timings
        lines, notes = [found.counts], list(found.notes)
        if refusal := self.refusal:
            # What stops a run comes first; the remark of the protocol says the same.
            lines.append(refusal)
            same = "there is one shell" if refusal == ONE_SHELL else "no file tells δ and Δ"
            notes = [note for note in notes if not note.startswith(same)]
        if found.timings:
            whose = "as the files say" if self.given_timings == (0.0, 0.0) else "as filled in"
            lines.append(f"{found.timings}, {whose}")
        self.said.setText("\n".join(lines))
        self.warnings.show_warnings([sentence(note) for note in notes])

    def show_error(self, words: str) -> None:
        """They cannot be read."""
        self.known = None
        self.said.setText(f"✗ {words}")
        self.warnings.show_warnings(())

    # -- parts ---------------------------------------------------------------------------------

    def _on_scan(self) -> None:
        """Timings are those of the scan before: they go."""
        self.known, self._filled = None, (0.0, 0.0)
        self.set_timings(0.0, 0.0)

    def _on_method(self) -> None:
        """A tensor needs no timings, and one shell will do: what stops a run is told anew."""
        if self.known is not None:
            self.show_gradients(self.known)

    def _time_box(self) -> QDoubleSpinBox:
        box = number_box(SMALL_DELTA, "not known", 2)
        box.setRange(0.0, float(BIG_DELTA.high or 500.0))
        box.valueChanged.connect(lambda _: self.scan_changed.emit())
        return box


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    return text[:1].upper() + text[1:].rstrip(".") + "."
