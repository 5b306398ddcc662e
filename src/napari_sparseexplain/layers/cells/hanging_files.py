"""Hanging protocols as JSON: those that ship, and a person's own in the folder of preferences."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from zlib import crc32

from platformdirs import user_config_path

from ...errors import ParameterError, ReadError, SparseExplainError
from ...files.atomic_write import write_atomically
from ...files.json_file import read_own_json
from ...files.plain_data import from_plain, to_plain
from .hanging_protocol import HangingProtocol

#: What the files say of themselves.
_FORMAT, _VERSION = "sparseexplain hanging protocol", 1

#: A person's own that are read; more make no list that anyone looks through.
_MOST = 100

_REMEDY = "Mend the file by docs/hanging-protocols.md, or delete it"


def own_folder() -> Path:
    """Where a person's own are kept."""
    return user_config_path("napari-sparseexplain", appauthor=False) / "hanging-protocols"


def read_protocol(path: Path) -> HangingProtocol:
    """A protocol from its file.

    Raises
    ------
    ReadError
        It cannot be read, is no such file, or a field is missing, unknown or makes no sense; names
        the file and the field, and says what to do.
    """
    values = read_own_json(
        path,
        format=_FORMAT,
        version=_VERSION,
        problem="the hanging protocol cannot be read",
        foreign="the file is no hanging protocol of this program",
        remedy=_REMEDY,
    )
    rest = {key: value for key, value in values.items() if key not in ("format", "version")}
    found = from_plain(HangingProtocol, rest, str(path), remedy=_REMEDY)
    if found.name != path.stem:
        raise ReadError(
            f"the field 'name' is {found.name!r}, and the file is called {path.stem!r}",
            where=path,
            remedy="Let both be the same",
        )
    return found


@cache
def shipped_protocols() -> tuple[HangingProtocol, ...]:
    """Those that come with the program, by title."""
    folder = Path(str(files(__name__.rpartition(".")[0]).joinpath("protocols")))
    found = [read_protocol(path) for path in folder.glob("*.json")]
    return tuple(sorted(found, key=lambda protocol: protocol.title))


def own_protocols(
    folder: Path | None = None,
) -> tuple[tuple[HangingProtocol, ...], tuple[SparseExplainError, ...]]:
    """A person's own by title, and what is wrong with files that cannot be used."""
    paths = sorted((own_folder() if folder is None else folder).glob("*.json"))
    found: list[HangingProtocol] = []
    wrong: list[SparseExplainError] = []
    for path in paths[:_MOST]:
        try:
            found.append(read_protocol(path))
        except SparseExplainError as error:
            wrong.append(error)
    if len(paths) > _MOST:
        wrong.append(
            ReadError(
                f"{len(paths)} hanging protocols are there, and the first {_MOST} are read",
                where=paths[0].parent,
                remedy="Delete those that you no longer use",
            )
        )
    return tuple(sorted(found, key=lambda protocol: protocol.title)), tuple(wrong)


def all_protocols(folder: Path | None = None) -> tuple[HangingProtocol, ...]:
    """A person's own, then those that ship; one's own stands in place of one of its name."""
    own, _ = own_protocols(folder)
    names = {protocol.name for protocol in own}
    return (*own, *(p for p in shipped_protocols() if p.name not in names))


def name_for(title: str) -> str:
    """The name of the file of a protocol with a title.

    Raises
    ------
    ParameterError
        The title is empty, too long, or has several lines.
    """
    said = title.strip()
    if not re.fullmatch(r"\S[^\n\r\t]{0,79}", said):
        raise ParameterError(
            "the name of a hanging protocol is one line of 1 to 80 characters",
            where=said[:40] or "empty",
            remedy="Give it a short name",
        )
    name = re.sub(r"[^a-z0-9]+", "-", said.casefold()).strip("-")[:64].strip("-")
    # Letters of other scripts are no part of a file's name.
    return name or f"protocol-{crc32(said.encode()):08x}"


def save_protocol(
    protocol: HangingProtocol, *, folder: Path | None = None, overwrite: bool = False
) -> Path:
    """Keep one as a person's own.

    Raises
    ------
    SparseExplainError
        One of that name is there and ``overwrite`` is off, or it cannot be written.
    """
    values = {"format": _FORMAT, "version": _VERSION, **to_plain(protocol)}
    path = (own_folder() if folder is None else folder) / f"{protocol.name}.json"
    text = json.dumps(values, ensure_ascii=False, indent=1) + "\n"
    return write_atomically(path, text, overwrite=overwrite)


def delete_protocol(name: str, *, folder: Path | None = None) -> None:
    """Delete one of a person's own; nothing where it is gone already.

    Raises
    ------
    SparseExplainError
        It cannot be deleted.
    """
    path = (own_folder() if folder is None else folder) / f"{name}.json"
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise SparseExplainError(
            f"the hanging protocol cannot be deleted ({error.strerror or error})",
            where=path,
            remedy="Delete the file by hand",
        ) from error
