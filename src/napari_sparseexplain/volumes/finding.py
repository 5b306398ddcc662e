"""What a person must know about a study, one sentence a finding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FindingLevel = Literal["info", "warning"]


@dataclass(frozen=True)
class Finding:
    """Something a person must know about a study, in one sentence.

    ``code`` is stable for scripts and tests (``"resampled"``, ``"mask-outside-brain"``,
    ``"duplicate-role"``, ``"unreadable"``, ``"oblique"`` …; docs/volumes.md lists them).
    """

    level: FindingLevel
    code: str
    message: str
    where: str = ""

    def words(self) -> str:
        """The sentence, and before it the file that it is about, where it does not name that."""
        named = not self.where or self.where in self.message
        return self.message if named else f"{self.where}: {self.message}"
