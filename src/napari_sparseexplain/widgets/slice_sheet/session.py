"""What the sheet asks of the models, without Qt: run it in a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...progress import Progress, Work
from ...volumes import Study
from ..parts.model_session import ModelKey, ModelSession

if TYPE_CHECKING:
    from pathlib import Path

    from ...explanation.slice_sheet.plan import Choice
    from ...explanation.slice_sheet.sheet import SliceSheet
    from ...networks.bundle.model import Model

#: Where the models run.
DEVICE = "auto"


class SliceSheetSession(ModelSession):
    """Models of sheets, loaded once.

    Attributes
    ----------
    models : list of str or Path, or None
        Those to choose from; the bundled ones when None.
    """

    models: list[str | Path] | None = None

    def load_sheet_early(self, study: Study) -> None:
        """Load what a sheet of a study needs before anybody asks, away from the window.

        Raises
        ------
        SparseExplainError
            No model fits the study.
        """
        from ...explanation.slice_sheet import sheet_work
        from ...explanation.slice_sheet.plan import plan_sheet

        _ = sheet_work
        parts = plan_sheet(study, self.models).parts
        for key in dict.fromkeys(key_of(part.choice) for part in parts if part.choice):
            self.load_early(key)
            self.measure_early(key, study)

    def sheet_work(self, study: Study, index: int, frame: tuple[int, ...]) -> Work[SliceSheet]:
        """See `explanation.slice_sheet.sheet_work.slice_sheet_work`."""
        yield Progress(0, 0, "Loading the program")
        from ...explanation.slice_sheet.sheet_work import slice_sheet_work

        return (
            yield from slice_sheet_work(
                study, index, models=self.models, frame=frame, load=self._chosen
            )
        )

    def randomisation_work(self, study: Study, sheet: SliceSheet) -> Work[SliceSheet]:
        """See `explanation.slice_sheet.sheet_work.randomisation_work`."""
        from ...explanation.slice_sheet.sheet_work import randomisation_work

        return (yield from randomisation_work(study, sheet, self._chosen))

    def _chosen(self, choice: Choice) -> Model:
        return self.model(key_of(choice))


def key_of(choice: Choice) -> ModelKey:
    """By what a tab knows a chosen model."""
    return ModelKey(str(choice.given), DEVICE)
