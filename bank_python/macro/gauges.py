r"""Macro gauges: each with its figure, its age, its place among past figures, its state, and a reading in words.

Examples
--------
>>> from bank_python.macro.fred import read_fred
>>> history = read_fred("observation_date,T10Y2Y\n2026-01-05,-0.33\n2026-01-06,-0.35\n", today="2026-01-07")
>>> board = read_gauges(history)
>>> print(board["curve_slope"].reading)
the curve is inverted by 0.35 points; about the 7th percentile since 1980
>>> board["curve_slope"].state.value, board.stress_share, len(board.missing)
('stress', 1.0, 20)
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bank_python.admission import admits
from bank_python.errors import MacroError
from bank_python.macro.gauge_definitions import GAUGES, GaugeGroup
from bank_python.macro.percentiles import STATED_PERCENTILES, Percentile, own_percentile, stated_percentile
from bank_python.macro.quadrant import Quadrant, find_quadrant
from bank_python.macro.thresholds import GaugeState, GaugeThresholds
from bank_python.numerics.dates import as_date
from bank_python.plotting import Plotted, literal, nothing
from bank_python.results import Figures, Tabular
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from matplotlib.axes import Axes

    from bank_python.macro.gauge_definitions import GaugeDefinition
    from bank_python.macro.history import MacroHistory, MacroSeries
    from bank_python.mntable import Table

__all__ = ["Gauge", "GaugeBoard", "MissingGauge", "read_gauges"]

_FEWEST = 60
_COLOURS = {GaugeState.CALM: "tab:green", GaugeState.WATCH: "tab:orange", GaugeState.STRESS: "tab:red"}
_HATCHES = {GaugeState.CALM: "", GaugeState.WATCH: "//", GaugeState.STRESS: "xxx"}


@dataclass(frozen=True, slots=True)
class Gauge(Figures):
    """A reading of one gauge.

    Parameters
    ----------
    key, title : str
        Short and plain name of the gauge.
    group : GaugeGroup
        Subject of the gauge.
    value : float
        Present figure.
    unit : str
        Unit of the figure.
    date : datetime.date
        Date of the figure; a month is dated by its first day.
    age_days : int
        Days from that date to the date of the reading.
    is_stale : bool
        Whether the figure is older than its frequency explains; a stale gauge counts neither as calm nor as stress.
    state : GaugeState
        State by the thresholds.
    thresholds : GaugeThresholds
        Figures from which on the gauge is watched and shows stress, with their source.
    percentile : Percentile, optional
        Place among past figures; None without a history that is long enough.
    words : str
        Figure in words.
    series : tuple of str
        Names of the series that the gauge was computed from.
    is_simulated : bool
        Whether any of these series is simulated.
    """

    key: str
    title: str
    group: GaugeGroup
    value: float
    unit: str
    date: dt.date
    age_days: int
    is_stale: bool
    state: GaugeState
    thresholds: GaugeThresholds
    percentile: Percentile | None
    words: str
    series: tuple[str, ...]
    is_simulated: bool = False

    @property
    def reading(self) -> str:
        """The figure and its place in words, with a remark if it is stale or simulated."""
        place = "no history" if self.percentile is None else self.percentile.said
        stale = f"; stale, from {self.date}" if self.is_stale else ""
        return f"{self.words}; {place}{stale}{'; simulated' if self.is_simulated else ''}"


@dataclass(frozen=True, slots=True)
class MissingGauge(Figures):
    """A gauge that cannot be read.

    Parameters
    ----------
    key, title : str
        Short and plain name of the gauge.
    reason : str
        Explanation, with the series that are needed.
    """

    key: str
    title: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class GaugeBoard(Plotted, Tabular):
    """Readings of all gauges at one date; returned by :func:`read_gauges`.

    Parameters
    ----------
    as_of : datetime.date
        Date of the reading.
    gauges : tuple of Gauge
        Gauges that can be read, by group.
    missing : tuple of MissingGauge
        Gauges that cannot be read, with the reason.
    quadrant : Quadrant
        Directions of growth and inflation.
    n_problems : int, default 0
        Number of cells and rows that the reader of the data left out.
    """

    as_of: dt.date
    gauges: tuple[Gauge, ...]
    missing: tuple[MissingGauge, ...]
    quadrant: Quadrant
    n_problems: int = 0

    def __len__(self) -> int:
        return len(self.gauges)

    def __iter__(self) -> Iterator[str]:
        return (gauge.key for gauge in self.gauges)

    def __getitem__(self, key: str) -> Gauge:
        found = next((gauge for gauge in self.gauges if gauge.key == key), None)
        if found is not None:
            return found
        absent = next((gauge for gauge in self.missing if gauge.key == key), None)
        if absent is not None:
            raise MacroError(f"the gauge {key} cannot be read: {absent.reason}", name=key)
        known = [*(gauge.key for gauge in self.gauges), *(gauge.key for gauge in self.missing)]
        raise MacroError(f"there is no gauge {key!r}; {did_you_mean(key, known, ', '.join(known))}", name=key)

    @property
    def counted(self) -> tuple[Gauge, ...]:
        """The gauges that are not stale."""
        return tuple(gauge for gauge in self.gauges if not gauge.is_stale)

    @property
    def stress_share(self) -> float | None:
        """Share of the gauges that show stress, in [0, 1], of those that are not stale; None if there is none."""
        counted = self.counted
        if not counted:
            return None
        return sum(gauge.state is GaugeState.STRESS for gauge in counted) / len(counted)

    @property
    def by_group(self) -> dict[GaugeGroup, dict[GaugeState, int]]:
        """Number of gauges in each state, by group; stale gauges are left out."""
        counts = {group: dict.fromkeys(GaugeState, 0) for group in GaugeGroup}
        for gauge in self.counted:
            counts[gauge.group][gauge.state] += 1
        return counts

    @property
    def is_simulated(self) -> bool:
        """Whether any gauge is computed from simulated figures."""
        return any(gauge.is_simulated for gauge in self.gauges)

    def to_table(self) -> Table:
        """Return a table with a row for each gauge that can be read."""
        from bank_python.mntable import Table

        return Table.from_rows(_SCHEMA, [_row(gauge) for gauge in self.gauges])

    def _draw_(self, axes: Axes) -> None:
        """Draw the percentiles of the gauges as bars, coloured and hatched by their state."""
        shown = [gauge for gauge in self.gauges if gauge.percentile is not None][::-1]
        if not shown:
            nothing(axes, "no gauge with a history")
            return
        places = [gauge.percentile.value for gauge in shown if gauge.percentile is not None]
        bars = axes.barh(range(len(shown)), places)
        for bar, gauge in zip(bars, shown, strict=True):
            bar.set(facecolor=_COLOURS[gauge.state], hatch=_HATCHES[gauge.state], edgecolor="white")
        size = 8.0 if len(shown) <= 12 else 6.0  # noqa: PLR2004 - rows of a picture
        axes.set_yticks(
            range(len(shown)), [literal(f"{gauge.title} {gauge.value:.2f}") for gauge in shown], fontsize=size
        )
        axes.set_xlim(0.0, 100.0)
        axes.grid(visible=False)
        axes.axvline(50.0, color="black", linewidth=0.8)
        simulated = ", simulated" if self.is_simulated else ""
        axes.set(
            xlabel="percentile (/ watch, x stress)",
            title=f"Gauges on {self.as_of}{simulated}",
        )

    def __rich__(self) -> object:
        from bank_python.render_macro import gauge_board_view

        return gauge_board_view(self)


@admits(MacroError)
def read_gauges(
    history: MacroHistory, *, as_of: dt.date | str | None = None, own_history: bool = False, fewest: int = _FEWEST
) -> GaugeBoard:
    """Read all gauges from macroeconomic series.

    Parameters
    ----------
    history : MacroHistory
        Series by name, as :func:`read_fred` or :func:`simulate_macro` returns them.
    as_of : datetime.date or str, optional
        Date of the reading; later figures are not used. By default the date of the history.
    own_history : bool, default False
        Whether all percentiles come from the history, where it is long enough. By default nine gauges use stated
        percentiles.
    fewest : int, default 60
        Smallest number of past figures of a gauge for a percentile of the history, at least 1.

    Returns
    -------
    GaugeBoard
        The gauges; :attr:`GaugeBoard.missing` has those without data.

    Raises
    ------
    MacroError
        `as_of` is not a date, or `fewest` is below 1.
    """
    if fewest < 1:
        raise MacroError(f"fewest={fewest!r}; give at least 1", name="fewest", value=fewest)
    known = history if as_of is None else history.until(as_date(as_of, MacroError, "as_of"))
    gauges: list[Gauge] = []
    missing: list[MissingGauge] = []
    for definition in GAUGES:
        read = _read(definition, known, fewest, own_history=own_history)
        if isinstance(read, Gauge):
            gauges.append(read)
        else:
            missing.append(MissingGauge(definition.key, definition.title, read))
    return GaugeBoard(known.as_of, tuple(gauges), tuple(missing), find_quadrant(known), len(known.problems))


def _read(definition: GaugeDefinition, history: MacroHistory, fewest: int, *, own_history: bool) -> Gauge | str:
    """Return the reading of a gauge, or why there is none."""
    formula = next((one for one in definition.formulas if all(name in history for name in one.needs)), None)
    if formula is None:
        return f"needs {definition.needed}"
    series = [history[name] for name in formula.needs]
    dates, values = formula.compute(*series)
    if not len(values):
        return f"{' and '.join(formula.needs)} is too short, or has gaps"
    value, day = float(values[-1]), _as_day(dates[-1])
    age = (history.as_of - day).days
    return Gauge(
        key=definition.key,
        title=definition.title,
        group=definition.group,
        value=value,
        unit=definition.unit,
        date=day,
        age_days=age,
        is_stale=_is_stale(series, age),
        state=definition.thresholds.state(value),
        thresholds=definition.thresholds,
        percentile=_percentile(definition.key, dates, values, fewest, own_history=own_history),
        words=definition.words(value),
        series=formula.needs,
        is_simulated=any(one.is_simulated for one in series),
    )


def _is_stale(series: list[MacroSeries], age: int) -> bool:
    """Whether an age is beyond what the slowest of some series explains."""
    limits = [one.frequency.stale_after for one in series if one.frequency.stale_after is not None]
    return bool(limits) and age > max(limits)


def _percentile(key: str, dates: Any, values: Any, fewest: int, *, own_history: bool) -> Percentile | None:
    enough = len(values) >= fewest
    if key in STATED_PERCENTILES and not (own_history and enough):
        return stated_percentile(key, float(values[-1]))
    return own_percentile(values, float(values[-1]), dates) if enough else None


def _as_day(day: np.datetime64) -> dt.date:
    plain: dt.date = day.astype("datetime64[D]").item()
    return plain


_SCHEMA: list[tuple[str, Any]] = [
    *((name, str) for name in ("key", "title", "group")),
    ("value", float),
    ("unit", str),
    ("date", dt.date),
    ("age_days", int),
    ("is_stale", bool),
    ("state", str),
    ("percentile", float | None),
    ("percentile_basis", str | None),
    *((name, str) for name in ("reading", "thresholds", "series")),
    ("is_simulated", bool),
]


def _row(gauge: Gauge) -> dict[str, Any]:
    place = gauge.percentile
    thresholds = (
        f"watch {gauge.thresholds.said(GaugeState.WATCH, gauge.unit)}; "
        f"stress {gauge.thresholds.said(GaugeState.STRESS, gauge.unit)}; {gauge.thresholds.source}"
    )
    cells = (
        *(
            gauge.key,
            gauge.title,
            gauge.group.value,
            gauge.value,
            gauge.unit,
            gauge.date,
            gauge.age_days,
            gauge.is_stale,
        ),
        *(gauge.state.value, None if place is None else place.value, None if place is None else place.basis),
        *(gauge.reading, thresholds, " ".join(gauge.series), gauge.is_simulated),
    )
    return dict(zip([name for name, _ in _SCHEMA], cells, strict=True))
