"""Parameters that were renamed are taken by their former names, with a warning."""

from __future__ import annotations

import pytest

from napari_sparseexplain.errors import ParameterError
from napari_sparseexplain.explanation.catalogue import methods

FORMER = [
    (info.name, former, parameter.name)
    for info in methods().values()
    for parameter in info.parameters
    for former in parameter.former
]


@pytest.mark.parametrize(("method", "former", "present"), FORMER)
def test_a_former_name_is_taken_with_a_warning(method: str, former: str, present: str) -> None:
    info = methods()[method]
    value = next(p.low for p in info.parameters if p.name == present)
    with pytest.warns(FutureWarning, match=f"{former!r}.* called {present!r} now"):
        checked = info.checked({former: value})
    assert checked[present] == value
    assert former not in checked


def test_both_names_at_once_are_refused() -> None:
    with (
        pytest.warns(FutureWarning),
        pytest.raises(ParameterError, match="'nodes' and 'n_steps' are one parameter"),
    ):
        methods()["xrai"].checked({"nodes": 3, "n_steps": 4})


def test_the_names_that_the_plan_replaced_are_all_there() -> None:
    assert {(former, present) for _, former, present in FORMER} == {
        ("nodes", "n_steps"),
        ("steps", "n_steps"),
        ("least", "min_size"),
        ("top", "top_fraction"),
    }
