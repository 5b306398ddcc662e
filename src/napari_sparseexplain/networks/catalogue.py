"""The bundles that ship with the package, by name. Loads no torch."""

from __future__ import annotations

from pathlib import Path

from .card_file import CARD_FILE, read_card
from .model_card import ModelCard

#: Where the bundles lie, one folder each, named as the card.
BUNDLES = Path(__file__).parent / "bundles"


def models() -> dict[str, ModelCard]:
    """Cards of the bundles that ship, by name, in the order of the paper's tables.

    Raises
    ------
    ModelError
        A shipped card is damaged.
    """
    if not BUNDLES.is_dir():
        return {}
    folders = sorted(p.parent for p in BUNDLES.glob(f"*/{CARD_FILE}"))
    cards = [read_card(folder) for folder in folders]
    order = ("unet", "unet-nobn", "sum-seg", "sum-rec", "sum-denoise")
    rank = {name: place for place, name in enumerate(order)}
    cards.sort(key=lambda card: (rank.get(card.name, len(rank)), card.name))
    return {card.name: card for card in cards}


def bundle_folder(name_or_path: str | Path) -> Path:
    """Folder of a bundled name, or the path itself. Whether it exists is for the reader to say."""
    if isinstance(name_or_path, str) and name_or_path and "/" not in name_or_path:
        shipped = BUNDLES / name_or_path
        if (shipped / CARD_FILE).is_file():
            return shipped
    return Path(name_or_path).expanduser()
