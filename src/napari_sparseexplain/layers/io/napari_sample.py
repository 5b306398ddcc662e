"""File › Open Sample: the synthetic tumour study that ships with the package."""

from __future__ import annotations

from ..study_layers import LayerTuple, study_layers


def phantom_tumour_study() -> list[LayerTuple]:
    """Layers of the phantom tumour study.

    Raises
    ------
    ReadError
        The sample study is not installed.
    """
    from ...volumes.opening.open_study import open_study
    from ...volumes.opening.sample import sample_path

    return study_layers(open_study(sample_path()))
