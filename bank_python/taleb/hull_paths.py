r"""A sold option hedged along one path of prices, as a table: delta, shares, their cost, and interest on the debt.

At each date the seller holds delta shares for each option, borrows what they cost, and pays interest on all that he has
borrowed so far. At expiry he delivers the shares for the strike, or holds none. What he then owes is the cost of the
hedge, which on average over all paths, discounted, is the Black–Scholes price.

Two paths are those of Hull's book: 100,000 calls on a stock at 49, with a strike of 50 and 20 weeks to go, at a
volatility of 20 % and a rate of 5 %. One ends in the money, one out of it.

Examples
--------
>>> in_the_money, out_of_the_money = hull_paths()
>>> f"{in_the_money.cost:,.2f} and {out_of_the_money.cost:,.2f}; premium {in_the_money.premium:,.0f}"
'263,241.65 and 256,541.94; premium 240,053'

References
----------
J. C. Hull, *Options, Futures, and Other Derivatives*, chapter "The Greek letters", the two tables of the simulation of
delta hedging. They print 263,300 and 256,600, with deltas of three digits and prices of whole cents: a price that is
half a cent off changes the cost of a trade of 20,000 shares by 100.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError
from bank_python.numerics.normal import normal_cdf
from bank_python.numerics.ranges import number_in_range
from bank_python.plotting import Plotted, axes_below
from bank_python.results import Tabular
from bank_python.risk_models.black_scholes import black_scholes_price
from bank_python.risk_models.observations import price_series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["HULL_IN_THE_MONEY", "HULL_OUT_OF_THE_MONEY", "HedgeReplay", "hull_paths", "replay_hedge"]

HULL_IN_THE_MONEY = (
    *(49.0, 48.12, 47.37, 50.25, 51.75, 53.12, 53.0, 51.87, 51.38, 53.0, 49.88),
    *(48.5, 49.88, 50.37, 52.13, 51.88, 52.87, 54.87, 54.62, 55.87, 57.25),
)
"""Weekly prices of Hull's first path, which ends in the money."""
HULL_OUT_OF_THE_MONEY = (
    *(49.0, 49.75, 52.0, 50.0, 48.38, 48.25, 48.75, 49.63, 48.25, 48.25, 51.12),
    *(51.5, 49.88, 49.88, 48.75, 47.5, 48.0, 46.25, 48.13, 46.63, 48.12),
)
"""Weekly prices of Hull's second path, which ends out of the money."""

_MOST_DIGITS = 15
_FEWEST = 2
_MOST_GROWTH = 300.0  # logarithm of a factor that is far from an overflow


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class HedgeReplay(Plotted, Tabular):
    """A hedge along one path; returned by :func:`replay_hedge`.

    Parameters
    ----------
    times : ndarray, shape (n + 1,)
        Times in years, from 0 to the expiry.
    prices : ndarray, shape (n + 1,)
        Prices of the underlying.
    deltas : ndarray, shape (n + 1,)
        Delta of one call; at expiry 1 if it is exercised, else 0.
    shares_bought : ndarray, shape (n + 1,)
        Shares bought, negative if sold.
    cost_of_shares : ndarray, shape (n + 1,)
        Amount paid for them.
    cumulative_cost : ndarray, shape (n + 1,)
        Debt after the trade, with interest.
    interest : ndarray, shape (n + 1,)
        Interest on the debt until the next date, 0 at expiry.
    strike, expiry, rate : float
        Terms of the calls and continuously compounded rate.
    calls : float
        Number of calls sold.
    premium : float
        Black–Scholes price of all calls at the start; NaN where the deltas are not those of one volatility.
    """

    times: FloatArray
    prices: FloatArray
    deltas: FloatArray
    shares_bought: FloatArray
    cost_of_shares: FloatArray
    cumulative_cost: FloatArray
    interest: FloatArray
    strike: float
    expiry: float
    rate: float
    calls: float
    premium: float

    @property
    def exercised(self) -> bool:
        """Whether the calls end in the money."""
        return bool(self.prices[-1] > self.strike)

    @property
    def cost(self) -> float:
        """Cost of the hedge at expiry: the debt, less the strike if the shares are delivered for it."""
        received = self.strike * self.calls if self.exercised else 0.0
        return float(self.cumulative_cost[-1]) - received

    @property
    def discounted_cost(self) -> float:
        """Cost of the hedge in money of the start."""
        return self.cost * math.exp(-self.rate * self.expiry)

    @property
    def loss(self) -> float:
        """Loss of the seller in money of the start: the discounted cost less the premium."""
        return self.discounted_cost - self.premium

    def to_table(self) -> Table:
        """Return a row for each date: time, price, delta, shares bought, their cost, debt, interest."""
        from bank_python.mntable import Table

        columns = {
            "time": self.times,
            "price": self.prices,
            "delta": self.deltas,
            "shares_bought": self.shares_bought,
            "cost_of_shares": self.cost_of_shares,
            "cumulative_cost": self.cumulative_cost,
            "interest": self.interest,
        }
        rows = [{name: float(values[i]) for name, values in columns.items()} for i in range(len(self.times))]
        return Table.from_rows([(name, float) for name in columns], rows)

    def __rich__(self) -> object:
        from bank_python.render_hedging import replay_view

        return replay_view(self)

    def _draw_(self, axes: Axes) -> None:
        axes.plot(self.times, self.prices, label="price")
        axes.axhline(self.strike, linestyle=":", color="grey", label="strike")
        axes.set(ylabel="price", title="A hedge along its path")
        axes.legend()
        lower = axes_below(axes)
        lower.step(self.times, self.deltas, where="post", color="C1")
        lower.set(xlabel="years", ylabel="delta")


