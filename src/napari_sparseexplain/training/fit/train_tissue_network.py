"""Training of the networks that read tissue from diffusion signals, on simulated voxels.

Sizes, loss and number of samples are those of Rensonnet et al. 2021, Table 1; the hybrid's dropout
is not (`TissueRecipe`). The optimiser is Adam with a rate that rises and falls instead of Adagrad
with a fixed one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from scipy.sparse import csr_array, vstack

from ...errors import ModelError
from ...files.atomic_write import move_file, remove_file, write_atomically
from ...microstructure.dictionary import Dictionary
from ...microstructure.gradient_table import GradientTable
from ...microstructure.tissue_samples import (
    BATCH,
    SampleRanges,
    TissueSamples,
    tissue_samples_work,
)
from ...networks.tissue.tissue_card import TissueCard, TissueNetworkKind
from ...networks.tissue.tissue_modules import HybridModule, LearnedModule
from ...networks.tissue.tissue_network import TissueNetwork, swapped
from ...networks.tissue.tissue_network_file import module_of, save_tissue_network
from ...progress import Progress, Work
from .checkpoint import CHECKPOINT_FILE, load_checkpoint, save_checkpoint
from .half_precision import half_precision
from .training_log import CSV_FILE, EVENTS, LOG_FILE, TrainingLog

#: Voxels of a part of the samples, which is kept on disk once it is made.
PART = 40 * BATCH

#: The voxels that are held back are drawn with another seed.
_HELD_BACK = 1_000_003


@dataclass(frozen=True)
class TissueRecipe:
    """Hyperparameters, chosen on voxels of other seeds than those that errors are told of.

    Attributes
    ----------
    samples, held_back : int
        Simulated voxels to train on and to measure errors with.
    epochs, batch : int
    learning_rate : float
        Largest rate of Adam: it rises over the first 5 % of the steps and falls to 0 along a
        cosine.
    dropout : float
        The paper's is .1 of the hybrid and .05 of the learned network. With .1 the hybrid's errors
        of two populations were larger after 4 epochs (ν .072 instead of .068).
    half : bool
        Products in bfloat16 while training, where that is faster (`half_precision`).
    """

    samples: int = 400_000
    held_back: int = 20_000
    epochs: int = 30
    batch: int = 1000
    learning_rate: float = 3e-3
    dropout: float = 0.0
    half: bool = True


TISSUE_RECIPES: dict[TissueNetworkKind, TissueRecipe] = {
    "hybrid": TissueRecipe(),
    "learned": TissueRecipe(learning_rate=1.5e-3, dropout=0.05),
}


def train_tissue_network(
    kind: TissueNetworkKind,
    dictionary: Dictionary,
    table: GradientTable,
    folder: Path,
    *,
    recipe: TissueRecipe | None = None,
    ranges: SampleRanges | None = None,
    seed: int = 0,
) -> Work[TissueCard]:
    """Simulate voxels, train a network on them and write it.

    Samples and checkpoints lie in a folder beside it until it is written: a training that was
    stopped goes on there.

    Parameters
    ----------
    kind : {"hybrid", "learned"}
    dictionary : Dictionary
        With the b-values of the protocol.
    table : GradientTable
        With timings.
    folder : Path
        Of the network.

    Raises
    ------
    SparseExplainError
        The protocol is not the dictionary's, the folder cannot be written, or its samples or
        checkpoint belong to another training.
    """
    recipe, ranges = recipe or TISSUE_RECIPES[kind], ranges or SampleRanges()
    dictionary.rows_of(table)
    if folder.exists() and not folder.is_dir():
        raise ModelError(
            "there is a file where the network's folder is to be", where=folder,
            remedy="Choose another folder, or remove the file",
        )  # fmt: skip
    parts = folder.with_name(f"{folder.name}.parts")
    identity = _identity(kind, dictionary, table, recipe, ranges, seed)
    _check_identity(parts, identity)
    project = kind == "hybrid"
    samples = yield from _kept_samples(
        dictionary, table, recipe.samples, seed, parts / "samples", ranges, project=project
    )
    card = _card(kind, dictionary, table, recipe, ranges, seed)
    torch.manual_seed(seed)
    module = module_of(card)
    module.dropout.p = recipe.dropout
    if isinstance(module, LearnedModule):
        module.standardise(samples.signals.mean(axis=0), samples.signals.std(axis=0))
    yield from _fit(module, samples, card, recipe, seed, parts, identity)
    held_back = yield from _kept_samples(
        dictionary,
        table,
        recipe.held_back,
        seed + _HELD_BACK,
        parts / "held-back",
        ranges,
        project=project,
    )
    # Errors are those of the weights as they are written.
    written = module_of(card)
    state = module.state_dict()
    written.load_state_dict({name: tensor.half().float() for name, tensor in state.items()})
    network = TissueNetwork(card, written.eval())
    errors = absolute_errors(network, held_back)
    saved = save_tissue_network(folder, TissueCard(**{**_fields(card), "errors": errors}), written)
    _forget(parts, folder)
    return saved


def absolute_errors(network: TissueNetwork, samples: TissueSamples) -> tuple[float, float, float]:
    """Mean absolute errors of ν, r (µm) and f over the populations that are there."""
    truth = torch.from_numpy(samples.truth)
    if network.card.kind == "hybrid":
        found = network.tissue(samples.weights)
    else:
        found, truth = network.tissue(samples.signals), larger_first(truth)
    error = np.abs(found - truth.numpy())
    nu, r, f = np.nanmean(error, axis=(0, 1))
    return float(nu), float(r), float(f)


def _fields(card: TissueCard) -> dict[str, object]:
    return {name: getattr(card, name) for name in card.__dataclass_fields__}


def _card(
    kind: TissueNetworkKind,
    dictionary: Dictionary,
    table: GradientTable,
    recipe: TissueRecipe,
    ranges: SampleRanges,
    seed: int,
) -> TissueCard:
    timings = dictionary.timings
    rows = np.column_stack([table.b, table.directions]).round(6).tolist()
    return TissueCard(
        kind=kind,
        radii=tuple(dictionary.tissue.radii.tolist()),
        densities=tuple(dictionary.tissue.densities.tolist()),
        small_delta=round(1e3 * timings.small_delta, 9),
        big_delta=round(1e3 * timings.big_delta, 9),
        echo_time=round(1e3 * timings.echo_time, 9),
        unweighted=float(np.exp(-timings.echo_time / dictionary.tissue.t2)),
        gradients=tuple((row[0], row[1], row[2], row[3]) for row in rows),
        snr=ranges.snr,
        least_share=ranges.least_share,
        least_angle=ranges.least_angle,
        one_population=ranges.one_population,
        direction_error=ranges.direction_error,
        samples=recipe.samples,
        epochs=recipe.epochs,
        seed=seed,
        errors=(0.0, 0.0, 0.0),
    )


def _identity(
    kind: TissueNetworkKind,
    dictionary: Dictionary,
    table: GradientTable,
    recipe: TissueRecipe,
    ranges: SampleRanges,
    seed: int,
) -> dict[str, object]:
    """What must be equal for a training to go on."""
    said = np.concatenate([dictionary.tables.ravel()[::97], dictionary.atoms.ravel()[::97]])
    protocol = [*table.b.tolist(), *table.directions.round(9).ravel().tolist()]
    return {
        "kind": kind,
        "recipe": asdict(recipe),
        "ranges": {**asdict(ranges), "snr": list(ranges.snr)},
        "seed": seed,
        "dictionary": _sha256(said.round(9).tolist()),
        "protocol": _sha256(protocol),
    }


def _sha256(values: list[float]) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


def _check_identity(parts: Path, identity: dict[str, object]) -> None:
    """Refuse a folder with the parts of another training; mark an empty one."""
    file = parts / "training.json"
    if not file.exists():
        write_atomically(file, json.dumps(identity))
        return
    try:
        same = json.loads(file.read_text(encoding="utf-8")) == identity
    except ValueError:
        same = False
    if not same:
        raise ModelError(
            "the folder holds the samples of another training",
            where=parts,
            remedy="Choose another folder for the network, or delete that one",
        )


def _kept_samples(
    dictionary: Dictionary,
    table: GradientTable,
    count: int,
    seed: int,
    folder: Path,
    ranges: SampleRanges,
    *,
    project: bool,
) -> Work[TissueSamples]:
    """Samples in parts that are kept once they are made."""
    found = []
    for start in range(0, count, PART):
        file = folder / f"part-{start // PART:04d}.npz"
        part = _read_part(file, min(PART, count - start), len(table))
        if part is None:
            work = tissue_samples_work(
                dictionary,
                table,
                min(PART, count - start),
                start=start,
                seed=seed,
                ranges=ranges,
                project=project,
            )
            part = yield from _offset(work, start, count)
            _write_part(file, part)
        found.append(part)
    return TissueSamples(
        np.concatenate([part.signals for part in found]),
        csr_array(vstack([part.weights for part in found])),
        np.concatenate([part.truth for part in found]),
    )


def _offset(work: Work[TissueSamples], start: int, total: int) -> Work[TissueSamples]:
    """The same work as a part of a longer one."""
    try:
        while True:
            try:
                step = next(work)
            except StopIteration as end:
                return end.value
            yield Progress(start + step.done, total, step.message)
    finally:
        work.close()


def _write_part(file: Path, part: TissueSamples) -> None:
    from io import BytesIO

    stream = BytesIO()
    np.savez(
        stream,
        signals=part.signals,
        truth=part.truth,
        data=part.weights.data,
        indices=part.weights.indices,
        indptr=part.weights.indptr,
        shape=np.array(part.weights.shape),
    )
    write_atomically(file, stream.getvalue(), overwrite=True)


def _read_part(file: Path, count: int, measurements: int) -> TissueSamples | None:
    """A part that was made before; None where there is none, or it is damaged."""
    if not file.exists():
        return None
    try:
        with np.load(file, allow_pickle=False) as kept:
            weights = csr_array(
                (kept["data"], kept["indices"], kept["indptr"]), shape=tuple(kept["shape"])
            )
            part = TissueSamples(kept["signals"], weights, kept["truth"])
    except (OSError, ValueError, LookupError, EOFError, BadZipFile):
        return None
    return part if part.signals.shape == (count, measurements) else None


def _fit(
    module: HybridModule | LearnedModule,
    samples: TissueSamples,
    card: TissueCard,
    recipe: TissueRecipe,
    seed: int,
    folder: Path,
    identity: dict[str, object],
) -> Work[None]:
    """Train; a checkpoint and a line of the log after each epoch."""
    optimizer = torch.optim.Adam(module.parameters(), lr=recipe.learning_rate)
    done = load_checkpoint(folder, module, optimizer, identity)
    log = TrainingLog(folder, done)
    largest = torch.from_numpy(card.largest.astype(np.float32))
    batches = len(samples.truth) // recipe.batch
    steps, module = recipe.epochs * batches, module.train()
    for epoch in range(done, recipe.epochs):
        torch.manual_seed(seed * 100_003 + epoch)  # of dropout: the same when it goes on
        total = 0.0
        for number, (inputs, truth) in enumerate(_batches(samples, card.kind, recipe, seed, epoch)):
            rate = recipe.learning_rate * _rate((epoch * batches + number) / steps)
            for group in optimizer.param_groups:
                group["lr"] = rate
            with half_precision("cpu", recipe.half):
                out = module(inputs)
            loss = tissue_loss(out.float(), truth / largest)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            last = float(loss.detach())
            total += last
            if number % 20 == 0:
                step = epoch * batches + number
                yield Progress(step, steps, f"Epoch {epoch + 1}, loss {last:.5f}")
        log.add({"step": epoch + 1, "loss": total / batches})
        save_checkpoint(folder, module, optimizer, epoch + 1, identity)
    log.close()
    module.eval()


def _rate(done: float) -> float:
    """Share of the largest learning rate: rises over the first 5 %, then falls as a cosine."""
    if done < 0.05:
        return max(done / 0.05, 1e-3)
    return 0.5 * (1.0 + float(np.cos(np.pi * (done - 0.05) / 0.95)))


def _batches(
    samples: TissueSamples, kind: TissueNetworkKind, recipe: TissueRecipe, seed: int, epoch: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Inputs and truth in an order of the epoch; the larger population first for the learned."""
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(len(samples.truth))
    for start in range(0, len(order) - recipe.batch + 1, recipe.batch):
        rows = order[start : start + recipe.batch]
        truth = torch.from_numpy(samples.truth[rows])
        if kind == "learned":
            yield torch.from_numpy(samples.signals[rows]), larger_first(truth)
            continue
        inputs = torch.from_numpy(samples.weights[rows].toarray())
        turned = torch.from_numpy(rng.uniform(size=len(rows)) < 0.5)
        inputs = torch.where(turned[:, None], swapped(inputs), inputs)
        yield inputs, torch.where(turned[:, None, None], truth.flip(1), truth)


