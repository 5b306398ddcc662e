"""What may leave in an export, and what stands there for what may not.

Everything that is drawn or written comes from a reading that went through `ExportPolicy.reading`:
known roles and their titles, methods, models, numbers, and a person's own words after the search
for names. A scan that is called by its file or by its series description is "scan 1", a finding is
the sentence of its code, a name of a class that is no word of anatomy is its number. Paths never
leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from pydicom.dataset import Dataset

from ...evidence import Explanation, ExplanationMap
from ...evidence.explanation_map import apart_by_name
from ...review.reading import Reading
from ...review.review import (
    ExplanationReference,
    Overlay,
    Panel,
    Review,
    ScanLayer,
    StudyReference,
    joined_maps,
)
from ...review.study_reference import study_code, study_reference
from ...volumes import Finding, Study
from ...volumes.readers import all_endings
from ...volumes.reading_order import role_title
from .finding_sentences import SENTENCES
from .identity import (
    NOBODY,
    REMOVED,
    Identity,
    identity_of_headers,
    identity_of_studies,
    joined,
)
from .known_values import is_anatomical, known_unit, with_known_unit
from .paths_in_words import path_pattern
from .public_roles import is_known_role, public_roles, with_public_roles

#: Sentences of the standard and of this program in which a name could stand by chance.
_OWN_SENTENCES = (
    "DICOM PS3.15 Basic Profile; only listed elements are kept",
    "Basic Application Confidentiality Profile",
    "RESEARCH ONLY - NOT FOR DIAGNOSTIC USE",
    "napari-sparseexplain",
    "19000101",
)


@dataclass
class ExportPolicy:
    """Decides what of a reading may leave, and remembers what it replaced.

    Attributes
    ----------
    identify : bool
        Whether names stand as they are; nothing is then replaced or searched for.
    identity : Identity
        What tells who was examined.
    replaced : dict
        What a person must know, in order; its values mean nothing.
    allowed : set of str
        Texts that this program writes whoever was examined, as the time of the export.
    told : dict
        What else a person must know of what was made, in order; its values mean nothing.
    """

    identify: bool
    identity: Identity = NOBODY
    replaced: dict[str, None] = field(default_factory=dict)
    allowed: set[str] = field(default_factory=lambda: set(_OWN_SENTENCES))
    told: dict[str, None] = field(default_factory=dict)
    _roles: dict[Study, dict[str, str]] = field(default_factory=dict, repr=False)

    def reading(self, reading: Reading) -> Reading:
        """The reading as it may be drawn and written."""
        if self.identify:
            return reading
        studies = {k: self.study(s, self._code(reading, k)) for k, s in reading.studies.items()}
        explanations = {
            key: self.explanation(item, reading.review.explanations[key].study)
            for key, item in reading.explanations.items()
        }
        names = {
            key: {old.name: new.name for old, new in zip(item.maps, public.maps, strict=True)}
            for (key, item), public in zip(
                reading.explanations.items(), explanations.values(), strict=True
            )
        }
        return replace(
            reading,
            review=self._review(reading, names),
            studies=studies,
            explanations=explanations,
            findings=tuple(self.finding(found) for found in reading.findings),
        )

    def study(self, study: Study, code: str = "") -> Study:
        """The study with roles that may leave, called by its code."""
        if self.identify:
            return study
        code = code or study_code(study_reference(study))
        if study.name not in ("", code):
            self._note(f"the study's name ({code} stands for it)")
        public = self._public_roles(study)
        renamed = study
        for old, new in public.items():
            if old != new:
                renamed = renamed.with_role(old, new)
        return replace(
            renamed,
            name=code,
            images={role: with_known_unit(volume) for role, volume in renamed.images.items()},
            findings=tuple(self.finding(f, public) for f in study.findings),
        )

    def explanation(self, explanation: Explanation, study: str = "") -> Explanation:
        """An explanation whose words may leave; its numbers are the same."""
        if self.identify:
            return explanation
        maps = tuple(self._map(item) for item in explanation.maps)
        maps = apart_by_name(maps)
        record = explanation.provenance
        self.allowed |= {record.created, record.created[:10]} - {""}
        provenance = replace(
            record,
            parameters={k: self.values(v, f"parameter {k}") for k, v in record.parameters.items()},
            model=self.words(record.model, "the model's name"),
            inputs={
                self._role(role): {"sha256": entry.get("sha256", "")}
                for role, entry in record.inputs.items()
            },
        )
        return replace(
            explanation,
            maps=maps,
            provenance=provenance,
            target=self.words(explanation.target, "the target"),
            scores={self.words(k, "a score's name"): v for k, v in explanation.scores.items()},
            notes=tuple(self.words(note, "a note of an explanation") for note in explanation.notes),
        )

    def finding(self, finding: Finding, roles: Mapping[str, str] | None = None) -> Finding:
        """The finding with its code's sentence; names that files have are left out."""
        if self.identify:
            return finding
        sentence = SENTENCES.get(finding.code, finding.code.replace("-", " ").capitalize())
        where = (roles or {}).get(finding.where, "")
        if not where and is_known_role(finding.where):
            where = finding.where
        said = f"{role_title(where)}: {sentence}" if where else sentence
        return replace(finding, message=said, where=where)

    def words(self, said: str, what: str) -> str:
        """A person's words, or a file's, after the search for names and paths.

        Parameters
        ----------
        said : str
        what : str
            What they are, for the list of what was replaced.
        """
        if self.identify or not said:
            return said
        kept = self._with_public_roles(said)
        kept = path_pattern(all_endings()).sub(REMOVED, kept)
        kept = self.identity.without(kept)
        if kept != said:
            self._note(f"names, dates, numbers or paths in {what}")
        return kept

    def values(self, value: Any, what: str) -> Any:
        """JSON values with every text in them after the search."""
        if isinstance(value, str):
            return self.words(value, what)
        if isinstance(value, Mapping):
            return {self.words(str(k), what): self.values(v, what) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.values(item, what) for item in value]
        return value

    def know(self, study: Study) -> None:
        """Search for what the files of one more study tell, too."""
        if not self.identify:
            self.identity = joined(self.identity, _identity_of(study))

    def know_roles(self, study: Study) -> None:
        """Replace the names of a study's scans in words from now on."""
        if not self.identify:
            self._public_roles(study)

    def with_headers(self, headers: Iterable[Dataset]) -> ExportPolicy:
        """The same policy, which also knows what the headers of images tell."""
        if self.identify:
            return self
        return replace(self, identity=joined(self.identity, identity_of_headers(headers)))

    def allow_time(self, time: datetime) -> None:
        """Let the time of the export stand, also where the scan is of the same day."""
        self.allowed |= {time.isoformat(timespec="seconds"), f"{time:%Y-%m-%d}"}

    def notes(self) -> tuple[str, ...]:
        """What was left out, replaced or not drawn, a sentence each, for the person who exports."""
        replaced = (f"replaced, so that nobody is named: {what}" for what in self.replaced)
        return (*replaced, *self.told)

    def tell(self, notes: Iterable[str]) -> None:
        """Remember what the person who exports must know."""
        self.told |= dict.fromkeys(notes)

    # --- what the parts of a review become -------------------------------------------------------

    def _review(self, reading: Reading, names: Mapping[str, Mapping[str, str]]) -> Review:
        review = reading.review
        return replace(
            review,
            studies={k: self._study_reference(reading, k) for k in review.studies},
            panels=tuple(self._panel(reading, panel, names) for panel in review.panels),
            explanations={k: self._reference(v) for k, v in review.explanations.items()},
            annotations=tuple(
                replace(mark, text=self.words(mark.text, "the words of a mark"))
                for mark in review.annotations
            ),
            key_slices=tuple(
                replace(key, note=self.words(key.note, "the note of a key slice"))
                for key in review.key_slices
            ),
            code=self.words(review.code, "the study's code"),
        )

    def _study_reference(self, reading: Reading, key: str) -> StudyReference:
        reference = reading.review.studies[key]
        roles = self._roles_of(reading, key)
        return replace(
            reference,
            path="",
            name=self._code(reading, key),
            reference=roles.get(reference.reference, reference.reference),
            volumes={
                roles.get(role, role): replace(volume, file="")
                for role, volume in reference.volumes.items()
            },
        )

    def _reference(self, reference: ExplanationReference) -> ExplanationReference:
        target = self.words(reference.target, "the target")
        return replace(reference, provenance={}, folder="", entry="", target=target)

    def _panel(
        self, reading: Reading, panel: Panel, names: Mapping[str, Mapping[str, str]]
    ) -> Panel:
        return replace(
            panel,
            scan=None if panel.scan is None else self._scan(reading, panel.scan),
            overlays=tuple(self._overlay(reading, item, names) for item in panel.overlays),
            title=self.words(panel.title, "the title of a panel"),
        )

    def _scan(self, reading: Reading, scan: ScanLayer) -> ScanLayer:
        roles = self._roles_of(reading, scan.study)
        return replace(scan, role=roles.get(scan.role, scan.role))

    def _overlay(
        self, reading: Reading, overlay: Overlay, names: Mapping[str, Mapping[str, str]]
    ) -> Overlay:
        if overlay.shelf == "study":
            role = self._roles_of(reading, overlay.key).get(overlay.name, overlay.name)
            own = overlay.title in ("", overlay.name, role_title(overlay.name))
            return replace(
                overlay,
                name=role,
                title=role_title(role) if own else self.words(overlay.title, "a layer's name"),
                classes=self._classes(overlay.classes),
                unit=known_unit(overlay.unit),
            )
        renamed = names.get(overlay.key, {})
        return replace(
            overlay,
            name=joined_maps(*(renamed.get(name, name) for name in overlay.map_names)),
            title=self.words(overlay.title, "a layer's name"),
            classes={
                value: self.words(str(name), "the name of a class")
                for value, name in overlay.classes.items()
            },
            unit=known_unit(overlay.unit),
        )

    def _map(self, item: ExplanationMap) -> ExplanationMap:
        return replace(
            item,
            name=self.words(item.name, "the name of a map"),
            title=self.words(item.title, "the title of a map"),
            unit=known_unit(item.unit),
            classes={
                value: self.words(str(name), "the name of a class")
                for value, name in item.classes.items()
            },
        )

    def _classes(self, classes: Mapping[int, str]) -> dict[int, str]:
        """Names that a file gives to labels: words of anatomy stay, another name is its number."""
        found = {}
        for value, name in classes.items():
            known = is_anatomical(str(name))
            kept = self.words(str(name), "the name of a class") if known else f"label {value}"
            found[value] = kept
            if not known:
                self._note("names of labels that are no words of anatomy (their numbers stand)")
        return found

    def _with_public_roles(self, said: str) -> str:
        """Words in which a scan is called by its file: what stands for it takes its place."""
        for roles in self._roles.values():
            said = with_public_roles(said, roles)
        return said

    # --- roles and codes -------------------------------------------------------------------------

    def _public_roles(self, study: Study) -> dict[str, str]:
        """Public role by role; unknown ones are numbered in the study's order."""
        if study in self._roles:
            return self._roles[study]
        public = public_roles(study)
        for old, new in public.items():
            if new != old:
                self._note(f"the name of a scan or mask ({new} stands for it)")
        self._roles[study] = public
        return public

    def _roles_of(self, reading: Reading, key: str) -> dict[str, str]:
        study = reading.studies.get(key)
        return {} if study is None else self._public_roles(study)

    def _role(self, role: str) -> str:
        for roles in self._roles.values():
            if role in roles:
                return roles[role]
        return role if is_known_role(role) else self.words(role, "the role of an input")

    def _code(self, reading: Reading, key: str) -> str:
        if reading.review.code:
            return self.words(reading.review.code, "the study's code")
        return study_code(reading.review.studies[key])

    def _note(self, what: str) -> None:
        self.replaced[what] = None


def policy_for(
    studies: Iterable[Study], *, identify: bool = False, headers: Iterable[Dataset] = ()
) -> ExportPolicy:
    """The policy of an export of these studies.

    Parameters
    ----------
    studies : iterable of Study
    identify : bool
        Whether names stand as they are.
    headers : iterable of Dataset
        Of every image; a study keeps that of the first image of a series.
    """
    if identify:
        return ExportPolicy(True)
    known = [_identity_of(study) for study in studies]
    return ExportPolicy(False, joined(*known, identity_of_headers(headers)))


def released(reading: Reading, *, identify: bool = False) -> tuple[Reading, ExportPolicy]:
    """A reading as it may leave, and the policy that made it so."""
    policy = policy_for(reading.studies.values(), identify=identify)
    return policy.reading(reading), policy


#: Reading every header again for each picture of a series would take longer than drawing it.
_KEPT: WeakKeyDictionary[Study, Identity] = WeakKeyDictionary()


def _identity_of(study: Study) -> Identity:
    if study not in _KEPT:
        _KEPT[study] = identity_of_studies([study])
    return _KEPT[study]
