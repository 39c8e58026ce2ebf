"""Charts as SVG, written by hand: lines over time and histograms, small enough for many on a page.

A line of many points is thinned to the lowest and the highest of each stretch, so that no peak is lost. Colours are the
classes of the page's style sheet; all texts are escaped.
"""

from __future__ import annotations

import datetime as dt
import html
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.backtester.series_dates import times_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray

__all__ = ["Line", "amount", "histogram", "line_chart", "percent"]

_WIDTH, _HEIGHT = 760.0, 220.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 62.0, 12.0, 10.0, 24.0
_STRETCHES = 300
_TICKS = 5
_BINS = 41
_LOG_FROM = 8.0  # times the lowest level, from where on a linear scale hides the beginning
_DAY = 86_400e6
_FEWEST = 2


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A line of a chart.

    Parameters
    ----------
    name : str
        Name in the legend.
    at : sequence of date or int
        Places of the points, ascending.
    values : ndarray, shape (n,)
        Values; a line is broken where one is not finite.
    """

    name: str
    at: Sequence[dt.date | int]
    values: FloatArray


def percent(value: float) -> str:
    """Return a share as a percentage with as many digits as it needs on an axis.

    Parameters
    ----------
    value : float
        Share as a decimal, 0.1 for 10 %.
    """
    return f"{100.0 * value + 0.0:.4g}%".replace("-", "−")


def amount(value: float) -> str:
    """Return a number with separated thousands, short.

    Parameters
    ----------
    value : float
        Number to write.
    """
    said = f"{value:,.0f}" if abs(value) >= 1_000.0 else f"{value + 0.0:.4g}"  # noqa: PLR2004 - thousands
    return said.replace("-", "−")


def line_chart(title: str, lines: Sequence[Line], said: Callable[[float], str], *, filled: bool = False) -> str:
    """Return a chart of lines over dates or numbers; an empty text if there is nothing to draw.

    Parameters
    ----------
    title : str
        Title, also for readers who do not see the chart.
    lines : sequence of Line
        Lines to draw, all over dates or all over numbers.
    said : callable
        Function that writes a value on the axis.
    filled : bool, default False
        Whether the area between the first line and zero is filled.
    """
    places = [_places(line.at) for line in lines]
    known = [line.values[np.isfinite(line.values)] for line in lines]
    points = np.concatenate(known) if known else np.zeros(0)
    if points.size < _FEWEST:
        return ""
    low, high = float(points.min()), float(points.max())
    is_log = not filled and low > 0.0 and high > _LOG_FROM * low
    scale = _Scale.over(low, max(high, 0.0) if filled else high, is_log=is_log)
    left, right = min(float(x[0]) for x in places), max(float(x[-1]) for x in places)
    parts = [*_value_axis(scale, said), *_time_axis(left, right, is_dated=isinstance(lines[0].at[0], dt.date))]
    for number, (line, x) in enumerate(zip(lines, places, strict=True)):
        horizontal = _LEFT + (x - left) / max(right - left, 1e-300) * (_WIDTH - _LEFT - _RIGHT)
        path = _path(horizontal, line.values, scale)
        if filled and number == 0 and path:
            zero = scale.place(0.0)
            parts.append(
                f'<path class="area" d="{path}L{horizontal[-1]:.1f} {zero:.1f}L{horizontal[0]:.1f} {zero:.1f}Z"/>'
            )
        parts.append(f'<path class="line l{number}" d="{path}"/>')
    legend = "".join(f'<span class="k{i}">{html.escape(line.name)}</span>' for i, line in enumerate(lines))
    heading = f"{title} (logarithmic)" if is_log else title
    return _figure(heading, parts, legend if len(lines) > 1 else "")


def histogram(title: str, values: FloatArray, said: Callable[[float], str]) -> str:
    """Return a histogram; an empty text if there is nothing to draw.

    Parameters
    ----------
    title : str
        Title, also for readers who do not see the chart.
    values : ndarray, shape (n,)
        Finite values.
    said : callable
        Function that writes a value on the axis.
    """
    if values.size < _FEWEST or not float(np.ptp(values)) > 0.0:
        return ""
    counts, edges = np.histogram(values, bins=_edges(values))
    scale = _Scale.over(0.0, float(counts.max()), is_log=False)
    width = _WIDTH - _LEFT - _RIGHT
    x = _LEFT + (edges - edges[0]) / (edges[-1] - edges[0]) * width
    parts, step = _value_axis(scale, amount), float(edges[1] - edges[0])
    for count, first, second, edge in zip(counts.tolist(), x[:-1], x[1:], edges[:-1].tolist(), strict=True):
        top, kind = scale.place(float(count)), "loss" if edge < -0.5 * step else "gain"
        size = f'width="{max(second - first - 1.0, 0.5):.1f}" height="{_HEIGHT - _BOTTOM - top:.1f}"'
        parts.append(f'<rect class="{kind}" x="{first:.1f}" y="{top:.1f}" {size}/>')
    for tick in _ticks(float(edges[0]), float(edges[-1])):
        at = _LEFT + (tick - edges[0]) / (edges[-1] - edges[0]) * width
        parts.append(f'<text x="{at:.1f}" y="{_HEIGHT - 6:.0f}" text-anchor="middle">{html.escape(said(tick))}</text>')
    return _figure(title, parts, "")


def _edges(values: FloatArray) -> FloatArray:
    """Return edges of bars of equal width, one of them at 0, so that no bar mixes gains and losses."""
    low, high = float(values.min()), float(values.max())
    step = (high - low) / min(_BINS, max(5, round(2.0 * math.sqrt(values.size))))
    return np.asarray(step * np.arange(math.floor(low / step), math.floor(high / step) + 2), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Scale:
    """The vertical axis: lowest and highest value on it."""

    low: float
    high: float
    is_log: bool

    @classmethod
    def over(cls, low: float, high: float, *, is_log: bool) -> _Scale:
        if high <= low:
            room = abs(low) * 0.05 or 1.0
            return cls(low - room, high + room, is_log=False)
        return cls(low, high, is_log)

    def place(self, value: float) -> float:
        return float(self.places(np.array([value]))[0])

    def places(self, values: FloatArray) -> FloatArray:
        low, high = (math.log(self.low), math.log(self.high)) if self.is_log else (self.low, self.high)
        given = np.log(values) if self.is_log else values
        return _HEIGHT - _BOTTOM - (given - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    def ticks(self) -> list[float]:
        if not self.is_log:
            return _ticks(self.low, self.high)
        steps = np.exp(np.linspace(math.log(self.low), math.log(self.high), _TICKS)).tolist()
        return [float(f"{step:.2g}") for step in steps[:-1]] + [steps[-1]]


def _ticks(low: float, high: float) -> list[float]:
    """Return round numbers in a range, about five of them."""
    raw = (high - low) / _TICKS
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1.0, 2.0, 5.0, 10.0) if size * factor >= raw)
    first = math.ceil(low / step - 1e-9)
    return [(first + i) * step for i in range(math.floor(high / step + 1e-9) - first + 1)]


def _places(at: Sequence[dt.date | int]) -> FloatArray:
    dated = [moment for moment in at if isinstance(moment, dt.date)]
    return times_of(dated).astype(np.float64) if dated else np.array(at, dtype=np.float64)


def _path(x: FloatArray, values: FloatArray, scale: _Scale) -> str:
    """Return the path of a line, thinned, and broken where a value is missing."""
    kept = _thinned(values)
    known = np.isfinite(values[kept])
    y = scale.places(np.where(known, values[kept], scale.low))
    parts, is_down = [], False
    for across, down, is_known in zip(x[kept].tolist(), y.tolist(), known.tolist(), strict=True):
        if is_known:
            parts.append(f"{'L' if is_down else 'M'}{across:.1f} {down:.1f}")
        is_down = is_known
    return "".join(parts)


def _thinned(values: FloatArray) -> NDArray[np.int64]:
    """Return the numbers of the points that are drawn: the lowest and highest of each stretch."""
    n = values.size
    if n <= 2 * _STRETCHES:
        return np.arange(n)
    size = -(-n // _STRETCHES)
    padded = np.full(size * (-(-n // size)), math.nan)
    padded[:n] = values
    rows = padded.reshape(-1, size)
    starts = np.arange(len(rows)) * size
    lowest = starts + np.where(np.isfinite(rows), rows, math.inf).argmin(axis=1)
    highest = starts + np.where(np.isfinite(rows), rows, -math.inf).argmax(axis=1)
    return np.unique(np.concatenate([[0], lowest, highest, [n - 1]]))


def _value_axis(scale: _Scale, said: Callable[[float], str]) -> list[str]:
    parts = []
    for tick in scale.ticks():
        y = scale.place(tick)
        kind = "zero" if tick == 0.0 else "grid"
        parts.append(f'<path class="{kind}" d="M{_LEFT:.0f} {y:.1f}H{_WIDTH - _RIGHT:.0f}"/>')
        parts.append(f'<text x="{_LEFT - 6:.0f}" y="{y + 4:.1f}" text-anchor="end">{html.escape(said(tick))}</text>')
    return parts


def _time_axis(left: float, right: float, *, is_dated: bool) -> list[str]:
    """Return the labels below: first and last, and some between."""
    parts = []
    for i in range(_TICKS):
        share = i / (_TICKS - 1)
        at = left + share * (right - left)
        label = _dated(at, right - left) if is_dated else amount(round(at))
        anchor = "start" if i == 0 else "end" if i == _TICKS - 1 else "middle"
        x = _LEFT + share * (_WIDTH - _LEFT - _RIGHT)
        parts.append(f'<text x="{x:.1f}" y="{_HEIGHT - 6:.0f}" text-anchor="{anchor}">{html.escape(label)}</text>')
    return parts


def _dated(at: float, span: float) -> str:
    moment = np.datetime64(round(at), "us").astype("datetime64[m]").item()
    return f"{moment:%m-%d %H:%M}" if span < 5.0 * _DAY else f"{moment:%Y-%m-%d}"


def _figure(title: str, parts: Sequence[str], legend: str) -> str:
    label = html.escape(title, quote=True)
    key = f'<div class="key">{legend}</div>' if legend else ""
    size = f'viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}"'
    drawing = f'<svg {size} role="img" aria-label="{label}">{"".join(parts)}</svg>'
    return f"<figure><figcaption>{label}</figcaption>{key}{drawing}</figure>"
