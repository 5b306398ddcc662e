"""While a positive copy runs: functions that choose or normalise add up or pass on instead.

Modules and calls inside ``forward`` (``functional.max_pool2d(x, 3)``) end in the same functions, so
that both are met here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

#: Functions whose input is what a positive copy goes on with: of its shape, without weights that
#: would cancel or saturate.
_PASSED_ON = frozenset(
    {
        "relu", "relu_", "relu6", "leaky_relu", "leaky_relu_", "elu", "elu_", "selu", "celu",
        "gelu", "silu", "mish", "hardswish", "hardtanh", "hardsigmoid", "softplus",
        "logsigmoid", "prelu", "rrelu", "sigmoid", "sigmoid_", "tanh", "tanh_", "softmax",
        "log_softmax", "softmin", "dropout", "dropout_", "dropout2d", "feature_dropout",
        "alpha_dropout", "instance_norm", "group_norm", "layer_norm", "batch_norm",
        "local_response_norm", "normalize",
    }
)  # fmt: skip


class AddingUp(TorchFunctionMode):
    """Max pooling averages, its inverse spreads, activations and normalisations pass on."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Answer a function of torch in its place, or let it run."""
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name in _PASSED_ON and args and isinstance(args[0], torch.Tensor):
            return args[0]
        answer = _ANSWERS.get(name)
        return func(*args, **kwargs) if answer is None else answer(func, *args, **kwargs)


def _max_pool(
    func: Any,
    x: torch.Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The mean over what a max pooling looks at; with the indices of the pooling, where asked."""
    size, step = _two(kernel_size), _two(stride if stride not in (None, [], ()) else kernel_size)
    edge, apart = _two(padding), _two(dilation)
    batched = x if x.dim() == 4 else x[None]
    with torch.no_grad():
        _, indices = functional.max_pool2d(
            batched, size, step, edge, apart, ceil_mode=ceil_mode, return_indices=True
        )
    channels, wanted = batched.shape[1], indices.shape[-2:]
    # What ceil_mode adds at the end is nothing, as the padding is.
    more = [
        max(0, (n - 1) * s + d * (k - 1) + 1 - length - 2 * e)
        for n, s, d, k, length, e in zip(
            wanted, step, apart, size, batched.shape[-2:], edge, strict=True
        )
    ]
    padded = functional.pad(batched, (edge[1], edge[1] + more[1], edge[0], edge[0] + more[0]))
    weight = x.new_full((channels, 1, *size), 1.0 / (size[0] * size[1]))
    mean = functional.conv2d(padded, weight, stride=step, dilation=apart, groups=channels)
    mean = mean[..., : wanted[0], : wanted[1]]
    if x.dim() == 3:
        mean, indices = mean[0], indices[0]
    with_indices = return_indices or "indices" in getattr(func, "__name__", "")
    return (mean, indices) if with_indices else mean


def _max_unpool(
    _func: Any,
    x: torch.Tensor,
    _indices: torch.Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Any = None,
) -> torch.Tensor:
    """Each pixel goes to all places where it may have come from."""
    step = _two(stride if stride not in (None, [], ()) else kernel_size)
    edge, size = _two(padding), _two(kernel_size)
    wanted = (
        [(n - 1) * s - 2 * e + k for n, s, e, k in zip(x.shape[-2:], step, edge, size, strict=True)]
        if output_size is None
        else list(output_size)[-2:]
    )
    return functional.interpolate(x, size=wanted, mode="nearest")


def _adaptive_max_pool(_func: Any, x: torch.Tensor, output_size: Any, *_: Any, **__: Any) -> Any:
    return functional.adaptive_avg_pool2d(x, output_size)


def _two(value: Any) -> tuple[int, int]:
    """One number for both axes, or one for each."""
    if isinstance(value, int):
        return value, value
    return int(value[0]), int(value[-1])


_ANSWERS: dict[str, Callable[..., Any]] = {
    "max_pool2d": _max_pool,
    "max_pool2d_with_indices": _max_pool,
    "max_unpool2d": _max_unpool,
    "adaptive_max_pool2d": _adaptive_max_pool,
}
