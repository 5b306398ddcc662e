"""What the cover of a report tells: studies, explanations with their scores, models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...networks.bundle.catalogue import models
from ...review.reading import Reading
from ...volumes.reading_order import ordered_roles, role_title
from ..pictures.burned_in import (
    explanation_facts,
    modality,
    model_version,
    number_text,
    parameter_text,
    score_text,
)

#: Longest text of a card's entry.
_LONGEST = 400


def study_rows(reading: Reading) -> list[tuple[str, list[list[str]]]]:
    """A heading and a table of volumes for every study."""
    found = []
    for key, study in reading.studies.items():
        reference = reading.review.studies[key]
        rows = [["volume", "kind", "slices × rows × columns", "spacing", "file's sha256"]]
        unit = "mm" if study.grid.calibrated else "px"
        spacing = " × ".join(f"{v:.3g}" for v in study.grid.spacing)
        for role in ordered_roles(study):
            volume = study[role]
            sha = reference.volumes[role].sha256 if role in reference.volumes else ""
            kind = " ".join(p for p in (modality(volume.unit, volume.details), volume.kind) if p)
            shape = " × ".join(str(n) for n in study.grid.shape)
            rows.append([role_title(role), kind, shape, f"{spacing} {unit}", sha[:12]])
        found.append((f"Study {study.name}", rows))
    return found


def score_table(reading: Reading) -> list[list[str]]:
    """One row an explanation: method, target, model, parameters, scores."""
    if not reading.explanations:
        return []
    rows = [["method", "target", "model", "parameters", "scores"]]
    for explanation in reading.explanations.values():
        facts = explanation_facts(explanation)
        version = f" {facts['model_version']}" if facts["model_version"] else ""
        weights = facts["weights_sha256"][:12]
        rows.append(
            [
                facts["method"],
                facts["target"],
                # A method without a model is what made the maps.
                f"{facts['model'] or facts['method']}{version} {weights}".strip(),
                parameter_text(facts["parameters"])[:_LONGEST],
                score_text(facts["scores"], most=12),
            ]
        )
    return rows


def model_tables(reading: Reading) -> list[tuple[str, list[list[str]]]]:
    """The card of every model that the explanations name."""
    found: dict[str, list[list[str]]] = {}
    cards = models()
    for explanation in reading.explanations.values():
        record = explanation.provenance
        if not record.model or record.model in found:
            continue
        rows = [["what the card says", ""], ["weights sha256", record.weights_sha256]]
        card = cards.get(record.model)
        if card is None:
            rows.append(["", "the model did not come with this program; its card is not here"])
        elif not model_version(record.model, record.weights_sha256):
            rows.append(["", "the model of this name that comes with the program is another one"])
        else:
            rows += [
                ["title", card.title],
                ["version", card.version],
                ["task", card.task],
                ["architecture", card.architecture],
                ["inputs", ", ".join(role_title(role) for role in card.inputs.roles)],
                ["classes", ", ".join(card.classes.values())],
                ["licence", card.licence],
                *([f"training: {k}", v] for k, v in _flat(card.training)),
                *([f"metrics: {k}", v] for k, v in _flat(card.metrics)),
                *(["limits", note] for note in card.notes),
            ]
        found[record.model] = [[name, text[:_LONGEST]] for name, text in rows]
    return [(f"Model {name}", rows) for name, rows in found.items()]


def finding_lines(reading: Reading) -> list[str]:
    """Warnings of the studies and of the restored review, and the notes of explanations."""
    lines = [f.message for study in reading.studies.values() for f in study.warnings]
    lines += [f.message for f in reading.findings]
    lines += [
        f"{explanation.method}: {note}"
        for explanation in reading.explanations.values()
        for note in explanation.notes
    ]
    return list(dict.fromkeys(lines))


def _flat(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A card's entries, nested ones on one line."""

    def told(value: Any) -> str:
        if isinstance(value, Mapping):
            return ", ".join(f"{k} {told(v)}" for k, v in value.items())
        if isinstance(value, list | tuple):
            return ", ".join(told(v) for v in value)
        return number_text(value)

    return [(name, told(value)) for name, value in values.items()]
