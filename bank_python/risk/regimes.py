r"""Regimes of a series by Markov switching: calm and turbulent markets, expansions and recessions.

In each period the series is in one of k regimes, which follow each other as a Markov chain. A regime has a mean and,
unless the variance is common, a variance of its own; around its mean the series may be an autoregression (Hamilton's
model). Which regime a period belonged to is not observed, but has a probability: *filtered*, given the series until
then, or *smoothed*, given all of it.

Examples
--------
>>> rng = np.random.default_rng(3)
>>> moves = 0.01 * rng.standard_normal(500)
>>> moves[200:300] *= 4.0
>>> found = fit_regimes(moves, order_by="variance")
>>> found.volatilities.round(3).tolist(), found.current_regime, found.is_supported
([0.01, 0.039], 0, True)
>>> found.forecast(2).round(2).tolist()
[[1.0, 0.0], [0.99, 0.01]]
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits
from bank_python.errors import RiskError
from bank_python.numerics.observation_dates import checked_dates, dates_of
from bank_python.plotting import Plotted
from bank_python.results import Tabular
from bank_python.risk.regime_picture import draw_regimes
from bank_python.risk_models.markov_switching import SearchReport, SwitchingErrors, SwitchingModel, estimate_switching
from bank_python.wording import did_you_mean, words_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray
    from bank_python.risk_models.markov_switching import SwitchingEstimate

__all__ = ["RegimeFit", "fit_regimes"]

_FEWEST_REGIMES = 2
_MOST_STATES = 256
_FEWEST_TIMES = 20
_TIMES_A_PARAMETER = 2
_MOST_STARTS = 1_000
_LONGEST_FORECAST = 100_000
_ORDERS = ("mean", "variance")
_FEW = 5.0
_CLOSE = 1e-6
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

_WORDS = {
    **dict.fromkeys(
        ("iterations", "n_starts", "reached", "collapsed", "gap", "mle_retvals"), ".search, how it converged"
    ),
    **dict.fromkeys(("llf", "log_likelihood"), ".loglikelihood"),
    **dict.fromkeys(("filtered_marginal_probabilities", "filtered_probabilities"), ".filtered"),
    **dict.fromkeys(("smoothed_marginal_probabilities", "smoothed_probabilities"), ".smoothed"),
    **dict.fromkeys(("expected_durations",), ".durations"),
    **dict.fromkeys(("regime_transition", "transition_matrix", "transmat_"), ".transition, the present regime in rows"),
    **dict.fromkeys(("bse", "std_errors"), ".standard_errors"),
    **dict.fromkeys(("params",), ".means, .variances, .ar and .transition"),
    **dict.fromkeys(("sigma2", "covars_"), ".variances"),
    **dict.fromkeys(("means_",), ".means"),
    **dict.fromkeys(("predict", "states"), ".regimes, the most probable one of each period"),
    **dict.fromkeys(("predict_proba",), ".smoothed"),
    **dict.fromkeys(("startprob_", "steady_state"), ".stationary"),
    **dict.fromkeys(("summary",), ".to_table(), or print the result"),
}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RegimeFit(Plotted, Tabular):
    """Regimes of a series; returned by :func:`fit_regimes`. Regimes are numbered from 0, in the order of `order_by`.

    Parameters
    ----------
    values : ndarray, shape (n,)
        The series, oldest first; read-only.
    dates : tuple of date, optional
        Date of each value; None if none were given.
    name : str
        Name of the series; empty if it has none.
    order : int
        Number of autoregressive lags r.
    switching_variance : bool
        Whether each regime has a variance of its own.
    means, variances : ndarray, shape (k,)
        Mean of each regime, and variance of the innovations in it, in the unit of the series (squared) and per period.
    ar : ndarray, shape (r,)
        Autoregressive coefficients of the deviations from the means, that of the last period first.
    transition : ndarray, shape (k, k)
        Transition matrix: ``transition[i, j]`` is the probability that regime i is followed by regime j; rows sum to 1.
    filtered, smoothed : ndarray, shape (n - r, k)
        Probability of each regime in each period from the r-th on, given the series until then, and given all of it.
    loglikelihood, single_loglikelihood : float
        Log-likelihood given the first r values, and that of an autoregression with one regime of the same values.
    standard_errors : SwitchingErrors
        Standard errors ``means``, ``variances``, ``ar`` and ``transition`` by the observed information; NaN if the
        series does not determine the parameters, 0 for a transition that never happens.
    search : SearchReport
        Convergence, numbers of steps, of starts, of those that led to the result, and of those left.
    """

    values: FloatArray
    dates: tuple[dt.date, ...] | None
    name: str
    order: int
    switching_variance: bool
    means: FloatArray
    variances: FloatArray
    ar: FloatArray
    transition: FloatArray
    filtered: FloatArray
    smoothed: FloatArray
    loglikelihood: float
    single_loglikelihood: float
    standard_errors: SwitchingErrors
    search: SearchReport

    if not TYPE_CHECKING:
        __getattr__ = words_of(_WORDS)

    @property
    def converged(self) -> bool:
        """Whether the log-likelihood is within 1e-6 of a maximum."""
        return self.search.converged

    @property
    def n_regimes(self) -> int:
        """Number of regimes k."""
        return len(self.means)

    @property
    def observations(self) -> int:
        """Number of periods whose likelihood counts: all but the first r."""
        return len(self.filtered)

    @property
    def n_parameters(self) -> int:
        """Number of estimated parameters."""
        return SwitchingModel(self.n_regimes, self.order, self.switching_variance).size

    @property
    def volatilities(self) -> FloatArray:
        """Standard deviation of the innovations in each regime, in the unit of the series, per period; shape (k,)."""
        return np.asarray(np.sqrt(self.variances))

    @property
    def durations(self) -> FloatArray:
        """Expected number of periods that a regime lasts, 1/(1 − probability of staying); infinite if it never ends."""
        stays = np.diag(self.transition)
        left = self.transition.sum(axis=1, where=~np.eye(len(stays), dtype=bool))
        return np.asarray(np.divide(1.0, left, out=np.full(len(stays), np.inf), where=left > 0.0))

    @property
    def stationary(self) -> FloatArray:
        """Share of time that each regime takes in the long run; shape (k,)."""
        k = self.n_regimes
        return np.asarray(np.linalg.lstsq(np.eye(k) - self.transition.T + 1.0, np.ones(k), rcond=None)[0])

    @property
    def probability_now(self) -> FloatArray:
        """Probability of each regime in the last period; shape (k,)."""
        return np.asarray(self.filtered[-1])

    @property
    def current_regime(self) -> int:
        """The most probable regime of the last period."""
        return int(self.filtered[-1].argmax())

    @property
    def regimes(self) -> NDArray[np.int64]:
        """The regime with the largest smoothed probability in each period from the r-th on; shape (n - r,)."""
        return np.asarray(self.smoothed.argmax(axis=1))

    @property
    def aic(self) -> float:
        """Information criterion of Akaike; smaller is better."""
        return 2.0 * (self.n_parameters - self.loglikelihood)

    @property
    def bic(self) -> float:
        """Information criterion of Schwarz; smaller is better."""
        return self.n_parameters * math.log(self.observations) - 2.0 * self.loglikelihood

    @property
    def single_bic(self) -> float:
        """Information criterion of Schwarz of an autoregression with one regime."""
        return (2 + self.order) * math.log(self.observations) - 2.0 * self.single_loglikelihood

    @property
    def is_supported(self) -> bool:
        """Whether the series supports its regimes: :attr:`bic` is below that of one regime."""
        return self.bic < self.single_bic

    @property
    def remarks(self) -> tuple[str, ...]:
        """What to know before the figures are used, in words."""
        said = _NUMBERS[self.n_regimes] if self.n_regimes < len(_NUMBERS) else str(self.n_regimes)
        beside = f"BIC {self.bic:,.1f}, with one regime {self.single_bic:,.1f}"
        remarks = [
            f"{said} regimes supported: {beside}" if self.is_supported else f"no evidence of {said} regimes: {beside}"
        ]
        if not self.converged:
            gap = self.search.gap
            why = f"the log-likelihood may be {gap:.2g} higher" if gap > _CLOSE else "this is no maximum"
            remarks.append(
                f"not converged after {self.search.iterations} steps, {why} (raise max_iterations or n_starts)"
            )
        counts = self.smoothed.sum(axis=0).tolist()
        few = [
            f"regime {i} has only {count:.1f} expected observations" for i, count in enumerate(counts) if count < _FEW
        ]
        remarks.extend(few)
        left = self.search.collapsed
        if left:
            remarks.append(f"{left} of {self.search.n_starts} starts left: a regime had shrunk to a single value")
        if np.isnan(self.standard_errors.means).any():
            remarks.append("no standard errors: the likelihood is flat in some direction")
        if self.order and np.abs(np.roots([1.0, *(-self.ar)])).max(initial=0.0) >= 1.0:
            remarks.append("the autoregression is not stationary; give changes of the series instead of its levels")
        return tuple(remarks)

    @admits(RiskError)
    def forecast(self, horizon: int) -> FloatArray:
        """Return the probability of each regime in each of the next periods, shape (horizon, k).

        Parameters
        ----------
        horizon : int
            Number of periods ahead, at least 1; the first row is the next period.

        Raises
        ------
        RiskError
            `horizon` is not a whole number of at least 1.
        """
        if not 1 <= horizon <= _LONGEST_FORECAST:
            raise RiskError(
                f"horizon={horizon!r} is not a whole number of periods from 1 to {_LONGEST_FORECAST:,}", value=horizon
            )
        ahead = [self.filtered[-1] @ self.transition]
        for _ in range(int(horizon) - 1):
            ahead.append(ahead[-1] @ self.transition)
        return np.array(ahead)

    def to_table(self) -> Table:
        """Return a table with a row for each period from the r-th on: value, regime, probabilities of each regime."""
        from bank_python.mntable import Table

        at, kind = ("observation", int) if self.dates is None else ("date", type(self.dates[0]))
        moments: Sequence[Any] = range(len(self.values)) if self.dates is None else self.dates
        probabilities = [f"{what}_{i}" for what in ("filtered", "smoothed") for i in range(self.n_regimes)]
        names = (at, "value", "regime", *probabilities)
        figures = np.column_stack([self.filtered, self.smoothed]).tolist()
        rows = zip(
            moments[self.order :], self.values[self.order :].tolist(), self.regimes.tolist(), figures, strict=True
        )
        schema = [(at, kind), ("value", float), ("regime", int), *((name, float) for name in probabilities)]
        return Table.from_rows(
            schema,
            [dict(zip(names, (moment, value, regime, *each), strict=True)) for moment, value, regime, each in rows],
        )

    def _draw_(self, axes: Axes) -> None:
        """Draw the series with the regimes shaded, and the smoothed probability of each regime below."""
        at: Sequence[Any] = range(len(self.values)) if self.dates is None else self.dates
        labels = [
            f"{i}: mean {mean:.3g}, volatility {volatility:.3g}"
            for i, (mean, volatility) in enumerate(zip(self.means.tolist(), self.volatilities.tolist(), strict=True))
        ]
        title = f"{self.n_regimes} regimes{f' of {self.name}' if self.name else ''}, now {self.current_regime}"
        draw_regimes(axes, at[self.order :], self.values[self.order :], self.smoothed, labels, title)

    def __rich__(self) -> object:
        from bank_python.render_regimes import regimes_view

        return regimes_view(self)


@admits(RiskError)
def fit_regimes(
    x: ArrayLike,
    n_regimes: int = 2,
    order: int = 0,
    switching_variance: bool = True,
    seed: int = 0,
    *,
    n_starts: int = 10,
    order_by: str = "mean",
    dates: Iterable[Any] | None = None,
    max_iterations: int = 200,
) -> RegimeFit:
    """Fit regimes to a series by maximum likelihood (Hamilton's Markov-switching autoregression).

    Parameters
    ----------
    x : array_like, shape (n,)
        Series such as returns or growth rates, oldest first, in any unit; a pandas series gives its dates and its name.
    n_regimes : int, default 2
        Number of regimes k, at least 2.
    order : int, default 0
        Number of autoregressive lags r of the deviations from the means; 0 for means and variances alone.
    switching_variance : bool, default True
        Whether each regime has a variance of its own.
    seed : int, default 0
        Seed of the starts that are drawn; the same seed gives the same result.
    n_starts : int, default 10
        Number of starts of the search, from 1 to 1,000.
    order_by : {"mean", "variance"}, default "mean"
        Figure by which regimes are numbered, the smallest first: regime 0 is the one with the lowest mean, such as a
        recession, or the calmest.
    dates : iterable of date, datetime, numpy.datetime64 or pandas.Timestamp, length n, optional
        Date of each value, ascending; by default the index of a series, if it holds dates.
    max_iterations : int, default 200
        Largest number of steps of each kind in the search.

    Raises
    ------
    RiskError
        A value is not finite, there are too few or too few distinct ones, or an option is out of range.
    CalibrationError
        The series is constant, or every start ends with a regime on a single value.

    Notes
    -----
    The chain starts in its stationary distribution, and the likelihood is that of all values but the first r, given
    these. Whether the series has regimes at all is not tested but judged by :attr:`RegimeFit.is_supported`, because the
    usual likelihood-ratio test does not apply (parameters of the second regime mean nothing under the first).

    References
    ----------
    J. D. Hamilton, "A new approach to the economic analysis of nonstationary time series and the business cycle",
    Econometrica 57 (1989), 357-384.
    """
    values = _series(x)
    _require_options(n_regimes, order, seed, n_starts, order_by, max_iterations)
    model = SwitchingModel(int(n_regimes), int(order), bool(switching_variance))
    dates = dates_of(x) if dates is None else dates
    known = None if dates is None else checked_dates(dates, len(values))
    _require_enough(values, known, model)
    found = estimate_switching(
        values, model, n_starts=int(n_starts), seed=int(seed), max_iterations=int(max_iterations)
    )
    keys = (found.means, found.variances) if order_by == "mean" else (found.variances, found.means)
    return _result(values, known, str(getattr(x, "name", None) or ""), model, found.ordered(np.lexsort(keys[::-1])))


def _result(
    values: FloatArray,
    dates: tuple[dt.date, ...] | None,
    name: str,
    model: SwitchingModel,
    found: SwitchingEstimate,
) -> RegimeFit:
    for array in (values, found.means, found.variances, found.ar, found.transition, found.filtered, found.smoothed):
        array.setflags(write=False)
    return RegimeFit(
        values,
        dates,
        name,
        model.order,
        model.switching_variance,
        found.means,
        found.variances,
        found.ar,
        found.transition,
        found.filtered,
        found.smoothed,
        found.loglikelihood,
        found.single_loglikelihood,
        found.errors,
        found.search,
    )


def _series(x: ArrayLike) -> FloatArray:
    values = np.array(x, dtype=np.float64)
    if values.ndim != 1:
        raise RiskError(f"a series of shape {values.shape}; give one series of numbers", value=values.shape)
    return values


def _require_options(n_regimes: int, order: int, seed: int, n_starts: int, order_by: str, max_iterations: int) -> None:
    if n_regimes < _FEWEST_REGIMES:
        raise RiskError(f"n_regimes={n_regimes!r}; regimes switch between at least 2", value=n_regimes)
    if order < 0:
        raise RiskError(f"order={order!r} is below 0; give the number of lags", value=order)
    if (order + 1) * math.log(n_regimes) > math.log(_MOST_STATES) + 1e-9:
        raise RiskError(
            f"{n_regimes} regimes with {order} lags are {n_regimes}^{order + 1} states, more than {_MOST_STATES}; take "
            "fewer regimes or lags",
            value=n_regimes,
        )
    if seed < 0:
        raise RiskError(f"seed={seed!r} is below 0; give a whole number of at least 0", value=seed)
    if not 1 <= n_starts <= _MOST_STARTS:
        raise RiskError(f"n_starts={n_starts!r} is outside 1 to {_MOST_STARTS:,}; 10 is usual", value=n_starts)
    if max_iterations < 1:
        raise RiskError(f"max_iterations={max_iterations!r} is below 1; 200 is usual", value=max_iterations)
    if order_by not in _ORDERS:
        hint = did_you_mean(order_by, _ORDERS, "choose 'mean' or 'variance'")
        raise RiskError(f"order_by={order_by!r} is no order of regimes; {hint}", value=order_by)


def _require_enough(values: FloatArray, dates: tuple[dt.date, ...] | None, model: SwitchingModel) -> None:
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        at, value = int(bad[0]), float(values[bad[0]])
        when = f"number {at}" if dates is None else f"number {at}, {dates[at]}"
        others = bad.size - 1
        more = f", nor {'is' if others == 1 else 'are'} {others} more" if others else ""
        raise RiskError(
            f"the value {value!r} ({when}) is not a finite number{more}; leave out what is missing", value=value
        )
    fewest = max(_FEWEST_TIMES, _TIMES_A_PARAMETER * model.size) + model.order
    if len(values) < fewest:
        raise RiskError(
            f"{len(values)} observations for {model.size} parameters; give at least {fewest}, or fewer regimes or lags",
            value=len(values),
        )
    distinct = len(np.unique(values))
    if 1 < distinct <= model.regimes:
        raise RiskError(
            f"the series has only {distinct} distinct values for {model.regimes} regimes; the values are the regimes",
            value=distinct,
        )
