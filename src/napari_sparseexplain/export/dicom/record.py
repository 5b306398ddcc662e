"""Who made a DICOM object, and how: model, version, checksum and the whole provenance.

Three places hold it, so that it is found by whoever looks: the device (Manufacturer's Model Name,
Software Versions, and the weights' sha256 as Device Serial Number), the Contributing Equipment in
words, and a private element with the provenance as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from highdicom import AlgorithmIdentificationSequence, ContributingEquipment
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from ... import __version__
from ...evidence.explanation import Explanation
from ...evidence.explanation_map import ExplanationMap
from ...evidence.provenance import Provenance
from ...files.json_file import parse_json
from ...volumes.dicom.parametric import PRIVATE_CREATOR, PRIVATE_ELEMENT, PRIVATE_GROUP
from ...volumes.roles.roles import LABEL_ROLES, ROLES
from ..pictures.burned_in import model_version
from ..privacy.identity import refuse_identity
from ..privacy.policy import ExportPolicy
from .deidentification import plain_inputs

PROGRAM = "napari-sparseexplain"
MANUFACTURER = "napari-sparseexplain developers"
WARNING = "RESEARCH ONLY - NOT FOR DIAGNOSTIC USE"

#: Longest value of LO, of ST and of LT.
_LO, _ST, _LT = 64, 1024, 10240


def device(*provenances: Provenance) -> dict[str, Any]:
    """The elements of the equipment, as arguments of highdicom's constructors.

    A picture can show what several models found, or none.
    """
    weights = list(dict.fromkeys(p.weights_sha256 for p in provenances if p.weights_sha256))
    several = "several models: see Contributing Equipment" if weights else "none: no model was used"
    return {
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": PROGRAM,
        "software_versions": program_version(provenances[0]) if provenances else __version__,
        "device_serial_number": weights[0] if len(weights) == 1 else several,
    }


def program_version(provenance: Provenance) -> str:
    """Version of this program that made the explanation, which may be another than today's."""
    return provenance.versions.get(PROGRAM, __version__)


def model_name(provenance: Provenance) -> str:
    """The model, or the method where none was used."""
    return (provenance.model or provenance.method)[:_LO]


def algorithm(provenance: Provenance) -> AlgorithmIdentificationSequence:
    """Model name, version and checksum as the standard's Algorithm Identification macro.

    The version of a model that was not shipped is told by its weights alone.
    """
    version = f"{PROGRAM} {program_version(provenance)}"
    if provenance.weights_sha256:
        version = f"weights {provenance.weights_sha256[:12]}, {version}"
    if number := model_version(provenance.model, provenance.weights_sha256):
        version = f"{number}, {version}"
    found = AlgorithmIdentificationSequence(
        name=model_name(provenance),
        family=codes.DCM.ArtificialIntelligence,
        version=version[:_LO],
        source=PROGRAM,
    )
    found[0].AlgorithmParameters = json.dumps(
        {
            "weights_sha256": provenance.weights_sha256,
            "method": provenance.method,
            "parameters": dict(provenance.parameters),
        },
        sort_keys=True,
        ensure_ascii=False,
    )[:_LT]
    return found


def equipment(explanation: Explanation | None, provenance: Provenance) -> ContributingEquipment:
    """Who made it, in words."""
    target = f", target {explanation.target}" if explanation and explanation.target else ""
    number = model_version(provenance.model, provenance.weights_sha256)
    words = (
        f"Model {provenance.model or 'none'}{f' version {number}' if number else ''}, weights "
        f"sha256 {provenance.weights_sha256 or 'none'}; method {provenance.method}{target}; "
        f"{PROGRAM} {program_version(provenance)}. {WARNING}"
    )
    return ContributingEquipment(
        manufacturer=MANUFACTURER,
        purpose_of_reference=codes.DCM.ProcessingEquipment,
        manufacturer_model_name=PROGRAM,
        software_versions=program_version(provenance),
        contribution_description=words[:_ST],
    )


