"""The log of a training: JSON lines, a CSV table, and event files for TensorBoard where it is.

``log.jsonl`` and ``log.csv`` are rewritten whole with each entry, so that a reader never sees half
a line; ``events/`` is written if the extra ``tensorboard`` is installed.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...files.atomic_write import write_atomically
from .checkpoint import read_log
from .training_folder import CSV_FILE, LOG_FILE

EVENTS = "events"


class TrainingLog:
    """Entries of a training, each a mapping from names to numbers with its ``step``.

    Parameters
    ----------
    folder : Path or None
        Where it is written; None keeps it in memory.
    step : int
        The step from which the training goes on: entries after it are dropped.
    """

    def __init__(self, folder: Path | None, step: int = 0) -> None:
        self._folder = folder
        self.entries: list[dict[str, float]] = (
            [] if folder is None else read_log(folder / LOG_FILE, step)
        )
        self._events: Any = None
        if folder is not None and find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter

            self._events = SummaryWriter(str(folder / EVENTS), purge_step=step + 1)

    def add(self, entry: Mapping[str, float]) -> None:
        """Write an entry; ``entry["step"]`` says after how many steps."""
        values = dict(entry)
        self.entries.append(values)
        if self._folder is None:
            return
        text = "".join(json.dumps(line) + "\n" for line in self.entries)
        write_atomically(self._folder / LOG_FILE, text, overwrite=True)
        write_atomically(self._folder / CSV_FILE, csv_table(self.entries), overwrite=True)
        if self._events is not None:
            step = int(values["step"])
            for name, value in values.items():
                if name != "step":
                    self._events.add_scalar(name, value, step)
            self._events.flush()

    def close(self) -> None:
        """Close the event file."""
        if self._events is not None:
            self._events.close()
            self._events = None


def csv_table(entries: list[dict[str, float]]) -> str:
    """Entries as a table, a column a name in the order of their first appearance."""
    names = list(dict.fromkeys(name for entry in entries for name in entry))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(entries)
    return stream.getvalue()
