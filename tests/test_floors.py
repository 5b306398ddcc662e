"""Imports go down only: lower floors load without the viewer, the lightest without torch."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from .package_modules import PACKAGE, is_folder, modules, needed

VIEWER = ("napari", "qtpy", "PySide6", "PyQt6", "magicgui", "superqt")
#: Top floor first; a floor may import those after it. From docs/architecture.md.
ORDER = (
    "cli",
    "commands",
    "widgets",
    "layers",
    "export",
    "review",
    "training",
    "explanation",
    "evidence",
    "networks",
    "sparse",
    "microstructure",
    "phantom",
    "volumes",
    "files",
    "families",
)
WITHOUT_VIEWER = (
    "export",
    "review",
    "training",
    "explanation",
    "evidence",
    "networks",
    "sparse",
    "microstructure",
    "phantom",
    "volumes",
    "files",
)
WITHOUT_TORCH = ("export", "review", "evidence", "microstructure", "phantom", "volumes", "files")

#: A folder that holds more is several.
MOST_MODULES = 25

#: Rooms of families, which know nothing of each other.
FAMILY_ROOMS = (
    *(
        f"explanation.{room}"
        for room in (
            *("attribution", "components", "data_explorer", "layer_maps"),
            *("microstructure", "proxy"),
        )
    ),
    *(
        f"widgets.{room}"
        for room in (
            "attribution",
            "data_explorer",
            "decompose",
            "layer_maps",
            "microstructure",
            "proxy",
            "review",
            "study",
        )
    ),
)


def modules_of(floor: str) -> list[str]:
    """Dotted names of all modules of a floor."""
    root = PACKAGE / floor
    paths = [root.with_suffix(".py")] if root.with_suffix(".py").is_file() else root.rglob("*.py")
    return sorted(
        ".".join(("napari_sparseexplain", *path.relative_to(PACKAGE).with_suffix("").parts))
        for path in paths
        if path.name != "__init__.py"
    )


def errors_of(floors: tuple[str, ...], blocked: tuple[str, ...]) -> dict[str, str]:
    """What importing each floor raises where ``blocked`` packages cannot be found.

    One new interpreter imports them all, the lowest first: every module of a floor is then
    imported with the blocks in place, by its own floor or by one below it.
    """
    modules = {floor: modules_of(floor) for floor in reversed(floors)}
    program = (
        "import sys, importlib, json, traceback\n"
        "class Block:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] in {blocked!r}:\n"
        "            raise ModuleNotFoundError(f'{name} is blocked for this floor', name=name)\n"
        "sys.meta_path.insert(0, Block())\n"
        "said = {}\n"
        f"for floor, names in {modules!r}.items():\n"
        "    try:\n"
        "        for name in names:\n"
        "            importlib.import_module(name)\n"
        "    except BaseException:\n"
        "        said[floor] = traceback.format_exc()\n"
        "print(json.dumps(said))\n"
    )
    done = run_python(program)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def without_viewer() -> dict[str, str]:
    """Floors that do not load without the viewer, with the error."""
    return errors_of(WITHOUT_VIEWER, VIEWER)


@pytest.fixture(scope="module")
def without_torch() -> dict[str, str]:
    """Floors that do not load without torch, with the error."""
    return errors_of(WITHOUT_TORCH, (*VIEWER, "torch", "monai"))


@pytest.mark.parametrize("floor", WITHOUT_VIEWER)
def test_floor_loads_without_the_viewer(floor: str, without_viewer: dict[str, str]) -> None:
    assert modules_of(floor), f"no modules found on the floor {floor}"
    assert floor not in without_viewer, without_viewer[floor]


@pytest.mark.parametrize("floor", WITHOUT_TORCH)
def test_floor_loads_without_torch(floor: str, without_torch: dict[str, str]) -> None:
    assert floor not in without_torch, without_torch[floor]


@pytest.mark.parametrize("floor", ORDER)
def test_no_module_names_a_higher_floor(floor: str) -> None:
    """Static check, so that an import inside a function cannot go up either."""
    higher = set(ORDER[: ORDER.index(floor)])
    for name in modules():
        if name.split(".")[0] == floor:
            above = {module for module in needed(name) if module.split(".")[0] in higher}
            assert not above, f"{name} imports {above}, of a floor above it"


def test_no_modules_need_each_other() -> None:
    """Also in functions and under TYPE_CHECKING: one is understood with those below it alone."""
    below = {name: needed(name) - {""} for name in modules() if name}
    while ends := {name for name, wanted in below.items() if not wanted}:
        below = {name: wanted - ends for name, wanted in below.items() if name not in ends}
    assert not below, "all these stand in a circle, or need one that does"


def test_no_folder_is_too_full() -> None:
    inside = Counter(name.rpartition(".")[0] for name in modules() if not is_folder(name))
    assert not {folder: n for folder, n in inside.items() if n > MOST_MODULES}


@pytest.mark.parametrize("room", FAMILY_ROOMS)
def test_no_family_knows_another(room: str) -> None:
    floor = room.partition(".")[0]
    others = [r for r in FAMILY_ROOMS if r != room and r.startswith(floor)]
    for name in modules():
        if name.startswith(room + "."):
            known = {m for m in needed(name) if any(m.startswith(o + ".") for o in others)}
            assert not known, f"{name} imports {known}"


def run_python(program: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


def test_importing_the_package_loads_no_torch() -> None:
    done = run_python(
        "import sys, napari_sparseexplain as se; dir(se); assert 'torch' not in sys.modules"
    )
    assert done.returncode == 0, done.stderr


def test_listing_families_and_methods_loads_no_torch() -> None:
    done = run_python(
        "import sys\n"
        "from napari_sparseexplain.families import families\n"
        "assert families()\n"
        "assert not any(m.startswith('napari_sparseexplain.') and m.count('.') > 1\n"
        "               for m in sys.modules), 'the list of families loads no floor'\n"
        "import napari_sparseexplain as se\n"
        "assert len(se.methods()) > 10\n"
        "assert not {'torch', 'qtpy', 'napari'} & set(sys.modules)\n"
    )
    assert done.returncode == 0, done.stderr


def test_reading_the_manifest_loads_no_torch() -> None:
    done = run_python(
        "import sys\n"
        "from npe2 import PluginManifest\n"
        "manifest = PluginManifest.from_distribution('napari-sparseexplain')\n"
        "assert manifest.contributions.widgets\n"
        "manifest.validate_imports()\n"
        "assert 'torch' not in sys.modules\n"
    )
    assert done.returncode == 0, done.stderr


def test_opening_a_nifti_loads_no_torch(tmp_path: Path) -> None:
    import nibabel as nib
    import numpy as np

    path = tmp_path / "scan_flair.nii.gz"
    nib.save(nib.Nifti1Image(np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.eye(4)), path)
    done = run_python(
        "import sys, napari_sparseexplain as se\n"
        f"study = se.open_study({str(path)!r})\n"
        "assert study.images\n"
        "assert 'torch' not in sys.modules\n"
    )
    assert done.returncode == 0, done.stderr
