r"""Barbell portfolio: a safe asset and the largest share of a risky basket that a limit on losses allows.

With a share θ in the basket and the rest in a safe asset with return r per year, the loss over a horizon h is

.. math:: -\bigl((1 - \theta)\, r h + \theta R\bigr)

and its value at risk or expected shortfall at a tail probability ε is linear in θ,

.. math:: -(1 - \theta)\, r h + \theta\,(\kappa\, \sigma \sqrt{h} - \mu h)

where κ is the same risk measure of the basket's distribution scaled to mean 0 and variance 1 (see
:mod:`bank_python.optimizer.standard_tails`). The barbell takes the largest θ in [0, 1] for which the risk measure stays
within the limit.

*Choice of the basket.* Under an elliptical distribution of returns, κ is the same for every basket. A limit on value at
risk or expected shortfall is then a limit on a multiple of the standard deviation less the mean, and where it binds,
the basket with the largest Sharpe ratio gives the highest return, whatever ε, κ and the limit are (two-fund
separation). Where it does not bind, the whole portfolio is in the basket, and a riskier basket might earn more within
the limit.

*Motivation.* A limit on the tail does not restrict the rest of the distribution. The maximum-entropy distribution under
this limit has a bounded downside and an upside as uncertain as the mean allows (see
:mod:`bank_python.risk_models.maximum_entropy`), as has a combination of a safe and an uncertain part. Its figures are
part of the result, for reference.

Examples
--------
>>> from bank_python.optimizer.covariance_data import CovarianceData
>>> data = CovarianceData(
...     tickers=["SPY", "BTC"], covariance=[[0.0256, 0.02], [0.02, 0.36]], expected_returns=[0.09, 0.25]
... )
>>> best = BarbellOptimizer(data, risk_free_rate=0.04, epsilon=0.05, max_loss_pct=0.10).optimize()
>>> {name: round(weight, 4) for name, weight in best.by_ticker().items()}
{'SAFE': 0.5869, 'SPY': 0.3137, 'BTC': 0.0995}
>>> round(best.figures["loss_at_epsilon"], 12)
0.1

References
----------
D. Geman, H. Geman and N. N. Taleb, "Tail risk constraints and maximum entropy", Entropy 17 (2015), 3724-3737.

J. Tobin, "Liquidity preference as behavior towards risk", Review of Economic Studies 25 (1958), 65-86: two-fund
separation.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bank_python.errors import CalibrationError, InfeasibleError
from bank_python.guessing import guessable
from bank_python.numerics.tolerances import NINE_DIGITS
from bank_python.optimizer.barbell_mix import BarbellMix
from bank_python.optimizer.barbell_ruin import barbell_ruin
from bank_python.optimizer.barbell_sensitivity import TAIL_INDICES, TailScale, barbell_sensitivity
from bank_python.optimizer.named import by_asset
from bank_python.optimizer.optimizer import Optimizer
from bank_python.optimizer.portfolio import OptimalPortfolio, portfolio_of
from bank_python.optimizer.ratios import MaxSharpeOptimizer
from bank_python.optimizer.standard_tails import (
    StandardTail,
    TailDistribution,
    TailMeasure,
    empirical_tail,
    gaussian_tail,
    student_t_tail,
    tail_probability,
)
from bank_python.optimizer.tolerances import SAME_SUM
from bank_python.risk_models.maximum_entropy import MaximumEntropyDistribution, TailConstraint
from bank_python.risk_models.risk_free import RISK_FREE_RATE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray
    from bank_python.optimizer.barbell_ruin import BarbellRuin
    from bank_python.optimizer.barbell_sensitivity import BarbellSensitivity
    from bank_python.optimizer.certificate import Certificate
    from bank_python.optimizer.constraints import Constraints
    from bank_python.optimizer.covariance_data import CovarianceData

__all__ = ["SAFE", "BarbellOptimizer"]

SAFE = "SAFE"
"""Ticker of the safe asset."""

_PAST = "a barbell with empirical tails"
_CERTAIN = 1e-14  # difference of returns that float64 does not resolve


@guessable
class BarbellOptimizer(Optimizer):
    """Barbell portfolio: the largest share of a risky basket whose tail loss is within a limit; the rest is ``SAFE``.

    Parameters
    ----------
    cov_data : CovarianceData
        Covariance and expected returns of the risky assets, without cash.
    constraints : Constraints, optional
        Constraints on the weights within the basket, including turnover and costs; long only if omitted. The basket is
        always fully invested.
    risk_free_rate : float, default RISK_FREE_RATE
        Return of the safe asset per year, as a decimal.
    epsilon : float, default 0.05
        Tail probability, in (0, 0.5).
    max_loss_pct : float, default 0.10
        Largest acceptable loss as a decimal share of the wealth, in [0, 1).
    measure : TailMeasure or str, default "cvar"
        Risk measure that is limited: ``cvar``, the mean loss in the tail, or ``var``, the quantile at which the tail
        begins.
    tails : TailDistribution or str, default "gaussian"
        Shape of the return distribution: ``gaussian``, ``student_t``, or ``empirical``, the shape of the basket's past
        returns, which is then assumed for the horizon. The scale is that of the covariance in all cases.
    degrees_of_freedom : float, default 4
        Degrees of freedom of ``student_t``, above 2.
    risky : mapping of str to float, or OptimalPortfolio, optional
        Weights of the basket by ticker, with a sum of one; the basket with the largest Sharpe ratio if omitted.
    risky_return : float, optional
        Expected return per year of the basket `risky`; by default computed from the expected returns of the assets.
    horizon : float, default 1
        Horizon in years, above 0. Means scale with the horizon, standard deviations with its square root.

    Raises
    ------
    CalibrationError
        If a parameter is out of range, the assets include cash or one called ``SAFE``, or the data lack the returns
        that the basket or the tails require.
    ModelError
        If the basket contains an unknown ticker.
    InfeasibleError
        Raised by :meth:`optimize` if no share satisfies the limit, the basket violates a constraint, or no basket is
        expected to earn more than the safe asset.

    Notes
    -----
    The ``figures`` of the result refer to the horizon unless stated otherwise: ``risky_share``; ``loss_at_epsilon``,
    the risk measure that is limited; ``var`` and ``cvar``; ``kappa``; ``basket_return`` and ``basket_volatility``, per
    year; and two figures of the maximum-entropy distribution with the same mean, value at risk and expected shortfall:
    ``max_entropy``, its entropy in nats (−∞ if the result or a part of it is certain), and ``max_entropy_upside``, its
    mean above the tail.
    """

    kind: ClassVar[str] = "barbell"

    def __init__(
        self,
        cov_data: CovarianceData,
        constraints: Constraints | None = None,
        *,
        risk_free_rate: float = RISK_FREE_RATE,
        epsilon: float = 0.05,
        max_loss_pct: float = 0.10,
        measure: TailMeasure | str = TailMeasure.CVAR,
        tails: TailDistribution | str = TailDistribution.GAUSSIAN,
        degrees_of_freedom: float = 4.0,
        risky: Mapping[str, float] | OptimalPortfolio | None = None,
        risky_return: float | None = None,
        horizon: float = 1.0,
    ) -> None:
        super().__init__(cov_data, constraints, risk_free_rate=risk_free_rate)
        cov_data.require_risk(self.kind)
        if SAFE in cov_data.tickers:
            raise CalibrationError(
                f"the ticker {SAFE} is reserved for the safe asset; rename the other asset", value=SAFE
            )
        if abs(self._constraints.invested - 1.0) > SAME_SUM:
            raise CalibrationError(
                f"invested={self._constraints.invested:g}: the basket has to be fully invested, as the barbell decides "
                f"how much is held in {SAFE}; leave it at 1",
                value=self._constraints.invested,
            )
        if not 0.0 <= max_loss_pct < 1.0:
            raise CalibrationError(
                f"max_loss_pct={max_loss_pct!r} lies outside [0, 1); give a decimal, as 0.10 for ten per cent",
                value=max_loss_pct,
            )
        if not 0.0 < horizon < math.inf:
            raise CalibrationError(f"horizon={horizon!r}; give a number of years above 0", value=horizon)
        if risky_return is not None and (risky is None or not math.isfinite(risky_return)):
            raise CalibrationError(
                f"risky_return={risky_return!r}; give a finite return per year, together with risky="
            )
        self._epsilon, self._limit, self._horizon = tail_probability(epsilon), max_loss_pct, horizon
        self._measure = TailMeasure.parse(measure)
        self._tails, self._df = TailDistribution.parse(tails), degrees_of_freedom
        self._closed_form = self._closed_form_tail(self._tails, degrees_of_freedom)
        self._risky_return = risky_return
        self._given = self._checked_basket(risky)

    def optimize(self) -> OptimalPortfolio:
        """Return the optimal portfolio; ``SAFE`` is the first asset."""
        basket = self._basket()
        basket_return = basket.expected_return if self._risky_return is None else self._risky_return
        tail = self._tail(basket.weights)
        kappa = tail.of(self._measure)
        all_risky = BarbellMix(
            share=1.0,
            safe_return=self._rate * self._horizon,
            mean=basket_return * self._horizon,
            deviation=basket.volatility * math.sqrt(self._horizon),
        )
        mix = all_risky.at(all_risky.largest_share(self._limit, kappa))
        figures = {
            "risky_share": mix.share,
            "loss_at_epsilon": mix.loss(kappa),
            "var": mix.loss(tail.value_at_risk),
            "cvar": mix.loss(tail.expected_shortfall),
            "kappa": kappa,
            "basket_return": basket_return,
            "basket_volatility": basket.volatility,
            **_reference(mix, tail, self._epsilon),
        }
        return self._combined(basket, mix.share, basket_return, figures)

    def ruin_probability(
        self,
        ruin_level: float = 0.25,
        *,
        years: float = 10.0,
        periods_per_year: float = 12.0,
        rebalanced: bool = True,
        seed: int = 0,
    ) -> BarbellRuin:
        """Return the probability that the barbell has lost a share of its wealth at the end of some period.

        The tail model of the optimiser is that of the returns of each period; see
        :mod:`bank_python.optimizer.barbell_ruin`.

        Parameters
        ----------
        ruin_level : float, default 0.25
            Loss from the start that is ruin, in (0, 1).
        years : float, default 10
            Length of time, above 0; a whole number of periods.
        periods_per_year : float, default 12
            Number of periods in a year, above 0.
        rebalanced : bool, default True
            Whether the share is restored after every period; otherwise the safe part is left alone.
        seed : int, default 0
            Seed of the simulation of empirical tails.

        Raises
        ------
        ModelError, CalibrationError
            An argument is out of range; see :func:`~bank_python.optimizer.barbell_ruin.barbell_ruin`.
        InfeasibleError
            There is no such barbell, as for :meth:`optimize`.
        """
        basket, yearly = self._yearly()
        return barbell_ruin(
            yearly,
            ruin_level,
            years=years,
            periods_per_year=periods_per_year,
            rebalanced=rebalanced,
            tails=self._tails,
            degrees_of_freedom=self._df,
            sample=self._past_of(basket) if self._closed_form is None else None,
            seed=seed,
        )

    def tail_sensitivity(
        self, tail_indices: ArrayLike = TAIL_INDICES, *, scale: TailScale | str = TailScale.VARIANCE
    ) -> BarbellSensitivity:
        """Return the share at risk, value at risk and expected shortfall over a range of tail indices.

        Parameters
        ----------
        tail_indices : array_like, shape (n,), optional
            Tail indices, degrees of freedom of Student's t, above 2; at least two.
        scale : TailScale or str, default "variance"
            Figure that stays the same when the tail index changes: ``variance`` or ``mad``.

        Raises
        ------
        ModelError
            An argument is out of range.
        InfeasibleError
            There is no such barbell, as for :meth:`optimize`.
        """
        yearly = self._yearly()[1]
        over_horizon = BarbellMix(
            share=yearly.share,
            safe_return=yearly.safe_return * self._horizon,
            mean=yearly.mean * self._horizon,
            deviation=yearly.deviation * math.sqrt(self._horizon),
        )
        return barbell_sensitivity(
            over_horizon,
            tail_indices,
            max_loss=self._limit,
            epsilon=self._epsilon,
            measure=self._measure,
            scale=scale,
        )

    def _yearly(self) -> tuple[OptimalPortfolio, BarbellMix]:
        """Return the optimal portfolio, and its combination with figures per year."""
        best = self.optimize()
        figures = best.figures
        share, mean, vol = (figures[name] for name in ("risky_share", "basket_return", "basket_volatility"))
        return best, BarbellMix(share=share, safe_return=self._rate, mean=mean, deviation=vol)

    def _past_of(self, barbell: OptimalPortfolio) -> FloatArray:
        """Return the past returns of the basket, up to a scale."""
        return self._data.returns_for(_PAST) @ barbell.weights[1:]

    def _checked_basket(self, risky: Mapping[str, float] | OptimalPortfolio | None) -> FloatArray | None:
        """Return the weights of a given basket in the order of the assets; ``None`` if it is to be optimised."""
        if self._data.expected_returns is None and self._risky_return is None:
            raise CalibrationError(
                "no expected returns for the basket with the largest Sharpe ratio; give expected_returns= in the data, "
                "or a basket as risky= with its risky_return="
            )
        if risky is None:
            return None
        given = risky.by_ticker() if isinstance(risky, OptimalPortfolio) else risky
        weights = by_asset(self._data.tickers, given, "risky")
        invested = float(weights.sum())
        if abs(invested - 1.0) > SAME_SUM:
            raise CalibrationError(
                f"the weights of the basket add up to {invested:g}; scale them to a sum of one", value=invested
            )
        breach = self._allowed.breach(weights)
        if breach > SAME_SUM:
            raise InfeasibleError(
                f"the basket violates a constraint by {breach:g}; change it, or give bounds= that allow it",
                value=breach,
            )
        return weights

    def _basket(self) -> OptimalPortfolio:
        if self._given is None:
            return self._best_basket()
        return portfolio_of(self._data, self.kind, self._given, risk_free_rate=self._rate)

    def _best_basket(self) -> OptimalPortfolio:
        search = MaxSharpeOptimizer(self._data, self._constraints, risk_free_rate=self._rate)
        try:
            return search.optimize()
        except InfeasibleError as error:
            raise InfeasibleError(
                f"no basket has the largest Sharpe ratio: {error}; or give the basket as risky=", **error.facts
            ) from error

    def _closed_form_tail(self, tails: TailDistribution, df: float) -> StandardTail | None:
        """Return a tail that does not depend on the basket; ``None`` for empirical tails, which need past returns."""
        if tails is TailDistribution.GAUSSIAN:
            return gaussian_tail(self._epsilon)
        if tails is TailDistribution.STUDENT_T:
            return student_t_tail(self._epsilon, df)
        self._data.returns_for(_PAST)
        return None

    def _tail(self, weights: FloatArray) -> StandardTail:
        if self._closed_form is not None:
            return self._closed_form
        return empirical_tail(self._epsilon, self._data.returns_for(_PAST) @ weights)

    def _combined(
        self, basket: OptimalPortfolio, share: float, basket_return: float, figures: Mapping[str, float]
    ) -> OptimalPortfolio:
        volatility = share * basket.volatility
        expected = (1.0 - share) * self._rate + share * basket_return
        weights = np.concatenate([[1.0 - share], share * basket.weights])
        weights.setflags(write=False)
        return OptimalPortfolio(
            method=self.kind,
            tickers=(SAFE, *basket.tickers),
            weights=weights,
            expected_return=expected,
            volatility=volatility,
            sharpe=(expected - self._rate) / volatility if volatility > 0.0 else math.nan,
            risk_free_rate=self._rate,
            risk_shares=np.concatenate([[0.0], basket.risk_shares if share > 0.0 else np.zeros(len(basket.weights))]),
            certificate=self._proof(basket.certificate, share, figures["loss_at_epsilon"]),
            estimator=self._data.estimator,
            figures=dict(figures),
        )

    def _proof(self, of_basket: Certificate, share: float, loss: float) -> Certificate:
        """Return the basket's certificate, extended by the optimality of the share: at 1, or with the limit binding."""
        if share == 1.0:
            return replace(of_basket, at_lower=(SAFE, *of_basket.at_lower))
        name = f"{self._measure.value} at {self._epsilon:g} within {self._limit:g}"
        return replace(
            of_basket,
            kkt_residual=max(of_basket.kkt_residual, abs(loss - self._limit)),
            binding=(*of_basket.binding, name),
        )


def _reference(mix: BarbellMix, tail: StandardTail, epsilon: float) -> dict[str, float]:
    """Return the figures of the maximum-entropy distribution with the mean and the tail of the combined portfolio."""
    width = mix.share * mix.deviation
    above = mix.centre + width * epsilon * tail.expected_shortfall / (1.0 - epsilon)
    begins = -mix.loss(tail.value_at_risk)
    mean_of_tail = -mix.loss(tail.expected_shortfall)
    if min(begins - mean_of_tail, above - begins) <= max(NINE_DIGITS * width, _CERTAIN):
        return {"max_entropy": -math.inf, "max_entropy_upside": above}
    reference = MaximumEntropyDistribution(TailConstraint(begins, mean_of_tail, epsilon), mix.centre)
    return {"max_entropy": reference.entropy, "max_entropy_upside": reference.upside_mean}
