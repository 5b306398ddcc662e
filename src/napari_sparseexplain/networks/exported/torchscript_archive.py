"""A TorchScript file, checked and made anew: what torch is given is never the stranger's file.

Of the archive go over: the code, written anew from its checked words; the two pickles, cut at their
end and walked; and the records that they speak of, each as large as they say. All else (traced
inputs, notes for debugging, extra files) torch does not need, and stays behind.
"""

from __future__ import annotations

import re
from pathlib import Path

from ...errors import ModelError
from .checked_archive import CheckedArchive, packed_anew
from .torchscript_code import check_sources
from .torchscript_pickle import PickleFacts, PickleRefused, walk
from .torchscript_tokens import CodeRefused, Source, read_source

_WHAT = "TorchScript file"
_REMEDY = "Save it with torch.jit.save(torch.jit.trace(network, example), FILE)"

_CODE = re.compile(r"code/(__torch__(?:/[A-Za-z_]\w*)*)\.py", re.ASCII)

_LARGEST_CODE, _LARGEST_PICKLE = 4 << 20, 32 << 20

#: Numbers in tensors that share or repeat records, for each number that is stored.
_REPEATED, _REPEATED_NUMBERS = 4, 1 << 24

_PICKLED = (
    "this file was written by torch.save: a pickle, which can run any code when it is opened, so "
    "it is not loaded"
)


def checked_torchscript(path: Path) -> bytes:
    """The file made anew from what was checked.

    Raises
    ------
    ModelError
        It is a pickle, damaged, or holds more than a network that computes.
    """
    with open(path, "rb") as file:
        if file.read(4) != b"PK\x03\x04":
            raise ModelError(
                "this is no TorchScript file; a pickle can run any code when it is opened, so it "
                "is not loaded",
                where=path,
                remedy=_REMEDY,
            )
    with CheckedArchive(path, _WHAT, _REMEDY) as archive:
        code = [name for name in archive.names if name.startswith("code/") and name.endswith(".py")]
        if not code or not {"constants.pkl", "data.pkl"} <= set(archive.names):
            raise ModelError(_PICKLED, where=path, remedy=_REMEDY)
        try:
            return _made_anew(archive, code)
        except (CodeRefused, PickleRefused) as error:
            raise archive.refusal(str(error)) from error


def _made_anew(archive: CheckedArchive, code: list[str]) -> bytes:
    sources, defined = check_sources(_sources(archive, code))
    members: dict[str, bytes] = {}
    for folder, name in (("data", "data.pkl"), ("constants", "constants.pkl")):
        pickled, facts = walk(archive.read(name, _LARGEST_PICKLE))
        if missing := sorted(facts.classes - defined):
            raise PickleRefused(
                f"has an object of the class {missing[0]}, which it does not define"
            )
        for key, content in _records(archive, folder, facts).items():
            members[f"{folder}/{key}"] = content
        members[name] = pickled
    for source in sources:
        members["code/" + source.module.replace(".", "/") + ".py"] = source.written().encode()
    name, version = _version(archive)
    members[name] = version
    members["byteorder"] = b"little"
    return packed_anew("model", members)


def _sources(archive: CheckedArchive, names: list[str]) -> dict[str, Source]:
    if sum(archive.size(name) for name in names) > _LARGEST_CODE:
        raise CodeRefused("has more code than any network")
    found = {}
    for name in names:
        match = _CODE.fullmatch(name)
        if match is None:
            raise CodeRefused("has code under a name that torch does not give")
        module = match[1].replace("/", ".")
        found[module] = read_source(module, archive.read(name))
    return found


def _records(archive: CheckedArchive, folder: str, facts: PickleFacts) -> dict[str, bytes]:
    """The numbers of the tensors, each record as large as the pickle says."""
    stored = 0
    for key, record in facts.records.items():
        wanted, there = record.count * record.item_bytes, archive.size(f"{folder}/{key}")
        if wanted != there:
            raise archive.damage(
                f"its tensor {folder}/{key} has {there} bytes where {wanted} are needed"
            )
        stored += record.count
    if facts.numbers > _REPEATED * stored + _REPEATED_NUMBERS:
        raise PickleRefused("has tensors that repeat few numbers many times")
    return {key: archive.read(f"{folder}/{key}") for key in facts.records}


def _version(archive: CheckedArchive) -> tuple[str, bytes]:
    """Where the format's version stands, and which it is: a small number, as torch writes it."""
    name = ".data/version" if ".data/version" in archive.names else "version"
    text = archive.read(name, 32).strip()
    if "byteorder" in archive.names and archive.read("byteorder", 32).strip() != b"little":
        raise archive.damage("it does not say that it was written on a machine like this one")
    if not text.isdigit() or len(text) > 3:
        raise archive.damage("it does not say which version of the format it has")
    return name, text
