"""What the Attribution tab asks of the models, without Qt: run it in a worker.

A finished map is kept by everything that it depends on, so that the same map is not computed
twice; segments and gradients that several maps share are kept below, by the methods themselves.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...errors import SparseExplainError
from ...evidence import Explanation
from ...explanation.bounded_cache import BoundedCache, checksum
from ...explanation.method import ParameterValue
from ...explanation.target import Target
from ...networks.bundle.model_card import ModelCard
from ...progress import Progress, Work
from ...volumes import Source, Study, Volume
from ..parts.external_session import ExternalModelSession
from ..parts.model_session import ModelKey

if TYPE_CHECKING:
    from ...explanation.slice_sheet.sheet import SheetPart
    from ...explanation.trust.table import Trust
    from ...networks.bundle.model import Model

#: Role of a drawn region in the study that is explained.
DRAWN = "drawn region"

#: Bytes of finished maps that are kept.
KEPT_BYTES = 512 * 2**20


@dataclass(frozen=True, eq=False)
class AttributionAsk:
    """One map that is asked for.

    Attributes
    ----------
    values : mapping
        Every parameter of the method.
    region : ndarray of bool, shape of the study's grid, or None
        A drawn region; the target then names the class.
    frame : tuple of int
        Point along the leading axes; empty for the first.
    """

    study: Study
    key: ModelKey
    method: str
    values: Mapping[str, ParameterValue]
    target: Target
    slices: slice
    region: npt.NDArray[np.bool_] | None = field(default=None, repr=False)
    frame: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class AttributionAnswer:
    """A map, the study it was computed on (with what was drawn), and what is known of its trust.

    Attributes
    ----------
    trust : Trust or None
        None where it could not be said; ``why_not`` then says why.
    whole : bool
        Whether ``trust`` holds every figure, or only those that need no network.
    """

    ask: AttributionAsk
    explanation: Explanation
    study: Study
    card: ModelCard
    trust: Trust | None = None
    why_not: str = ""
    whole: bool = False


class AttributionSession(ExternalModelSession):
    """Models, also from elsewhere, and the finished maps of one tab."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: BoundedCache[AttributionAnswer] = BoundedCache(KEPT_BYTES, _bytes)
        self._numbers: weakref.WeakKeyDictionary[Study, int] = weakref.WeakKeyDictionary()
        self._counter = itertools.count()
        self._drawn: tuple[str, Study] | None = None

    def load_early(self, key: ModelKey) -> None:
        """See `ModelSession.load_early`."""
        from ...explanation.attribution import frame as attribution
        from ...explanation.attribution.xrai import slices as xrai

        _ = attribution, xrai
        super().load_early(key)

    # -- maps --------------------------------------------------------------------------------

    def identity(self, ask: AttributionAsk) -> str:
        """One text for everything that a map depends on."""
        number = self._numbers.get(ask.study)
        if number is None:
            number = self._numbers[ask.study] = next(self._counter)
        card = self._cards.get(ask.key.model)
        region = () if ask.region is None else (np.packbits(ask.region),)
        return checksum(
            number,
            ask.key,
            None if card is None else card.to_json(),
            ask.method,
            sorted(ask.values.items()),
            ask.target,
            (ask.slices.start, ask.slices.stop),
            ask.frame,
            *region,
        )

    def known(self, ask: AttributionAsk) -> AttributionAnswer | None:
        """The finished map, when it was asked for before."""
        return self._kept.get(self.identity(ask))

    def attribution_work(self, ask: AttributionAsk) -> Work[AttributionAnswer]:
        """Compute a map and what can be said of it at once.

        Raises
        ------
        SparseExplainError
            The study, target, model and method do not fit together; said in one line.
        """
        identity = self.identity(ask)
        if (kept := self._kept.get(identity)) is not None:
            return kept
        from ...explanation.catalogue import explain_work
        from ...explanation.trust.table import trust_of

        yield Progress(0, 0, "Loading the model")
        model = self.model(ask.key)
        study, target = self._asked_study(ask)
        values: Any = dict(ask.values)
        explanation = yield from explain_work(
            study, model, ask.method, target=target, slices=ask.slices, frame=ask.frame, **values
        )
        if ask.region is not None:
            explanation = replace(explanation, target=f"{ask.target.name} in the drawn region")
        yield Progress(0, 0, "Comparing the map with the mask")
        trust, why_not = None, ""
        try:
            trust = trust_of(study, explanation, model)
        except SparseExplainError as error:
            # The map is there and stays; only the table beside it cannot be written.
            why_not = str(error)
        answer = AttributionAnswer(ask, explanation, study, model.card, trust, why_not)
        self._kept.put(identity, answer)
        return answer

    def keep(self, answer: AttributionAnswer) -> None:
        """Keep a map that was computed elsewhere: asked for here, it is not computed again."""
        self._kept.put(self.identity(answer.ask), answer)

    def trust_work(self, answers: list[AttributionAnswer]) -> Work[list[AttributionAnswer]]:
        """The whole table of some maps: each method runs again, on changed images and weights."""
        from ...explanation.trust.table import trust_work

        done = []
        for answer in answers:
            if not answer.whole:
                ask = answer.ask
                yield Progress(0, 0, f"Trust of {ask.method}")

                def start(model: Model, answer: AttributionAnswer = answer) -> Work[Any]:
                    return trust_work(answer.study, model, answer.explanation)

                trust, notes = yield from self._where_it_fits(ask.key, start)
                trust = replace(trust, notes=(*trust.notes, *notes))
                answer = replace(answer, trust=trust, why_not="", whole=True)
                self._kept.put(self.identity(ask), answer)
            done.append(answer)
        return done

    def forget(self, study: Study) -> None:
        """Let go of what is kept of a study that was closed."""
        super().forget(study)
        self._numbers.pop(study, None)
        self._drawn = None

    def _asked_study(self, ask: AttributionAsk) -> tuple[Study, Target]:
        """The study with what was drawn as a label of its own, and the target that names it."""
        if ask.region is None:
            return ask.study, ask.target
        mark = checksum(id(ask.study), np.packbits(ask.region))
        if self._drawn is None or self._drawn[0] != mark:
            self._drawn = mark, with_drawn(ask.study, ask.region)
        return self._drawn[1], Target.region(f"{ask.target.name}@{DRAWN}")


