"""What the panel *Cine* asks of the networks, without Qt: run it in a worker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...progress import Progress, Work
from ...volumes import Study
from ..parts.model_session import ModelKey, ModelSession

if TYPE_CHECKING:
    from ...evidence import Provenance
    from ...networks.bundle.model_card import ModelCard
    from ...training.left_ventricle.cine_volumes import CineVolumes


class CineSession(ModelSession):
    """Loaded ventricle networks."""

    def cine_work(
        self, study: Study, keys: Sequence[ModelKey], cards: Sequence[ModelCard]
    ) -> Work[list[tuple[CineVolumes, Provenance]]]:
        """Run networks on every slice and time point; see `cine_volumes`. With the records.

        Parameters
        ----------
        cards : sequence of ModelCard
            Of the networks: what cannot be run is refused before one is loaded.
        """
        from ...explanation.run_record import run_record
        from ...training.left_ventricle.cine_explanations import METHOD
        from ...training.left_ventricle.cine_volumes import cine_scan, cine_volumes, each_once

        for card in cards:
            cine_scan(study, card)
        models = []
        for key in keys:
            yield Progress(0, 0, "Loading the network")
            models.append(self.model(key))
        models = each_once(models)
        found = yield from cine_volumes(study, models)
        how = {"component": "consistent"}
        records = [
            run_record(study, model, METHOD, how, inputs=model.card.inputs.roles)
            for model in models
        ]
        return list(zip(found, records, strict=True))
