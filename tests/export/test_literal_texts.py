"""Texts of source code, as Python's own parser finds them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import napari_sparseexplain
from napari_sparseexplain.export.privacy.literal_texts import literal_texts

ROOT = Path(napari_sparseexplain.__file__).parent
WORD = re.compile(r"[^\W\d_]{2,}")


def words_of(texts: object) -> set[str]:
    return set(WORD.findall("\n".join(texts)))  # type: ignore[arg-type]


def parsed(source: str) -> set[str]:
    """Words of the text constants, without expressions that are a text alone."""
    tree = ast.parse(source)
    alone = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return words_of(
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone
    )


SOURCE = '''"""Docstring of a module."""
# a comment with "quotes" and 'more'
number = call_of(  # another's comment
    """long text
    on lines "with" quotes""",
    r"raw \\d pattern", b"bytes only", 'single "double" inside', "",
)
said = f"value of {number:.{width}f} in {', '.join(units)} {{braces}} and\\nbelow"
told = ("one part " "other part\\tescaped \\u00e9tude", u"old")
class Some:
    \'\'\'Docstring of a class.\'\'\'
    kind: str = "attribute"
    """Docstring of an attribute."""
    def method(self, *, given="default"):
        """Docstring of "a" method."""
        return {"key": given, "other": """inside"""}
'''


def test_every_way_of_writing_a_text_is_read() -> None:
    found = words_of(literal_texts(SOURCE))
    assert found == parsed(SOURCE)
    assert {"raw", "below", "braces", "étude", "inside", "default"} <= found
    assert not {"Docstring", "comment", "bytes", "number", "width", "join"} & found


@pytest.mark.parametrize(
    "file",
    ["cli.py", "export/privacy/literal_texts.py", "export/privacy/letters.py", "errors.py",
     "widgets/workspace.py", "explanation/catalogue.py", "volumes/dicom/reader.py"],
)  # fmt: skip
def test_the_packages_own_files_are_read_as_python_reads_them(file: str) -> None:
    source = (ROOT / file).read_text(encoding="utf-8")
    assert words_of(literal_texts(source)) ^ parsed(source) <= JOINED


#: Parts of one long row of letters, which are joined where Python reads it.
JOINED = words_of(
    ["ー々〻ゝゞヽヾぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ", "ー々〻ゝゞヽヾ",
     "ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ"]
)  # fmt: skip
