"""Plots of responses: plain arrays in, a matplotlib figure out. Neither Qt nor napari here.

Signed responses are drawn in a diverging map that is symmetric about zero; spectra on a
logarithmic scale; axes are in millimetres and cycles per millimetre.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from .plot_theme import PlotTheme, clear, style

if TYPE_CHECKING:
    from ...explanation.proxy.responses import ModelResponses

Array = npt.NDArray[np.floating]

#: A spectrum is drawn down to this share of its peak (60 dB).
_FLOOR = 1e-3
#: A response is drawn as far out as this share of its energy reaches.
_ENERGY = 0.99


@dataclass(frozen=True, eq=False)
class ResponsePanel:
    """One response and what is known of it.

    Attributes
    ----------
    title : str
        The model (and class, and role).
    response : ndarray, shape (N, N)
        Impulse at ``(N // 2, N // 2)``.
    averaged : ndarray, shape (N, N), or None
        Mean over all phases.
    spacing : tuple of float
        Size (row, column) of a pixel in ``unit``.
    unit : str
        ``"mm"`` or ``"px"``.
    metrics : mapping of str to (value, low, high)
        ``SDS`` … with their range over the phases; low and high are None without phases.
    defect : float or None
        Mean relative distance of a phase's response from the averaged one.
    """

    title: str
    response: Array
    spacing: tuple[float, float]
    averaged: Array | None = None
    unit: str = "mm"
    metrics: Mapping[str, tuple[float, float | None, float | None]] = field(default_factory=dict)
    defect: float | None = None


def response_panel(found: ModelResponses, output: int = 0, role: int = 0) -> ResponsePanel:
    """What is drawn of a model's responses, for one class and one input role."""
    shift = found.shift[role] if found.shift else None
    names = [found.title]
    if len(found.outputs) > 1:
        names.append(found.outputs[output])
    if len(found.roles) > 1:
        names.append(found.roles[role])

    def with_range(name: str, value: float) -> tuple[float, float | None, float | None]:
        if shift is None:
            return value, None, None
        low, _, high = shift.span(name, output)
        return value, low, high

    values = found.metrics(output, role).as_dict()
    return ResponsePanel(
        title=" · ".join(names),
        response=found.impulse[output, role],
        spacing=(found.spacing_mm, found.spacing_mm),
        averaged=None if shift is None else shift.averaged[output],
        metrics={name: with_range(name, value) for name, value in values.items()},
        defect=None if shift is None else float(shift.defect[output]),
    )


def draw_responses(figure: Figure, panels: Sequence[ResponsePanel], theme: PlotTheme) -> None:
    """Impulse and frequency responses of one model, or of two beside each other.

    One model: the paper's response and the mean over all phases. Two: each one's mean over
    the phases, or the paper's where the phases were not run. Beside them the metrics, with the
    range over the phases as a line and the paper's value as a dot.

    Parameters
    ----------
    panels : sequence of ResponsePanel
        One or two.
    """
    if not 1 <= len(panels) <= 2:
        raise ValueError(f"one or two responses can be drawn, not {len(panels)}")
    clear(figure, theme)
    pictures: list[tuple[str, ResponsePanel, Array]] = []
    if len(panels) == 1:
        (panel,) = panels
        pictures.append(("impulse at phase 0", panel, panel.response))
        if panel.averaged is not None:
            pictures.append(("mean over phases", panel, panel.averaged))
    else:
        for panel in panels:
            averaged = panel.averaged is not None
            drawn = panel.averaged if panel.averaged is not None else panel.response
            pictures.append((panel.title + (", mean" if averaged else ""), panel, drawn))
    with_metrics = any(panel.metrics for panel in panels)
    widths = [1.0] * (2 * len(pictures)) + ([1.3] if with_metrics else [])
    grid = figure.add_gridspec(1, len(widths), width_ratios=widths)
    reach = max(energy_radius(drawn) * max(panel.spacing) for _, panel, drawn in pictures)
    for number, (title, panel, drawn) in enumerate(pictures):
        space = figure.add_subplot(grid[0, 2 * number])
        draw_space(space, drawn, panel.spacing, panel.unit, theme, title=title, reach=reach)
        spectrum = figure.add_subplot(grid[0, 2 * number + 1])
        draw_spectrum(
            spectrum, _magnitude(drawn), panel.spacing, panel.unit, theme, title="its spectrum"
        )
        spectrum.tick_params(labelleft=False)  # pictures are square: both axes are alike
        space.tick_params(labelleft=number == 0)
        if len(panels) == 2:  # the colours of the lines beside say whose they are
            space.title.set_color(theme.series[number])
    if with_metrics:
        draw_metrics(figure.add_subplot(grid[0, -1]), panels, theme)
    if len(panels) == 1:
        figure.suptitle(panels[0].title, color=theme.foreground, fontsize=theme.font_size + 1)


def draw_effective_response(
    figure: Figure,
    response: Array,
    magnitude: Array,
    spacing: tuple[float, float],
    octaves: Sequence[tuple[float, float, float]],
    theme: PlotTheme,
    *,
    unit: str = "mm",
    title: str = "",
) -> None:
    """The filter in effect at a voxel, its spectrum, and the share of every octave.

    Parameters
    ----------
    response, magnitude : ndarray, shape (N, N)
        Voxel, resp. zero frequency, at ``(N // 2, N // 2)``.
    octaves : sequence of (low, high, share)
        In cycles per unit, finest first.
    """
    clear(figure, theme)
    grid = figure.add_gridspec(1, 3, width_ratios=(1, 1, 1.3))
    space = figure.add_subplot(grid[0, 0])
    draw_space(space, response, spacing, unit, theme, title="filter at this voxel")
    spectrum = figure.add_subplot(grid[0, 1])
    draw_spectrum(spectrum, magnitude, spacing, unit, theme, title="its spectrum")
    bars = figure.add_subplot(grid[0, 2])
    draw_octaves(bars, octaves, unit, theme)
    if title:
        figure.suptitle(title, color=theme.foreground, fontsize=theme.font_size + 1)


def draw_space(
    axes: Axes,
    response: Array,
    spacing: tuple[float, float],
    unit: str,
    theme: PlotTheme,
    *,
    title: str = "",
    reach: float | None = None,
) -> None:
    """A response over distance from its impulse, zero in the middle of a diverging map.

    Parameters
    ----------
    reach : float, optional
        Half the side that is shown, in ``unit``; as far as the energy reaches when not given.
    """
    peak = float(np.abs(response).max()) or 1.0
    picture = axes.imshow(
        response,
        cmap=theme.diverging,
        vmin=-peak,
        vmax=peak,
        extent=_extent(response, spacing),
        interpolation="nearest",
    )
    shown = reach if reach is not None else energy_radius(response) * max(spacing)
    axes.set_xlim(-shown, shown)
    axes.set_ylim(shown, -shown)
    axes.set_xlabel(unit)
    _few_ticks(axes)
    style(axes, theme, title)
    bar = _bar(axes, picture, theme)
    bar.locator = MaxNLocator(2, symmetric=True)
    bar.formatter = FuncFormatter(lambda value, _: f"{value:.2g}")
    bar.update_ticks()


def draw_spectrum(
    axes: Axes,
    magnitude: Array,
    spacing: tuple[float, float],
    unit: str,
    theme: PlotTheme,
    *,
    title: str = "",
) -> None:
    """The magnitude of a frequency response, logarithmic, over cycles per unit."""
    top = float(magnitude.max()) or 1.0
    size = magnitude.shape[-1]
    steps = (1 / (size * spacing[0]), 1 / (size * spacing[1]))
    picture = axes.imshow(
        np.maximum(magnitude, top * _FLOOR),
        cmap="magma",
        norm=LogNorm(top * _FLOOR, top),
        extent=_extent(magnitude, steps),
        interpolation="nearest",
    )
    axes.set_xlabel(f"cycles/{unit}")
    _few_ticks(axes)
    style(axes, theme, title)
    bar = _bar(axes, picture, theme)
    bar.locator = LogLocator(numticks=4)
    bar.minorlocator = NullLocator()
    bar.update_ticks()


def draw_metrics(axes: Axes, panels: Sequence[ResponsePanel], theme: PlotTheme) -> None:
    """Each metric as a line from its lowest to its highest phase, the paper's value a dot.

    Every row has its own scale, from 0 to the largest value in it; the numbers stand beside.
    """
    rows = list(dict.fromkeys(name for panel in panels for name in panel.metrics))
    if any(panel.defect is not None for panel in panels):
        rows.append("defect")
    apart = 0.46  # two lines of numbers do not touch, even in a low dock
    for place, name in enumerate(rows):
        values = [_metric(panel, name) for panel in panels]
        largest = max((v for item in values if item for v in item if v is not None), default=1.0)
        for order, item in enumerate(values):
            if item is None:
                continue
            height = place + apart * (order - (len(panels) - 1) / 2)
            colour = theme.series[order]
            value, low, high = item
            if low is not None and high is not None:
                axes.plot(
                    [low / largest, high / largest],
                    [height, height],
                    color=colour,
                    linewidth=3,
                    alpha=0.55,
                    solid_capstyle="butt",
                )
            axes.plot(value / largest, height, "o", color=colour, markersize=3.5)
            axes.text(
                1.15,
                height,
                _numbers(name, value, low, high),
                color=colour,
                fontsize=theme.font_size - 1,
                va="center",
            )
    axes.set_xlim(0, 2.2)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    style(axes, theme, "● phase 0   ▬ all phases")
    axes.set_yticks(range(len(rows)), [name.replace(" (", "\n(") for name in rows])
    axes.set_xticks([])
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)


