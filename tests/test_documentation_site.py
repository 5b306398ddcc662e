"""What `make docs` brings together is complete; the building itself is not a test."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import napari_sparseexplain as se

DOCS = Path(__file__).resolve().parents[1] / "docs"


def test_the_page_of_public_names_has_each_once() -> None:
    text = (DOCS / "api.rst").read_text(encoding="utf-8")
    named = re.findall(r"^\.\. auto(?:function|class):: (\w+)$", text, re.MULTILINE)
    assert sorted(named) == sorted(set(se.__all__) - {"__version__"})


def test_every_page_is_in_the_list_of_pages() -> None:
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    for page in (*DOCS.glob("*.md"), *DOCS.glob("*.rst")):
        if page.stem != "index":
            assert re.search(rf"^{page.stem}$", text, re.MULTILINE), page.name


def test_what_the_napari_hub_shows_is_filled_in() -> None:
    """It reads the package's metadata, the README and the manifest, and no ``config.yml``.

    https://napari.org/stable/plugins/testing_and_publishing/hub_customization.html
    """
    project = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["readme"] == "README.md"
    assert "Framework :: napari" in project["classifiers"]
    assert project["description"]
    assert project["license"]
    manifest = (Path(se.__file__).parent / "napari.yaml").read_text(encoding="utf-8")
    for field in ("display_name: ", "visibility: public", "categories: ["):
        assert re.search(rf"^{re.escape(field)}", manifest, re.MULTILINE), field
