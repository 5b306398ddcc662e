"""The bundles that ship with the families, by name. Loads no torch."""

from __future__ import annotations

from pathlib import Path

from ...families import Family, attempt, families, folder_of
from .card_file import CARD_FILE, read_card
from .model_card import ModelCard

#: Where the bundles of this package lie, one folder each, named as the card.
BUNDLES = Path(__file__).parents[1] / "bundles"


def models() -> dict[str, ModelCard]:
    """Cards of the bundles that ship, by name, in the order in which the families name them.

    Raises
    ------
    ModelError
        A card that ships with this package is damaged.

    Examples
    --------
    >>> import napari_sparseexplain as se
    >>> list(se.models())[:5]
    ['unet', 'unet-nobn', 'sum-seg', 'sum-rec', 'sum-denoise']
    """
    cards: dict[str, ModelCard] = {}
    for family, folder in bundle_folders().values():
        with attempt(family):
            if (folder / CARD_FILE).is_file():
                card = read_card(folder)
                cards[card.name] = card
    return cards


def bundle_folders() -> dict[str, tuple[Family, Path]]:
    """Folders of the bundles that ship by their names, each with its family."""
    found: dict[str, tuple[Family, Path]] = {}
    for family in families():
        with attempt(family):
            own = {folder.name: (family, folder) for folder in map(folder_of, family.bundles)}
            if taken := sorted(own.keys() & found.keys()):
                holder = found[taken[0]][0].package
                raise ValueError(f"{holder} has a model {taken[0]!r} already")
            found.update(own)
    return found


def bundle_folder(name_or_path: str | Path) -> Path:
    """Folder of a bundled name, or the path itself. Whether it exists is for the reader to say."""
    if isinstance(name_or_path, str) and name_or_path and "/" not in name_or_path:
        _, shipped = bundle_folders().get(name_or_path, (None, None))
        if shipped is not None and (shipped / CARD_FILE).is_file():
            return shipped
    return Path(name_or_path).expanduser()