def draw_octaves(
    axes: Axes, octaves: Sequence[tuple[float, float, float]], unit: str, theme: PlotTheme
) -> None:
    """Share of the energy in each octave, coarse to fine from top to bottom."""
    rows = list(reversed(octaves))
    shares = [share for _, _, share in rows]
    axes.barh(range(len(rows)), shares, color=theme.series[0], height=0.7)
    axes.set_yticks(range(len(rows)), [_octave_name(low, high, unit) for low, high, _ in rows])
    for place, share in enumerate(shares):
        axes.text(
            share + 0.02,
            place,
            f"{share:.0%}",
            va="center",
            color=theme.foreground,
            fontsize=theme.font_size - 1,
        )
    axes.set_xlim(0, 1.15)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xticks([0, 0.5, 1], ["0", "50 %", "100 %"])
    axes.set_xlabel("share of the energy")
    style(axes, theme, f"period ({unit})")


def draw_suppression(
    figure: Figure,
    shares: Mapping[str, Mapping[int, tuple[float | None, float | None]]],
    theme: PlotTheme,
) -> None:
    """What each level's thresholds take away: share of energy, share of coefficients zeroed.

    Parameters
    ----------
    shares : mapping
        ``{"encoder": {level: (energy, zeroed)}, "decoder": …}``; energy is negative where a
        threshold below zero boosts.
    """
    clear(figure, theme)
    sides = [side for side in shares if shares[side]]
    plots = figure.subplots(1, len(sides), sharey=True, squeeze=False)[0]
    for axes, side in zip(plots, sides, strict=True):
        levels = sorted(shares[side])
        for order, name in enumerate(("energy suppressed", "coefficients zeroed")):
            values = [shares[side][level][order] or 0.0 for level in levels]
            places = np.arange(len(levels)) + 0.36 * (order - 0.5)
            axes.bar(places, values, width=0.34, color=theme.series[order], label=name)
        axes.axhline(0, color=theme.faint, linewidth=0.6)
        axes.set_xticks(range(len(levels)), [str(level) for level in levels])
        axes.set_xlabel("level")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        style(axes, theme, side)
    figure.legend(
        *plots[0].get_legend_handles_labels(),
        loc="outside upper center",
        ncols=2,
        frameon=False,
        fontsize=theme.font_size - 0.5,
        labelcolor=theme.foreground,
    )


