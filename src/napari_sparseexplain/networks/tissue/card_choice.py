"""Whether the physics of the dictionary runs on a graphics card: only where one answers."""

from __future__ import annotations

import torch

from ..device import choose_device


def chosen_card(wanted: str) -> tuple[torch.device | None, str]:
    """The card of CUDA that is meant; None for the processor, with what a person should know.

    Parameters
    ----------
    wanted : str
        As of `choose_device`. ``"auto"`` is a card of CUDA where one answers, else the processor.

    Returns
    -------
    device : torch.device or None
    why : str
        Why it is the processor, where a card was there or asked for; as
        ``"cuda does not answer (…)"``. Empty otherwise.

    Raises
    ------
    ModelError
        There is no such device.
    """
    device = choose_device(wanted)
    if device.type != "cuda":
        return None, "" if device.type == "cpu" else f"{device} has no double precision"
    try:
        _probe(device)
    except RuntimeError as error:
        words = str(error).strip().splitlines() or [type(error).__name__]
        return None, f"{device} does not answer ({words[0]})"
    return device, ""


def _probe(device: torch.device) -> None:
    """Ends in an error where the card is there and cannot be used."""
    one = torch.ones((2, 2), dtype=torch.float64, device=device)
    (one @ one).sum().item()
