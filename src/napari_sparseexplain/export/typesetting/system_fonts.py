"""Font files of this machine, those first that suit words in a picture.

Looked for in the packages of the extra ``[fonts]``, with fontconfig where there is one, and in the
usual folders of Linux, macOS and Windows. Only files with outlines in OpenType or TrueType are
taken, and of a family the upright one of ordinary width.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from shutil import which

from .coverage import FontFile

#: Packages of fonts that the extra brings.
FONT_PACKAGES = ("manimgx_fonts", "manimgx_fonts_cjk")

_ENDINGS = (".ttf", ".otf", ".ttc", ".otc")

#: Families without serifs that are drawn for the screen, by the beginning of their file's name.
_PREFERRED = (
    *("notosans", "sourcehansans", "sourcehan", "msyh", "yugoth", "meiryo", "malgun", "msjh"),
    *("nirmala", "leelaw", "segoeui", "tahoma", "arial", "pingfang", "hiragino", "applesdgothic"),
    *("applegothic", "sfarabic", "sfhebrew", "geezapro", "thonburi", "kohinoor", "devanagari"),
    *("wqy", "droidsans", "ipag", "vlgothic", "takao", "unfonts", "lohit", "roboto", "opensans"),
)

#: Words in a file's name by which it is drawn otherwise than words in a picture are.
_OTHER_STYLE = re.compile(
    r"italic|oblique|slanted|serif|mono|kufi|nastaliq|narrow|condensed|display|looped"
    r"|thin|light|medium|black|demi",
)
_BOLD = re.compile(r"bold|bd\.")

#: Fonts that have a box for every character there is, or pixels in place of outlines.
_PLACEHOLDERS = ("lastresort", "adobeblank", "unifont_upper")
_LAST = ("unifont", "fallback")

#: Longest wait for fontconfig, which builds its list anew when fonts were installed.
_WAIT = 30.0


@cache
def system_fonts(*, bold: bool = False) -> tuple[FontFile, ...]:
    """All fonts of this machine, in the order in which they are asked for a letter.

    Parameters
    ----------
    bold : bool
        Whether bold files come before regular ones.
    """
    files = {path.resolve(): None for path in (*_packaged(), *_listed(), *_in_folders())}
    known = [path for path in files if not path.name.lower().startswith(_PLACEHOLDERS)]
    return tuple(FontFile(path) for path in sorted(known, key=lambda p: _rank(p, bold=bold)))


def _rank(path: Path, *, bold: bool) -> tuple[bool, bool, int, bool, str, str]:
    name = path.name.lower().replace("-", "").replace("_", "").replace(" ", "")
    family = next((i for i, begin in enumerate(_PREFERRED) if name.startswith(begin)), 99)
    # Variable fonts have every weight.
    weight = False if "[" in name or "vf." in name else bool(_BOLD.search(name)) != bold
    odd = _OTHER_STYLE.search(name) is not None
    return any(last in name for last in _LAST), odd, family, weight, name, str(path)


def _packaged() -> Iterable[Path]:
    """Fonts of the packages that the extra ``[fonts]`` brings."""
    for package in FONT_PACKAGES:
        found = find_spec(package)
        for folder in (found.submodule_search_locations or []) if found else []:
            yield from _fonts_below(Path(folder))


def _listed() -> Iterable[Path]:
    """Fonts that fontconfig knows: also those of folders that a person chose."""
    program = which("fc-list")
    if program is None:
        return
    try:
        done = subprocess.run(
            [program, "--format", "%{file}\n"], capture_output=True, timeout=_WAIT, check=False
        )
    except (OSError, subprocess.SubprocessError):  # the usual folders are looked through as well
        return
    for line in done.stdout.decode("utf-8", "surrogateescape").splitlines():
        if line.lower().endswith(_ENDINGS):
            yield Path(line)


def _in_folders() -> Iterable[Path]:
    for folder in font_folders(sys.platform, os.environ, Path.home()):
        yield from _fonts_below(folder)


def font_folders(
    platform: str, environment: os._Environ[str] | dict[str, str], home: Path
) -> list[Path]:
    """Where fonts usually lie.

    Parameters
    ----------
    platform : str
        As `sys.platform`.
    environment : mapping of str to str
        Variables of the environment.
    home : Path
        The person's own folder.
    """
    if platform == "win32":
        local = environment.get("LOCALAPPDATA")
        own = [Path(local) / "Microsoft" / "Windows" / "Fonts"] if local else []
        return [Path(environment.get("WINDIR", r"C:\Windows")) / "Fonts", *own]
    if platform == "darwin":
        return [Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library" / "Fonts"]
    data = environment.get("XDG_DATA_HOME")
    own = Path(data) if data else home / ".local" / "share"
    return [
        Path("/usr/share/fonts"),
        Path("/usr/local/share/fonts"),
        own / "fonts",
        home / ".fonts",
    ]


def _fonts_below(folder: Path) -> Iterable[Path]:
    for place, _, names in os.walk(folder):
        for name in names:
            if name.lower().endswith(_ENDINGS):
                yield Path(place) / name
