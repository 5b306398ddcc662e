"""Which models find the left ventricle in single slices, and whom they were trained on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from ...errors import ModelError
from ...networks.bundle.model import Model
from ...networks.bundle.model_card import ModelCard

#: Where a card has the patients that its network was trained on.
PATIENTS_KEY = "patients"


def check_ventricle_model(model: Model) -> None:
    """Refuse a model that cannot answer where the left ventricle is in one slice of one scan.

    Raises
    ------
    ModelError
        It takes several scans or volumes, or gives other classes.
    """
    card = model.card
    wrong = ""
    if len(card.inputs.roles) != 1:
        wrong = f"it takes {len(card.inputs.roles)} scans ({', '.join(card.inputs.roles)})"
    elif card.inputs.spatial_dims != 2:
        wrong = "it takes volumes"
    elif set(card.classes) != {"0", "1"}:
        names = ", ".join(card.classes.values()) or "nothing that its card names"
        wrong = f"it gives {names}"
    if wrong:
        raise ModelError(
            f"{wrong}; a network of the left ventricle takes slices of one scan and gives "
            "background and ventricle",
            where=model.name,
            remedy="Choose left-ventricle-fcn, left-ventricle-unet, or a bundle of "
            "`sparseexplain train left-ventricle-…`",
        )


def patient_hashes(patients: Iterable[str]) -> list[str]:
    """Of each patient a short hash of the name: a card tells whom it knows, and names nobody."""
    return sorted({hashlib.sha256(name.encode()).hexdigest()[:8] for name in patients})


def seen_patients(card: ModelCard, patients: Iterable[str]) -> list[str]:
    """Those of some patients whom a network was trained on, by the names in its card."""
    known = set(card.training.get(PATIENTS_KEY, ()))
    return [name for name in dict.fromkeys(patients) if patient_hashes([name])[0] in known]
