"""The panels of a study (the paper's Figs. 8 and 9): which pictures, and what stands below each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .class_slices import ClassSlices
from .study_records import BLIND, ON_RANDOM, StudyRecord, file_digest, map_file

#: Pictures of each class in the panels.
PER_CLASS = 2


def panel_parts(
    slices: ClassSlices, records: Sequence[StudyRecord], folder: Path, per_class: int = PER_CLASS
) -> tuple[list[Any], list[tuple[str, str]], list[list[Any]], list[list[str]]]:
    """What `layers.plots.study_plots.draw_panels` takes: the first pictures of each class.

    Below each map stand what the model called the picture, with ✓ or ✗, and the map's AUPRC.
    """
    found = {record.key: record for record in records}
    columns = list(
        dict.fromkeys(
            (r.model, r.method)
            for r in records
            if r.method not in BLIND and not r.method.endswith(ON_RANDOM)
        )
    )
    rows = [
        int(i)
        for c in range(len(slices.classes))
        for i in np.flatnonzero(slices.targets == c)[:per_class]
    ]
    files = {index: file_digest(slices.images[index]) for index in rows}
    pictures, maps, said = [], [], []
    for index in rows:
        image = slices.images[index]
        title = ", ".join(filter(None, (image.label, image.view, image.name)))
        pictures.append((title, slices.values[index].astype(np.float32), slices.boxes(index)))
        maps.append([])
        said.append([])
        for model, method in columns:
            record = found.get((files[index], model, method))
            path = map_file(folder, files[index], model, method)
            if record is None or record.fault or not path.is_file():
                maps[-1].append(None)
                said[-1].append("")
                continue
            values = np.load(path).astype(np.float32)
            maps[-1].append(np.abs(values) if values.min() < 0 else values)
            right = "✓" if record.predicted.strip().lower() == record.label.lower() else "✗"
            score = record.figures.get("AUPRC")
            told = "" if score is None else f", AUPRC {score:.2f}"
            said[-1].append(f"{right} {record.predicted}{told}")
    return pictures, columns, maps, said
