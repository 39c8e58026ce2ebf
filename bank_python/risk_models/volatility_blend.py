r"""A volatility over some hours, blended from HAR, GARCH and the average true range.

Each model gives a volatility over the horizon, as a fraction of the price. The blend is their mean with the weights
0.30 (HAR), 0.40 (GARCH) and 0.30 (ATR). The weight of a model that could not be fitted goes to the others in
proportion, and the result says so. GARCH's weight is multiplied by 0.3 where its volatility exceeds twice that of HAR.

========  ==============================================================================================================
HAR       log-log regression of the mean squared return of the next day on those of 1, 7 and 30 days; 200 rows or more
GARCH     GARCH(1,1), normal with mean 0, of 100 times log returns; 500 rows or more
ATR       average true range over the price, times the square root of horizon / length of a bar
========  ==============================================================================================================

The average true range is a range, not a standard deviation: for a random walk that is observed all the time it is about
1.6 standard deviations of a bar.

Examples
--------
>>> blend = combine_volatility(4.0, har=0.010, garch=0.025, atr=0.015)
>>> [(part.model, round(part.share, 3)) for part in blend.parts]
[('HAR', 0.417), ('GARCH', 0.167), ('ATR', 0.417)]
>>> round(blend.volatility, 6), blend.parts[1].said
(0.014583, 'weight times 0.3, as it exceeds 2 times HAR')
>>> combine_volatility(4.0, har=0.010, garch=None, atr=0.015).parts[1].said
'not given; its weight goes to HAR and ATR'
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import CalibrationError, ModelError
from bank_python.plotting import Plotted, percent
from bank_python.results import Tabular
from bank_python.risk_models.garch import fit_garch
from bank_python.risk_models.garch_fit import GarchFit
from bank_python.risk_models.har import fit_har
from bank_python.risk_models.indicators import atr
from bank_python.risk_models.price_bars import hours_between, price_bars

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray
    from bank_python.risk_models.price_bars import PriceBars

__all__ = ["BlendPart", "VolatilityBlend", "blend_volatility", "combine_volatility"]

_MODELS = {"har": "HAR", "garch": "GARCH", "atr": "ATR"}
_WEIGHTS = {"har": 0.30, "garch": 0.40, "atr": 0.30}
_MOST_OF_HAR = 2.0
_REDUCTION = 0.3
_HAR_DAYS = (1, 7, 30)
_DAY = 24.0
_FLOOR = 1e-8  # of the mean squared return, where a bar did not move and has no logarithm
_LONGEST = 10_000.0
_FEWEST_RETURNS = 500  # for GARCH
_PERCENT = 100.0
_FARTHEST = 30.0  # ratio of a given volatility to that of the bars; per cent for decimals is 100


@dataclass(frozen=True, slots=True)
class BlendPart(Record):
    """What one model contributes to a blend.

    Parameters
    ----------
    model : str
        Name of the model: ``"HAR"``, ``"GARCH"`` or ``"ATR"``.
    volatility : float or None
        Volatility over the horizon as a fraction of the price; None if the model could not be fitted.
    weight : float
        Weight as stated, at least 0.
    share : float
        Weight as used, in [0, 1]; the shares of a blend add up to 1.
    said : str
        Explanation of a share that differs from the weight, or of how the model was fitted.
    """

    model: str
    volatility: float | None
    weight: float
    share: float
    said: str


@dataclass(frozen=True, slots=True, repr=False)
class VolatilityBlend(Plotted, Tabular):
    """A blended volatility; returned by :func:`blend_volatility` and :func:`combine_volatility`.

    Parameters
    ----------
    horizon_hours : float
        Horizon in hours, above 0.
    parts : tuple of BlendPart
        Contribution of each model, HAR, GARCH and ATR.
    price : float or None
        Price that the volatility is a fraction of; None if it is not known.
    bar_hours : float or None
        Length of a bar in hours; None if no bars were given.
    """

    horizon_hours: float
    parts: tuple[BlendPart, ...]
    price: float | None = None
    bar_hours: float | None = None

    @property
    def volatility(self) -> float:
        """Volatility over the horizon as a fraction of the price."""
        return math.fsum(part.share * part.volatility for part in self.parts if part.volatility is not None)

    @property
    def price_move(self) -> float | None:
        """Volatility over the horizon in the unit of the price; None if there is no price."""
        return None if self.price is None else self.price * self.volatility

    @admits(ModelError)
    def annualised(self, hours_per_year: float) -> float:
        """Return the volatility per year.

        Parameters
        ----------
        hours_per_year : float
            Hours of trading in a year, above 0: 24 × 365 for crypto.

        Raises
        ------
        ModelError
            `hours_per_year` is not a finite number above 0.
        """
        return self.volatility * math.sqrt(_hours("hours_per_year", hours_per_year) / self.horizon_hours)

    def to_table(self) -> Table:
        """Return a table with a row for each model: volatility, stated weight, share used, explanation."""
        from bank_python.mntable import Table

        schema = [("model", str), ("volatility", float | None), ("weight", float), ("share", float), ("said", str)]
        return Table.from_rows(schema, [{name: getattr(part, name) for name, _ in schema} for part in self.parts])

    def _draw_(self, axes: Axes) -> None:
        """Draw the volatility of each model as a bar with its share, and the blend as a line."""
        known = [part for part in self.parts if part.volatility is not None]
        names = [f"{part.model}\n{part.share:.0%} of the blend" for part in known]
        axes.bar(names, [part.volatility or 0.0 for part in known], color=[f"C{i}" for i in range(len(known))])
        axes.axhline(self.volatility, color="black", linestyle="--")
        title = f"Volatility over {self.horizon_hours:g} hours: {self.volatility:.2%} (dashed)"
        axes.set(ylabel="fraction of the price", title=title)
        percent(axes.yaxis)

    def __rich__(self) -> object:
        from bank_python.render_volatility import blend_view

        return blend_view(self)


@admits(ModelError)
def combine_volatility(
    horizon_hours: float,
    *,
    har: float | None,
    garch: float | None,
    atr: float | None,
    weights: Mapping[str, float] | None = None,
) -> VolatilityBlend:
    """Blend volatilities that are known already.

    Parameters
    ----------
    horizon_hours : float
        Horizon in hours, above 0.
    har, garch, atr : float or None
        Volatility over the horizon by each model, as a fraction of the price, above 0; None if there is none. One per
        year is to be multiplied by the square root of `horizon_hours` over the hours of a year first.
    weights : mapping of str to float, optional
        Weights of ``har``, ``garch`` and ``atr``, at least 0; by default 0.30, 0.40, 0.30.

    Raises
    ------
    ModelError
        A volatility is not a finite number above 0, none is known, or a weight is not allowed.
    """
    found = {"har": har, "garch": garch, "atr": atr}
    for name, value in found.items():
        if value is not None and not (value > 0.0 and math.isfinite(value)):
            problem = f"{name}={value!r} is not a volatility; give a finite number above 0, or None"
            raise ModelError(problem, name=name, value=value)
    said = {name: "not given" if value is None else "given" for name, value in found.items()}
    return VolatilityBlend(_hours("horizon_hours", horizon_hours), _parts(found, said, _weights(weights)))


@admits(ModelError)
def blend_volatility(
    bars: Any,
    horizon_hours: float,
    *,
    bar_hours: float | None = None,
    garch: GarchFit | float | None = None,
    garch_scale: float | None = None,
    n: int = 14,
    weights: Mapping[str, float] | None = None,
) -> VolatilityBlend:
    """Blend the volatilities of the three models, fitted to bars.

    Parameters
    ----------
    bars : PriceHistory, pandas.DataFrame or mapping
        Bars of equal length, oldest first: a price history, or columns ``high``, ``low`` and ``close`` with their times
        as index or as column ``date``.
    horizon_hours : float
        Horizon in hours, above 0, at most 10,000 bars.
    bar_hours : float, optional
        Hours of trading in a bar; by default the time from each bar to the next, which has to be always the same.
    garch : GarchFit or float, optional
        Fitted GARCH model of the returns of such bars, or the volatility over the horizon by one, as a fraction of the
        price; by default one is fitted.
    garch_scale : float, optional
        Factor of the returns in a fit given as `garch`: 100 for per cent, 1 for decimals.
    n : int, default 14
        Number of bars in the average true range.
    weights : mapping of str to float, optional
        Weights of ``har``, ``garch`` and ``atr``, at least 0; by default 0.30, 0.40, 0.30.

    Raises
    ------
    ModelError
        A price is not a finite number above 0 (named with its row), the bars are irregular, out of order or of unknown
        length, the prices do not move, `garch` is in another unit than they, an argument is out of range, or no model
        can be fitted.
    """
    known = price_bars(bars)
    hours = _bar_hours(known.times, bar_hours)
    steps = _hours("horizon_hours", horizon_hours) / hours
    if steps > _LONGEST:
        said = f"horizon_hours={horizon_hours!r} is {steps:.6g} bars; the longest horizon is {_LONGEST:.0f} bars"
        raise ModelError(said, name="horizon_hours", value=horizon_hours)
    returns = np.diff(np.log(known.close))
    if not (np.abs(returns) > 1e-14).any():  # noqa: PLR2004 - the rounding of a logarithm of prices
        raise ModelError(f"the {len(known.close)} closes do not move, so there is no volatility; check the series")
    chosen = _weights(weights)
    fitted = {
        "har": _har(returns, hours, steps),
        "garch": _garch(garch, garch_scale, returns, steps),
        "atr": _range(known, n, steps),
    }
    volatilities = {name: volatility for name, (volatility, _) in fitted.items()}
    parts = _parts(volatilities, {name: said for name, (_, said) in fitted.items()}, chosen)
    return VolatilityBlend(float(horizon_hours), parts, float(known.close[-1]), hours)


def _hours(name: str, hours: float) -> float:
    if not (hours > 0.0 and math.isfinite(hours)):
        raise ModelError(f"{name}={hours!r} is not a finite number above 0; give hours", name=name, value=hours)
    return float(hours)


def _bar_hours(times: NDArray[np.datetime64] | None, stated: float | None) -> float:
    if stated is not None:
        return _hours("bar_hours", stated)
    if times is None:
        raise ModelError("the bars have no times to tell their length; state bar_hours", name="bar_hours")
    return hours_between(times)


def _weights(weights: Mapping[str, float] | None) -> dict[str, float]:
    if weights is None:
        return dict(_WEIGHTS)
    for name, weight in weights.items():
        if name not in _MODELS:
            raise ModelError(f"no model {name!r}; give weights of {', '.join(_MODELS)}", name="weights", value=name)
        if not (weight >= 0.0 and math.isfinite(weight)):
            raise ModelError(f"the weight {weight!r} of {name} is not a number of at least 0", name=name, value=weight)
    return {name: float(weights.get(name, 0.0)) for name in _MODELS}


def _parts(
    found: Mapping[str, float | None], said: Mapping[str, str], weights: Mapping[str, float]
) -> tuple[BlendPart, ...]:
    """Return the parts of a blend, whose shares add up to 1."""
    used = {name: weights[name] for name, value in found.items() if value is not None}
    notes = dict(said)
    har, garch = found["har"], found["garch"]
    if har is not None and garch is not None and garch > _MOST_OF_HAR * har:
        used["garch"] *= _REDUCTION
        notes["garch"] = f"weight times {_REDUCTION:g}, as it exceeds {_MOST_OF_HAR:g} times HAR"
    total = math.fsum(used.values())
    if not total > 0.0:
        why = "; ".join(f"{_MODELS[name]}: {notes[name]}" for name in _MODELS)
        raise ModelError(f"no model with a weight above 0 gives a volatility: {why}; give more bars, or other weights")
    others = " and ".join(_MODELS[name] for name in used if used[name] > 0.0)
    for name, value in found.items():
        if value is None and weights[name] > 0.0:
            notes[name] += f"; its weight goes to {others}"
    return tuple(
        BlendPart(_MODELS[name], found[name], weights[name], used.get(name, 0.0) / total, notes[name])
        for name in _MODELS
    )


def _har(returns: FloatArray, hours: float, steps: float) -> tuple[float | None, str]:
    lags = tuple(max(1, round(days * _DAY / hours)) for days in _HAR_DAYS)
    if len(set(lags)) < len(lags):
        return None, f"not fitted: bars of {hours:g} hours are too long for means of {_HAR_DAYS} days"
    squares = returns * returns
    try:
        fit = fit_har(squares, lags, ahead=lags[0], floor=_FLOOR * float(squares.mean()))
    except CalibrationError as error:
        return None, f"not fitted: {error}"
    return math.sqrt(_over(fit.forecast(math.ceil(steps)), steps)), f"{fit.rows:,} rows"


def _garch(
    given: GarchFit | float | None, scale: float | None, returns: FloatArray, steps: float
) -> tuple[float | None, str]:
    if isinstance(given, GarchFit):
        if scale is None or not (scale > 0.0 and math.isfinite(scale)):
            raise ModelError(
                f"garch_scale={scale!r}: give the factor of the returns in that fit, 100 for per cent, 1 for decimals",
                name="garch_scale",
                value=scale,
            )
        found = math.sqrt(_over(given.forecast(math.ceil(steps)), steps)) / scale
        _require_same_unit("garch_scale", scale, found, returns, steps)
        return found, "given as a fit"
    if given is not None:
        if not (given > 0.0 and math.isfinite(given)):
            said = f"garch={given!r} is not a volatility; give a finite number above 0"
            raise ModelError(said, name="garch", value=given)
        _require_same_unit("garch", given, given, returns, steps)
        return float(given), "given"
    if len(returns) < _FEWEST_RETURNS:
        return None, f"not fitted: {len(returns)} returns are fewer than {_FEWEST_RETURNS}"
    try:
        fit = fit_garch(_PERCENT * returns, mean="zero")
    except CalibrationError as error:
        return None, f"not fitted: {error}"
    if not fit.converged:
        return None, f"not used: {'; '.join(fit.notes)}"
    return math.sqrt(_over(fit.forecast(math.ceil(steps)), steps)) / _PERCENT, "; ".join(
        (f"{len(returns):,} returns", *fit.notes)
    )


def _require_same_unit(name: str, value: float, volatility: float, returns: FloatArray, steps: float) -> None:
    """Refuse a volatility so far from that of the bars over as long that it must be in another unit."""
    usual = math.sqrt(steps * float((returns * returns).mean()))
    if not usual / _FARTHEST < volatility < usual * _FARTHEST:
        raise ModelError(
            f"{name}={value!r} means a volatility of {volatility:.3g} over the horizon, and the bars have moved by "
            f"{usual:.3g} over as long; give decimals, not per cent, over the horizon, not per year",
            name=name,
            value=value,
        )


def _range(bars: PriceBars, n: int, steps: float) -> tuple[float | None, str]:
    if n > len(bars.close):
        return None, f"not computed: {len(bars.close)} bars are fewer than {n}"
    average = float(atr(bars.high, bars.low, bars.close, n)[-1])
    if not average > 0.0:
        return None, "not computed: the true ranges are 0"
    return average / float(bars.close[-1]) * math.sqrt(steps), f"{n} bars"


def _over(variances: FloatArray, steps: float) -> float:
    """Return the variance over a number of bars, of which the last may be a part."""
    whole = int(steps)
    part = (steps - whole) * float(variances[whole]) if steps > whole else 0.0
    return float(variances[:whole].sum()) + part