def checked_explanation(
    explanation: Explanation, policy: ExportPolicy
) -> tuple[Explanation, dict[str, Any]]:
    """The explanation's words and provenance as they may leave.

    Parameters
    ----------
    explanation : Explanation
    policy : ExportPolicy
        Of the study, with the headers of its images.

    Returns
    -------
    explanation : Explanation
        The same.
    record : dict
        Method, target, scores, notes and provenance as JSON values; without file names and
        times unless the identity is kept. A note that names the patient is left out, and that is
        said in its place.

    Raises
    ------
    SparseExplainError
        Model, target, a parameter, or the name or title of a map names the patient.
    """
    provenance = explanation.provenance.to_json()
    notes = list(explanation.notes)
    if not policy.identify:
        provenance["inputs"] = plain_inputs(provenance["inputs"], (*ROLES, *LABEL_ROLES))
        provenance["created"] = ""
        check_words(policy, _free_words(explanation))
        notes = [
            "(a note that names the patient was left out)" if policy.identity.found_in(n) else n
            for n in notes
        ]
    record = {
        "program": PROGRAM,
        "warning": WARNING,
        "method": explanation.method,
        "target": explanation.target,
        "scores": dict(explanation.scores),
        "notes": notes,
        "provenance": provenance,
    }
    return explanation, record


def check_words(policy: ExportPolicy, words: Iterable[tuple[str, str]]) -> None:
    """Refuse words that name the patient, unless the identity is kept.

    Parameters
    ----------
    policy : ExportPolicy
    words : iterable of (str, str)
        What holds the words, and the words.

    Raises
    ------
    SparseExplainError
        One of them holds an identifying value.
    """
    if policy.identify:
        return
    for where, said in words:
        refuse_identity(policy.identity.found_in(said), where)


def add_record(
    dataset: Dataset, record: Mapping[str, Any], item: ExplanationMap | None = None
) -> None:
    """Put the record into the private element."""
    values = dict(record)
    if item is not None:
        values["map"] = {
            "name": item.name,
            "title": item.title,
            "kind": item.kind,
            "unit": item.unit,
            "signed": item.signed,
            "classes": {str(k): v for k, v in item.classes.items()},
        }
    said = json.dumps(values, ensure_ascii=False, sort_keys=True, allow_nan=False)
    block = dataset.private_block(PRIVATE_GROUP, PRIVATE_CREATOR, create=True)
    block.add_new(PRIVATE_ELEMENT, "UT", said)


def read_record(dataset: Dataset) -> dict[str, Any]:
    """The record that `add_record` put into an object; empty when there is none."""
    try:
        block = dataset.private_block(PRIVATE_GROUP, PRIVATE_CREATOR)
        text = str(block[PRIVATE_ELEMENT].value)
    except KeyError:
        return {}
    values = parse_json(
        text,
        where="DICOM",
        problem="the object's record of how it was made is damaged",
        remedy="Export it again from the study",
    )
    return values if isinstance(values, dict) else {}


def _free_words(explanation: Explanation) -> Iterator[tuple[str, str]]:
    """Words that can come from outside this program, and where they stand."""
    yield "name of the model", explanation.provenance.model
    yield "target", explanation.target
    for name, value in explanation.provenance.parameters.items():
        for said in (name, *_leaves(value)):
            yield f"parameter {name}", said
    for item in explanation.maps:
        yield "name of a map", item.name
        yield "title of a map", item.title
        yield "unit of a map", item.unit
        for said in item.classes.values():
            yield "name of a class", said


def _leaves(value: Any) -> Iterator[str]:
    """Texts and numbers of a JSON value, as text."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield str(name)
            yield from _leaves(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _leaves(part)
    elif value is not None:
        yield str(value)


def series_description(explanation: Explanation) -> str:
    """What a series of several objects is called: the same for all of them (PS3.3 C.7.3.1)."""
    provenance = explanation.provenance
    target = f" {explanation.target}" if explanation.target else ""
    return shortened(f"{model_name(provenance)} {explanation.method}{target}")


def shortened(said: str, length: int = _LO) -> str:
    """A text for an element of limited length, its end marked when it was cut."""
    plain = said.replace("\\", "/").strip()
    return plain if len(plain) <= length else plain[: length - 1] + "…"
