"""The kernels of a first convolution as one picture: one tile a map, one mosaic an input."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from .plot_theme import PlotTheme, clear, style

#: Kernels drawn of one input; more could not be told apart.
MOST_KERNELS = 128


def kernel_mosaic(kernels: npt.NDArray[np.floating], across: int) -> npt.NDArray[np.floating]:
    """Kernels (maps, rows, columns) side by side, NaN between them."""
    maps, rows, columns = kernels.shape
    down = -(-maps // across)
    mosaic = np.full((down * (rows + 1) - 1, across * (columns + 1) - 1), np.nan)
    for place, kernel in enumerate(kernels):
        y, x = divmod(place, across)
        top, left = y * (rows + 1), x * (columns + 1)
        mosaic[top : top + rows, left : left + columns] = kernel
    return mosaic


def draw_kernels(
    figure: Figure,
    kernels: npt.NDArray[np.floating],
    inputs: Sequence[str],
    theme: PlotTheme,
    *,
    title: str = "",
) -> None:
    """Draw kernels (maps, inputs, rows, columns), symmetric about zero, on one scale.

    Parameters
    ----------
    inputs : sequence of str
        Name of each input; one mosaic each.
    """
    clear(figure, theme)
    drawn = kernels[:MOST_KERNELS]
    high = float(np.abs(drawn).max(initial=0.0)) or 1.0
    count = len(inputs)
    # Panels are wider than high: so are their mosaics.
    across = max(1, min(len(drawn), math.ceil(math.sqrt(len(drawn) * 3.0 / count))))
    axes = figure.subplots(1, count, squeeze=False)[0]
    picture = None
    for place, (name, one) in enumerate(zip(inputs, axes, strict=True)):
        mosaic = kernel_mosaic(drawn[:, place], across)
        picture = one.imshow(
            mosaic, cmap=theme.diverging, vmin=-high, vmax=high, interpolation="nearest"
        )
        style(one, theme, title=name)
        one.set_xticks([])
        one.set_yticks([])
        for spine in one.spines.values():
            spine.set_visible(False)
    if picture is not None:
        bar = figure.colorbar(picture, ax=list(axes), shrink=0.8, pad=0.01)
        bar.ax.tick_params(colors=theme.foreground, labelsize=theme.font_size - 1)
        bar.outline.set_edgecolor(theme.faint)
    left = len(kernels) - len(drawn)
    words = title + (f" · first {MOST_KERNELS} of {len(kernels)}" if left else "")
    if words:
        figure.suptitle(words, color=theme.foreground, fontsize=theme.font_size + 1)
