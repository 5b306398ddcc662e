"""What vispy reads in a shader's text is read once: a window has the same few shaders as the last.

For every program vispy looks for comments and declared variables in its text, 20 ms of CPU each
and a tenth of what the tests of windows cost. What it finds hangs on the text alone.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from vispy.gloo import program


def read_shaders_once() -> None:
    """Let vispy remember, for the process, which variables a program's text declares."""
    read = program.Program._parse_variables_from_code
    known: dict[tuple[str, ...], dict[str, Any]] = {}

    @wraps(read)
    def remembered(self: Any, update_variables: bool = True) -> None:
        texts = tuple(shader.code for shader in self._shaders)
        if texts not in known:
            read(self, update_variables=False)
            known[texts] = dict(self._code_variables)
        self._code_variables = dict(known[texts])
        if update_variables:
            self._process_pending_variables()

    program.Program._parse_variables_from_code = remembered
