"""TorchScript files that attack: refused, and harmless where the guard is passed by."""

from __future__ import annotations

import io
import os
import pickle
import struct
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from napari_sparseexplain.errors import ModelError
from napari_sparseexplain.networks.exported.torchscript_archive import checked_torchscript
from napari_sparseexplain.networks.process.child_process import ChildProcess
from napari_sparseexplain.networks.process.limits import Limits
from napari_sparseexplain.networks.process.link import LinkBroken

LINUX = sys.platform.startswith("linux")
CODE = "code/__torch__.py"
Members = dict[str, bytes]


class Network(nn.Module):
    """A network whose code has one line to put things in."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 2, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.layer(x)
        return y * 2.0


Network.__module__ = "__main__"  # torch then calls its code code/__torch__.py


@pytest.fixture(scope="module")
def members() -> Members:
    torch.manual_seed(0)
    kept = io.BytesIO()
    torch.jit.save(torch.jit.script(Network()), kept)
    with zipfile.ZipFile(kept) as archive:
        return {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "written"


def packed(members: Members | list[tuple[str, bytes]]) -> bytes:
    kept = io.BytesIO()
    pairs = members.items() if isinstance(members, dict) else members
    with zipfile.ZipFile(kept, "w") as archive:
        for name, content in pairs:
            archive.writestr(f"net/{name}", content)
    return kept.getvalue()


def with_line(members: Members, line: str, before: str = "") -> Members:
    """The network with a line at the beginning of its ``forward``, and code before its class."""
    code = members[CODE].decode()
    begin = code.index(") -> Tensor:\n") + len(") -> Tensor:\n")
    return {**members, CODE: (before + code[:begin] + f"    {line}\n" + code[begin:]).encode()}


EVIL_FILE = 'def f(x: Tensor) -> Tensor:\n  torch.save(x, "{target}")\n  return x\n'

#: What is put first into ``forward``; PATH is where the attack would write.
LINES = {
    "a space": 'torch .save(x, "PATH")',
    "a space behind the dot": 'torch. save(x, "PATH")',
    "two lines": 'y9 = (torch.\n      save(x, "PATH"))',
    "a comment between": 'y9 = (torch.  # nothing\n      save(x, "PATH"))',
    "ops": 'ops.aten.save(x, "PATH")',
    "ops under another name": 'o = ops.aten\n    o.save(x, "PATH")',
    "torch under another name": 't9 = torch\n    t9.save(x, "PATH")',
    "an operator under another name": 's9 = torch.save\n    s9(x, "PATH")',
    "getattr": 'getattr(torch, "save")(x, "PATH")',
    "getattr under another name": 'g9 = getattr\n    g9(torch, "save")(x, "PATH")',
    "getattr of a tensor": 'getattr(x, "save")("PATH")',
    "a tensor's method": '(x).save("PATH")',
    "in brackets": '(torch).save(x, "PATH")',
    "in a list": '[torch][0].save(x, "PATH")',
    "from_file": 'y9 = torch.from_file("PATH", True, 64)',
    "another space of operators": "y9 = ops.quantized.linear_unpack_fp16(x)",
    "prim": 'y9 = ops.prim.rpc_async("PATH", x)',
    "a fork": "y9 = fork(self.layer, x)",
    "custom classes": "y9 = __torch__.torch.classes.quantized.Conv2dPackedParamsBase(x)",
    "a class that is not there": "y9 = __torch__.os.system(x)",
    "a plain name": 'y9 = open("PATH", "w")',
    "a letter that looks like one": 'y9 = t\N{CYRILLIC SMALL LETTER O}rch.save(x, "PATH")',
    "a variable called ops": 'ops = x\n    y9 = ops.aten.save(x, "PATH")',
}


def attack(members: Members, name: str, target: Path) -> bytes:
    """The bytes of an attack's file."""
    path = str(target)
    evil = with_line(members, f'torch.save(x, "{path}")')
    if name in LINES:
        return packed(with_line(members, LINES[name].replace("PATH", path)))
    clean = list(members.items())
    if name == "a second member, evil first":
        return packed([(CODE, evil[CODE]), *clean])
    if name == "a second member, evil last":
        return packed([*clean, (CODE, evil[CODE])])
    if name == "a second member with a backslash":
        return packed([*clean, (CODE.replace("/", "\\"), evil[CODE])])
    if name == "a second member in capitals":
        return packed([*clean, ("CODE/__TORCH__.py", evil[CODE])])
    if name == "a second member through a dot":
        return packed([*clean, ("code/./__torch__.py", evil[CODE])])
    if name == "another file of code":
        code = with_line(members, "y9 = __torch__.evil.f(x)")
        return packed({**code, "code/__torch__/evil.py": EVIL_FILE.format(target=path).encode()})
    if name == "a hook":
        code = (
            members[CODE]
            .decode()
            .replace(
                "  def forward",
                '  __forward_hooks__ = ["hook"]\n  '
                "def hook(self: __torch__.Network,\n    x: Tensor,\n    y: Tensor) -> Tensor:\n"
                f'    torch.save(x, "{path}")\n    return y\n  def forward',
            )
        )
        return packed({**members, CODE: code.encode()})
    if name == "a field that lends its name":
        code = (
            members[CODE].decode().replace("  training : bool", "  save : int\n  training : bool")
        )
        return packed(with_line({**members, CODE: code.encode()}, f'(x).save("{path}")'))
    if name == "a variable that lends its name":
        before = "def g(fork: Tensor) -> Tensor:\n  return fork\n"
        return packed(with_line(members, "y9 = fork(self.layer, x)", before))
    if name == "a pickle in constants.pkl":

        class Trap:
            def __reduce__(self) -> tuple:
                return os.mkdir, (path,)

        return packed({**members, "constants.pkl": pickle.dumps((Trap(),), protocol=2)})
    if name == "an empty tensor":
        return packed({**members, "data/0": b""})
    if name == "a tensor larger than its record":
        return packed({**members, "data/0": members["data/0"][:-4]})
    raise KeyError(name)


