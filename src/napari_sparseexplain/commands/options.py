"""Options that several commands share, and how their text is read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..arguments import shown
from ..errors import ReadError
from ..explanation.method import RESERVED
from ..files.json_file import parse_json

if TYPE_CHECKING:
    from ..export.dicom.deidentification import Deidentification

#: Digits of a frame's number.
_MOST_DIGITS = 9

StudyPath = Annotated[
    Path, typer.Argument(help="Scan, folder (BraTS, BIDS, DICOM, any names), DICOMDIR or picture.")
]
Out = Annotated[Path, typer.Option("--out", help="Folder to write to.")]
OutFile = Annotated[Path, typer.Option("--out", help="File to write (.npz).")]
ModelName = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="Bundled name, a bundle's folder, or a model file; the first bundled one that fits "
        "if left out.",
    ),
]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or mps.")]
Reference = Annotated[
    str | None, typer.Option("--reference", help="Role whose grid the others are brought to.")
]
Roles = Annotated[
    list[str] | None,
    typer.Option("--role", help="ROLE=FILE, where the name does not tell. Repeat for more."),
]
PatientAxes = Annotated[
    bool, typer.Option("--patient-axes", help="Resample an oblique scan to the patient's axes.")
]
TargetText = Annotated[
    str | None,
    typer.Option(
        "--target", help="WT, TC, ET, a class, or voxel:SLICE,ROW,COLUMN, counted from 0."
    ),
]
Slices = Annotated[
    str | None,
    typer.Option("--slices", "--slice", help="N or A:B, counted from 0; all if left out."),
]
Frame = Annotated[
    str | None,
    typer.Option(
        "--frame",
        help="N, or N,M of several axes, counted from 0: which image of a scan in time, of several "
        "directions or echoes; the first if left out.",
    ),
]
Labels = Annotated[
    str,
    typer.Option(
        "--labels",
        help="What the numbers of the lesion mask stand for, where its name does not tell: "
        "brats-2015 (1 to 4), brats-2021 (1, 2, 4), brats-2023 (1, 2, 3), brats-2024 (4 is the "
        "cavity), brats-2024-ped, decathlon.",
    ),
]
ApplyTransforms = Annotated[
    bool,
    typer.Option(
        "--apply-transforms",
        help="Move scans by the ITK or FSL transforms that lie beside them.",
    ),
]
ModelNames = Annotated[
    list[str] | None,
    typer.Option("--model", help="Bundle by name or folder. Repeat for more; the shipped ones."),
]
NewBundle = Annotated[Path, typer.Option("--out", help="Folder of the new bundle.")]
TrainingSeed = Annotated[
    int, typer.Option("--seed", help="Seed of weights, order and augmentation.")
]
Tables = Annotated[
    Path | None, typer.Option("--out", help="Also write the tables as text and JSON here.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")]

Identify = Annotated[
    bool, typer.Option("--identify", help="Write names of study, files and scans as they are.")
]
UidKey = Annotated[
    str | None,
    typer.Option(
        "--uid-key", help="Secret that makes several DICOM exports of one patient agree; keep it."
    ),
]


def deidentification(uid_key: str | None, *, keep_identity: bool) -> Deidentification:
    """Whether, and with which secret, identity is taken out of DICOM objects."""
    import hashlib

    from ..export.dicom.deidentification import Deidentification

    if uid_key is None:
        return Deidentification(keep_identity=keep_identity)
    return Deidentification(keep_identity, hashlib.sha256(uid_key.encode()).digest())


def parse_roles(given: list[str] | None) -> dict[str, str] | None:
    """``["flair=a.nii"]`` as ``{"flair": "a.nii"}``."""
    if not given:
        return None
    roles: dict[str, str] = {}
    for item in given:
        role, sign, name = item.partition("=")
        if not (sign and role and name):
            raise typer.BadParameter(f"{item!r} is not ROLE=FILE", param_hint="--role")
        roles[role] = name
    return roles


def parse_slices(text: str | None) -> slice | None:
    """``"60:80"`` or ``"66"`` as a slice of the study, ``None`` for all."""
    if text is None:
        return None
    parts = text.split(":")
    try:
        numbers = [int(part) if part else None for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) == 1 and numbers[0] is not None and numbers[0] >= 0:
        return slice(numbers[0], numbers[0] + 1)
    if len(numbers) == 2 and all(n is None or n >= 0 for n in numbers):
        return slice(numbers[0], numbers[1])
    raise typer.BadParameter(
        f"{shown(text)} is not N or A:B with whole numbers", param_hint="--slices"
    )


def parse_frame(text: str | None) -> tuple[int, ...]:
    """``"12"`` or ``"2,12"`` as points along leading axes; empty for ``None``."""
    parts = [] if text is None else text.split(",")
    # No scan has a million frames; of thousands of digits Python itself makes no number.
    if not all(part.strip().isdecimal() and len(part.strip()) <= _MOST_DIGITS for part in parts):
        raise typer.BadParameter(
            f"{shown(text)} is not N or N,M with numbers", param_hint="--frame"
        )
    return tuple(int(part) for part in parts)


def parse_parameters(given: list[str] | None) -> dict[str, Any]:
    """``["alpha=0.5"]`` as ``{"alpha": 0.5}``; a value that is no JSON stays text."""
    parameters: dict[str, Any] = {}
    for item in given or []:
        name, sign, text = item.partition("=")
        if not (sign and name):
            raise typer.BadParameter(f"{item!r} is not NAME=VALUE", param_hint="--set")
        if name in RESERVED:
            raise typer.BadParameter(
                f"{name!r} is no parameter of a method; it has an option of its own",
                param_hint="--set",
            )
        try:
            parameters[name.replace("-", "_")] = parse_json(text)
        except ReadError:
            parameters[name.replace("-", "_")] = text
    return parameters
