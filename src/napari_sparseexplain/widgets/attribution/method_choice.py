"""Which method, with its parameters in a form of their own."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtWidgets import QComboBox

from ...explanation.catalogue import method_info
from ...explanation.method import MethodInfo
from ..parts.parameter_form import ParameterForm

#: Qt.ItemDataRole.ToolTipRole
_TOOLTIP_ROLE = 3


class MethodChoice(QComboBox):
    """A list of methods.

    Attributes
    ----------
    parameters : ParameterForm
        Those of the chosen method; the tab puts it where it belongs.
    """

    def __init__(self, methods: Sequence[MethodInfo], first: str) -> None:
        super().__init__()
        self.parameters = ParameterForm()
        for info in methods:
            self.addItem(info.title, info.name)
            self.setItemData(self.count() - 1, info.summary, _TOOLTIP_ROLE)
        self.setCurrentIndex(self.findData(first))
        self.currentIndexChanged.connect(lambda _: self._on_chosen())
        self._on_chosen()

    @property
    def method(self) -> str:
        """Name of the chosen method."""
        return self.currentData()

    def choose(self, name: str, **values: float | int | bool | str) -> None:
        """Choose a method, with some of its parameters.

        Raises
        ------
        SparseExplainError
            There is no such method or parameter.
        """
        self.setCurrentIndex(self.findData(method_info(name).name))
        if values:
            self.parameters.set_values(values)

    def _on_chosen(self) -> None:
        info = method_info(self.method)
        self.parameters.set_method(info)
        self.setToolTip(info.summary)
