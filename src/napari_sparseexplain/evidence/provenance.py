"""How a result was made: enough to run it again and get the same array."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ..errors import ReadError
from ..files.plain_data import from_plain, to_plain

#: Packages whose version can change a result.
_RECORDED = ("napari-sparseexplain", "torch", "numpy", "scipy", "nibabel", "pydicom", "monai")


def package_versions(*more: str) -> dict[str, str]:
    """Versions of Python and of the installed packages that can change a result.

    Parameters
    ----------
    *more : str
        Other packages that were asked, such as one that brings a method.
    """
    return {"python": platform.python_version(), **_recorded(), **_installed(more)}


@cache
def _recorded() -> dict[str, str]:
    # Packages that are loaded stay as they are: each is looked for on the disk once.
    return _installed(_RECORDED)


def _installed(names: Iterable[str]) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@dataclass(frozen=True)
class Provenance:
    """Where an explanation came from.

    Attributes
    ----------
    method : str
        Method name as in ``se.methods()``.
    parameters : mapping
        Every parameter of the method, JSON values only.
    model : str
        Model name; empty when no model was run.
    weights_sha256 : str
        Checksum of the weights file.
    inputs : mapping of role to mapping
        ``{"sha256": checksum}`` of the files of every volume used.
    seed : int or None
        Seed of everything random; None when nothing is.
    device : str
        Where it ran (``"cpu"``, ``"cuda:0"``, ``"mps"``).
    versions : mapping
        Package versions; that of another package that brought the method among them.
    created : str
        UTC time, ISO 8601.
    model_origin : str
        Where the model came from, without a path: ``"bundled"``, ``"folder"``, ``"file"`` or
        ``"memory"``. It is known by its weights: two models may have one name.
    input_mask : mapping
        What the network was fed: ``mask`` (of the card), ``found`` (how), ``set_to_0`` (share of
        what the scans show), ``normalisation`` (of the card); empty where no scan was.

    Examples
    --------
    >>> import torch, numpy as np, napari_sparseexplain as se
    >>> _ = torch.manual_seed(0)
    >>> study = se.study_of_arrays({"flair": np.random.default_rng(0).random((16, 16))})
    >>> module = torch.nn.Conv2d(1, 2, 3, padding=1)
    >>> result = se.explain(study, module, "vanilla-gradient", roles="flair", target=1)
    >>> result.provenance.method, result.provenance.parameters["resolution"]
    ('vanilla-gradient', 'native')
    >>> se.Provenance.from_json(result.provenance.to_json()) == result.provenance
    True
    """

    method: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    model: str = ""
    weights_sha256: str = ""
    inputs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    seed: int | None = None
    device: str = "cpu"
    versions: Mapping[str, str] = field(default_factory=package_versions)
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    model_origin: str = ""
    input_mask: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Provenance:
        """Inverse of `to_json`; unknown keys are an error, so nothing is dropped unseen.

        Raises
        ------
        ReadError
            A field is missing, unknown or of a wrong kind.
        """
        try:
            plain = to_plain(values)
        except (TypeError, ValueError) as error:
            raise ReadError(
                f"it holds what no record can hold ({error})",
                where="provenance",
                remedy="Give what to_json gave",
            ) from error
        return from_plain(cls, plain, "provenance")
