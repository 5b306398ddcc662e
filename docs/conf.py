"""How `make docs` builds the site: the pages, docstrings of the public names, the gallery."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from PIL import Image
from sphinx_gallery.scrapers import figure_rst

import napari_sparseexplain

project = "napari-sparseexplain"
author = copyright = "napari-sparseexplain developers"
release = version = napari_sparseexplain.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["gallery/*"]

# The scraper below is a function, which Sphinx cannot keep between builds and says so.
suppress_warnings = ["config.cache"]

html_theme = "furo"
html_title = project
html_show_sourcelink = html_copy_source = False

myst_enable_extensions = ["colon_fence"]
# The anchors that links within the pages use are GitHub's.
myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings tell them, in words
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True


def pictures_of(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Keep what a script calls ``figure`` or ``picture``, once each, as the block's picture.

    `result.plot()` opens no window, so matplotlib's own list of figures does not know it.
    """
    made, names = [], block_vars["example_globals"]
    for name in ("figure", "picture"):
        found = names.get(name)
        if found is None or names.get(f"_shown_{name}") is found:
            continue
        names[f"_shown_{name}"] = found
        path = next(block_vars["image_path_iterator"])
        if isinstance(found, Figure):
            found.savefig(path, dpi=110)
        elif isinstance(found, Image.Image):
            found.save(path)
        made.append(path)
    return figure_rst(made, gallery_conf["src_dir"])


sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "examples",
    "filename_pattern": r"\.py$",
    "image_scrapers": (pictures_of,),
    "reset_modules": (),
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 1e9,
    "write_computation_times": False,
    "download_all_examples": False,
    "abort_on_example_error": True,
}


ROOT = Path(__file__).resolve().parents[1]


def page_of_the_root(name: str) -> str:
    """README.md or CONTRIBUTING.md, its links as they go from ``docs/``."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return text.replace("](docs/", "](").replace("](CONTRIBUTING.md", "](contributing.md")


def _bring_in(_app: Any, _name: str, source: list[str]) -> None:
    """``<!-- README.md -->`` in a page stands for that file."""
    source[0] = re.sub(r"<!-- (\w+\.md) -->", lambda m: page_of_the_root(m[1]), source[0])


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _bring_in)
