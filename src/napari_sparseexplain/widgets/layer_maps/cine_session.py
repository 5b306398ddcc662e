"""What the panel *Cine* asks of the networks, without Qt: run it in a worker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...progress import Progress, Work
from ...volumes import Study
from ..parts.model_session import ModelKey, ModelSession

if TYPE_CHECKING:
    from ...networks.bundle.model_card import ModelCard
    from ...training.left_ventricle.cine_volumes import CineVolumes


class CineSession(ModelSession):
    """Loaded ventricle networks."""

    def cine_work(
        self, study: Study, keys: Sequence[ModelKey], cards: Sequence[ModelCard]
    ) -> Work[list[CineVolumes]]:
        """Run networks on every slice and time point; see `cine_volumes`.

        Parameters
        ----------
        cards : sequence of ModelCard
            Of the networks: what cannot be run is refused before one is loaded.
        """
        from ...training.left_ventricle.cine_volumes import cine_scan, cine_volumes

        for card in cards:
            cine_scan(study, card)
        models = []
        for key in keys:
            yield Progress(0, 0, "Loading the network")
            models.append(self.model(key))
        return (yield from cine_volumes(study, models))
