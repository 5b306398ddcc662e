"""`sparseexplain`: what a radiologist clicks, a script can run on a thousand studies.

Exit status 0: done; 1: failed, with one clear line on standard error; 2: wrong usage.
"""

from __future__ import annotations

import io
import sys
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from .commands import (
    benchmark,
    decompose,
    evaluate,
    explain,
    export_dicom,
    faithfulness,
    models,
    phantom,
    report,
    study,
    train,
    window,
)
from .errors import CancelledError, SparseExplainError


class Commands(TyperGroup):
    """The commands, in each of which Ctrl-C is an answer and not an accident."""

    def invoke(self, ctx: Any) -> Any:
        """Run what was asked for; typer itself would end without a word."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise CancelledError("cancelled") from None


app = typer.Typer(
    name="sparseexplain",
    cls=Commands,
    help="See what an interpretable model did inside, beside the scan. Research only.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("open")(window.open_window)
app.command("demo")(window.demo)
app.command("study")(study.describe)
app.command("models")(models.list_models)
app.command("methods")(models.list_methods)
app.command("explain")(explain.explain)
app.command("decompose")(decompose.decompose)
app.command("faithfulness")(faithfulness.faithfulness)
app.command("report")(report.report)
app.command("export-dicom")(export_dicom.export_dicom)
app.command("matched-filter")(explain.matched_filter)
app.command("phantom")(phantom.phantom)
app.command("phantom-slices")(phantom.phantom_slices)
app.add_typer(train.app, name="train")
app.add_typer(evaluate.app, name="evaluate")
app.command("bench")(benchmark.bench)


def main() -> None:
    """Entry point: one clear line for what a person can mend, a traceback for what is our fault."""
    speak_any_encoding()
    try:
        app()
    except (CancelledError, KeyboardInterrupt):
        _end("cancelled")
    except SparseExplainError as error:
        _end(str(error))


def speak_any_encoding() -> None:
    """Let a terminal or a pipe of another encoding (cp1252, ascii) get ``\\u2212`` for ``−``.

    What is printed holds what UTF-8 holds: file names, units, signs. Work of an hour must not end
    in an error because of one of them.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
            stream.reconfigure(errors="backslashreplace")


def _end(said: str) -> NoReturn:
    print(f"sparseexplain: {said}", file=sys.stderr)
    raise SystemExit(1)


if __name__ == "__main__":
    main()
