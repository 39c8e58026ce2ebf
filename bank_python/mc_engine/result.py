"""Results of a simulation: P&L, risk measures with their errors, and contributions to them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from bank_python.admission import admits
from bank_python.barbara import storable
from bank_python.deprecation import renamed, warn_of
from bank_python.display import short_text
from bank_python.errors import RiskError
from bank_python.guessing import guessable
from bank_python.plotting import Plotted, money
from bank_python.results import Tabular
from bank_python.risk.stress import StressResults
from bank_python.wording import words_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from bank_python.mc_engine.greeks_validation import GreekCheck
    from bank_python.mntable import Table
    from bank_python.risk.contributions import Contribution
    from bank_python.risk.stress import StressResult
    from bank_python.risk.tail_risk import TailRisk

__all__ = ["INTERACTION", "LEVELS", "Histogram", "MCResult", "TailPair"]

LEVELS = (0.95, 0.99)
"""Confidence levels of the risk measures."""
INTERACTION = "interaction"
"""Name of the contribution of joint moves of several factors, and of time."""


class Histogram(NamedTuple):
    """Histogram of the P&L.

    Parameters
    ----------
    counts : ndarray, shape (bins,)
        Number of scenarios in each bin.
    edges : ndarray, shape (bins + 1,)
        Bin edges, ascending, in the result's currency.
    """

    counts: NDArray[Any]
    edges: NDArray[Any]

    def __repr__(self) -> str:
        return short_text(self)


class TailPair(NamedTuple):
    """Risk measures at both confidence levels of :data:`LEVELS`."""

    at_95: TailRisk
    at_99: TailRisk


def _from_earlier(fields: Mapping[str, object], version: int) -> Mapping[str, object]:
    named = {"factor_model" if version == 1 and name == "law" else name: value for name, value in fields.items()}
    return {**named, "stresses": StressResults(cast("tuple[StressResult, ...]", named.get("stresses", ())))}


_WORDS = {
    **dict.fromkeys(("var", "VaR", "value_at_risk", "quantile"), ".tail(confidence), .var_95 or .var_99"),
    **dict.fromkeys(("es", "ES", "cvar", "CVaR", "expected_shortfall"), ".tail(confidence), .cvar_95 or .cvar_99"),
    **dict.fromkeys(("paths", "scenarios", "simulations", "returns"), ".pnl"),
    **dict.fromkeys(("mean", "std", "describe", "summary"), ".pnl, an array, and .tails"),
}


@guessable
@storable("mc.MCResult", version=3, upgrade=_from_earlier)
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MCResult(Plotted, Tabular):
    """Result of one simulation, returned by :meth:`MonteCarloEngine.run`.

    Risk measures are positive for a loss and in :attr:`currency`.

    Parameters
    ----------
    model, revaluation, factor_model : str
        Joint distribution of the factors' moves (:class:`Model`), valuation method (:class:`Revaluation`), and origin
        of the factor model (:attr:`FactorModel.source`).
    n_paths, random_seed : int
        Number of scenarios and seed of the random numbers, as configured.
    horizon : float
        Length of the simulated period in years.
    currency : str
        ISO 4217 code of the currency of all P&L and measures.
    tick : int
        Number of the graph's tick whose market data were used.
    pnl : ndarray, shape (n_paths,)
        P&L of all traders together in each scenario.
    tails : tuple of TailRisk
        Value at risk and expected shortfall at 95 % and at 99 %.
    traders, factors : mapping of str to tuple of Contribution
        Contributions to the risk by trader and by factor, for each confidence (``"0.95"``, ``"0.99"``). The last of the
        factors is ``interaction``.
    stresses : StressResults
        P&L of the stress tests.
    greek_checks : tuple of GreekCheck
        Simulated Greeks, each with its closed form.
    greeks_left_out : tuple of str
        Names of the options whose Greeks were not simulated, because their payoff is path-dependent.
    fast_error : float, optional
        Root mean square error of the second-order P&L in the worst tenth of the scenarios, as a share of the value at
        risk at 99 %; None with full revaluation.
    repaired : float
        Distance, in the Frobenius norm, to the nearest correlation matrix if the factor model was repaired, else 0.
    timings : mapping of str to float
        Run times in seconds, by part of the run.
    trader_pnl : ndarray, shape (traders, n_paths), optional
        P&L of each trader in each scenario; None in a stored result.
    """

    model: str
    revaluation: str
    factor_model: str
    n_paths: int
    random_seed: int
    horizon: float
    currency: str
    tick: int
    pnl: NDArray[Any]
    tails: tuple[TailRisk, ...]
    traders: Mapping[str, tuple[Contribution, ...]]
    factors: Mapping[str, tuple[Contribution, ...]]
    stresses: StressResults = field(default_factory=StressResults)
    greek_checks: tuple[GreekCheck, ...] = ()
    greeks_left_out: tuple[str, ...] = ()
    fast_error: float | None = None
    repaired: float = 0.0
    timings: Mapping[str, float] = field(default_factory=dict)
    trader_pnl: NDArray[Any] | None = None

    @property
    def law(self) -> str:
        """Old name of `factor_model`."""
        warn_of("MCResult.law", "factor_model")
        return self.factor_model

    if not TYPE_CHECKING:
        __getattr__ = words_of(_WORDS)

    @renamed(level="confidence")
    @admits(RiskError)
    def tail(self, confidence: float) -> TailRisk:
        """Return the risk measures at a confidence level.

        Raises
        ------
        RiskError
            There are no measures at that confidence.
        """
        for tail in self.tails:
            if math.isclose(tail.confidence, confidence):
                return tail
        raise RiskError(
            f"no measures at {confidence!r}; there are {', '.join(f'{t.confidence:g}' for t in self.tails)}",
            value=confidence,
        )

    @property
    def var_95(self) -> float:
        """Value at risk at 95 %."""
        return self.tail(0.95).var

    @property
    def var_99(self) -> float:
        """Value at risk at 99 %."""
        return self.tail(0.99).var

    @property
    def cvar_95(self) -> float:
        """Expected shortfall at 95 %."""
        return self.tail(0.95).es

    @property
    def cvar_99(self) -> float:
        """Expected shortfall at 99 %."""
        return self.tail(0.99).es

    @renamed(level="confidence")
    @admits(RiskError)
    def by_trader(self, confidence: float = 0.99) -> dict[str, Contribution]:
        """Return the contribution of each trader, by name.

        Raises
        ------
        RiskError
            There are no measures at that confidence.
        """
        return {part.name: part for part in self.traders[_key(self.tail(confidence))]}

    def pnl_by_trader(self) -> dict[str, NDArray[Any]]:
        """Return the P&L of each trader in all scenarios, shape (n_paths,), by name.

        Raises
        ------
        RiskError
            The result was read from a store, which does not hold the traders' scenarios.
        """
        if self.trader_pnl is None:
            raise RiskError("a stored result does not hold the traders' scenarios; run the simulation again")
        names = [part.name for part in self.traders[_key(self.tails[0])]]
        return dict(zip(names, self.trader_pnl, strict=True))

    @renamed(level="confidence")
    @admits(RiskError)
    def by_factor(self, confidence: float = 0.99) -> dict[str, Contribution]:
        """Return the contribution of each factor, moved on its own in the tail scenarios; the last is ``interaction``.

        Raises
        ------
        RiskError
            There are no measures at that confidence.
        """
        return {part.name: part for part in self.factors[_key(self.tail(confidence))]}

    @property
    def worst_z_score(self) -> float:
        """Largest difference of a simulated Greek from its closed form, in standard errors; 0 without checks."""
        return max((abs(check.z_score) for check in self.greek_checks), default=0.0)

    @admits(RiskError)
    def histogram(self, bins: int = 40) -> Histogram:
        """Return the histogram of the P&L; the outermost bins include all beyond the 0.05 % and 99.95 % quantiles."""
        if bins < 1:
            raise RiskError(f"bins={bins!r} is not a whole number of at least 1", value=bins)
        low, high = np.quantile(self.pnl, [0.0005, 0.9995])
        counts, edges = np.histogram(np.clip(self.pnl, low, high), bins=bins, range=(float(low), float(high)))
        return Histogram(counts, edges)

    def to_table(self) -> Table:
        """Return a table with one row for each figure: measures, contributions, stress tests, Greeks."""
        from bank_python.mntable import Table

        rows: list[dict[str, object]] = []
        for tail in self.tails:
            rows += [
                _row("firm", "firm", f"var_{tail.confidence:.0%}", tail.var, tail.var_error),
                _row("firm", "firm", f"cvar_{tail.confidence:.0%}", tail.es, tail.es_error),
            ]
        for kind, parts in (("trader", self.traders), ("factor", self.factors)):
            for key, of_level in parts.items():
                for part in of_level:
                    rows += [
                        _row(kind, part.name, f"var_{float(key):.0%}", part.var),
                        _row(kind, part.name, f"cvar_{float(key):.0%}", part.es),
                        _row(kind, part.name, f"incremental_var_{float(key):.0%}", part.incremental_var),
                    ]
        for stress in self.stresses:
            rows.append(_row("stress", stress.key, "pnl", stress.pnl))
            rows.append(_row("stress", stress.key, "covered", stress.covered))
        rows += [
            _row("greek", check.contract, f"{check.greek}, {check.method}", check.simulated, check.error)
            for check in self.greek_checks
        ]
        schema = [("kind", str), ("name", str), ("figure", str), ("value", float | None), ("error", float | None)]
        return Table.from_rows(schema, rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw the distribution of the P&L with VaR and expected shortfall at both confidence levels."""
        counts, edges = self.histogram(80)
        axes.stairs(counts, edges, fill=True, alpha=0.5)
        for tail, style in zip(self.tails, ("--", "-"), strict=False):
            label = f"VaR {tail.confidence:.0%}: {tail.var:,.0f}"
            axes.axvline(-tail.var, color="black", linestyle=style, label=label)
            label = f"ES {tail.confidence:.0%}: {tail.es:,.0f}"
            axes.axvline(
                -tail.es, color="black", linestyle=style, linewidth=0.8, marker="v", markevery=[1], label=label
            )
        days = 252.0 * self.horizon
        title = f"P&L over {days:.3g} day{'' if days == 1.0 else 's'}, {self.model}, {self.n_paths:,} scenarios"
        axes.set(xlabel=f"P&L, {self.currency}", ylabel="scenarios", title=title)
        money(axes.xaxis)
        axes.legend()

    def __rich__(self) -> object:
        from bank_python.render_risk import simulation_view

        return simulation_view(self)


def _key(tail: TailRisk) -> str:
    return f"{tail.confidence:g}"


def _row(kind: str, name: str, figure: str, value: float, error: float = math.nan) -> dict[str, object]:
    cells = {"value": value, "error": error}
    shown = {key: None if math.isnan(cell) else cell for key, cell in cells.items()}
    return {"kind": kind, "name": name, "figure": figure, **shown}
