"""From data to the five components of the risk score: one documented scale for each figure.

Market figures are scored by where they lie in their own history, always by the same rule: the calmest quarter of all
days scores below 2, the second below 4, the third below 6, the days up to the 95th percentile below 8 and the rest
above, so that the grades AAA, A, BB, B and CCC have a meaning in history. The percentiles are in
:data:`GAUGE_PERCENTILES`; the two ends of these scales, 0 and 10, and all scales without a history are choices, with
the rule that suggested them in :data:`SCORE_INPUTS`. Any scale can be replaced.

===============  =========================================================================================
component        figures, and how several of them are combined
===============  =========================================================================================
market_vol       forecast volatility
credit_risk      mean of: high-yield spread, investment-grade spread, share of value with credit risk,
                 loss at spreads 100 basis points wider
liquidity        worst of: days to liquidate 95 % of the book, cost of crossing the spreads
concentration    worst of: Herfindahl index, share of the largest underlying
macro_regime     mean of: probability of the turbulent regime, share of macro gauges in stress
===============  =========================================================================================

Examples
--------
>>> found = component_scores(vol=0.182, liquidation_days=12.5, exposures={"SPY": 6e5, "TLT": 3e5, "GLD": 1e5})
>>> print(found.readings[0].text)
volatility 18.2% a year → 4.2
>>> {name: round(score, 2) for name, score in found.scores.items()}
{'market_vol': 4.23, 'liquidity': 6.85, 'concentration': 8.4}
>>> found.missing
('credit_risk', 'macro_regime')

References
----------
CBOE, VIX history; Federal Reserve Bank of St. Louis (FRED), BAMLH0A0HYM2 and BAMLC0A0CM: ICE BofA
option-adjusted spreads.

Basel Committee on Banking Supervision, *Minimum capital requirements for market risk* (2019), MAR33.12: liquidity
horizons. SEC rule 22e-4: liquidity classes of funds. Directive 2009/65/EC (UCITS), articles 52 and 53: shares of
issuers.
US Department of Justice and Federal Trade Commission, *Merger Guidelines* (2023), guideline 1: Herfindahl indices.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits, as_numbers
from bank_python.display import Record
from bank_python.errors import RiskError
from bank_python.macro.percentiles import STATED_PERCENTILES
from bank_python.results import Tabular
from bank_python.risk.score_scale import ScoreScale
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = [
    "SCORE_INPUTS",
    "ComponentScores",
    "Reading",
    "ScoreInput",
    "component_scores",
    "herfindahl",
]

_RULE = ((2, 2.0), (3, 4.0), (4, 6.0), (6, 8.0), (7, 9.0))  # position of the percentile, score


def _historical(name: str, safest: float, riskiest: float) -> ScoreScale:
    """Return the scale by percentiles: 25 → 2, 50 → 4, 75 → 6, 95 → 8, 99 → 9, between ends that score 0 and 10."""
    known = STATED_PERCENTILES[name].values  # points and per cent
    return ScoreScale(((safest, 0.0), *((round(0.01 * known[at], 6), score) for at, score in _RULE), (riskiest, 10.0)))


@dataclass(frozen=True, slots=True)
class ScoreInput(Record):
    """A figure that a component of the risk score is made of, with its default scale.

    Parameters
    ----------
    component : str
        Component that the figure belongs to.
    label : str
        Name of the figure in words.
    unit : str
        Unit in words that follows the figure; empty for shares.
    scale : ScoreScale
        Scale from the figure to its score.
    largest : float
        Largest plausible figure; a larger one is rejected, as it is in per cent or basis points.
    reason : str
        Choice of the anchor points, in words.
    least : float, default 0
        Smallest possible figure.
    """

    component: str
    label: str
    unit: str
    scale: ScoreScale
    largest: float
    reason: str
    least: float = 0.0

    def said(self, value: float) -> str:
        """Return a figure in words, with its unit."""
        if self.unit == "days":
            return f"{value:,.3g} days" if math.isfinite(value) else "no finite time"
        if self.unit == "equal names":
            return f"{value:.3f} ({1.0 / value:.1f} equal names)"
        text = f"{100.0 * value:.3g}%"
        return f"{text} {self.unit}" if self.unit else text


_QUARTERS = "percentiles 25, 50, 75, 95 and 99 of its history score 2, 4, 6, 8 and 9"

SCORE_INPUTS: Mapping[str, ScoreInput] = MappingProxyType(
    {
        "vol": ScoreInput(
            "market_vol",
            "volatility",
            "a year",
            _historical("vix", 0.05, 0.80),
            5.0,
            f"the VIX: {_QUARTERS}; 0.80 is near its highest close, of March 2020",
        ),
        "high_yield_spread": ScoreInput(
            "credit_risk",
            "high-yield spread",
            "",
            _historical("high_yield_spread", 0.02, 0.20),
            0.5,
            f"{_QUARTERS}; the ends are choices",
        ),
        "investment_grade_spread": ScoreInput(
            "credit_risk",
            "investment-grade spread",
            "",
            _historical("investment_grade_spread", 0.005, 0.07),
            0.25,
            f"{_QUARTERS}; the ends are choices",
        ),
        "credit_share": ScoreInput(
            "credit_risk",
            "share with credit risk",
            "of value",
            ScoreScale(((0.0, 0.0), (1.0, 10.0))),
            1.0,
            "proportional, a choice",
        ),
        "credit_loss": ScoreInput(
            "credit_risk",
            "spreads 100 bp wider lose",
            "of value",
            ScoreScale(((0.0, 0.0), (0.005, 2.0), (0.01, 4.0), (0.02, 6.0), (0.04, 8.0), (0.08, 10.0))),
            1.0,
            "a choice: spread durations of 1, 2 and 4 years score 4, 6 and 8",
            least=-1.0,
        ),
        "liquidation_days": ScoreInput(
            "liquidity",
            "95% of the book liquidated in",
            "days",
            ScoreScale(((0.0, 0.0), (1.0, 2.0), (3.0, 4.0), (7.0, 6.0), (20.0, 8.0), (60.0, 9.0), (120.0, 10.0))),
            math.inf,
            "3 and 7 days are limits of SEC rule 22e-4, 20, 60 and 120 days liquidity horizons of MAR33.12",
        ),
        "liquidation_cost": ScoreInput(
            "liquidity",
            "crossing the spreads costs",
            "of value",
            ScoreScale(((0.0, 0.0), (0.0005, 2.0), (0.002, 4.0), (0.005, 6.0), (0.02, 8.0), (0.05, 10.0))),
            1.0,
            "a choice: 5, 20, 50 and 200 basis points score 2, 4, 6 and 8",
        ),
        "herfindahl": ScoreInput(
            "concentration",
            "Herfindahl index",
            "equal names",
            ScoreScale(((0.02, 0.0), (0.05, 2.0), (0.10, 4.0), (0.18, 6.0), (0.33, 8.0), (1.0, 10.0))),
            1.0,
            "0.10 and 0.18 are limits of the Merger Guidelines; 0.02, 0.05 and 0.33 are 50, 20 and 3 equal names",
        ),
        "largest_share": ScoreInput(
            "concentration",
            "largest underlying",
            "of gross value",
            ScoreScale(((0.05, 0.0), (0.10, 2.0), (0.20, 4.0), (0.35, 6.0), (0.50, 8.0), (1.0, 10.0))),
            1.0,
            "0.05, 0.10, 0.20 and 0.35 are limits of UCITS on single issuers",
        ),
        "turbulent_probability": ScoreInput(
            "macro_regime",
            "probability of turbulence",
            "",
            ScoreScale(((0.0, 0.0), (1.0, 10.0))),
            1.0,
            "proportional, a choice",
        ),
        "stressed_share": ScoreInput(
            "macro_regime",
            "macro gauges in stress",
            "of all",
            ScoreScale(((0.0, 0.0), (0.1, 2.0), (0.25, 4.0), (0.4, 6.0), (0.6, 8.0), (1.0, 10.0))),
            1.0,
            "a choice: a tenth in stress is usual if stress is the worst tenth of each history",
        ),
    }
)
"""Figures that the components are made of, each with its default scale, by argument of :func:`component_scores`."""

_WORST = frozenset({"liquidity", "concentration"})
"""Components that are the worst of their readings; the others are the mean."""

_COMPONENTS = tuple(dict.fromkeys(item.component for item in SCORE_INPUTS.values()))


@dataclass(frozen=True, slots=True)
class Reading(Record):
    """A figure with its score.

    Parameters
    ----------
    component : str
        Component that the figure belongs to.
    name : str
        Key of the figure in :data:`SCORE_INPUTS`.
    value : float
        Figure in its unit; shares, spreads and volatilities as decimals.
    score : float
        Score of the figure in [0, 10].
    text : str
        Figure and score in words.
    """

    component: str
    name: str
    value: float
    score: float
    text: str


@dataclass(frozen=True, slots=True, repr=False)
class ComponentScores(Tabular):
    """Scores of components with the data behind them; returned by :func:`component_scores`.

    Parameters
    ----------
    readings : tuple of Reading
        Figures with their scores, in the order of the components.
    """

    readings: tuple[Reading, ...]

    @property
    def scores(self) -> dict[str, float]:
        """Score of each component that has data: the worst or the mean of its readings."""
        found: dict[str, list[float]] = {}
        for reading in self.readings:
            found.setdefault(reading.component, []).append(reading.score)
        return {name: max(of) if name in _WORST else math.fsum(of) / len(of) for name, of in found.items()}

    @property
    def missing(self) -> tuple[str, ...]:
        """Components without data."""
        return tuple(name for name in _COMPONENTS if name not in self.scores)

    def to_table(self) -> Table:
        """Return a table with a row for each reading: component, name, value, score, text."""
        from bank_python.mntable import Table

        schema = [("component", str), ("name", str), ("value", float), ("score", float), ("text", str)]
        return Table.from_rows(schema, [{name: getattr(item, name) for name, _ in schema} for item in self.readings])

    def __rich__(self) -> object:
        from bank_python.render_score import component_scores_view

        return component_scores_view(self)


@admits(RiskError)
def component_scores(
    *,
    vol: float | None = None,
    high_yield_spread: float | None = None,
    investment_grade_spread: float | None = None,
    credit_share: float | None = None,
    credit_loss: float | None = None,
    liquidation_days: float | None = None,
    liquidation_cost: float | None = None,
    exposures: Any = None,
    turbulent_probability: float | None = None,
    stressed_share: float | None = None,
    scales: Mapping[str, Any] | None = None,
) -> ComponentScores:
    """Score the components of the risk score from data; whatever is left out is not used.

    Parameters
    ----------
    vol : float, optional
        Forecast volatility of the portfolio or the market per year, as a decimal.
    high_yield_spread, investment_grade_spread : float, optional
        Option-adjusted spreads of credit indices, as decimals: 0.035 is 350 basis points.
    credit_share : float, optional
        Share of the portfolio's value that has credit risk, in [0, 1].
    credit_loss : float, optional
        Loss of the portfolio at spreads wider by 100 basis points (100 times CS01), as a share of its value; below 0
        for a gain.
    liquidation_days : float, optional
        Days to liquidate 95 % of the book; see :func:`~bank_python.risk.liquidation_schedule`. May be infinite.
    liquidation_cost : float, optional
        Cost of crossing half the spreads of all holdings, as a share of their value.
    exposures : mapping of str to float, or array_like, optional
        Gross exposures by underlying in one currency; see :func:`~bank_python.risk.gross_by_underlying`.
    turbulent_probability : float, optional
        Present probability of the turbulent regime, in [0, 1].
    stressed_share : float, optional
        Share of the macro gauges that are in stress, in [0, 1].
    scales : mapping of str to ScoreScale, optional
        Own scales in place of those of :data:`SCORE_INPUTS`, by the same names.

    Raises
    ------
    RiskError
        There are no data, a figure is negative, not finite or in the wrong unit, or a scale has an unknown name.
    """
    given = {
        "vol": vol,
        "high_yield_spread": high_yield_spread,
        "investment_grade_spread": investment_grade_spread,
        "credit_share": credit_share,
        "credit_loss": credit_loss,
        "liquidation_days": liquidation_days,
        "liquidation_cost": liquidation_cost,
        "turbulent_probability": turbulent_probability,
        "stressed_share": stressed_share,
    }
    if exposures is not None:
        gross = _gross(exposures)
        given |= {"herfindahl": herfindahl(exposures), "largest_share": float(gross.max() / gross.sum())}
    chosen = _scales(scales or {})
    readings = [
        _reading(name, float(value), chosen[name]) for name in SCORE_INPUTS if (value := given.get(name)) is not None
    ]
    if not readings:
        raise RiskError(f"there are no data; give at least one of {', '.join(given)}, exposures")
    return ComponentScores(tuple(readings))


@admits(RiskError)
def herfindahl(exposures: Any) -> float:
    """Return the Herfindahl index of exposures: the sum of their squared shares, the inverse of the effective number.

    Parameters
    ----------
    exposures : mapping of str to float, or array_like
        Exposures in one currency; their signs do not matter.

    Raises
    ------
    RiskError
        There are no exposures, one is not finite, or all are 0.

    Examples
    --------
    >>> herfindahl([25.0, 25.0, 25.0, -25.0])
    0.25
    """
    gross = _gross(exposures)
    shares = gross / gross.sum()
    return float(shares @ shares)


def _gross(exposures: Any) -> FloatArray:
    """Return the absolute exposures relative to the largest, which is 1."""
    given = list(exposures.values()) if isinstance(exposures, Mapping) else exposures
    values = as_numbers(given)
    if values is None or values.ndim != 1 or not values.size or isinstance(given, str):
        raise RiskError(
            f"exposures={exposures!r:.60} are no mapping or row of numbers; give those of gross_by_underlying",
            value=exposures,
        )
    gross = np.abs(values)
    if not np.isfinite(gross).all() or not gross.max() > 0.0:
        raise RiskError("the exposures are all 0, or one is not finite; leave the figure out", value=exposures)
    return np.asarray(gross / gross.max())


def _scales(own: Mapping[str, Any]) -> dict[str, ScoreScale]:
    for name, scale in own.items():
        if name not in SCORE_INPUTS:
            others = f"choose among {', '.join(SCORE_INPUTS)}"
            raise RiskError(f"no figure {name!r} to scale; {did_you_mean(name, SCORE_INPUTS, others)}", name=str(name))
        if not isinstance(scale, ScoreScale):
            raise RiskError(f"scales[{name!r}]={scale!r:.60} is not a ScoreScale; give one", name=name, value=scale)
    return {name: item.scale for name, item in SCORE_INPUTS.items()} | dict(own)


def _reading(name: str, value: float, scale: ScoreScale) -> Reading:
    known = SCORE_INPUTS[name]
    if not known.least <= value <= known.largest:
        hint = f"; {value:g} per cent is {value / 100.0:g}" if value > known.largest else ""
        most = "" if math.isinf(known.largest) else f" and at most {known.largest:g}"
        kind = "number" if known.unit == "days" else "decimal"
        raise RiskError(
            f"{name}={value!r} is not a {kind} of at least {known.least:g}{most}{hint}",
            name=name,
            value=value,
        )
    score = float(np.asarray(scale(value)))
    return Reading(known.component, name, value, score, f"{known.label} {known.said(value)} → {score:.1f}")
