"""`sparseexplain models` and `sparseexplain methods`: what there is to choose from."""

from __future__ import annotations


def list_models() -> None:
    """List the models that ship, with what they want and how they scored."""
    from ..networks.bundle.catalogue import models

    for name, card in models().items():
        print(f"{name}: {card.title}, {card.task}, input {' + '.join(card.inputs.roles)}")
        for key, value in card.metrics.items():
            for line in _lines(key, value):
                print(f"    {line}")


def _lines(key: str, value: object) -> list[str]:
    """A score, or several of one name, each on a line."""
    from ..evidence.confusion import CARD_ENTRY, confusion_rows
    from ..evidence.tables import text_table

    if not isinstance(value, dict):
        return [f"{key}: {value}"]
    if key == CARD_ENTRY:
        rows = confusion_rows(value)
        said = (
            f"measured on {value.get('measured on', '')}; Dice, and what each true class was given"
        )
        table = text_table(["true class", "Dice", *[row[0] for row in rows]], rows)
        return [said, *table.split("\n")]
    return [line for name, inner in value.items() for line in _lines(f"{key}, {name}", inner)]


def list_methods() -> None:
    """List the methods with their parameters and defaults."""
    from ..explanation.catalogue import method_family, methods

    for name, method in methods().items():
        family = method_family(name)
        source = "" if family.is_own else f" (from {family.package} {family.version})"
        without = "" if method.takes_model else " (without a model)"
        print(f"{name}: {method.title}{without}{source}")
        for parameter in method.parameters:
            print(f"    {parameter.name} = {parameter.default!r}: {parameter.tooltip}")
