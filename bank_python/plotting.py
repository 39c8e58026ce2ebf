"""Pictures of results: one figure, one style, one way to save it.

A class that people would rather look at derives from :class:`Plotted` and says how it is drawn on axes; ``plot()``
returns the figure and writes it if a path is given, and notebooks show it small below the table. matplotlib is the
extra ``plot`` and loads when it is used. Series differ by colour and by line style, so that they can be told apart
without colour.
"""

from __future__ import annotations

import base64
import io
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from bank_python.errors import MissingExtraError
from bank_python.wording import how_to_install

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

__all__ = [
    "Plotted",
    "axes_below",
    "dates",
    "draw_correlations",
    "draw_figure",
    "hatch_losses",
    "legend_beside",
    "line_styles",
    "literal",
    "logarithmic",
    "money",
    "nothing",
    "percent",
    "places",
    "row_height",
]

_STYLE = Path(__file__).with_name("style.mplstyle")
_SMALL = (5.0, 2.4)
_LINES = ("-", "--", "-.", ":")
_MARKERS = ("", "o", "s", "^", "D", "v", "x")
_TALLEST = 12
_MOST_DIGITS = 6
_MINUS = "\N{MINUS SIGN}"
_POINTS_PER_INCH = 72.0
_LEGIBLE, _LARGEST = 4.5, 9.0
_DARK = 0.6
_UPRIGHT = 12
_FEW_DECADES = 100.0  # ratio of the ends below which powers of ten alone are too few ticks
_GAIN, _LOSS = "tab:green", "tab:red"


class Plotted:
    """A result that can be drawn."""

    __slots__ = ()

    def _draw_(self, axes: Axes) -> None:
        """Draw the result on axes."""
        raise NotImplementedError(f"{type(self).__name__} defines no _draw_")

    def plot(self, path: str | os.PathLike[str] | None = None, *, axes: Axes | None = None) -> Figure:
        """Draw the result.

        Parameters
        ----------
        path : path, optional
            File to write, in the format of its suffix: ``.png``, ``.svg`` or ``.pdf``.
        axes : matplotlib.axes.Axes, optional
            Axes to draw on; by default those of a new figure.

        Returns
        -------
        matplotlib.figure.Figure
            The figure, which notebooks show.

        Raises
        ------
        MissingExtraError
            matplotlib is not installed (extra ``plot``).
        """
        return draw_figure(self._draw_, path, axes)

    def _picture_(self) -> str:
        """Return a small picture for notebooks as HTML; empty text without matplotlib."""
        try:
            figure = draw_figure(self._draw_, size=_SMALL)
        except MissingExtraError:
            return ""
        with _style():
            coded = base64.b64encode(_png(figure)).decode("ascii")
        return f'<img alt="{type(self).__name__}" style="max-width:100%" src="data:image/png;base64,{coded}">'


def draw_figure(
    draw: Any,
    path: str | os.PathLike[str] | None = None,
    axes: Axes | None = None,
    *,
    size: tuple[float, float] | None = None,
) -> Figure:
    """Return a figure in the library's style with something drawn on it.

    Parameters
    ----------
    draw : callable
        Function that takes the axes and draws on them.
    path : path, optional
        File to write, in the format of its suffix.
    axes : matplotlib.axes.Axes, optional
        Axes to draw on, in whatever style they have.
    size : tuple of float, optional
        Width and height in inches.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed (extra ``plot``).
    """
    with _style():
        if axes is None:
            figure: Figure = _picture_class()(figsize=size)
            axes = figure.subplots()
        else:
            figure = cast("Figure", axes.figure)
        draw(axes)
        if path is not None:
            figure.savefig(path)
    return figure


@contextmanager
def _style() -> Iterator[None]:
    try:
        import matplotlib.figure  # noqa: F401 - whether it is there
        from matplotlib import style
    except ImportError as error:
        raise MissingExtraError(f"a plot needs matplotlib: {how_to_install('plot')}", extra="plot") from error
    with style.context(_STYLE), warnings.catch_warnings():
        # Names may hold characters that the font lacks, drawn as boxes, or be too long for a small picture.
        warnings.filterwarnings(
            "ignore",
            r"Glyph \d+ .* missing from|constrained_layout not applied|AutoDateLocator was unable",
            UserWarning,
        )
        yield


