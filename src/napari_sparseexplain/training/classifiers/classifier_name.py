"""What a trained classifier is called: two trainings that differ have two names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ...networks.modules.known_classifier import KNOWN_CLASSIFIERS
from .class_recipe import CLASS_RECIPES, TITLES, ClassRecipe

#: A folder's name that can be that of a bundle.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{2,47}")

#: Names of folders that say nothing of what lies in them.
_NOTHING = re.compile(
    r"(?i)(out(put)?s?|bundles?|models?|networks?|classifiers?|trained|training|runs?|results?"
    r"|te?mp|new|tests?)[-_.]?\d*"
)

#: In the name of a class: it is one of tumours.
_TUMOURS = re.compile(r"(?i)glioma|meningioma|pituitary|tumou?r|metasta")


def variants_of(
    recipe: ClassRecipe,
    *,
    paper: bool = False,
    at_random: bool = False,
    choose: bool = False,
    shuffled: bool = False,
    blanked: bool = False,
    seed: int = 0,
) -> tuple[str, ...]:
    """In what a training differs from that of its recipe, in words."""
    asked = {
        "paper's settings": paper,
        "split at random": at_random,
        "settings to choose": choose,
        "shuffled classes": shuffled,
        "finding blanked": blanked,
        f"seed {seed}": seed != 0,
    }
    network = str(recipe.arguments.get("network", ""))
    named = [KNOWN_CLASSIFIERS[network].title] if network in KNOWN_CLASSIFIERS else []
    return (*named, *(words for words, said in asked.items() if said))


def name_of(kind: str, variants: Sequence[str], out: Path) -> str:
    """Name of a bundle: its folder's, where that says anything; else recipe and variants.

    Examples
    --------
    >>> name_of("tumour-classes", ("DenseNet121", "paper's settings"), Path("out"))
    'tumour-classes-densenet121-papers-settings'
    >>> name_of("tumour-classes", ("DenseNet121",), Path("chest-densenet"))
    'chest-densenet'
    """
    words = (kind, *(variant.lower().replace("'", "").replace(" ", "-") for variant in variants))
    derived = "-".join(words)
    folder = out.resolve().name
    # A folder called after a recipe says that it is that recipe's, as it is.
    right = folder not in CLASS_RECIPES or folder == derived
    good = _NAME.fullmatch(folder) and not _NOTHING.fullmatch(folder)
    return folder if good and right else derived


def title_of(kind: str, variants: Sequence[str], classes: Sequence[str], data: str) -> str:
    """Title of a card: what it tells apart, by which network, trained how.

    Examples
    --------
    >>> title_of("tumour-classes", (), ("glioma", "meningioma"), "cheng_t1ce")
    'Tumour classes (small ResNet)'
    """
    title = TITLES[kind]
    if not any(_TUMOURS.search(name) for name in classes):
        title = title.replace("Tumour classes", f"Classes of {data}")
    networks = {known.title for known in KNOWN_CLASSIFIERS.values()}
    known = bool(variants) and variants[0] in networks
    return f"{title} ({', '.join(variants if known else ('small ResNet', *variants))})"
