"""``.pt2`` files that attack, and damaged ones: one clear error each."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from napari_sparseexplain.errors import ModelError
from napari_sparseexplain.networks.bundle.external_model import load_external_model
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.exported.program import checked_exported_program
from napari_sparseexplain.networks.exported.shape_expression import (
    ExpressionRefused,
    check_expression,
)

GRAPH = "models/model.json"
TABLE = "data/weights/model_weights_config.json"

CARD = ModelCard(
    name="elsewhere",
    title="Elsewhere",
    architecture="pt2",
    arguments={},
    task="segmentation",
    inputs=Inputs(("flair",), "unit", spacing_mm=1.0, size=16),
    classes={"0": "tissue", "1": "lesion"},
)


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 2, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.nn.functional.interpolate(self.layer(x), scale_factor=2.0)
        return torch.nn.functional.avg_pool2d(y.masked_fill(y > 9, -torch.inf), 2)


@pytest.fixture(scope="module")
def members() -> dict[str, bytes]:
    torch.manual_seed(0)
    sides = {2: torch.export.Dim("h", min=8, max=512), 3: torch.export.Dim("w", min=8, max=512)}
    program = torch.export.export(
        Network().eval(), (torch.rand(1, 1, 16, 16),), dynamic_shapes=(sides,)
    )
    kept = io.BytesIO()
    torch.export.save(program, kept)
    with zipfile.ZipFile(kept) as archive:
        return {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}


def saved(members: dict[str, bytes], folder: Path) -> Path:
    path = folder / "net.pt2"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"net/{name}", content)
    return path


def test_a_program_runs_in_its_process_as_it_does_here(
    members: dict[str, bytes], tmp_path: Path
) -> None:
    model = load_external_model(saved(members, tmp_path), CARD)
    torch.manual_seed(0)
    here = Network().eval()
    for shape in ((1, 1, 16, 16), (1, 1, 20, 12)):
        x = torch.rand(shape, requires_grad=True)
        there = model.network(x)[1]
        torch.testing.assert_close(there, here(x))
        (one,) = torch.autograd.grad(there.square().sum(), x)
        (two,) = torch.autograd.grad(here(x).square().sum(), x)
        torch.testing.assert_close(one, two)
    model.network.inner.process.end()  # type: ignore[union-attr]


Change = Callable[[dict[str, Any]], None]


def graph(values: dict[str, Any]) -> dict[str, Any]:
    return values["graph_module"]["graph"]


def argument_name(values: dict[str, Any], name: str) -> None:
    graph(values)["inputs"][0]["as_tensor"]["name"] = name


def expression(values: dict[str, Any], text: Any) -> None:
    size = {"as_expr": {"expr_str": text, "hint": {"as_int": 16}}}
    next(iter(graph(values)["tensor_values"].values()))["sizes"][0] = size


def container(values: dict[str, Any], kind: str) -> None:
    signature = values["graph_module"]["module_call_graph"][0]["signature"]
    signature["in_spec"] = json.dumps([1, {"type": kind, "context": "[]", "children_spec": []}])


ATTACKS: dict[str, tuple[Change, str]] = {
    "an operator of files": (
        lambda v: graph(v)["nodes"][0].update(target="torch.ops.aten.from_file.default"),
        "from_file.*not on the list",
    ),
    "an operator that reaches beyond memory": (
        lambda v: graph(v)["nodes"][0].update(target="torch.ops.aten._reshape_alias.default"),
        "not on the list",
    ),
    "a function": (lambda v: graph(v)["nodes"][0].update(target="torch.os.system"), "os.system"),
    "no operator": (lambda v: graph(v)["nodes"][0].update(target=["x"]), "not on the list"),
    "code in a name": (lambda v: argument_name(v, "x=__import__('os').system('ls')"), "a name"),
    "code in a weight's name": (
        lambda v: v["graph_module"]["signature"]["input_specs"][0]["parameter"].update(
            parameter_name='a"),exec("1'
        ),
        "a name that is none",
    ),
    "a power": (lambda v: expression(v, "9**9**9**9"), "not plain arithmetic"),
    "a power as sympy writes it": (
        lambda v: expression(v, "Pow(Integer(9), Pow(Integer(9), Integer(9)))"),
        "not plain arithmetic",
    ),
    "code in an expression": (lambda v: expression(v, "exec('1')"), "not plain arithmetic"),
    "a symbol's range with code": (
        lambda v: v["range_constraints"].update({"exec('1')": {"min_val": 1, "max_val": 2}}),
        "not plain arithmetic|a name",
    ),
    "a class of Python": (lambda v: container(v, "collections.defaultdict"), "defaultdict"),
    "named tuples": (
        lambda v: v["graph_module"].update(treespec_namedtuple_fields={"os.A": {"fields": []}}),
        "Python classes",
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused(members: dict[str, bytes], name: str, tmp_path: Path) -> None:
    change, message = ATTACKS[name]
    values = json.loads(members[GRAPH])
    change(values)
    path = saved({**members, GRAPH: json.dumps(values).encode()}, tmp_path)
    with pytest.raises(ModelError, match=message):
        checked_exported_program(path)


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 200_000 + b"]" * 200_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b'{"a": ' + b"9" * 4500 + b"}",
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b"[]",
        b"null",
        b"",
        b"\xff\xfe",
    ],
)
@pytest.mark.parametrize("member", [GRAPH, TABLE])
def test_a_table_that_is_none_is_one_clear_error(
    members: dict[str, bytes], member: str, text: bytes, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=r"no JSON|lists no tensors"):
        checked_exported_program(saved({**members, member: text}, tmp_path))


def test_members_that_are_missing_doubled_or_of_another_size(
    members: dict[str, bytes], tmp_path: Path
) -> None:
    (weight,) = [n for n, c in members.items() if "weight_" in n and len(c) == 72]
    for change, message in (
        ({weight: b""}, "another size than its numbers"),
        ({"data/weights/weight_9.pt": b"pickle"}, "may be a pickle"),
        ({"MODELS/model.json": members[GRAPH]}, "two members called"),
        ({"models\\model.json": members[GRAPH]}, "two members|with the name"),
    ):
        with pytest.raises(ModelError, match=message):
            checked_exported_program(saved({**members, **change}, tmp_path))
    for gone, message in ((GRAPH, "no graph"), (weight, "is missing")):
        rest = {name: content for name, content in members.items() if name != gone}
        with pytest.raises(ModelError, match=message):
            checked_exported_program(saved(rest, tmp_path))
    path = tmp_path / "bomb.pt2"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"net/{name}", bytes(100 << 20) if name == weight else content)
    with pytest.raises(ModelError, match="would unpack to"):
        checked_exported_program(path)


WRONG: dict[str, Change] = {
    "its field 'nodes'": lambda v: graph(v).update(nodes={"a": 1}),
    "its field 'inputs'": lambda v: graph(v)["nodes"][0].update(inputs=7),
    "its field 'outputs'": lambda v: graph(v).update(outputs="x"),
    "its field 'tensor_values'": lambda v: graph(v).update(tensor_values={"x": []}),
    "its field 'sizes'": lambda v: meta(v).update(sizes=[1]),
    "its field 'strides'": lambda v: meta(v).update(strides=None),
    "its field 'requires_grad'": lambda v: meta(v).update(requires_grad={"a": 1}),
    "its field 'device'": lambda v: meta(v).update(device=True),
    "its field 'layout'": lambda v: meta(v).update(layout={}),
    "its field 'schema_version'": lambda v: v.update(schema_version=10**18),
    "a whole number of 30 digits is too large": lambda v: v.update(schema_version=10**29),
    "its field 'output_specs'": lambda v: v["graph_module"]["signature"].update(output_specs="x"),
    "it has no range_constraints": lambda v: v.pop("range_constraints"),
}


def meta(values: dict[str, Any]) -> dict[str, Any]:
    return next(iter(graph(values)["tensor_values"].values()))


@pytest.mark.parametrize("message", WRONG)
def test_a_field_of_the_wrong_type_is_named(
    members: dict[str, bytes], message: str, tmp_path: Path
) -> None:
    values = json.loads(members[GRAPH])
    WRONG[message](values)
    path = saved({**members, GRAPH: json.dumps(values).encode()}, tmp_path)
    with pytest.raises(ModelError, match=message):
        checked_exported_program(path)


def test_what_only_torch_notices_is_one_error_in_our_words(
    members: dict[str, bytes], tmp_path: Path
) -> None:
    """One process is enough: what torch says there is never told."""
    broken = json.loads(members[GRAPH])
    graph(broken)["outputs"] = [{"as_tensor": {"name": "nobody"}}]
    path = saved({**members, GRAPH: json.dumps(broken).encode()}, tmp_path)
    with pytest.raises(ModelError, match="cannot be read: it is damaged") as caught:
        load_external_model(path, CARD)
    assert "warnings" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "s0",
        "4*s16*s82 + 1",
        "Mul(Integer(2), Symbol('s16', positive=True, integer=True), Symbol('s82', integer=True))",
        "FloorDiv(s0 - 1, 2) + 1",
        "Pow(Symbol('s1', positive=True), Integer(2))",
        "Max(1, s0) >= 8",
        "s0**2 // 4",
        "-1*s0",
        "int_oo",
        5,
    ],
)
def test_plain_arithmetic_passes(text: object) -> None:
    check_expression(text)


@pytest.mark.parametrize(
    "text",
    [
        "9**9**9**9",
        "(((s0**8)**8)**8)",
        "2**s0",
        "Pow(9, -9)",
        "Pow(Integer(9), Integer(99999))",
        "9" * 4500,
        "(" * 500 + "1" + ")" * 500,
        "-" * 900 + "1",
        "1+" * 490 + "1",
        "s0.__class__",
        "Symbol('a b')",
        "Symbol('s0', integer=exec)",
        "lambda: 1",
        "[1]",
        "factorial(99999999)",
        "1 if 1 else 2",
        "'a'*10**9",
        "1e999",
        "True",
        "s\N{MATHEMATICAL BOLD DIGIT ZERO}",
        "",
        None,
        True,
        [],
        {},
        10**400,
    ],
)
def test_everything_else_is_refused(text: object) -> None:
    with pytest.raises(ExpressionRefused):
        check_expression(text)
