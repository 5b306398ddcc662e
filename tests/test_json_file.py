"""JSON is read within bounds: what comes out can be walked and written; else one clear line."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from napari_sparseexplain.errors import ModelError, ReadError
from napari_sparseexplain.files.json_file import MOST_BYTES, MOST_LEVELS, parse_json, read_json

#: Python's own words, which no person should have to read.
PYTHON = ("Exceeds the limit", "set_int_max_str_digits", "recursion", "codec", "Expecting", "Errno")

REFUSED = {
    "whole number of many digits": (b'{"a": ' + b"9" * 4500 + b"}", "4500 digits"),
    "whole number beyond 64 bits": (b"[18446744073709551616]", "20 digits"),
    "negative number of many digits": (b"[-" + b"9" * 5000 + b"]", "5000 digits"),
    "number beyond floating point": (b"[1e999]", "'1e999' is too large"),
    "NaN": (b'{"a": NaN}', "NaN is no number"),
    "Infinity": (b"[-Infinity]", "-Infinity is no number"),
    "very deep lists": (b"[" * 200_000 + b"]" * 200_000, "levels within each other"),
    "very deep objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "levels within each other"),
    "just too deep": (b"[" * (MOST_LEVELS + 1) + b"]" * (MOST_LEVELS + 1), "levels within"),
    "a field twice": (b'{"a": 1, "b": 2, "a": 3}', "'a' stands there twice"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), "UTF-16; it must be UTF-8"),
    "UTF-32": ('{"a": 1}'.encode("utf-32"), "UTF-32; it must be UTF-8"),
    "Latin-1": (b'{"a": "\xe4"}', "byte 8 is not UTF-8"),
    "half of a surrogate pair": (b'{"a": ["\\ud800"]}', "half of a surrogate pair"),
    "half of a pair as a name": (b'{"\\udfff": 1}', "half of a surrogate pair"),
    "NUL": (b'{"a": "x\\u0000"}', "NUL"),
    "no JSON": (b"{\n  'a': 1}", "line 2, column 3"),
    "nothing": (b"", "it is empty"),
    "noise": (bytes(range(1, 120)), "no JSON"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_reader_can_hold_is_refused_in_one_line(name: str) -> None:
    content, said = REFUSED[name]
    with pytest.raises(ReadError) as caught:
        parse_json(content, where="file", problem="it cannot be read", remedy="Write it again")
    message = str(caught.value)
    assert said in message
    assert message.startswith("file: it cannot be read (")
    assert "\n" not in message
    assert len(message) < 300
    assert not any(word in message for word in PYTHON)


def test_what_can_be_held_comes_back() -> None:
    values = {"a": [1, -2.5, 2**64 - 1, "ä \U0001f9e0", None, True], "b": {"c": {}}}
    for content in (json.dumps(values), json.dumps(values, ensure_ascii=False).encode()):
        assert parse_json(content) == values
    assert parse_json(b"\xef\xbb\xbf{}") == {}  # as Windows' editors write it
    assert parse_json(b'["\\ud83e\\udde0"]') == ["\U0001f9e0"]
    deep = b"[" * MOST_LEVELS + b"]" * MOST_LEVELS
    assert json.dumps(parse_json(deep)).encode() == deep
    assert parse_json(b'["\\\\ud800", "\\\\u0000"]') == ["\\ud800", "\\u0000"]


def test_length_is_looked_at_before_anything_is_parsed(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="has 12 bytes; no such file has more than 10"):
        parse_json(b'{"a": "bcd"}', most_bytes=10)
    path = tmp_path / "huge.json"
    with open(path, "wb") as stream:
        stream.truncate(MOST_BYTES + 1)  # takes no room on the disk, and no time to refuse
    with pytest.raises(ModelError, match="no such file has more"):
        read_json(path, problem="no", remedy="Again", kind=ModelError)


def test_only_files_are_opened(tmp_path: Path) -> None:
    """A pipe would be waited for, a device never ends, a folder is none."""
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    endless = tmp_path / "endless.json"
    endless.symlink_to("/dev/zero")
    gone = tmp_path / "gone.json"
    gone.symlink_to(tmp_path / "nowhere")
    for path in (pipe, endless, gone, tmp_path, tmp_path / ("a" * 5000), tmp_path / "a\0b"):
        with pytest.raises(ReadError, match="it cannot be read"):
            read_json(path, problem="it cannot be read", remedy="Again")
