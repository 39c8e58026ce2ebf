"""Figures of a group of round trips: how often and how much they win, how well they are entered and left."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from bank_python.plotting import Plotted, hatch_losses, literal, money, nothing
from bank_python.results import Figures, Tabular
from bank_python.trading_engine.trade_luck import FEW_TRADES, TradeLuck, trade_luck

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes

    from bank_python.mntable import Table
    from bank_python.trading_engine.round_trips import RoundTrip

__all__ = ["TradeGroups", "TradeStatistics", "trade_statistics"]


@dataclass(frozen=True, slots=True, repr=False)
class TradeStatistics(Figures):
    """Figures of a group of round trips.

    Parameters
    ----------
    name : str
        Name of the group.
    n, wins, losses : int
        Number of round trips, of those with a gain and of those with a loss, after fees.
    avg_win, avg_loss : float, optional
        Mean gain of the winning and of the losing ones, the latter negative; None without one.
    profit_factor : float, optional
        Sum of the wins divided by the size of the sum of the losses; None without a loss.
    total, fees : float
        Total gain, after fees, and fees in money.
    capture : float, optional
        Median return as a share of the best one; None where none is known.
    entry_efficiency, exit_efficiency : float, optional
        Mean efficiencies; None where none is known.
    mae, mfe : float, optional
        Mean worst and best return; None where none is known.
    hold_days : float
        Mean days from entry to exit.
    slippage_bps : float, optional
        Mean slippage in basis points; None where none is known.
    luck : TradeLuck
        Probabilities of such a result by chance.
    """

    name: str
    n: int
    wins: int
    losses: int
    avg_win: float | None
    avg_loss: float | None
    profit_factor: float | None
    total: float
    fees: float
    capture: float | None
    entry_efficiency: float | None
    exit_efficiency: float | None
    mae: float | None
    mfe: float | None
    hold_days: float
    slippage_bps: float | None
    luck: TradeLuck

    @property
    def hit_rate(self) -> float:
        """Share of the round trips with a gain."""
        return self.wins / self.n

    @property
    def payoff(self) -> float | None:
        """Mean win divided by the size of the mean loss; None without a win or without a loss."""
        return self.luck.payoff

    @property
    def expectancy(self) -> float:
        """Mean gain in money, after fees."""
        return self.total / self.n

    @property
    def is_few(self) -> bool:
        """Whether there are fewer than thirty round trips, so that the figures may be chance."""
        return self.n < FEW_TRADES

    def __rich__(self) -> object:
        from bank_python.render_trade_analysis import trade_statistics_view

        return trade_statistics_view(self)


def trade_statistics(
    name: str, trips: Sequence[RoundTrip], *, resamples: int = 10_000, seed: int = 0
) -> TradeStatistics:
    """Return the figures of some round trips, at least one.

    Parameters
    ----------
    name : str
        Name of the group.
    trips : sequence of RoundTrip
        Round trips of the group.
    resamples, seed : int
        Number of bootstrap samples, and seed of their random numbers.
    """
    gains = [trip.gain for trip in trips]
    wins, losses = [gain for gain in gains if gain > 0.0], [gain for gain in gains if gain < 0.0]
    luck = trade_luck(gains, resamples=resamples, seed=seed)
    return TradeStatistics(
        name=name,
        n=len(trips),
        wins=len(wins),
        losses=len(losses),
        avg_win=_mean(wins),
        avg_loss=_mean(losses),
        profit_factor=math.fsum(wins) / -math.fsum(losses) if losses else None,
        total=math.fsum(gains),
        fees=math.fsum(trip.fees for trip in trips),
        capture=_median(trip.capture for trip in trips),
        entry_efficiency=_mean(trip.entry_efficiency for trip in trips),
        exit_efficiency=_mean(trip.exit_efficiency for trip in trips),
        mae=_mean(trip.mae for trip in trips),
        mfe=_mean(trip.mfe for trip in trips),
        hold_days=math.fsum(trip.hold_days for trip in trips) / len(trips),
        slippage_bps=_mean(trip.slippage_bps for trip in trips),
        luck=luck,
    )


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None


def _median(values: Iterable[float | None]) -> float | None:
    known = sorted(value for value in values if value is not None)
    middle = len(known) // 2
    if not known:
        return None
    return known[middle] if len(known) % 2 else 0.5 * (known[middle - 1] + known[middle])


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TradeGroups(Plotted, Tabular):
    """Figures of round trips by trader, signal, regime or instrument; returned by ``TradeAnalysis.by``.

    Parameters
    ----------
    by : str
        Name of the grouping, such as ``trader``.
    groups : tuple of TradeStatistics
        Figures of each group, the one with the largest total gain first.
    """

    by: str
    groups: tuple[TradeStatistics, ...]

    def __getitem__(self, name: str) -> TradeStatistics:
        found = next((one for one in self.groups if one.name == name), None)
        if found is None:
            raise KeyError(f"there is no {self.by} {name!r}; there are {', '.join(one.name for one in self.groups)}")
        return found

    def to_table(self) -> Table:
        """Return a table with a row for each group."""
        from bank_python.mntable import Table

        whole = {"n", "wins", "losses"}
        stated = [field.name for field in fields(TradeStatistics) if field.name not in {"name", "luck"}]
        names = [*stated[:3], "hit_rate", "payoff", "expectancy", *stated[3:]]
        schema = [(self.by, str), *((name, int if name in whole else float | None) for name in names)]
        luck = ("p_not_positive", "chance_hit_rate", "hit_p_value")
        schema += [(name, float | None) for name in luck]
        rows = [
            {self.by: one.name, **{name: getattr(one, name) for name in names}}
            | {name: getattr(one.luck, name) for name in luck}
            for one in self.groups
        ]
        return Table.from_rows(schema, rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw the total gain of each group as a bar."""
        if not self.groups:
            nothing(axes, "no round trips")
            return
        totals = [one.total for one in self.groups]
        bars = axes.bar(range(len(totals)), totals)
        hatch_losses(bars, totals)
        axes.set_xticks(range(len(totals)), [literal(one.name) or "–" for one in self.groups], rotation=60)
        axes.axhline(0.0, color="black", linewidth=0.8)
        axes.set(ylabel="gain after fees", title=f"Gain by {self.by}")
        money(axes.yaxis)

    def __rich__(self) -> object:
        from bank_python.render_trade_analysis import trade_groups_view

        return trade_groups_view(self)
