"""What a network failed at, in words that help whoever gave it its input.

torch's own messages speak of its insides (source lines, allocators, reports to its makers); the
few that tell a person something are told again, and all others are one sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import torch

from ...errors import SparseExplainError
from ..device import is_out_of_memory

#: Kinds of fault: the device's memory is full, the process's own limit is reached, the network
#: cannot do what is asked of it, a file was refused with a sentence of its own.
DEVICE_MEMORY, MEMORY, FAILED, REFUSED = "device memory", "memory", "failed", "refused"

_NO_MEMORY = re.compile(r"can't allocate memory|bad_alloc|Cannot allocate|std::length_error", re.I)

_Words = Callable[[re.Match[str]], str]

_KNOWN: tuple[tuple[re.Pattern[str], _Words], ...] = tuple(
    (re.compile(pattern, re.DOTALL), words)
    for pattern, words in (
        (
            r"to have (\d+) channels?, but got (\d+) channels?",
            lambda m: f"it takes {m[1]} channels and is given {m[2]}",
        ),
        (
            r"Expected size (\d+) but got size (\d+) for tensor",
            lambda m: f"maps of {m[1]} and {m[2]} pixels meet where they must be equal",
        ),
        (
            r"The size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\)",
            lambda m: f"maps of {m[1]} and {m[2]} pixels meet where they must be equal",
        ),
        (
            r"shapes cannot be multiplied \((\d+)x(\d+) and (\d+)x(\d+)\)",
            lambda m: f"a layer takes {m[3]} numbers and is given {m[2]}",
        ),
        (
            r"Kernel size can't be greater than actual input|Output size is too small"
            r"|smaller than kernel size|Padding size should be less than|Given input size",
            lambda m: "the image is smaller than one of its filters",
        ),
        (
            r"[Ee]xpected (\d)D .*?input.*?got (\d)D",
            lambda m: f"it takes inputs of {m[1]} dimensions and is given {m[2]}",
        ),
        (
            r"[Ee]xpected (?:m1 and m2|scalar type|self and mat2|input).*(?:dtype|scalar type)"
            r"|mat1 and mat2 must have the same dtype|should be the same|not implemented for '",
            lambda m: "the numbers of its weights and of its input are of different types",
        ),
        (
            r"invalid for input of size|shape '\[.*\]' is invalid",
            lambda m: "the image does not have the size that it was made for",
        ),
        (
            r"Expected all tensors to be on the same device",
            lambda m: "it was made for another device, and part of it stays there",
        ),
        (
            r"RaiseException|torch\.jit\.Error|builtins\.\w+Error",
            lambda m: "it refuses this input",
        ),
    )
)

#: Marks of torch's insides.
_INSIDES = re.compile(
    r"Caffe2|INTERNAL ASSERT|enforce fail|\.(?:cpp|h|cu)\b|report a bug|warnings above|pickle"
    r"|weights_only|0x[0-9a-f]{6}",
    re.I,
)


def known_words(text: str) -> str | None:
    """What one of torch's messages means; None when it is not known."""
    for pattern, words in _KNOWN:
        if (match := pattern.search(text)) is not None:
            return words(match)
    return None


def own_words(error: BaseException) -> str:
    """A sentence without a full stop for what a person's own Python network failed at."""
    said = str(error).strip()
    if (words := known_words(said)) is not None:
        return words
    last = (said.splitlines() or [type(error).__name__])[-1].strip()
    if _INSIDES.search(said) or len(last) > 300:
        return "one of its operations fails"
    return last


def fault_of(error: BaseException) -> tuple[str, str]:
    """Kind and words of what went wrong in a model's own process; nothing of its text is told."""
    if isinstance(error, SparseExplainError):
        return REFUSED, error.what
    if isinstance(error, torch.OutOfMemoryError) or (
        is_out_of_memory(error) and "CUDA" in str(error)
    ):
        return DEVICE_MEMORY, ""
    if isinstance(error, MemoryError) or _NO_MEMORY.search(str(error)) or is_out_of_memory(error):
        return MEMORY, ""
    return FAILED, known_words(str(error)) or "one of its operations fails"
