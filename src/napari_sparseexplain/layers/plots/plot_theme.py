"""Colours of the plots: in a dark or a light viewer, and on paper."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure


def _blue_to_orange(*colours: str) -> Colormap:
    return LinearSegmentedColormap.from_list("blue-orange", colours)


@dataclass(frozen=True)
class PlotTheme:
    """Colours of one plot.

    Attributes
    ----------
    background, foreground, faint : str
        Paper, text and lines, and what should stand back.
    series : tuple of str
        Colours of what stands beside each other, told apart by colour-blind eyes too.
    diverging : Colormap
        For signed pictures: blue below zero, orange above, the background's kind at zero.
    font_size : float
        Points.
    """

    background: str
    foreground: str
    faint: str
    series: tuple[str, ...]
    diverging: Colormap
    font_size: float = 7.5

    @classmethod
    def of_viewer(cls, background: str, foreground: str, *, dark: bool) -> PlotTheme:
        """The dark or light theme in a viewer's own colours."""
        base = DARK if dark else LIGHT
        return cls(background, foreground, base.faint, base.series, base.diverging)


DARK = PlotTheme(
    background="#262930",
    foreground="#f0f1f2",
    faint="#9096a0",
    series=("#56b4e9", "#e69f00", "#cc79a7"),
    # As the viewer's signed layers: zero is dark, so that what was left alone stays dark.
    diverging=_blue_to_orange("#99dbff", "#0072b2", "#000000", "#d55e00", "#ffe699"),
)
LIGHT = PlotTheme(
    background="#ffffff",
    foreground="#1a1c20",
    faint="#6a7078",
    series=("#0072b2", "#d55e00", "#aa3377"),
    diverging=_blue_to_orange("#003a63", "#0072b2", "#ffffff", "#d55e00", "#6b2c00"),
)


def themed_figure(
    theme: PlotTheme, *, size: tuple[float, float] = (9.0, 3.0), dpi: float = 100
) -> Figure:
    """An empty figure in a theme's colours, laid out so that labels do not meet.

    Parameters
    ----------
    size : tuple of float
        Width and height in inches.
    """
    figure = Figure(figsize=size, dpi=dpi, layout="constrained")
    clear(figure, theme)
    return figure


def clear(figure: Figure, theme: PlotTheme) -> None:
    """Empty a figure and give it the theme's background."""
    figure.clear()
    figure.set_facecolor(theme.background)


def style(axes: Axes, theme: PlotTheme, title: str = "") -> None:
    """Text, ticks and frame of one plot in a theme's colours."""
    axes.set_facecolor(theme.background)
    axes.tick_params(
        colors=theme.foreground, labelsize=theme.font_size - 1, length=2.5, width=0.6, pad=2
    )
    for spine in axes.spines.values():
        spine.set_color(theme.faint)
        spine.set_linewidth(0.6)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_color(theme.foreground)
        label.set_fontsize(theme.font_size - 0.5)
    if title:
        axes.set_title(title, color=theme.foreground, fontsize=theme.font_size, pad=4)