@admits(ModelError)
def replay_hedge(
    prices: ArrayLike,
    strike: float,
    expiry: float,
    vol: float,
    rate: float = 0.0,
    *,
    calls: float = 1.0,
    delta_digits: int | None = None,
) -> HedgeReplay:
    """Return the hedge of sold calls along a path of prices, rebalanced at each of them.

    Parameters
    ----------
    prices : array_like, shape (n + 1,)
        Prices at equal distances from the start to the expiry, n ≥ 1, above 0.
    strike, expiry, vol : float
        Strike, years to expiry and annual volatility of the calls, all above 0.
    rate : float, default 0.0
        Continuously compounded rate of the debt and of the deltas.
    calls : float, default 1.0
        Number of calls sold, above 0.
    delta_digits : int, optional
        Number of decimals to which deltas are rounded, as in printed tables; by default none are.

    Raises
    ------
    ModelError
        An argument is out of range, or a price is not a number above 0; it is named by its row.

    Examples
    --------
    >>> replay = replay_hedge(HULL_IN_THE_MONEY, 50.0, 20 / 52, 0.2, 0.05, calls=100_000, delta_digits=3)
    >>> round(replay.cost), int(replay.shares_bought[0])
    (263338, 52200)
    """
    path = price_series("prices", prices, _FEWEST)
    terms = {"strike": strike, "expiry": expiry, "vol": vol, "calls": calls}
    K, T, sigma, count = (number_in_range(name, value, ModelError, above=0.0) for name, value in terms.items())
    r = number_in_range("rate", rate, ModelError)
    if abs(r * T) > _MOST_GROWTH:
        raise ModelError(
            f"rate={r:g} over {T:g} years is a factor of e^{r * T:g}, which leaves the range of numbers; give a "
            "fraction per year, 0.05 for 5 %",
            name="rate",
            value=r,
        )
    if delta_digits is not None:
        number_in_range("delta_digits", delta_digits, ModelError, least=0, most=_MOST_DIGITS)
    steps = len(path) - 1
    left = T * (1.0 - np.arange(steps) / steps)
    spread = sigma * np.sqrt(left)
    deltas = np.asarray(normal_cdf((np.log(path[:-1] / K) + r * left) / spread + 0.5 * spread))
    if delta_digits is not None:
        deltas = np.round(deltas, delta_digits)
    premium = count * float(black_scholes_price(path[0], K, T, r, sigma))
    return replay_of(path, deltas, K, T, r, count, premium)


def replay_of(
    prices: FloatArray,
    deltas: FloatArray,
    strike: float,
    expiry: float,
    rate: float,
    calls: float,
    premium: float = math.nan,
) -> HedgeReplay:
    """Return the table of a hedge whose deltas are known.

    Parameters
    ----------
    prices : ndarray, shape (n + 1,)
        Prices at equal distances from the start to the expiry.
    deltas : ndarray, shape (n,)
        Deltas at all of them but the last.
    strike, expiry, rate, calls, premium
        Terms, as fields of :class:`HedgeReplay`.
    """
    held = np.append(deltas, 1.0 if prices[-1] > strike else 0.0)
    bought = np.diff(held, prepend=0.0) * calls
    paid = bought * prices
    steps = len(prices) - 1
    earned = math.expm1(rate * expiry / steps)
    debt, interest = np.empty(steps + 1), np.zeros(steps + 1)
    owed = 0.0
    for k in range(steps + 1):
        owed += float(paid[k])
        debt[k] = owed
        interest[k] = owed * earned if k < steps else 0.0
        owed += float(interest[k])
    times = np.linspace(0.0, expiry, steps + 1)
    return HedgeReplay(times, prices, held, bought, paid, debt, interest, strike, expiry, rate, calls, premium)


def hull_paths() -> tuple[HedgeReplay, HedgeReplay]:
    """Return Hull's two paths, the one that ends in the money first, with deltas that are not rounded."""
    first, second = (
        replay_hedge(path, 50.0, 20.0 / 52.0, 0.2, 0.05, calls=100_000.0)
        for path in (HULL_IN_THE_MONEY, HULL_OUT_OF_THE_MONEY)
    )
    return first, second