def _picture_class() -> Any:
    """Return a class of figures that notebooks show without pyplot."""
    from matplotlib.figure import Figure

    class Picture(Figure):
        def _repr_png_(self) -> bytes:
            with _style():
                return _png(self)

    return Picture


def _png(figure: Figure) -> bytes:
    """Return a figure as PNG in a palette of 128 colours: a third of the size in every stored notebook."""
    from PIL import Image  # matplotlib needs it too

    drawn, data = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=110, facecolor="white")
    with Image.open(drawn) as image:
        image.convert("RGB").quantize(128).save(data, format="png", optimize=True)
    return data.getvalue()


def literal(name: str) -> str:
    r"""Return a name as matplotlib has to be given it, so that two ``$`` in it do not enclose mathematics.

    Examples
    --------
    >>> print(literal("A$B$"))
    A\$B\$
    """
    return name.replace("$", r"\$")


def line_styles(count: int) -> list[dict[str, Any]]:
    """Return keyword arguments for the lines of a picture, all different without colour up to 28 lines."""
    styles: list[dict[str, Any]] = []
    for i in range(count):
        marker = _MARKERS[i // len(_LINES) % len(_MARKERS)]
        style = {"linestyle": _LINES[i % len(_LINES)], "color": f"C{i % 7}"}
        styles.append({**style, "marker": marker, "markevery": 0.1, "markersize": 4} if marker else style)
    return styles


def hatch_losses(bars: Iterable[Any], values: Iterable[float]) -> None:
    """Colour bars by the sign of their values, and hatch those of losses.

    Parameters
    ----------
    bars : iterable of matplotlib.patches.Rectangle
        Bars, as ``axes.bar`` returns them.
    values : iterable of float
        A value for each bar.
    """
    for bar, value in zip(bars, values, strict=True):
        loss = value < 0.0
        bar.set(facecolor=_LOSS if loss else _GAIN, hatch="///" if loss else "", edgecolor="white")


def legend_beside(axes: Axes) -> None:
    """Put the legend to the right of the axes, where it covers no data; in columns of at most twelve entries."""
    count = len(axes.get_legend_handles_labels()[1])
    if count:
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), ncols=-(-count // _TALLEST), borderaxespad=0.0)


def row_height(axes: Axes, count: int) -> float:
    """Return the height in points of each of `count` rows of axes, for the size of the letters in them."""
    figure = cast("Figure", axes.get_figure(root=True))
    return _POINTS_PER_INCH * float(axes.bbox.height) / figure.dpi / count


def draw_correlations(axes: Axes, matrix: FloatArray, columns: Sequence[str], rows: Sequence[str]) -> None:
    """Draw a correlation matrix as a heat map, with its figures while they are legible.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Axes to draw on.
    matrix : ndarray, shape (n, n)
        Correlation matrix.
    columns, rows : sequence of str, length n
        Labels below and to the left, as :func:`literal` returns them.
    """
    image = axes.imshow(matrix, vmin=-1.0, vmax=1.0, cmap="RdBu_r", aspect="auto")
    count = len(columns)
    room = row_height(axes, count)
    size = min(0.6 * room, _LARGEST)
    shown = range(0, count, max(1, -int(-_LEGIBLE // room)))
    axes.set_xticks(list(shown), [columns[i] for i in shown], rotation=90 if count > _UPRIGHT else 0)
    axes.set_yticks(list(shown), [rows[i] for i in shown])
    axes.tick_params(labelsize=max(min(0.8 * room, _LARGEST), _LEGIBLE), length=0)
    axes.grid(visible=False)
    if size >= _LEGIBLE:
        for i, row in enumerate(matrix.tolist()):
            for j, value in enumerate(row):
                color = "white" if abs(value) > _DARK else "black"
                axes.text(j, i, f"{round(value, 2) + 0.0:.2f}", ha="center", va="center", fontsize=size, color=color)
    else:
        axes.figure.colorbar(image, ax=axes, label="correlation")


def nothing(axes: Axes, said: str) -> None:
    """Say on empty axes that there is nothing to draw, and why."""
    axes.text(0.5, 0.5, literal(said), transform=axes.transAxes, ha="center", va="center")
    axes.set_axis_off()


def axes_below(axes: Axes, share: float = 0.35) -> Axes:
    """Return new axes below others, which make room for them, with the same horizontal axis, labelled only below.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The upper axes.
    share : float, default 0.35
        Share of the height that the lower axes get.
    """
    spec = axes.get_subplotspec()
    if spec is not None:
        grid = spec.subgridspec(2, 1, height_ratios=(1.0 - share, share))
        axes.set_subplotspec(grid[0])
        lower: Axes = axes.figure.add_subplot(grid[1], sharex=axes)
    else:
        left, bottom, width, height = axes.get_position().bounds
        axes.set_position((left, bottom + (share + 0.05) * height, width, (0.95 - share) * height))
        lower = axes.figure.add_axes((left, bottom, width, share * height), sharex=axes)
    axes.tick_params(axis="x", labelbottom=False)
    return lower


def places(at: Sequence[Any]) -> Any:
    """Return the places of observations on a horizontal axis: dates as dates, anything else as it is."""
    from matplotlib import dates as mdates

    if len(at) and hasattr(at[0], "year"):
        return mdates.date2num(at)  # type: ignore[no-untyped-call]
    return list(at)


def percent(axis: Any) -> None:
    """Label an axis of shares of 1 in per cent, with as many digits as its ticks need.

    Parameters
    ----------
    axis : matplotlib.axis.Axis
        Axis to label, such as ``axes.yaxis``.
    """
    from matplotlib.ticker import Formatter

    class Percent(Formatter):
        def __call__(self, value: float, pos: int | None = None) -> str:  # noqa: ARG002 - as matplotlib calls it
            return self.format_ticks([value])[0]

        def format_ticks(self, values: Sequence[float]) -> list[str]:
            digits = _digits(values)
            return [f"{100.0 * value:.{digits}f}%".replace("-", _MINUS) for value in values]

    axis.set_major_formatter(Percent())


def logarithmic(axis: Any) -> None:
    """Make an axis logarithmic, with plain numbers at its ticks.

    Parameters
    ----------
    axis : matplotlib.axis.Axis
        Axis on which everything is drawn already, such as ``axes.yaxis``.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    set_scale = axis.axes.set_xscale if axis.axis_name == "x" else axis.axes.set_yscale
    set_scale("log")
    low, high = axis.get_view_interval()
    if high < low * _FEW_DECADES:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", _MINUS)))
    axis.set_minor_formatter(NullFormatter())


def _digits(ticks: Sequence[float]) -> int:
    """Return how many digits after the point tell ticks in per cent exactly, up to six."""
    shares = [100.0 * float(tick) for tick in ticks]
    widest = max(map(abs, shares), default=0.0)
    exact = (n for n in range(_MOST_DIGITS) if all(abs(at - round(at, n)) <= 1e-9 * widest for at in shares))
    return next(exact, _MOST_DIGITS)


def money(axis: Any) -> None:
    """Label an axis of amounts with separated thousands, or all in millions from a million on, and so on.

    Parameters
    ----------
    axis : matplotlib.axis.Axis
        Axis to label, such as ``axes.yaxis``.
    """
    from matplotlib.ticker import FuncFormatter

    def said(value: float, _: object) -> str:
        return _amount(value, max(abs(float(end)) for end in axis.get_view_interval())).replace("-", _MINUS)

    axis.set_major_formatter(FuncFormatter(said))


def _amount(value: float, widest: float) -> str:
    """Return an amount in the unit of the widest one on its axis."""
    for size, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if widest >= size:
            return f"{value / size:,.4g}{unit}" if value else "0"
    return f"{value:,.0f}" if widest >= 10.0 else f"{value:,.3g}"  # noqa: PLR2004 - below that digits matter


def dates(axis: Any) -> None:
    """Label an axis of dates, as few as fit.

    Parameters
    ----------
    axis : matplotlib.axis.Axis
        Axis to label, such as ``axes.xaxis``.
    """
    from matplotlib import dates as mdates

    locator = mdates.AutoDateLocator(maxticks=7)  # type: ignore[no-untyped-call]
    axis.set_major_locator(locator)
    axis.set_major_formatter(mdates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
