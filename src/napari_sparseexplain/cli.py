"""`sparseexplain`: what a radiologist clicks, a script can run on a thousand studies.

Exit status 0: done; 1: failed, with one clear line on standard error; 2: wrong usage.
"""

from __future__ import annotations

import sys

import typer

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
from .errors import SparseExplainError

app = typer.Typer(
    name="sparseexplain",
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
    try:
        app()
    except SparseExplainError as error:
        print(f"sparseexplain: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        print("sparseexplain: cancelled", file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