def larger_first(truth: torch.Tensor) -> torch.Tensor:
    """Populations (P, 2, 3) by falling share: without directions nothing else tells them apart."""
    turned = truth[:, 1, 0] > truth[:, 0, 0]
    return torch.where(turned[:, None, None], truth.flip(1), truth)


def tissue_loss(out: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Mean squared error over what is known: of a population that is not there only ν = 0 is."""
    known = torch.isfinite(truth)
    rest = torch.where(known, out - torch.nan_to_num(truth), torch.zeros_like(out))
    return rest.square().sum() / known.sum()


def _forget(parts: Path, folder: Path) -> None:
    """Move the log into the folder of the network, and remove what else the training kept."""
    logs = [parts / name for name in (LOG_FILE, CSV_FILE) if (parts / name).is_file()]
    for log in logs:
        write_atomically(folder / log.name, log.read_text(encoding="utf-8"), overwrite=True)
    if (parts / EVENTS).is_dir():
        move_file(parts / EVENTS, folder / EVENTS, overwrite=True)
    for kept in (parts / "samples", parts / "held-back"):
        for file in kept.glob("part-*.npz"):
            remove_file(file)
        if kept.is_dir():
            kept.rmdir()
    for file in (*logs, parts / CHECKPOINT_FILE, parts / "training.json"):
        remove_file(file)
    parts.rmdir()