OTHERS = (
    "a second member, evil first",
    "a second member, evil last",
    "a second member with a backslash",
    "a second member in capitals",
    "a second member through a dot",
    "another file of code",
    "a hook",
    "a field that lends its name",
    "a variable that lends its name",
    "a pickle in constants.pkl",
    "an empty tensor",
    "a tensor larger than its record",
)


def torchs_words(message: str) -> bool:
    return any(
        w in message for w in ("Caffe2", ".cpp", "warnings above", "INTERNAL", "weights_only")
    )


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", [*LINES, *OTHERS])
def test_an_attack_is_refused_before_torch_sees_it(
    members: Members, name: str, target: Path, tmp_path: Path
) -> None:
    path = tmp_path / "net.ts"
    path.write_bytes(attack(members, name, target))
    with pytest.raises(ModelError) as caught:
        checked_torchscript(path)
    assert "net.ts" in str(caught.value)
    assert caught.value.remedy
    assert not torchs_words(str(caught.value))
    assert not target.exists()


def test_the_network_itself_passes(members: Members, tmp_path: Path) -> None:
    path = tmp_path / "net.ts"
    path.write_bytes(packed({**members, "extra/notes.json": b"{}"}))
    loaded = torch.jit.load(io.BytesIO(checked_torchscript(path)))
    torch.manual_seed(0)
    network = Network()
    x = torch.rand(1, 1, 8, 8)
    torch.testing.assert_close(loaded(x), network(x))


@pytest.fixture(scope="module")
def child() -> Iterator[ChildProcess]:
    process = ChildProcess("torchscript", torch.device("cpu"), -1)
    yield process
    process.end()


@pytest.mark.skipif(not LINUX, reason="only Linux holds the process")
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_with_the_guard_passed_by_an_attack_changes_nothing(
    members: Members, target: Path, child: ChildProcess
) -> None:
    """Every attack goes to torch as it is; the process may fail or end, and no file appears."""
    assert child.protection.seccomp or child.protection.landlock
    limits = Limits(1 << 30, 20.0)
    ran = 0
    for name in (*LINES, *OTHERS):
        if name in ("an empty tensor", "a tensor larger than its record"):
            continue  # they end the process: see the next test
        file = torch.frombuffer(bytearray(attack(members, name, target)), dtype=torch.uint8)
        opened, _ = child.ask({"do": "open", "file": -1}, [file], limits)
        question = {"do": "forward", "graph": False, "inference": True, "number": 0}
        if "fault" not in opened:
            ran += 1
            x = torch.rand(1, 1, 8, 8)
            child.ask({**question, "threads": 1, "free": []}, [x], limits)
        assert not target.exists(), name
    assert ran >= 11  # torch itself takes these files, and runs them


@pytest.mark.skipif(not LINUX, reason="only Linux has memory of this kind")
def test_a_process_that_is_brought_to_its_end_is_one_error(members: Members, target: Path) -> None:
    child = ChildProcess("torchscript", torch.device("cpu"), -1)
    file = torch.frombuffer(
        bytearray(attack(members, "an empty tensor", target)), dtype=torch.uint8
    )

    def run() -> None:
        child.ask({"do": "open", "file": -1}, [file], Limits(1 << 30, 20.0))
        x = torch.rand(1, 1, 8, 8)
        question = {"do": "forward", "graph": False, "inference": True, "number": 0}
        child.ask({**question, "threads": 1, "free": []}, [x], Limits(1 << 30, 20.0))
        raise LinkBroken("this torch reads an empty tensor without harm")

    with pytest.raises(LinkBroken):
        run()
    assert child.end() is not None
    assert not child.alive


Change = Callable[[bytearray], None]


def _central(data: bytearray, name: bytes) -> int:
    """Where the archive's list speaks of a member."""
    return data.rindex(name) - 46


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (24, struct.pack("<I", 0xFFFFFFF0), "would unpack to"),
        (16, b"\0\0\0\0", "does not agree|is not what"),
        (10, struct.pack("<H", 12), "in a way that torch never does"),
        (8, struct.pack("<H", 1), "in a way that torch never does"),
        (42, struct.pack("<I", 7), "does not agree|names places"),
        (20, struct.pack("<I", 3), "does not agree|two sizes"),
    ],
)
def test_what_the_list_says_is_not_believed(
    members: Members, tmp_path: Path, field: int, value: bytes, message: str
) -> None:
    data = bytearray(packed(members))
    place = _central(data, b"net/data/0") + field
    data[place : place + len(value)] = value
    path = tmp_path / "net.ts"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=message):
        checked_torchscript(path)


def test_a_bomb_is_refused_by_what_it_would_unpack_to(members: Members, tmp_path: Path) -> None:
    path = tmp_path / "net.ts"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"net/{name}", content)
        archive.writestr("net/code/__torch__/bomb.py", bytes(100 << 20))
    with pytest.raises(ModelError, match="would unpack to"):
        checked_torchscript(path)
