"""Prices of a strip of options under a power law beside those of Black and Scholes, or the reason for none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.plotting import Plotted, logarithmic
from bank_python.results import Tabular

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray
    from bank_python.taleb.tail_law import TailLaw

__all__ = ["PowerLawPrices"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PowerLawPrices(Plotted, Tabular):
    """Prices by strike; returned by :meth:`PowerLawPricer.price_range`.

    Parameters
    ----------
    spot, alpha : float
        Price of the underlying, and tail index.
    strikes : ndarray, shape (n,)
        Strikes in the order in which they were given.
    pl_prices, bsm_prices : ndarray, shape (n,)
        Prices under the power law, NaN where it says nothing, and by Black and Scholes.
    pl_vols, bsm_vols : ndarray, shape (n,)
        Implied volatilities of both; NaN where there is no price, or none that determines a volatility.
    ratio : ndarray, shape (n,)
        Price under the power law over that of Black and Scholes.
    anchor_strike, anchor_price : float
        Strike and price of the option from which the others are scaled.
    reasons : tuple of str, length n
        Reasons for missing prices under the power law; empty text where there is a price.
    is_call : bool
        Whether the options are calls; else puts.
    law : TailLaw
        Law that the tail follows.
    scale : float
        Constant l of the law, implied by the anchor: a share of the spot for ``returns``, else a price.
    expiry, rate : float
        Time in years and rate of the Black–Scholes prices and of the implied volatilities.
    notes : tuple of str
        Remarks on an anchor that does not fit the law.
    """

    spot: float
    alpha: float
    strikes: FloatArray
    pl_prices: FloatArray
    bsm_prices: FloatArray
    pl_vols: FloatArray
    bsm_vols: FloatArray
    ratio: FloatArray
    anchor_strike: float
    anchor_price: float
    reasons: tuple[str, ...]
    is_call: bool
    law: TailLaw
    scale: float
    expiry: float
    rate: float
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.strikes)

    def to_table(self) -> Table:
        """Return a row for each strike: prices, implied volatilities, their ratio, the reason of a missing price."""
        from bank_python.mntable import Table

        columns = {
            "strike": self.strikes,
            "power_law_price": self.pl_prices,
            "bsm_price": self.bsm_prices,
            "power_law_vol": self.pl_vols,
            "bsm_vol": self.bsm_vols,
            "ratio": self.ratio,
        }
        rows = [
            {**{name: _cell(float(values[i])) for name, values in columns.items()}, "reason": self.reasons[i] or None}
            for i in range(len(self))
        ]
        return Table.from_rows([*((name, float | None) for name in columns), ("reason", str | None)], rows)

    def __rich__(self) -> object:
        from bank_python.render_hedging import power_law_prices_view

        return power_law_prices_view(self)

    def _draw_(self, axes: Axes) -> None:
        order = np.argsort(self.strikes)
        axes.plot(
            self.strikes[order], self.pl_prices[order], "-o", markersize=3, label=f"power law, α = {self.alpha:g}"
        )
        axes.plot(self.strikes[order], self.bsm_prices[order], "--s", markersize=3, label="Black–Scholes")
        logarithmic(axes.yaxis)
        axes.set(xlabel="strike", ylabel="price", title="Options in the tail")
        axes.legend()


def _cell(value: float) -> float | None:
    return None if math.isnan(value) else value
