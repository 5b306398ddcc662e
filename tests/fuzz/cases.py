"""Kinds of cases: what is damaged, and through which public name it is then opened."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch

import napari_sparseexplain as se

from .archive_damage import damage_archive, damage_tensors
from .byte_damage import damage_bytes
from .dicom_damage import damage_dicom
from .json_damage import damage_json
from .nifti_damage import damage_nifti
from .picture_damage import damage_picture
from .valid_files import ValidFiles

Damage = Callable[[Random, bytes], tuple[str, bytes]]

#: Pictures are small: what is tested is that they are made at all.
SIZE = (400, 400)


@dataclass(frozen=True)
class Case:
    """A damaged input, and what opens it.

    Attributes
    ----------
    said : str
        What was done to it.
    door : callable
        Opens it through the product's public names.
    """

    said: str
    door: Callable[[], Any]


def make_case(kind: str, seed: int, number: int, valid: ValidFiles, folder: Path) -> Case:
    """The same case for the same kind, seed and number, in an empty folder."""
    rng = Random(f"{seed}/{kind}/{number}")
    return KINDS[kind](rng, valid, folder)


def _damaged_copy(rng: Random, source: Path, target: Path, damage: Damage) -> str:
    said, content = damage(rng, source.read_bytes())
    target.write_bytes(content)
    return f"{source.name}: {said}"


def _open_study(path: Path) -> None:
    study = se.open_study(path)
    se.compose(se.default_reading(study), se.PictureSize(*SIZE))


def _nifti(rng: Random, valid: ValidFiles, folder: Path) -> Case:
    if rng.random() < 0.06:
        said, path = _odd_path(rng, valid, folder)
        return Case(said, lambda: _open_study(path))
    source = rng.choice(valid.scans)
    said = _damaged_copy(rng, source, folder / source.name, damage_nifti)
    if rng.random() < 0.4:
        beside = rng.choice([p for p in valid.scans if p != source])
        shutil.copy(beside, folder)
        return Case(f"{said}, beside {beside.name}", lambda: _open_study(folder))
    return Case(said, lambda: _open_study(folder / source.name))


def _odd_path(rng: Random, valid: ValidFiles, folder: Path) -> tuple[str, Path]:
    """What stands where a scan should, and is no file."""
    scan, name = valid.scans[0], folder / "b_flair.nii"
    way = rng.choice(
        ("pipe", "device", "loop", "nothing", "link to the disk", "folder", "bytes", "long")
    )
    if rng.random() < 0.5:
        shutil.copy(scan, folder / "a_t1.nii")
    if way == "pipe":
        os.mkfifo(name)
    elif way == "device":
        name.symlink_to("/dev/zero")
    elif way == "loop":
        (folder / "again").symlink_to(folder)
        shutil.copy(scan, name)
    elif way == "nothing":
        name.symlink_to(folder / "gone")
    elif way == "link to the disk":
        name.symlink_to("/proc/self/mem")
    elif way == "folder":
        name.mkdir()
    elif way == "bytes":
        name = Path(os.fsdecode(bytes(folder) + b"/\xff\xfe\x1b[31m\n_flair.nii"))
        shutil.copy(scan, name)
    else:
        return "a name of 9,000 letters", folder / ("a" * 9000)
    return f"{way} in place of a scan", rng.choice((name, folder))


def _dicom(rng: Random, valid: ValidFiles, folder: Path) -> Case:
    files = sorted(valid.series.iterdir())
    source = rng.choice(files)
    said = _damaged_copy(rng, source, folder / source.name, damage_dicom)
    if rng.random() < 0.5:
        for other in files:
            if other != source:
                shutil.copy(other, folder)
        return Case(f"{said}, in its series", lambda: _open_study(folder))
    return Case(said, lambda: _open_study(folder / source.name))


def _picture(rng: Random, valid: ValidFiles, folder: Path) -> Case:
    source = rng.choice(valid.pictures)
    said = _damaged_copy(rng, source, folder / source.name, damage_picture)
    return Case(said, lambda: _open_study(folder / source.name))


def _damage_for(path: Path) -> Damage:
    if path.suffix == ".json":
        return damage_json
    if path.suffix == ".npz":
        return damage_archive
    return damage_nifti


def _damage_one(rng: Random, folder: Path, first: str) -> str:
    """Damage one file of a folder: ``first`` in three cases of four, else one of the others."""
    record = next(folder.rglob(first))
    others = sorted(p for p in folder.rglob("*") if p.is_file() and p != record)
    path = record if rng.random() < 0.75 or not others else rng.choice(others)
    way = rng.random()
    if path != record and way < 0.25:
        path.unlink()
        if way < 0.06:
            path.symlink_to("/etc/passwd")
        elif way < 0.12:
            os.mkfifo(path)
        elif way < 0.18:
            path.write_bytes(record.read_bytes())
        return f"{path.name} replaced"
    return _damaged_copy(rng, path, path, _damage_for(path))


def _explanation(rng: Random, valid: ValidFiles, folder: Path) -> Case:
    shutil.copytree(valid.explanation, folder, dirs_exist_ok=True)
    said = _damage_one(rng, folder, "provenance.json")

    def door() -> None:
        study = se.open_study(valid.study)
        found = se.load_explanations([folder], study)
        se.compose(se.default_reading(study, found), se.PictureSize(*SIZE))
        for explanation in found.values():
            for item in explanation.maps:
                explanation.layer_data(item.name)

    return Case(said, door)


def _review(rng: Random, valid: ValidFiles, folder: Path) -> Case:
    shutil.copytree(valid.review, folder, dirs_exist_ok=True)
    said = _damage_one(rng, folder, "review.json")

    def door() -> None:
        reading = se.restore_review(folder, elsewhere=rng.random() < 0.5)
        se.compose(reading, se.PictureSize(*SIZE))
        se.save_review(reading, folder.with_name("again"))

    return Case(said, door)


def _bundle(rng: Random, valid: ValidFiles, folder: Path) -> Case:
    shutil.copytree(valid.bundle, folder, dirs_exist_ok=True)
    card, weights = folder / "card.json", folder / "weights.safetensors"
    if rng.random() < 0.6:
        said = _damaged_copy(rng, card, card, damage_json)
    else:
        said = _damaged_copy(rng, weights, weights, damage_tensors)
        _tell_checksum(card, weights)
    return Case(said, lambda: _run_model(se.load_model(folder)))


def _tell_checksum(card: Path, weights: Path) -> None:
    """A card that knows the damaged weights, so that they are read at all."""
    import hashlib
    import json

    values = json.loads(card.read_text())
    values["weights_sha256"] = hashlib.sha256(weights.read_bytes()).hexdigest()
    card.write_text(json.dumps(values))


def _run_model(model: se.Model) -> None:
    with torch.inference_mode():
        model.network(torch.zeros(1, len(model.card.inputs.roles), 16, 16))


def _program(rng: Random, valid: ValidFiles, folder: Path) -> Case:
    """A network from elsewhere, or the card beside it."""
    source = rng.choice(valid.programs)
    card = source.with_name("card.json")
    for file in (source, card):
        shutil.copy(file, folder)
    if rng.random() < 0.25:
        said = _damaged_copy(rng, card, folder / card.name, damage_json)
    else:
        said = _damaged_copy(rng, source, folder / source.name, damage_archive)
    place = folder / source.name
    return Case(said, lambda: _run_model(se.load_model(place, card=folder / card.name)))


def _dictionary(rng: Random, valid: ValidFiles, folder: Path) -> Case:
    source = rng.choice(valid.dictionaries)
    damage = rng.choice((damage_archive, damage_archive, damage_bytes))
    said = _damaged_copy(rng, source, folder / source.name, damage)
    return Case(said, lambda: se.read_dictionary(folder / source.name))


KINDS: dict[str, Callable[[Random, ValidFiles, Path], Case]] = {
    "nifti": _nifti,
    "dicom": _dicom,
    "picture": _picture,
    "explanation": _explanation,
    "review": _review,
    "bundle": _bundle,
    "program": _program,
    "dictionary": _dictionary,
}
