"""The list of mutations fits the source: each can be applied, and names tests that are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from .__main__ import PACKAGE, Mutation, mutations

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("mutation", mutations(), ids=lambda one: one.why)
def test_a_mutation_fits_the_source_and_names_tests(mutation: Mutation, tmp_path: Path) -> None:
    copy = tmp_path / PACKAGE / mutation.file
    copy.parent.mkdir(parents=True)
    before = (ROOT / "src" / PACKAGE / mutation.file).read_text(encoding="utf-8")
    copy.write_text(before, encoding="utf-8")
    mutation.apply(tmp_path)
    assert copy.read_text(encoding="utf-8") != before
    for test in mutation.tests:
        file, _, name = test.partition("::")
        assert f"def {name or 'test_'}" in (ROOT / file).read_text(encoding="utf-8")


def test_ten_are_told_apart() -> None:
    found = mutations()
    assert len(found) == 10
    assert len({one.why for one in found}) == 10
    with pytest.raises(ValueError, match="is there 0 times"):
        Mutation("cli.py", "no such text", "", "", ()).apply(ROOT / "src")
