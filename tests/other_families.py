"""Packages that bring a family, put on the path as an installer would leave them."""

from __future__ import annotations

import shutil
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import invalidate_caches
from pathlib import Path

from napari_sparseexplain.families import GROUP, forget

#: The package of the worked example in docs/adding-a-family.md.
SMALL = Path(__file__).parent / "small_family"


def install_small(site: Path) -> Path:
    """The small family, as ``pip install tests/small_family --target site`` leaves it."""
    project = tomllib.loads((SMALL / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    shutil.copytree(SMALL / "src", site, dirs_exist_ok=True)
    _note(site, project["name"], project["version"], project["entry-points"][GROUP])
    return site


def install(site: Path, name: str, source: str, *, family: str = "FAMILY") -> Path:
    """A package of one module, whose entry point ``name`` names ``family`` in it."""
    module = name.replace("-", "_")
    site.mkdir(parents=True, exist_ok=True)
    (site / f"{module}.py").write_text(source, encoding="utf-8")
    _note(site, name, "1.0", {module: f"{module}:{family}"})
    return site


def _note(site: Path, name: str, version: str, points: Mapping[str, str]) -> None:
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = [f"[{GROUP}]", *(f"{point} = {target}" for point, target in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")


@contextmanager
def on_the_path(site: Path) -> Iterator[None]:
    """The packages in ``site`` are found until the block ends, and are then as if never there."""
    before = set(sys.modules)
    sys.path.insert(0, str(site))
    invalidate_caches()
    forget()
    try:
        yield
    finally:
        sys.path.remove(str(site))
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", "")).startswith(str(site)):
                del sys.modules[name]
        invalidate_caches()
        forget()
