"""Imports go down only: lower floors load without the viewer, the lightest without torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import napari_sparseexplain

PACKAGE = Path(napari_sparseexplain.__file__).parent
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
    "volumes",
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
    "volumes",
)
WITHOUT_TORCH = ("export", "review", "evidence", "volumes")


def modules_of(floor: str) -> list[str]:
    """Dotted names of all modules of a floor."""
    root = PACKAGE / floor
    paths = [root.with_suffix(".py")] if root.with_suffix(".py").is_file() else root.rglob("*.py")
    return sorted(
        ".".join(("napari_sparseexplain", *path.relative_to(PACKAGE).with_suffix("").parts))
        for path in paths
        if path.name != "__init__.py"
    )


def import_blocked(modules: list[str], blocked: tuple[str, ...]) -> subprocess.CompletedProcess:
    """Import ``modules`` in a new interpreter in which ``blocked`` packages cannot be found."""
    program = (
        "import sys, importlib\n"
        "class Block:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] in {blocked!r}:\n"
        "            raise ModuleNotFoundError(f'{name} is blocked for this floor', name=name)\n"
        "sys.meta_path.insert(0, Block())\n"
        f"for name in {modules!r}:\n"
        "    importlib.import_module(name)\n"
    )
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


@pytest.mark.parametrize("floor", WITHOUT_VIEWER)
def test_floor_loads_without_the_viewer(floor: str) -> None:
    modules = modules_of(floor)
    assert modules, f"no modules found on the floor {floor}"
    done = import_blocked(modules, VIEWER)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("floor", WITHOUT_TORCH)
def test_floor_loads_without_torch(floor: str) -> None:
    done = import_blocked(modules_of(floor), (*VIEWER, "torch", "monai"))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("floor", ORDER)
def test_no_module_names_a_higher_floor(floor: str) -> None:
    """Static check, so that an import inside a function cannot go up either."""
    import ast

    higher = set(ORDER[: ORDER.index(floor)])
    for name in modules_of(floor):
        path = PACKAGE.joinpath(*name.split(".")[1:]).with_suffix(".py")
        depth = len(path.relative_to(PACKAGE).parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom):
                continue
            parts = (node.module or "").split(".")
            if node.level == depth:  # relative to the package itself
                target = parts[0] or node.names[0].name
            elif node.level == 0 and parts[0] == "napari_sparseexplain" and len(parts) > 1:
                target = parts[1]
            else:
                continue
            assert target not in higher, f"{name} imports {target}, a floor above it"


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
