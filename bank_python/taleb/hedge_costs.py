r"""What to pay for a smaller hedging error: costs against error, by the number of rebalancings.

Hedging more often shrinks the error and raises the costs: with a round-trip cost k the turnover of a delta grows like
√n. Leland includes the costs in the premium, by a volatility

.. math:: \hat\sigma = \sigma \sqrt{1 + \sqrt{2/\pi}\, \frac{k}{\sigma \sqrt{\Delta t}}}

(:mod:`bank_python.risk_models.leland`). Here a hedge is simulated at several intervals, at the Black–Scholes volatility
and premium, with its costs; beside it stands the premium that Leland asks for more. The best interval is the one whose
loss, costs included, is exceeded with a probability of 5 % only.

Examples
--------
>>> from bank_python.taleb.hedging_error import HedgingErrorSimulator
>>> found = cost_trade_off(HedgingErrorSimulator(T=0.25), 0.01, n_steps=(2, 6, 13, 60), n_paths=5_000)
>>> [row.n_steps for row in found.rows], found.best.n_steps
([2, 6, 13, 60], 13)

References
----------
H. E. Leland, "Option pricing and replication with transactions costs", Journal of Finance 40 (1985), 1283-1301.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bank_python.admission import admits
from bank_python.errors import ModelError
from bank_python.plotting import Plotted, logarithmic
from bank_python.results import Figures, Tabular
from bank_python.risk_models.black_scholes import black_scholes_price
from bank_python.risk_models.leland import leland_number, leland_volatility
from bank_python.taleb.hedge_law import HedgeLaw, Scaling
from bank_python.taleb.hedging_error import HedgingErrorSimulator  # noqa: TC001 - read by admits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from bank_python.mntable import Table

__all__ = ["CostTradeOff", "HedgeFrequency", "cost_trade_off"]


@dataclass(frozen=True, slots=True)
class HedgeFrequency(Figures):
    """Costs and error of a hedge at one interval, in money of the start; losses of the seller.

    Parameters
    ----------
    n_steps : int
        Number of rebalancings.
    interval : float
        Time between two in years.
    leland_number, leland_vol : float
        Leland's number and volatility of the seller.
    leland_cost : float
        Premium at Leland's volatility less the Black–Scholes premium.
    mean_cost : float
        Mean cost of the simulated rebalancings.
    std_error : float
        Standard deviation of the error without costs.
    total_std : float
        Standard deviation of error and costs together.
    mean_loss : float
        Mean of error and costs at the Black–Scholes premium.
    var_95, es_95 : float
        Loss, costs included, that is exceeded with a probability of 5 %, and the mean of those.
    """

    n_steps: int
    interval: float
    leland_number: float
    leland_vol: float
    leland_cost: float
    mean_cost: float
    std_error: float
    total_std: float
    mean_loss: float
    var_95: float
    es_95: float


@dataclass(frozen=True, slots=True, repr=False)
class CostTradeOff(Plotted, Tabular):
    """Error against costs by the number of rebalancings; returned by :func:`cost_trade_off`.

    Parameters
    ----------
    distribution : str
        Law of the moves.
    round_trip_cost : float
        Cost of buying and selling again, as a fraction of the value.
    rows : tuple of HedgeFrequency
        Figures by increasing number of rebalancings.
    """

    distribution: str
    round_trip_cost: float
    rows: tuple[HedgeFrequency, ...]

    @property
    def best(self) -> HedgeFrequency:
        """The interval with the smallest 95 % loss, costs included."""
        return min(self.rows, key=lambda row: row.var_95)

    def to_table(self) -> Table:
        """Return a row for each number of rebalancings."""
        from bank_python.mntable import Table

        kinds = [(name, int if name == "n_steps" else float) for name in HedgeFrequency.__slots__]
        return Table.from_rows(kinds, [row.to_dict() for row in self.rows])

    def __rich__(self) -> object:
        from bank_python.render_hedging import trade_off_view

        return trade_off_view(self)

    def _draw_(self, axes: Axes) -> None:
        steps = [row.n_steps for row in self.rows]
        axes.plot(steps, [row.mean_cost for row in self.rows], "-", label="mean cost")
        axes.plot(steps, [row.leland_cost for row in self.rows], ":", label="cost by Leland")
        axes.plot(steps, [row.std_error for row in self.rows], "--", label="deviation of the error")
        axes.plot(steps, [row.var_95 for row in self.rows], "-.", label="95 % loss with costs")
        logarithmic(axes.xaxis)
        axes.set(xlabel="rebalancings", ylabel="amount", title="Error of the hedge against its cost")
        axes.legend()


@admits(ModelError)
def cost_trade_off(
    simulator: HedgingErrorSimulator,
    round_trip_cost: float,
    n_steps: Sequence[int] = (5, 10, 20, 40, 80, 160),
    distribution: HedgeLaw | str = HedgeLaw.GAUSSIAN,
    n_paths: int = 10_000,
    df: float = 3.0,
    alpha: float = 3.0,
    seed: int | None = 42,
    *,
    scaling: Scaling | str | None = None,
) -> CostTradeOff:
    """Simulate a hedge with costs at several intervals.

    Parameters
    ----------
    simulator : HedgingErrorSimulator
        Option and hedge; its own number of rebalancings and its costs are replaced.
    round_trip_cost : float
        Cost of buying and selling again, as a fraction of the value, in [0, 1]: the whole spread and the fees of both.
    n_steps : sequence of int, default (5, 10, 20, 40, 80, 160)
        Numbers of rebalancings, at least one.
    distribution, n_paths, df, alpha, seed, scaling
        Settings, as for :meth:`HedgingErrorSimulator.simulate`; without a seed the errors without costs, from which
        `std_error` comes, are those of other paths.

    Raises
    ------
    ModelError
        An argument is out of range.
    """
    if not len(n_steps):
        raise ModelError("n_steps is empty; give at least one number of rebalancings", name="n_steps", value=n_steps)
    settings = {"n_paths": n_paths, "df": df, "alpha": alpha, "seed": seed, "scaling": scaling}
    rows = []
    for count in sorted(set(n_steps)):
        free = replace(simulator, n_steps=count, round_trip_cost=0.0)
        rows.append(_frequency(free, round_trip_cost, distribution, settings))
    return CostTradeOff(HedgeLaw(distribution).value, float(round_trip_cost), tuple(rows))


def _frequency(
    free: HedgingErrorSimulator, cost: float, distribution: HedgeLaw | str, settings: Mapping[str, object]
) -> HedgeFrequency:
    charged = replace(free, round_trip_cost=cost)
    without = free.simulate(distribution, **settings)  # type: ignore[arg-type]  # checked there
    found = charged.simulate(distribution, **settings)  # type: ignore[arg-type]  # checked there
    interval = free.T / free.n_steps
    vol = float(leland_volatility(free.vol, cost, interval))
    asked = float(black_scholes_price(free.spot, free.strike, free.T, free.rate, vol))
    fair = float(black_scholes_price(free.spot, free.strike, free.T, free.rate, free.vol))
    return HedgeFrequency(
        n_steps=free.n_steps,
        interval=interval,
        leland_number=float(leland_number(free.vol, cost, interval)),
        leland_vol=vol,
        leland_cost=asked - fair,
        mean_cost=found.mean_cost,
        std_error=without.std_error,
        total_std=found.std_error,
        mean_loss=found.mean_error,
        var_95=found.var_95,
        es_95=found.es_95,
    )
