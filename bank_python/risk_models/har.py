r"""HAR-RV: realised variance regressed on its means over a day, a week and a month.

The heterogeneous autoregression of Corsi is a linear regression on the means :math:`\bar v^{(l)}_t` of the l latest
variances,

.. math:: g\big(\bar v_{t+1, t+a}\big) = \beta_0 + \sum_l \beta_l\, g\big(\bar v^{(l)}_t\big) + e_{t+1}

with g the logarithm, the square root or nothing (Andersen, Bollerslev and Diebold), and the mean of the next a
variances on the left. Markets that trade every day have the lags 1, 7 and 30 days, shares 1, 5 and 22.

The exponential of a forecast of a logarithm is a median, and lower than the mean: for squared returns, about half of
it. The bias correction makes it a mean: ``"smearing"`` by the mean of the exponentials of the residuals (Duan), which
needs no distribution; ``"normal"`` by :math:`e^{s^2/2}`, for residuals that are normal, which those of single squared
returns are not; ``"none"`` leaves the median. For the square root, the corrections add the mean square of the residuals
or s². Forecasts further ahead are iterated, with forecasts in the place of variances that are not known yet.

Examples
--------
>>> shocks = np.random.default_rng(1).normal(size=600)
>>> log_variance = np.zeros(600)
>>> for t in range(1, 600):
...     log_variance[t] = 0.9 * log_variance[t - 1] + 0.3 * shocks[t]
>>> fit = fit_har(1e-4 * np.exp(log_variance), lags=(1, 5, 22))
>>> fit.rows, {name: round(value, 2) for name, value in fit.params.items()}
(578, {'constant': -0.73, 'mean_1': 0.85, 'mean_5': 0.02, 'mean_22': 0.05})
>>> bool(np.all(fit.forecast(3) > 0.0))
True

References
----------
F. Corsi, "A simple approximate long-memory model of realized volatility", Journal of Financial Econometrics 7 (2009),
174-196.

T. G. Andersen, T. Bollerslev and F. X. Diebold, "Roughing it up", Review of Economics and Statistics 89 (2007),
701-720: the logarithm and the square root of the means.

W. K. Newey and K. D. West, "A simple, positive semi-definite, heteroskedasticity and autocorrelation consistent
covariance matrix", Econometrica 55 (1987), 703-708.

N. Duan, "Smearing estimate: a nonparametric retransformation method", Journal of the American Statistical Association
78 (1983), 605-610.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import CalibrationError, ModelError
from bank_python.numerics.rolling import rolling_means
from bank_python.plotting import Plotted, legend_beside
from bank_python.results import Tabular
from bank_python.risk_models.observations import finite_series

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["HarFit", "fit_har"]

_TRANSFORMS = ("log", "sqrt", "level")
_CORRECTIONS = ("smearing", "normal", "none")
_EQUAL = 1e-12  # spread of the variances as a share of the largest that is rounding
_LONGEST_HORIZON = 100_000
_DEPENDENT = "the means of the variances are linearly dependent; give other lags, or more variances"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class HarFit(Plotted, Tabular):
    """A HAR model of variances; returned by :func:`fit_har`.

    Parameters
    ----------
    lags : tuple of int
        Numbers of variances in the means on the right of the regression.
    transform : str
        Function of the variances: ``"log"``, ``"sqrt"`` or ``"level"``.
    ahead : int
        Number of variances in the mean on the left.
    bias_correction : str
        Correction of the transformed forecast: ``"smearing"``, ``"normal"`` or ``"none"``.
    floor : float
        Amount added to variances before the logarithm is taken.
    coefficients : ndarray, shape (n_lags + 1,)
        Constant, then a coefficient for each lag.
    standard_errors, hac_errors : ndarray, shape (n_lags + 1,)
        Standard errors by ordinary least squares, and those that allow for autocorrelation (Newey–West).
    hac_lags : int
        Number of autocorrelations in `hac_errors`.
    responses, predictions : ndarray, shape (rows,)
        Left side of the regression and its fitted values, transformed.
    recent : ndarray, shape (longest lag,)
        Latest variances, from which forecasts start.
    """

    lags: tuple[int, ...]
    transform: str
    ahead: int
    bias_correction: str
    floor: float
    coefficients: FloatArray
    standard_errors: FloatArray
    hac_errors: FloatArray
    hac_lags: int
    responses: FloatArray
    predictions: FloatArray
    recent: FloatArray

    @property
    def rows(self) -> int:
        """Number of rows of the regression."""
        return len(self.responses)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coefficients: ``constant``, then ``mean_1`` and so on for each lag."""
        return ("constant", *(f"mean_{lag}" for lag in self.lags))

    @property
    def params(self) -> dict[str, float]:
        """Coefficients by name."""
        return dict(zip(self.names, self.coefficients.tolist(), strict=True))

    @property
    def residuals(self) -> FloatArray:
        """Responses less predictions, transformed; shape (rows,)."""
        return self.responses - self.predictions

    @property
    def residual_deviation(self) -> float:
        """Standard deviation s of the residuals, with the number of coefficients subtracted from the rows."""
        return math.sqrt(float((self.residuals**2).sum()) / (self.rows - len(self.coefficients)))

    @property
    def r_squared(self) -> float:
        """Share of the variation of the responses that is explained; of their logarithms for ``"log"``."""
        about_mean = self.responses - self.responses.mean()
        return 1.0 - float((self.residuals**2).sum()) / float((about_mean**2).sum())

    @property
    def fitted_variances(self) -> FloatArray:
        """Variance forecast for each row of the regression, with the bias correction; shape (rows,)."""
        return self._variance_of(self.predictions)

    @admits(ModelError)
    def forecast(self, horizon: int = 1) -> FloatArray:
        """Return forecasts of the next variances.

        Parameters
        ----------
        horizon : int, default 1
            Number of periods, in [1, 100000]. Where `ahead` is above 1, that many periods have their mean each.

        Returns
        -------
        ndarray, shape (horizon,)
            Variance of each period in the unit of the given variances.

        Raises
        ------
        ModelError
            `horizon` is out of range, or a forecast is not above 0 (possible without logarithms).
        """
        if not 1 <= horizon <= _LONGEST_HORIZON:
            said = f"horizon={horizon!r} is outside [1, {_LONGEST_HORIZON}]; give a number of periods"
            raise ModelError(said, name="horizon", value=horizon)
        longest, blocks = max(self.lags), -(-horizon // self.ahead)
        path = np.concatenate([self.recent, np.empty(blocks * self.ahead)])
        for block in range(blocks):
            now = longest + block * self.ahead
            means = np.array([path[now - lag : now].mean() for lag in self.lags])
            response = self.coefficients[0] + self.coefficients[1:] @ _transformed(means, self.transform, self.floor)
            path[now : now + self.ahead] = self._checked(response, now - longest)
        return path[longest : longest + horizon].copy()

    def _checked(self, response: float, period: int) -> float:
        possible = self.transform != "sqrt" or response > 0.0
        variance = float(self._variance_of(np.asarray(response))) if possible else response
        if not (possible and 0.0 < variance < math.inf):
            raise ModelError(
                f"the forecast {variance:.3g} of period {period + 1} is not a variance; use transform='log', with "
                "which every forecast is above 0",
                value=variance,
            )
        return variance

    def _variance_of(self, response: FloatArray) -> FloatArray:
        """Return the variance that is expected if the transformed forecast is `response`."""
        residuals, s = self.residuals, self.residual_deviation
        if self.transform == "log":
            factors = {"smearing": float(np.exp(residuals).mean()), "normal": math.exp(0.5 * s * s), "none": 1.0}
            return np.asarray(np.exp(response) * factors[self.bias_correction] - self.floor)
        if self.transform == "sqrt":
            added = {"smearing": float((residuals**2).mean()), "normal": s * s, "none": 0.0}
            return np.asarray(response**2 + added[self.bias_correction])
        return np.asarray(response)

    def to_table(self) -> Table:
        """Return a table with a row for each coefficient: its value, both standard errors, and t by the second."""
        from bank_python.mntable import Table

        titles = ("coefficient", "standard_error", "hac_error", "t_value")
        columns = (self.coefficients, self.standard_errors, self.hac_errors, self.coefficients / self.hac_errors)
        rows = zip(self.names, *(column.tolist() for column in columns), strict=True)
        schema = [("term", str), *((title, float) for title in titles)]
        return Table.from_rows(schema, [dict(zip(("term", *titles), row, strict=True)) for row in rows])

    def _draw_(self, axes: Axes) -> None:
        """Draw the volatility of each row and its forecast, per period and in the unit of the returns."""
        known = _variances(self.responses, self.transform, self.floor)
        at = np.arange(self.rows)
        axes.plot(at, np.sqrt(np.maximum(known, 0.0)), color="0.7", linewidth=0.8, label="realised")
        axes.plot(at, np.sqrt(np.maximum(self.fitted_variances, 0.0)), color="C0", linestyle="-", label="forecast")
        axes.set(xlabel="row", ylabel="volatility per period", title=f"HAR ({self.transform}), R² {self.r_squared:.1%}")
        legend_beside(axes)

    def __rich__(self) -> object:
        from bank_python.render_volatility import har_view

        return har_view(self)


@admits(ModelError)
def fit_har(
    variances: ArrayLike,
    lags: Sequence[int] = (1, 7, 30),
    *,
    transform: str = "log",
    ahead: int = 1,
    bias_correction: str = "smearing",
    floor: float = 0.0,
    hac_lags: int | None = None,
    min_rows: int = 200,
) -> HarFit:
    """Fit a HAR model to variances by ordinary least squares.

    Parameters
    ----------
    variances : array_like, shape (n,)
        Realised variances of equal periods, oldest first, in any unit: sums of squared intraday returns, or squared
        returns. At least 0, with logarithms above 0.
    lags : sequence of int, default (1, 7, 30)
        Numbers of variances in the means, ascending: (1, 5, 22) for daily data of shares, (6, 42, 180) for days, weeks
        and months of 4-hour bars.
    transform : str, default "log"
        Function of the variances: ``"log"``, ``"sqrt"`` or ``"level"``.
    ahead : int, default 1
        Number of variances in the mean that is predicted, at least 1.
    bias_correction : str, default "smearing"
        Correction of the transformed forecast: ``"smearing"``, ``"normal"`` or ``"none"``; see the module.
    floor : float, default 0.0
        Amount to add to variances before the logarithm, in their unit, where some of them are 0.
    hac_lags : int, optional
        Number of autocorrelations in the Newey–West errors; by default 4 (rows / 100)^(2/9), and at least twice the
        overlap of the predicted means.
    min_rows : int, default 200
        Smallest number of rows of the regression, above the number of coefficients.

    Raises
    ------
    CalibrationError
        There are too few rows, the variances do not vary, or their means are linearly dependent.
    ModelError
        A variance is negative or not finite, one is 0 and has no logarithm, or an argument is out of range.
    """
    known = _checked_variances(variances, transform, floor)
    chosen = _checked_lags(lags)
    _check_choices(bias_correction, ahead, hac_lags)
    rows = len(known) - max(chosen) - ahead + 1
    fewest = max(min_rows, len(chosen) + 2)
    if rows < fewest:
        raise CalibrationError(
            f"{len(known)} variances give {max(rows, 0)} rows for lags up to {max(chosen)}, fewer than {fewest}; give "
            f"at least {fewest + max(chosen) + ahead - 1} variances, or shorter lags",
            value=rows,
        )
    if float(np.ptp(known)) <= _EQUAL * float(known.max()):
        raise CalibrationError("the variances are all equal, so there is nothing to regress; check the series")
    unit = {"log": 1.0, "sqrt": math.sqrt(known.mean()), "level": float(known.mean())}[transform]
    x, y = _regression(known, chosen, ahead, lambda values: _transformed(values, transform, floor) / unit)
    reach = max(math.floor(4.0 * (rows / 100.0) ** (2.0 / 9.0)), 2 * (ahead - 1)) if hac_lags is None else hac_lags
    beta, errors, hac = _least_squares(x, y, min(reach, rows - 1))
    units = np.array([unit, *(1.0 for _ in chosen)])
    arrays = (beta * units, errors * units, hac * units)
    return HarFit(
        chosen, transform, ahead, bias_correction, floor, *arrays, min(reach, rows - 1), y * unit, x @ beta * unit,
        known[-max(chosen) :].copy(),
    )  # fmt: skip


def _checked_variances(variances: ArrayLike, transform: str, floor: float) -> FloatArray:
    if transform not in _TRANSFORMS:
        said = f"no transform {transform!r}; give one of {', '.join(_TRANSFORMS)}"
        raise ModelError(said, name="transform", value=transform)
    if not 0.0 <= floor < math.inf or (floor > 0.0 and transform != "log"):
        said = f"floor={floor!r} with transform={transform!r}; give 0, or with transform='log' a number above 0"
        raise ModelError(said, name="floor", value=floor)
    known = finite_series("variances", variances)
    lowest = known + floor
    bad = (known < 0.0) | ((lowest <= 0.0) if transform == "log" else False)
    if bad.any():
        row = int(bad.argmax())
        value = float(known[row])
        remedy = (
            "of returns give the squares" if value < 0.0 else "it has no logarithm: give floor=, or transform='sqrt'"
        )
        raise ModelError(f"variances: row {row} is {value!r}; {remedy}", name="variances", value=value)
    return known


def _checked_lags(lags: Sequence[int]) -> tuple[int, ...]:
    known = tuple(int(lag) for lag in lags)
    if not known or known[0] < 1 or any(before >= after for before, after in pairwise(known)):
        said = f"lags={known!r} are not ascending whole numbers from 1; give (1, 7, 30) or (1, 5, 22), for example"
        raise ModelError(said, name="lags", value=known)
    return known


def _check_choices(bias_correction: str, ahead: int, hac_lags: int | None) -> None:
    if bias_correction not in _CORRECTIONS:
        said = f"no bias correction {bias_correction!r}; give one of {', '.join(_CORRECTIONS)}"
        raise ModelError(said, name="bias_correction", value=bias_correction)
    if ahead < 1:
        raise ModelError(f"ahead={ahead!r} is below 1; give a number of periods", name="ahead", value=ahead)
    if hac_lags is not None and hac_lags < 0:
        raise ModelError(f"hac_lags={hac_lags!r} is below 0; leave it out", name="hac_lags", value=hac_lags)


def _transformed(values: FloatArray, transform: str, floor: float) -> FloatArray:
    if transform == "log":
        return np.log(values + floor)
    return np.sqrt(values) if transform == "sqrt" else values


def _variances(responses: FloatArray, transform: str, floor: float) -> FloatArray:
    """Return the variances of transformed ones, without a correction."""
    if transform == "log":
        return np.exp(responses) - floor
    return responses * responses if transform == "sqrt" else responses


def _regression(
    variances: FloatArray, lags: tuple[int, ...], ahead: int, g: Callable[[FloatArray], FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Return the right side, with ones in its first column, and the left side."""
    rows = len(variances) - max(lags) - ahead + 1
    past = variances[: len(variances) - ahead]
    means = [g(rolling_means(past, lag)[-rows:]) for lag in lags]
    return np.column_stack([np.ones(rows), *means]), g(rolling_means(variances, ahead)[-rows:])


def _least_squares(x: FloatArray, y: FloatArray, reach: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return coefficients, their standard errors, and those by Newey and West with `reach` autocorrelations."""
    rows, count = x.shape
    # About their means and in units of their spread: variances that hardly vary would be rounded away beside the ones.
    centres, units = x.mean(axis=0), x.std(axis=0)
    centres[0], units[0] = 0.0, 1.0
    if not units.all():
        raise CalibrationError(_DEPENDENT)
    scaled, level = (x - centres) / units, float(y.mean())
    slopes, _, rank, _ = np.linalg.lstsq(scaled, y - level)
    if rank < count:
        raise CalibrationError(_DEPENDENT)
    back = np.diag(1.0 / units)
    back[0, 1:] = -centres[1:] / units[1:]
    inverse, residuals = np.linalg.inv(np.linalg.qr(scaled, mode="r")), y - level - scaled @ slopes
    bread = inverse @ inverse.T
    meat = _long_run(scaled * residuals[:, None], reach)
    plain: FloatArray = np.diag(back @ bread @ back.T) * float(residuals @ residuals) / (rows - count)
    robust: FloatArray = np.diag(back @ bread @ meat @ bread @ back.T)
    beta = back @ slopes
    beta[0] += level
    return beta, np.sqrt(plain), np.sqrt(robust)


def _long_run(scores: FloatArray, reach: int) -> FloatArray:
    """Return the sum of products of scores with those of up to `reach` rows before, with Bartlett's weights."""
    total: FloatArray = scores.T @ scores
    for lag in range(1, reach + 1):
        cross = scores[lag:].T @ scores[:-lag]
        total += (1.0 - lag / (reach + 1.0)) * (cross + cross.T)
    return total
