"""Half precision is used where the machine computes with it, and nowhere else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import torch

import napari_sparseexplain
from napari_sparseexplain.training.fit.half_precision import half_precision


@pytest.mark.parametrize(
    ("capability", "half"), [("AVX512", True), ("AVX2", False), ("DEFAULT", False)]
)
def test_a_cpu_that_emulates_it_computes_in_full(
    monkeypatch: pytest.MonkeyPatch, capability: str, half: bool
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    a = torch.ones(4, 4)
    with half_precision("cpu", wanted=True):
        assert ((a @ a).dtype == torch.bfloat16) == half
    with half_precision("cpu", wanted=False):
        assert (a @ a).dtype == torch.float32


def test_no_training_asks_for_it_by_itself() -> None:
    """The kind of fault: a recipe whose half precision is taken on every machine."""
    root = Path(napari_sparseexplain.__file__).parent
    found = [
        path.name
        for path in sorted((root / "training").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "autocast"
    ]
    assert set(found) == {"half_precision.py"}