def energy_radius(response: Array, share: float = _ENERGY) -> float:
    """Half the side, in pixels, of the centred square that holds ``share`` of the energy."""
    size = response.shape[-1]
    index = np.abs(np.arange(size) - size // 2)
    ring = np.maximum(index[:, None], index[None, :])
    energy = np.bincount(ring.ravel(), np.square(response, dtype=np.float64).ravel())
    total = energy.sum()
    if total == 0:
        return size / 2
    inside = int(np.searchsorted(np.cumsum(energy) / total, share)) + 1
    return float(min(max(inside + 2, 8), size // 2))


def _magnitude(response: Array) -> Array:
    return np.abs(np.fft.fftshift(np.fft.fft2(np.asarray(response, dtype=np.float64))))


def _extent(array: Array, spacing: tuple[float, float]) -> tuple[float, float, float, float]:
    """Edges (left, right, bottom, top) of a picture whose index ``N // 2`` lies at zero."""
    rows, columns = array.shape[-2:]
    left, top = (-(columns // 2) - 0.5) * spacing[1], (-(rows // 2) - 0.5) * spacing[0]
    return left, left + columns * spacing[1], top + rows * spacing[0], top


def _bar(axes: Axes, picture: AxesImage, theme: PlotTheme) -> Colorbar:
    """A thin colour bar below: beside, it would take the width that pictures in a dock lack."""
    bar = axes.figure.colorbar(
        picture, ax=axes, location="bottom", fraction=0.06, pad=0.02, aspect=24, shrink=0.9
    )
    bar.outline.set_linewidth(0)
    style(bar.ax, theme)
    return bar


def _few_ticks(axes: Axes) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(3, symmetric=True))
    axes.yaxis.set_major_locator(MaxNLocator(3, symmetric=True))


def _metric(panel: ResponsePanel, name: str) -> tuple[float, float | None, float | None] | None:
    if name == "defect":
        return None if panel.defect is None else (panel.defect, None, None)
    return panel.metrics.get(name)


def _numbers(name: str, value: float, low: float | None, high: float | None) -> str:
    digits = 2 if name == "defect" else 1
    text = f"{value:.{digits}f}"
    if low is None or high is None:
        return text
    return f"{text} ({low:.{digits}f}–{high:.{digits}f})"


def _octave_name(low: float, high: float, unit: str) -> str:
    """Periods of an octave, without the unit: the title gives it."""
    return f"> {1 / high:.3g}" if low == 0 else f"{1 / high:.3g}–{1 / low:.3g}"
