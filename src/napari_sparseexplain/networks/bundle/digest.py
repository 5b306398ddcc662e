"""Checksums of weights: of their file, and of the numbers in memory."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from torch import nn

from ..running.caller_module import modules_behind


def file_sha256(path: Path) -> str:
    """The sha256 of a file."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest_of_weights(network: nn.Module) -> str:
    """sha256 of names and numbers of a network's weights; empty where it has none."""
    inner = getattr(network, "inner", None)
    networks = (network,) if inner is None else (*modules_behind(inner), network)
    digest = hashlib.sha256()
    # Kept until the end, so that no other object gets the id of one that was seen.
    seen: dict[int, torch.Tensor] = {}
    for part in networks:
        state = sorted(part.state_dict(keep_vars=True).items())
        fresh = [(n, w) for n, w in state if isinstance(w, torch.Tensor) and id(w) not in seen]
        for name, weight in fresh:
            seen[id(weight)] = weight
            digest.update(name.encode())
            digest.update(str((weight.dtype, tuple(weight.shape))).encode())
            flat = weight.detach().cpu().contiguous().reshape(-1)
            digest.update(flat.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest() if seen else ""