def answer_of(study: Study, key: ModelKey, part: SheetPart) -> AttributionAnswer:
    """A map of a sheet as if it had been asked for here."""
    from ...explanation.catalogue import method_info
    from ...explanation.trust.table import explained_target

    found, choice = part.made()
    info = method_info(found.method)
    noted = found.provenance.parameters
    names = {parameter.name for parameter in info.parameters}
    values = info.checked({name: value for name, value in noted.items() if name in names})
    target = explained_target(found)
    ask = AttributionAsk(study, key, info.name, values, target, found.slices, None, found.frame)
    return AttributionAnswer(ask, found, study, choice.card, part.trust, part.why_not)


def with_drawn(study: Study, region: npt.NDArray[np.bool_]) -> Study:
    """The study with a drawn region as one more label."""
    grid = study.grid
    source = Source(
        paths=(),
        format="memory",
        shape=grid.shape,
        affine=grid.affine,
        dtype=np.dtype(np.uint8),
        to_display=np.array([[0, 1], [1, 1], [2, 1]], dtype=np.float64),
        description=DRAWN,
    )
    drawn = Volume(region.astype(np.uint8), grid, DRAWN, "label", source)
    return replace(study, labels={**study.labels, DRAWN: drawn})


def _bytes(answer: AttributionAnswer) -> int:
    return sum(int(item.data.nbytes) for item in answer.explanation.maps)
