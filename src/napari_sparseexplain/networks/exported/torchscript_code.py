"""The code inside a TorchScript archive: every name in it is one that only computes.

TorchScript is a small language with Python's face. The check does not trust that torch reads a text
as this reads it: what torch is given is written from the words found here (`torchscript_tokens`).
Names can come from four places alone: ``torch`` and ``ops`` (operators of the list), ``__torch__``
(what the archive itself defines), and what the code itself assigns. There is no other way to an
operator, whatever it is called in between.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import torch

from .torchscript_operators import ATEN_CALLS, ATTRIBUTES, FUNCTIONS, PRIM_CALLS, WORDS, word_list
from .torchscript_tokens import CLOSING, OPENING, CodeRefused, Line, Source, Token

_KEYWORDS = word_list(
    "class def return if else elif for in while break continue pass and or not is raise assert "
    "with as True False None"
)

#: Names that torch itself gives a meaning: what the code calls so gets another name, or it could
#: stand for either.
_TAKEN = frozenset(
    {"torch", "ops", "fork", "awaitable", "print", "rpc_async", "rpc_sync", "rpc_remote"}
)


def check_sources(sources: Mapping[str, Source]) -> tuple[list[Source], set[str]]:
    """Check every name of an archive's code.

    Returns
    -------
    sources, defined
        What torch may be given, and the qualified names of what it defines.

    Raises
    ------
    CodeRefused
        Names what is not allowed.
    """
    defined, fields = set(), set()
    for source in sources.values():
        for name in _definitions(source):
            defined.add(f"{source.module}.{name}")
        fields |= _fields(source)
    for name in sorted(fields & _unlisted()):
        # A name of its own that is an operator's, too, could stand for either.
        raise CodeRefused(f"calls something {name!r}, the name of an operator that is not allowed")
    checked = [_Check(source, defined, fields).run() for source in sources.values()]
    return checked, defined


def _unlisted() -> set[str]:
    """Names of all operators that this torch has and that are not allowed."""
    known = {str(schema.name).partition("::")[2] for schema in torch._C._jit_get_all_schemas()}
    return known - ATEN_CALLS - PRIM_CALLS - ATTRIBUTES


def _definitions(source: Source) -> Iterator[str]:
    """Classes and functions of a file."""
    for line in source.lines:
        words = line.tokens
        if words[0].text in ("class", "def") and line.indent == 0:
            if len(words) < 3 or words[1].kind != "name":
                raise CodeRefused("has a definition without a name")
            yield words[1].text


def _fields(source: Source) -> set[str]:
    """Methods and attributes that the classes of a file declare."""
    found = set()
    for line in source.lines:
        words = [token.text for token in line.tokens]
        if words[0] == "def" and len(words) > 1:
            found.add(words[1])
        elif line.indent and len(words) > 2 and words[1] == ":" and line.tokens[0].kind == "name":
            found.add(words[0])
        elif words[0] in ("__annotations__", "__parameters__", "__buffers__"):
            found |= {t.text[1:-1] for t in line.tokens if t.kind == "text"}
        elif line.indent and len(words) > 2 and words[1] == "=":
            found.add(words[0])  # a member of an enumeration
    return found


class _Check:
    """Every name of one file."""

    def __init__(self, source: Source, defined: set[str], fields: set[str]) -> None:
        self.source, self.defined, self.fields = source, defined, fields
        self.bound: set[str] = set()

    def run(self) -> Source:
        """The file with its own variables called ``torch`` and ``ops`` under other names."""
        lines = []
        for scope in _scopes(self.source):
            self.bound = set(_bound(scope))
            if taken := self.bound & {"CONSTANTS", "__torch__", "getattr"}:
                raise CodeRefused(f"gives another meaning to {min(taken)}")
            for line in scope:
                words = list(line.tokens)
                place = 0
                while place < len(words):
                    place = self._word(words, place)
                lines.append(Line(line.indent, tuple(words)))
        return Source(self.source.module, tuple(lines))

    def _word(self, words: list[Token], place: int) -> int:
        """Check the word at ``place``; the place of the next one to look at."""
        token = words[place]
        if token.kind != "name":
            return place + 1
        name, before, after = token.text, _text(words, place - 1), _text(words, place + 1)
        if before == ".":
            self._attribute(name, called=after == "(")
        elif name in _KEYWORDS or before in ("def", "class"):
            pass
        elif name in _TAKEN:
            operator = name in ("torch", "ops") and self._is_call(words, place)
            if name in self.bound and not operator:
                # A variable of that name: under another it cannot stand for the operators. An
                # attribute that a class declares keeps it; it is only ever reached after a dot.
                if place > 0 or after != ":":
                    words[place] = Token("name", f"{name}_of_its_own")
                return place + 1
            if name not in ("torch", "ops"):
                raise CodeRefused(f"uses {name!r}, which is not on the list of what computes")
            return self._operator(words, place)
        elif name == "__torch__":
            return self._own(words, place)
        elif name == "CONSTANTS":
            if after != "." or not re.fullmatch(r"c\d+", _text(words, place + 2)):
                raise CodeRefused("uses CONSTANTS in a way that torch does not write")
            return place + 3
        elif name == "getattr":
            self._getattr(words, place)
        elif after == "=" and before in ("(", ","):
            pass  # an argument by its name
        elif name in self.bound or name in WORDS or (name in FUNCTIONS and after == "("):
            pass
        elif name.startswith("__") and name.endswith("__") and words[0] is token:
            pass  # __parameters__, __annotations__ and their like: lists of names
        else:
            raise CodeRefused(f"uses {name!r}, which is not on the list of what computes")
        return place + 1

    def _is_call(self, words: list[Token], place: int) -> bool:
        signs = [".", "("] if words[place].text == "torch" else [".", ".", "("]
        return [_text(words, place + 1 + 2 * k) for k in range(len(signs))] == signs

    def _operator(self, words: list[Token], place: int) -> int:
        """``torch.NAME(`` or ``ops.SPACE.NAME(``; the names are never handed on."""
        parts = 2 if words[place].text == "torch" else 3
        chain = [_text(words, place + 2 * k) for k in range(parts)]
        dots = [_text(words, place + 2 * k + 1) for k in range(parts - 1)]
        called = _text(words, place + 2 * parts - 1) == "("
        name = ".".join(chain)
        if any(dot != "." for dot in dots) or not called:
            raise CodeRefused(f"hands on {words[place].text}, by which any operator can be called")
        space = "aten" if parts == 2 else chain[1]
        allowed = {"aten": ATEN_CALLS, "prim": PRIM_CALLS}.get(space, frozenset())
        if chain[-1] not in allowed:
            raise CodeRefused(f"calls {name}, which is not on the list of what computes")
        return place + 2 * parts - 1

    def _own(self, words: list[Token], place: int) -> int:
        """``__torch__.a.b.Name``: what the archive itself defines."""
        chain, place = ["__torch__"], place + 1
        while _text(words, place) == "." and place + 1 < len(words):
            chain.append(words[place + 1].text)
            place += 2
            if ".".join(chain) in self.defined:
                break
        if ".".join(chain) not in self.defined:
            raise CodeRefused(f"uses {'.'.join(chain)[:100]}, which it does not define")
        return place

    def _attribute(self, name: str, *, called: bool) -> None:
        if name in self.fields or name in ATTRIBUTES:
            return
        if not called or name not in ATEN_CALLS:
            raise CodeRefused(f"uses .{name}, which is not on the list of what computes")

    def _getattr(self, words: list[Token], place: int) -> None:
        """The name asked for stands there as a text, and is checked as any attribute is."""
        if _text(words, place + 1) != "(":
            raise CodeRefused("hands on getattr")
        depth, end = 0, place + 1
        for end in range(place + 1, len(words)):
            depth += words[end].text in OPENING
            depth -= words[end].text in CLOSING
            if depth == 0:
                break
        last = end - 2 if _text(words, end - 1) == "," else end - 1
        if words[last].kind != "text" or _text(words, last - 1) != ",":
            raise CodeRefused("asks for an attribute whose name is worked out")
        self._attribute(words[last].text[1:-1], called=False)


def _text(words: Sequence[Token], place: int) -> str:
    return words[place].text if 0 <= place < len(words) else ""


def _scopes(source: Source) -> Iterator[list[Line]]:
    """Functions, and what stands between them; no function lies within another."""
    scope: list[Line] = []
    for line in source.lines:
        if line.tokens[0].text in ("def", "class") and scope:
            yield scope
            scope = []
        scope.append(line)
    if scope:
        yield scope


def _bound(lines: Sequence[Line]) -> Iterator[str]:
    """Names that the code itself gives: arguments, loop variables, what stands left of ``=``."""
    for line in lines:
        words = line.tokens
        if words[0].text == "def":
            for place, token in enumerate(words[:-1]):
                begins = words[place - 1].text in ("(", ",")
                if token.kind == "name" and begins and words[place + 1].text in (":", ",", ")"):
                    yield token.text
        elif words[0].text == "for":
            for token in words[1:]:
                if token.text == "in":
                    break
                if token.kind == "name":
                    yield token.text
        elif words[0].text == "with":
            for place, token in enumerate(words):
                if token.kind == "name" and _text(words, place - 1) == "as":
                    yield token.text
        else:
            yield from _left(words)


def _left(words: Sequence[Token]) -> Iterator[str]:
    """Names left of the ``=`` of a line that assigns."""
    names: list[str] = []
    depth = 0
    for place, token in enumerate(words):
        depth += token.text in OPENING
        depth -= token.text in CLOSING
        if token.text == "=" and depth == 0:
            yield from names
            return
        if token.text == ":" and depth == 0:
            if place == 1:
                yield words[0].text  # NAME : Type = value
            return
        begins = _text(words, place - 1) in ("", ",", "(", "[")
        ends = _text(words, place + 1) in ("=", ",", ")", "]", "")
        if token.kind == "name" and begins and ends:
            names.append(token.text)
