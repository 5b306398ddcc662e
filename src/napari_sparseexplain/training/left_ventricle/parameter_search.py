"""A search over learning rate, decay, steps and epochs by successive halving.

Many settings are trained for a few epochs on some of the patients, the better half for twice as
many, and so on; each goes on where it stood [1]_. Everything is written after each step, so that a
search that was stopped goes on.

References
----------
.. [1] K. Jamieson and A. Talwalkar, Non-stochastic best arm identification and hyperparameter
       optimization, AISTATS 2016.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...errors import ModelError, ParameterError
from ...evidence.tables import text_table
from ...files.atomic_write import write_atomically
from ...progress import Progress, Work
from .patient_split import patient_folds
from .recipe import VENTRICLE_RECIPES, VentricleRecipe
from .short_axis_slices import ShortAxisSlices
from .train_ventricle import train_ventricle

TRIALS_FILE, TRIALS_PICTURE = "trials.json", "trials.png"


@dataclass(frozen=True)
class Trial:
    """One setting, and how far it came.

    Attributes
    ----------
    number : int
    learning_rate, decay, weight_decay : float
        ``decay`` is the factor after each ``decay_steps`` steps, of SGD alone.
    decay_steps : int
    optimiser : str
    epochs : int
        Trained so far.
    dice : float or None
        Patient mean on the patients held out, after these.
    stopped : bool
        Whether it was left behind.
    """

    number: int
    optimiser: str
    learning_rate: float
    decay: float
    decay_steps: int
    weight_decay: float
    epochs: int = 0
    dice: float | None = None
    stopped: bool = False


def drawn_trials(count: int, seed: int = 0) -> list[Trial]:
    """Settings drawn at random: rates and decays on a logarithmic scale, both optimisers."""
    rng = np.random.default_rng(seed)
    trials = []
    for number in range(count):
        sgd = bool(rng.random() < 1 / 3)
        trials.append(
            Trial(
                number,
                "sgd" if sgd else "adamw",
                float(np.exp(rng.uniform(np.log(3e-3), np.log(1e-1)))) if sgd
                else float(np.exp(rng.uniform(np.log(2e-4), np.log(5e-3)))),
                float(rng.uniform(0.5, 0.95)) if sgd else 1.0,
                int(rng.choice([200, 500, 1000, 2000])) if sgd else 0,
                float(np.exp(rng.uniform(np.log(1e-4), np.log(5e-2)))),
            )
        )  # fmt: skip
    return trials


def search_work(
    kind: str,
    slices: ShortAxisSlices,
    folder: Path,
    *,
    trials: int = 12,
    first_epochs: int = 2,
    patients: int = 15,
    seed: int = 0,
    device: str | torch.device = "cpu",
) -> Work[list[Trial]]:
    """Successive halving on some of the patients.

    Parameters
    ----------
    kind : str
        A name of `VENTRICLE_RECIPES`, whose architecture is searched for.
    folder : Path
        Of trials and checkpoints; a search found there goes on.
    trials, first_epochs : int
        Settings of the first round and their epochs; each round has half of the settings and
        twice the epochs.
    patients : int
        How many are used; a third of them is held out.

    Raises
    ------
    ModelError
        No such recipe, or the folder holds a search with other settings.
    ParameterError
        Too few patients or trials.
    """
    if kind not in VENTRICLE_RECIPES:
        raise ModelError(
            f"there is no recipe {kind!r}", remedy=f"Known are {', '.join(VENTRICLE_RECIPES)}"
        )
    known = sorted(set(slices.patients))
    if trials < 2 or len(known) < 3:
        raise ParameterError(
            "a search needs at least 2 trials and 3 patients",
            remedy="Give a folder of more patients, or more --trials",
        )
    used = sorted(np.random.default_rng(seed).permutation(known)[: max(3, patients)].tolist())
    part = slices.of_patients(used)
    held = patient_folds(part.patients, 3, seed)[0]
    training = part.of_patients([p for p in used if p not in held])
    held_out = part.of_patients(held)
    folder.mkdir(parents=True, exist_ok=True)
    identity = {
        "kind": kind, "trials": trials, "first epochs": first_epochs, "patients": used,
        "seed": seed, "data": slices.checksum(),
    }  # fmt: skip
    found = _read(folder, identity) or drawn_trials(trials, seed)
    rounds = int(np.ceil(np.log2(trials))) + 1
    longest = first_epochs * 2 ** (rounds - 1)
    epochs = first_epochs
    while True:
        left = [trial for trial in found if not trial.stopped]
        for place, trial in enumerate(left):
            if trial.epochs < epochs:
                recipe = _recipe(kind, trial, longest)
                yield Progress(place, len(left), f"{epochs} epochs of trial {trial.number}")
                try:
                    trained = yield from train_ventricle(
                        recipe, training, held_out, seed=seed, device=device, epochs=epochs,
                        folder=folder / f"trial-{trial.number:02d}",
                    )  # fmt: skip
                    dice = trained.log[-1]["patient Dice"]
                except ModelError as error:
                    if "finite" not in error.what:
                        raise
                    dice = 0.0  # a rate at which it ran away is a result
                found[trial.number] = replace(trial, epochs=epochs, dice=float(dice))
                _write(folder, identity, found)
        left = [trial for trial in found if not trial.stopped]
        if len(left) == 1:
            return found
        best = sorted(left, key=lambda t: -(t.dice or 0.0))[: (len(left) + 1) // 2]
        for trial in left:
            if trial not in best:
                found[trial.number] = replace(trial, stopped=True)
        _write(folder, identity, found)
        epochs *= 2


def _recipe(kind: str, trial: Trial, longest: int) -> VentricleRecipe:
    return replace(
        VENTRICLE_RECIPES[kind],
        optimiser=trial.optimiser,
        learning_rate=trial.learning_rate,
        decay=trial.decay,
        decay_steps=max(1, trial.decay_steps),
        weight_decay=trial.weight_decay,
        epochs=longest,
        windows=((1.0, 192),),
    )


def trials_table(trials: list[Trial]) -> str:
    """The trials, the one that came farthest first."""
    head = ["trial", "optimiser", "rate", "decay", "steps", "weight decay", "epochs", "Dice"]
    ordered = sorted(trials, key=lambda t: (-t.epochs, -(t.dice or 0.0)))
    return text_table(
        head,
        [
            [
                str(t.number), t.optimiser, f"{t.learning_rate:.2g}",
                f"{t.decay:.2f}" if t.optimiser == "sgd" else "-",
                str(t.decay_steps) if t.optimiser == "sgd" else "-",
                f"{t.weight_decay:.2g}", str(t.epochs),
                "-" if t.dice is None else f"{t.dice:.3f}",
            ]
            for t in ordered
        ],
    )  # fmt: skip


def _write(folder: Path, identity: dict[str, Any], trials: list[Trial]) -> None:
    values = {"search": identity, "trials": [asdict(trial) for trial in trials]}
    write_atomically(folder / TRIALS_FILE, json.dumps(values, indent=1) + "\n", overwrite=True)


def _read(folder: Path, identity: dict[str, Any]) -> list[Trial] | None:
    path = folder / TRIALS_FILE
    if not path.is_file():
        return None
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["search"] != json.loads(json.dumps(identity)):
            raise ModelError(
                "the folder holds a search with other settings",
                where=path,
                remedy="Choose another folder with --out, or give the same options to go on",
            )
        return [Trial(**trial) for trial in values["trials"]]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ModelError(
            "the trials of the search are damaged",
            where=path,
            remedy="Delete the folder to search from the start",
        ) from error
