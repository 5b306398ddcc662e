"""A study opened for a command: what was noticed in it is told on standard error."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from ..volumes import Study


def told_study(path: Path, **options: Any) -> Study:
    """Open a study and tell its findings.

    Parameters
    ----------
    path : Path
    **options
        As of `volumes.open_study`.
    """
    from ..volumes import open_study

    study = open_study(path, **options)
    for finding in study.findings:
        typer.echo(f"{finding.level}: {finding.words()}", err=True)
    return study
