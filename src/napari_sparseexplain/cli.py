"""`sparseexplain`: what a radiologist clicks, a script can run on a thousand studies.

Exit status 0: done; 1: failed, with one clear line on standard error; 2: wrong usage.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from .commands import benchmark, explain, explain_slice, models, window
from .errors import CancelledError, SparseExplainError
from .families import Family, attempt, families, left_out, resolve


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
train = typer.Typer(no_args_is_help=True, help="Train a model and save it as a bundle.")
evaluate = typer.Typer(
    no_args_is_help=True, help="Print a paper's tables, its numbers beside ours."
)


@evaluate.callback()
def _family() -> None:
    """Print a paper's tables, its numbers beside ours."""


def _add(family: Family) -> None:
    """All commands of a family, or none.

    Raises
    ------
    ValueError
        A name is taken.
    """
    made = [
        (to, name, resolve(reference))
        for to, commands in (
            (app, family.commands),
            (train, family.recipes),
            (evaluate, family.evaluations),
        )
        for name, reference in commands.items()
    ]
    for to, name, _ in made:
        if name in {info.name for info in (*to.registered_commands, *to.registered_groups)}:
            raise ValueError(f"sparseexplain has a command {name!r} already")
    for to, name, command in made:
        if isinstance(command, typer.Typer):
            to.add_typer(command, name=name)
        else:
            to.command(name)(command)


app.command("open")(window.open_window)
app.command("demo")(window.demo)
app.command("models")(models.list_models)
app.command("methods")(models.list_methods)
app.command("explain")(explain.explain)
app.command("explain-slice")(explain_slice.explain_slice)
app.add_typer(train, name="train")
app.add_typer(evaluate, name="evaluate")
app.command("bench")(benchmark.bench)
for _each in families():
    with attempt(_each):
        _add(_each)


def main() -> None:
    """Entry point: one clear line for what a person can mend, a traceback for what is our fault."""
    speak_any_encoding()
    told = left_out()
    _warn(told)
    try:
        app()
    except (CancelledError, KeyboardInterrupt):
        _end("cancelled")
    except SparseExplainError as error:
        _end(str(error))
    finally:
        _warn(line for line in left_out() if line not in told)


def speak_any_encoding() -> None:
    """Let a terminal or a pipe of another encoding (cp1252, ascii) get ``\\u2212`` for ``−``.

    What is printed holds what UTF-8 holds: file names, units, signs. Work of an hour must not end
    in an error because of one of them.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
            stream.reconfigure(errors="backslashreplace")


def _warn(lines: Iterable[str]) -> None:
    for line in lines:
        print(f"warning: {line}", file=sys.stderr)


def _end(said: str) -> NoReturn:
    print(f"sparseexplain: {said}", file=sys.stderr)
    raise SystemExit(1)


if __name__ == "__main__":
    main()
