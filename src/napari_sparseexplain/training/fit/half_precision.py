"""Half precision in training, where the machine computes with it.

A processor without instructions for bfloat16 emulates them: there a training in half precision
takes several times as long as in full precision, and not half as long.
"""

from __future__ import annotations

import torch


def computes_in_half(device_type: str) -> bool:
    """Whether products in bfloat16 are faster than in float32 on a device, as ``"cpu"``."""
    if device_type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    # With AVX-512 alone oneDNN converts in registers; below that PyTorch has loops over scalars.
    return device_type == "cpu" and torch.backends.cpu.get_cpu_capability().startswith("AVX512")


def half_precision(device_type: str, wanted: bool) -> torch.autocast:
    """A context in which convolutions and products are in bfloat16, where that is faster.

    Parameters
    ----------
    device_type : str
        ``"cpu"``, ``"cuda"`` or ``"mps"``.
    wanted : bool
        What the recipe says; False leaves all in float32 on every machine.
    """
    enabled = wanted and computes_in_half(device_type)
    return torch.autocast(device_type, dtype=torch.bfloat16, enabled=enabled)
