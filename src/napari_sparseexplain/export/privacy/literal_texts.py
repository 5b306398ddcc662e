"""The texts that stand in Python source, without its comments, docstrings and code.

Python's own parser builds a tree of everything first, which takes six times as long; for the whole
package that was three seconds before the first export of a session.
"""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Iterator

#: A comment, or a text with what stands before its quotes. Source is that of Python 3.11: within an
#: f-string its own kind of quote does not occur.
_TOKEN = re.compile(
    r"""
    \#[^\n]*
    | (?:\b(?P<prefix>[rRbBfFuU]{1,2}))?
      (?: \"{3} (?P<long>  [^"\\]* (?: (?: \\. | "(?!"") ) [^"\\]* )* ) \"{3}
        | '{3}  (?P<other> [^'\\]* (?: (?: \\. | '(?!'') ) [^'\\]* )* ) '{3}
        | \"    (?P<short> [^"\\\n]* (?: \\. [^"\\\n]* )* ) \"
        | '     (?P<single>[^'\\\n]* (?: \\. [^'\\\n]* )* ) '
      )
    """,
    re.VERBOSE | re.DOTALL,
)

#: The innermost replacement field of an f-string, and what Python reads for a backslash.
_FIELD = re.compile(r"\{[^{}]*\}")
_ESCAPE = re.compile(r"\\(?:N\{[^}]*\}|.)", re.DOTALL)

#: Before a text that begins a line these say that it is a part of an expression.
_OPEN = frozenset("([{,=+%|&")


def literal_texts(source: str) -> Iterator[str]:
    """Text constants of a module; of one that is written in parts, or is an f-string, its parts.

    Parameters
    ----------
    source : str
        That Python can read.
    """
    code = ""  # of the lines before a comment, as far as it is needed
    commented = 0
    for token in _TOKEN.finditer(source):
        kind = token.lastgroup
        if kind is None:
            code = source[commented : token.start()].strip()[-1:] or code
            commented = token.end()
            continue
        prefix, text = (token["prefix"] or "").casefold(), token[kind]
        if "b" in prefix:
            continue
        if kind in ("long", "other"):
            before = source[commented : token.start()]
            begins_line = not before.rpartition("\n")[2].strip()
            if begins_line and (before.strip()[-1:] or code) not in _OPEN:
                continue  # a statement of its own, as docstrings are
        if "f" in prefix:
            yield from _texts_of_f_string(text)
        elif "\\" in text and "r" not in prefix:
            yield str(literal_eval(source[token.start() : token.end()]))
        else:
            yield text


def _texts_of_f_string(text: str) -> Iterator[str]:
    """What is said about the values, and the texts within what computes them."""
    text = text.replace("{{", " ").replace("}}", " ")
    while field := _FIELD.search(text):
        yield from literal_texts(field[0])
        text = f"{text[: field.start()]} {text[field.end() :]}"
    yield _ESCAPE.sub(" ", text)
