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
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Plotted", "dates", "draw_figure", "money", "percent"]

_STYLE = Path(__file__).with_name("style.mplstyle")
_SMALL = (5.0, 2.4)


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
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from|constrained_layout not applied", UserWarning)
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


def percent(axis: Any, digits: int = 0) -> None:
    """Label an axis of shares of 1 in per cent.

    Parameters
    ----------
    axis : matplotlib.axis.Axis
        Axis to label, such as ``axes.yaxis``.
    digits : int, default 0
        Digits after the point.
    """
    from matplotlib.ticker import PercentFormatter

    axis.set_major_formatter(PercentFormatter(1.0, decimals=digits))


def money(axis: Any) -> None:
    """Label an axis of amounts with separated thousands, or as 1.5M from a million on.

    Parameters
    ----------
    axis : matplotlib.axis.Axis
        Axis to label, such as ``axes.yaxis``.
    """
    from matplotlib.ticker import FuncFormatter

    axis.set_major_formatter(FuncFormatter(lambda value, _: _amount(value)))


def _amount(value: float) -> str:
    for size, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if abs(value) >= size:
            return f"{value / size:,.3g}{unit}"
    return f"{value:,.0f}" if abs(value) >= 10.0 else f"{value:,.3g}"  # noqa: PLR2004 - below that digits matter


def dates(axis: Any) -> None:
    """Label an axis of dates, as few as fit.

    Parameters
    ----------
    axis : matplotlib.axis.Axis
        Axis to label, such as ``axes.xaxis``.
    """
    from matplotlib import dates as mdates

    locator = mdates.AutoDateLocator()  # type: ignore[no-untyped-call]
    axis.set_major_locator(locator)
    axis.set_major_formatter(mdates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
