"""What the tab Embedding asks, without Qt: run it in a worker."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import ModelError
from ...progress import Progress, Work
from ..parts.model_session import ModelKey, ModelSession

if TYPE_CHECKING:
    from ...networks.bundle.model import Model
    from ...training.classifiers.picture_embedding import PictureEmbeddings
    from ...training.classifiers.picture_stack import PictureStack
    from ...training.classifiers.study_browser import StudyBrowser


class ClassifierSession(ModelSession):
    """Reads pictures, asks classifiers, places pictures in the plane, reads studies."""

    def open_work(
        self, folder: Path, table: Path | None, column: str | None, key: ModelKey
    ) -> Work[PictureStack]:
        """A folder of classes, with answers where a fitting classifier is chosen.

        Raises
        ------
        SparseExplainError
            No two classes are there, or the classifier cannot be loaded.
        """
        yield Progress(0, 0, "Loading")
        from ...training.classifiers.picture_stack import read_stack_work

        model = self._classifier(key)
        return (yield from read_stack_work(folder, table=table, column=column, model=model))

    def embed_work(
        self, stack: PictureStack, key: ModelKey
    ) -> Work[tuple[PictureStack, PictureEmbeddings]]:
        """Pictures as points, and the stack with the answers of the classifier.

        Raises
        ------
        SparseExplainError
            Too few pictures, another classifier's classes, or openTSNE is not installed.
        """
        yield Progress(0, 0, "Loading")
        from ...training.classifiers.class_slices import fed_again
        from ...training.classifiers.picture_embedding import class_answers, picture_embeddings
        from ...training.classifiers.picture_stack import with_answers
        from ...training.classifiers.seen_pictures import sides_for

        model = self._classifier(key)
        slices = stack.slices
        if model is not None:
            if model.card.inputs.spatial_dims != 2:
                raise ModelError(
                    "it does not take single slices", where=model.name, remedy="Choose another one"
                )
            if model.card.inputs.size != slices.size:
                slices = yield from fed_again(slices, model.card.inputs.size)
        card = None if model is None else model.card
        sides, _ = sides_for(slices, stack.split, card)
        answers = None
        if model is not None:
            # Opening has asked it already: that is most of the time that the points take.
            known = slices is stack.slices and card is stack.card
            answers = stack.answers if known else (yield from class_answers(slices, model))
        found = yield from picture_embeddings(slices, model, sides=sides, answers=answers)
        return with_answers(stack, slices, card, answers), found

    def browse_work(self, folder: Path, stack: PictureStack) -> Work[StudyBrowser]:
        """A study's folder, whose pictures are among those that are open.

        Raises
        ------
        ReadError
            No study is there, or one of other pictures.
        """
        from ...training.classifiers.study_browser import browse_study_work

        return (yield from browse_study_work(folder, stack.slices))

    def _classifier(self, key: ModelKey) -> Model | None:
        return self.model(key) if key.model else None
