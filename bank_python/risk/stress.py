"""Stress tests: P&L of holdings in scenarios, by full revaluation.

Examples
--------
>>> from bank_python.instruments import Book, Equity, Position
>>> from bank_python.market_data import MarketData
>>> from bank_python.risk.valuation import plan_valuation
>>> spy = Equity("SPY", spot_source=MarketData("SPY_SPOT", 585.0))
>>> book = Book("ALICE", [Position("P", instrument=spy, quantity=100, cost=585.0)])
>>> [result] = run_stresses(plan_valuation([book]), ["covid_2020"])
>>> round(result.pnl), result.missing
(-19832, ())
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import TYPE_CHECKING, overload

import numpy as np

from bank_python.admission import admits
from bank_python.barbara import storable
from bank_python.errors import RiskError
from bank_python.plotting import Plotted, draw_figure, hatch_losses, legend_beside, literal, money, nothing, row_height
from bank_python.results import Figures, Tabular
from bank_python.risk.stress_mapping import Betas, Status, stress_moves
from bank_python.risk.stress_scenarios import REFERENCE_STRESSES
from bank_python.risk.stress_shocks import scenarios_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray
    from bank_python.risk.stress_mapping import Rule, StressMove
    from bank_python.risk.stress_scenarios import StressScenario
    from bank_python.risk.stress_shocks import Scenarios
    from bank_python.risk.valuation import ValuationPlan

__all__ = ["StressResult", "StressResults", "run_stresses"]

_MOST_TRADERS = 6
_LONGEST_TITLE = 40
_LETTERS = 9.0


@storable("risk.StressResult", version=1)
@dataclass(frozen=True, slots=True)
class StressResult(Figures):
    """P&L of holdings in one stress scenario.

    Parameters
    ----------
    key, title : str
        Key and title of the scenario.
    pnl : float
        P&L of all contracts for which the moves of all factors are known, in currency units.
    by_unit : mapping of str to float
        P&L of each trader (or book), in currency units.
    exact, mapped : int
        Number of factors with a shock of their own in the scenario, and of factors moved by a beta to a driver.
    missing : tuple of str
        Names of the factors without a shock, even by a beta.
    left_out : tuple of str
        Names of the contracts that depend on missing factors; they are left out of all figures.
    betas : {"stated", "regressed", "given"}
        Source of the mapped factors' betas to the share index (:class:`~bank_python.risk.stress_mapping.Betas`); empty
        in a result stored by an early version.
    covered : float
        Share of the book's gross value that the figures cover, in [0, 1]; NaN in a result stored by an early version.
    rest : mapping of str to float
        Gross value of each contract left out, in the plan's currency.
    """

    key: str
    title: str
    pnl: float
    by_unit: Mapping[str, float]
    exact: int
    mapped: int
    missing: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    betas: str = ""
    covered: float = math.nan
    rest: Mapping[str, float] = field(default_factory=dict)

    def by_trader(self) -> dict[str, float]:
        """Return the P&L of each trader (or book, if books were given); they add up to :attr:`pnl`."""
        return dict(self.by_unit)


@storable("risk.StressResults", version=1)
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StressResults(Plotted, Tabular, Sequence[StressResult]):
    """P&L of holdings in several stress scenarios, returned by :func:`run_stresses`; used as a tuple.

    Parameters
    ----------
    results : tuple of StressResult
        Result of each scenario.
    currency : str, default ""
        ISO 4217 code of the currency of all P&L.
    """

    results: tuple[StressResult, ...] = ()
    currency: str = ""

    def __len__(self) -> int:
        return len(self.results)

    def __iter__(self) -> Iterator[StressResult]:
        return iter(self.results)

    @overload
    def __getitem__(self, at: int) -> StressResult: ...
    @overload
    def __getitem__(self, at: slice) -> StressResults: ...
    def __getitem__(self, at: int | slice) -> StressResult | StressResults:
        return StressResults(self.results[at], self.currency) if isinstance(at, slice) else self.results[at]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, StressResults):
            return self.results == other.results
        return self.results == other if isinstance(other, tuple) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # results hold mappings, which have no hash

    def by_key(self) -> dict[str, StressResult]:
        """Return the results by key of their scenarios."""
        return {result.key: result for result in self.results}

    def to_table(self) -> Table:
        """Return a table with a row for each scenario: P&L, share covered, what is left out, P&L of each trader.

        The traders' columns are called ``pnl_`` and the trader's name.
        """
        from bank_python.mntable import Table

        traders = self._traders()
        rows = [
            {
                "scenario": result.key,
                "title": result.title,
                "pnl": result.pnl,
                "covered": None if math.isnan(result.covered) else result.covered,
                "left_out": ", ".join(result.left_out),
                **{f"pnl_{name}": result.by_unit.get(name) for name in traders},
            }
            for result in self.results
        ]
        schema = [("scenario", str), ("title", str), ("pnl", float), ("covered", float | None), ("left_out", str)]
        return Table.from_rows([*schema, *((f"pnl_{name}", float | None) for name in traders)], rows)

    def plot(
        self, path: str | os.PathLike[str] | None = None, *, axes: Axes | None = None, traders: bool = False
    ) -> Figure:
        """Draw the P&L of each scenario, the largest loss on top.

        Parameters
        ----------
        path : path, optional
            File to write, in the format of its suffix: ``.png``, ``.svg`` or ``.pdf``.
        axes : matplotlib.axes.Axes, optional
            Axes to draw on; by default those of a new figure.
        traders : bool, default False
            Whether the bars are split by trader; beyond the six largest, the others are one.

        Returns
        -------
        matplotlib.figure.Figure
            The figure, which notebooks show.

        Raises
        ------
        MissingExtraError
            matplotlib is not installed (extra ``plot``).
        """
        return draw_figure(self._draw_by_trader if traders else self._draw_, path, axes)

    def _draw_(self, axes: Axes) -> None:
        """Draw the P&L of each scenario as a bar, losses hatched, the largest on top."""
        ordered = self._ordered(axes)
        if ordered:
            pnl = [result.pnl for result in ordered]
            hatch_losses(axes.barh(range(len(ordered)), pnl), pnl)
            axes.set_title("Stress scenarios; losses hatched")

    def _draw_by_trader(self, axes: Axes) -> None:
        """Draw the P&L of each scenario, split by trader: gains to the right, losses to the left of 0."""
        ordered = self._ordered(axes)
        if not ordered:
            return
        up, down = np.zeros(len(ordered)), np.zeros(len(ordered))
        for (name, pnl), hatch in zip(
            self._shares(ordered).items(), cycle(("", "///", "...", "xxx", "---", "++", "|||"))
        ):
            start = np.where(pnl > 0.0, up, down)
            axes.barh(range(len(ordered)), pnl, left=start, hatch=hatch, edgecolor="white", label=literal(name))
            up, down = up + np.maximum(pnl, 0.0), down + np.minimum(pnl, 0.0)
        total = [result.pnl for result in ordered]
        axes.plot(total, range(len(ordered)), linestyle="", marker="D", color="black", label="total")
        axes.set_title("Stress scenarios by trader")
        legend_beside(axes)

    def _ordered(self, axes: Axes) -> list[StressResult]:
        """Return the results by P&L, and label the axes for them."""
        ordered = sorted(self.results, key=lambda result: result.pnl)
        if not ordered:
            nothing(axes, "no stress scenarios")
            return ordered
        size = min(_LETTERS, 0.8 * row_height(axes, len(ordered)))
        axes.set_yticks(range(len(ordered)), [literal(_short(result)) for result in ordered], fontsize=size)
        axes.invert_yaxis()
        axes.axvline(0.0, color="black", linewidth=0.8)
        axes.grid(visible=False, axis="y")
        axes.grid(visible=True, axis="x")
        axes.set_xlabel(f"P&L, {self.currency}" if self.currency else "P&L")
        money(axes.xaxis)
        return ordered

    def _shares(self, ordered: Sequence[StressResult]) -> dict[str, FloatArray]:
        """Return the P&L of each of the largest traders in each scenario, then that of all others."""
        pnl = {name: np.array([result.by_unit.get(name, 0.0) for result in ordered]) for name in self._traders()}
        names = sorted(pnl, key=lambda name: -float(np.abs(pnl[name]).sum()))
        shares = {name: pnl[name] for name in names[:_MOST_TRADERS]}
        others = names[_MOST_TRADERS:]
        return shares | ({f"{len(others)} others": np.sum([pnl[name] for name in others], axis=0)} if others else {})

    def _traders(self) -> list[str]:
        return list(dict.fromkeys(name for result in self.results for name in result.by_unit))

    def __rich__(self) -> object:
        from bank_python.render_risk import stress_view

        return stress_view(self)


def _short(result: StressResult) -> str:
    title = result.title
    return title if len(title) <= _LONGEST_TITLE else f"{title[: _LONGEST_TITLE - 1]}…"


@admits(RiskError)
def run_stresses(
    plan: ValuationPlan,
    scenarios: Scenarios | None = None,
    *,
    rules: Sequence[Rule] | None = None,
    betas: Mapping[str, float] | None = None,
    choice: Betas | str | None = None,
) -> StressResults:
    """Revalue holdings in each stress scenario.

    Parameters
    ----------
    plan : ValuationPlan
        Holdings to revalue.
    scenarios : iterable of StressScenario, str or mapping, optional
        Scenarios, their keys in the stress library, or mappings of drivers and factors to shocks, such as
        ``{"equity": -0.2, "vol": 0.1}`` or ``{"AAPL_SPOT": -0.3}``, with their units as
        :mod:`bank_python.risk.stress_shocks` says and all other factors unchanged. Also one scenario alone, or a
        mapping of titles to such mappings. By default :data:`~bank_python.risk.REFERENCE_STRESSES`.
    rules, betas
        Mapping rules and betas, as for :func:`~bank_python.risk.stress_mapping.stress_moves`.
    choice : Betas or {"stated", "regressed", "given"}, optional
        Source of `betas` that the results report; "given" by default, and "stated" without `betas`.

    Returns
    -------
    StressResults
        Results in the order of `scenarios`, as a tuple of :class:`StressResult` that can be shown, exported and drawn.

    Raises
    ------
    RiskError
        A key is not that of a scenario, a name not that of a driver or factor, a contract has no price in a scenario,
        or `choice` contradicts `betas`.

    Examples
    --------
    >>> from bank_python.instruments import Book, Equity, Position
    >>> from bank_python.market_data import MarketData
    >>> from bank_python.risk.valuation import plan_valuation
    >>> spy = Equity("SPY", spot_source=MarketData("SPY_SPOT", 500.0))
    >>> plan = plan_valuation([Book("ALICE", [Position("P", instrument=spy, quantity=100, cost=500.0)])])
    >>> [(result.title, round(result.pnl)) for result in run_stresses(plan, [{"equity": -0.2}, {"SPY": 0.1}])]
    [('equity -0.2', -10000), ('SPY 0.1', 5000)]
    """
    source = _choice(choice, betas)
    chosen = scenarios_of(REFERENCE_STRESSES if scenarios is None else scenarios, plan.factors)
    return StressResults(tuple(_run(plan, scenario, rules, betas, source) for scenario in chosen), plan.currency)


def _choice(choice: Betas | str | None, betas: Mapping[str, float] | None) -> Betas:
    if choice is None:
        return Betas.STATED if betas is None else Betas.GIVEN
    if choice not in (*Betas, *(known.value for known in Betas)):
        known = ", ".join(repr(item.value) for item in Betas)
        raise RiskError(f"choice={choice!r} is not a source of betas; choose one of {known}", value=choice)
    named = Betas(choice)
    if (named is Betas.STATED) is not (betas is None):
        remedy = (
            "takes no betas=; leave them out"
            if named is Betas.STATED
            else "needs betas=; give regressed_betas(factor_model, plan), for example"
        )
        raise RiskError(f"choice={named.value!r} {remedy}", value=named.value)
    return named


def _run(
    plan: ValuationPlan,
    scenario: StressScenario,
    rules: Sequence[Rule] | None,
    betas: Mapping[str, float] | None,
    choice: Betas,
) -> StressResult:
    moves = stress_moves(scenario, plan.factors, rules, betas)
    missing = [i for i, move in enumerate(moves) if move.status is Status.MISSING]
    levels = _levels(plan, moves)
    covered, left_out = plan.without(missing)
    pnl = covered.pnl(levels)[:, 0]
    if not np.isfinite(pnl).all():
        raise covered.fault(levels)
    statuses = [move.status for move in moves]
    return StressResult(
        scenario.key,
        scenario.title,
        float(pnl.sum()),
        dict(zip(plan.units, pnl.tolist(), strict=True)),
        statuses.count(Status.EXACT),
        statuses.count(Status.MAPPED),
        tuple(plan.factors[i].name for i in missing),
        left_out,
        choice.value,
        *_coverage(plan, left_out),
    )


def _coverage(plan: ValuationPlan, left_out: Sequence[str]) -> tuple[float, dict[str, float]]:
    """Return the covered share of the book's gross value, and the gross value of each contract left out."""
    gross = plan.gross_by_contract()
    rest = {name: gross[name] for name in left_out}
    total = math.fsum(gross.values())
    if total > 0.0:
        return 1.0 - math.fsum(rest.values()) / total, rest
    return (1.0 - len(rest) / len(gross) if gross else 1.0), rest  # all values are 0: the share by number


def _levels(plan: ValuationPlan, moves: Sequence[StressMove]) -> FloatArray:
    levels = [
        now if move.status is Status.MISSING else move.level
        for now, move in zip(plan.base.tolist(), moves, strict=True)
    ]
    return np.array(levels)[:, None]
