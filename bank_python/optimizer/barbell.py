r"""The barbell: a safe asset, and as much of a risky basket as a limit on losses allows.

With a share θ in the basket and the rest in an asset that earns r, the loss over a horizon h is

.. math:: -\bigl((1 - \theta)\, r h + \theta R\bigr)

and its value at risk or expected shortfall at a probability ε is linear in θ,

.. math:: -(1 - \theta)\, r h + \theta\,(\kappa\, \sigma \sqrt{h} - \mu h)

where κ is that measure of the basket's law with mean 0 and variance 1 (see
:mod:`bank_python.optimizer.standard_tails`). The barbell is the largest θ in [0, 1] for which it stays within
the limit.

*Which basket.* Under an elliptical law of returns κ is the same for every basket. A limit on value at risk or expected
shortfall is then a limit on the deviation less the mean, and while it binds the most return comes from the basket with
the largest Sharpe ratio, whatever ε, κ and the limit are (two-fund separation). Where it does not bind, all is in the
basket, and a bolder one might earn more within the limit.

*Why a barbell.* A limit on the tail says nothing of the rest. The law of maximum entropy that keeps it holds the
downside and leaves the upside as open as the mean allows (see :mod:`bank_python.risk_models.maximum_entropy`), which is
what a safe part and an uncertain part make together. It is told beside the portfolio as its reference.

Examples
--------
>>> from bank_python.optimizer.covariance_data import CovarianceData
>>> data = CovarianceData(
...     tickers=["SPY", "BTC"], covariance=[[0.0256, 0.02], [0.02, 0.36]], expected_returns=[0.09, 0.25]
... )
>>> held = BarbellOptimizer(data, risk_free_rate=0.04, epsilon=0.05, max_loss_pct=0.10).optimize()
>>> {name: round(weight, 4) for name, weight in held.by_ticker().items()}
{'SAFE': 0.5869, 'SPY': 0.3137, 'BTC': 0.0995}
>>> round(held.figures["loss_at_epsilon"], 12)
0.1

References
----------
D. Geman, H. Geman and N. N. Taleb, "Tail risk constraints and maximum entropy", Entropy 17 (2015), 3724-3737.

J. Tobin, "Liquidity preference as behavior towards risk", Review of Economic Studies 25 (1958), 65-86: the separation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bank_python.errors import CalibrationError, InfeasibleError
from bank_python.numerics.tolerances import NINE_DIGITS
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

    from bank_python.numerics import FloatArray
    from bank_python.optimizer.certificate import Certificate
    from bank_python.optimizer.constraints import Constraints
    from bank_python.optimizer.covariance_data import CovarianceData

__all__ = ["SAFE", "BarbellOptimizer"]

SAFE = "SAFE"
"""The ticker of the safe asset."""

_PAST = "a barbell with empirical tails"
_CERTAIN = 1e-14  # of returns, which float64 does not tell apart when they are nearer


@dataclass(frozen=True, slots=True)
class _Stake:
    """A share of a basket over the horizon, the rest safe."""

    share: float
    safe_return: float
    mean: float
    deviation: float

    @property
    def centre(self) -> float:
        """The mean of the whole."""
        return (1.0 - self.share) * self.safe_return + self.share * self.mean

    def loss(self, kappa: float) -> float:
        """Return the loss of the whole that is `kappa` of its deviations below its mean."""
        return self.share * kappa * self.deviation - self.centre


class BarbellOptimizer(Optimizer):
    """The largest share of a risky basket whose loss at a probability stays within a limit; the rest is ``SAFE``.

    Parameters
    ----------
    cov_data : CovarianceData
        The risky assets; cash has no place in it.
    constraints : Constraints, optional
        What the basket may be, taken by itself (so are turnover and cost); long only if left out. Always fully
        invested.
    risk_free_rate : float, default RISK_FREE_RATE
        A year's, of the safe asset.
    epsilon : float, default 0.05
        Probability of the tail, in (0, 0.5).
    max_loss_pct : float, default 0.10
        The most that may be lost, as a share of the wealth, in [0, 1).
    measure : TailMeasure or str, default "cvar"
        What stays within it: ``cvar``, the mean loss in the tail, or ``var``, where the tail begins.
    tails : TailDistribution or str, default "gaussian"
        ``gaussian``, ``student_t``, or ``empirical``: the shape of the basket's past returns, taken to be that of the
        horizon's; their scale is that of the data all the same.
    degrees_of_freedom : float, default 4
        For ``student_t``, above 2.
    risky : mapping of str to float, or OptimalPortfolio, optional
        The basket, its weights adding up to one; the one with the largest Sharpe ratio if left out.
    risky_return : float, optional
        A year's, expected of the basket that was given; that of the data if left out.
    horizon : float, default 1
        Years, above 0. Means grow with it, deviations with its root.

    Raises
    ------
    CalibrationError
        A figure is out of range, there is cash among the assets, one of them is called ``SAFE``, or what the basket or
        the tails need is not in the data.
    ModelError
        The basket names what is no asset.
    InfeasibleError
        Of :meth:`optimize`: no share keeps the limit, the basket breaks a constraint, or no basket is expected to earn
        more than the safe asset.

    Notes
    -----
    ``figures`` of the result, over the horizon where nothing else is said: ``risky_share``; ``loss_at_epsilon``, the
    measure that is limited; ``var`` and ``cvar``, both of them; ``kappa``; ``basket_return`` and ``basket_volatility``,
    a year's; and of the law of maximum entropy with the same mean, value at risk and expected shortfall,
    ``max_entropy``, its entropy in nats (−∞ for a result that is certain, or of which a part is) and
    ``max_entropy_upside``, its mean above the tail.
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
            raise CalibrationError(f"{SAFE} is the safe asset's name; give the other asset another", value=SAFE)
        if abs(self._constraints.invested - 1.0) > SAME_SUM:
            raise CalibrationError(
                f"invested={self._constraints.invested:g}: a basket is fully invested, and the barbell decides how "
                f"much of it is held beside {SAFE}; leave it at 1",
                value=self._constraints.invested,
            )
        if not 0.0 <= max_loss_pct < 1.0:
            raise CalibrationError(
                f"max_loss_pct={max_loss_pct!r} lies outside [0, 1); ten per cent is 0.10", value=max_loss_pct
            )
        if not 0.0 < horizon < math.inf:
            raise CalibrationError(f"horizon={horizon!r}; give years above 0", value=horizon)
        if risky_return is not None and (risky is None or not math.isfinite(risky_return)):
            raise CalibrationError(f"risky_return={risky_return!r}; give a finite return a year of a basket risky=")
        self._epsilon, self._most, self._horizon = tail_probability(epsilon), max_loss_pct, horizon
        self._measure = TailMeasure.parse(measure)
        self._closed = self._closed_tail(TailDistribution.parse(tails), degrees_of_freedom)
        self._risky_return = risky_return
        self._given = self._checked(risky)

    def optimize(self) -> OptimalPortfolio:
        """Return the portfolio, ``SAFE`` first."""
        basket = self._basket()
        earned = basket.expected_return if self._risky_return is None else self._risky_return
        tail = self._tail(basket.weights)
        kappa = tail.of(self._measure)
        none = _Stake(
            share=0.0,
            safe_return=self._rate * self._horizon,
            mean=earned * self._horizon,
            deviation=basket.volatility * math.sqrt(self._horizon),
        )
        stake = replace(none, share=self._share(none.loss(kappa), replace(none, share=1.0).loss(kappa)))
        figures = {
            "risky_share": stake.share,
            "loss_at_epsilon": stake.loss(kappa),
            "var": stake.loss(tail.value_at_risk),
            "cvar": stake.loss(tail.expected_shortfall),
            "kappa": kappa,
            "basket_return": earned,
            "basket_volatility": basket.volatility,
            **_reference(stake, tail, self._epsilon),
        }
        return self._whole(basket, stake.share, earned, figures)

    def _checked(self, risky: Mapping[str, float] | OptimalPortfolio | None) -> FloatArray | None:
        """Return the weights of a basket that was given, in the order of the assets; none for the best, to be found."""
        if self._data.expected_returns is None and self._risky_return is None:
            raise CalibrationError(
                "there are no expected returns for the basket of largest Sharpe ratio; give expected_returns= to the "
                "data, or a basket as risky= with its risky_return="
            )
        if risky is None:
            return None
        given = risky.by_ticker() if isinstance(risky, OptimalPortfolio) else risky
        weights = by_asset(self._data.tickers, given, "risky")
        invested = float(weights.sum())
        if abs(invested - 1.0) > SAME_SUM:
            raise CalibrationError(
                f"the weights of the basket add up to {invested:g}; scale them to one", value=invested
            )
        breach = self._allowed.breach(weights)
        if breach > SAME_SUM:
            raise InfeasibleError(
                f"the basket breaks a constraint by {breach:g}; change it, or give bounds= that allow it", value=breach
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
                f"there is no basket of largest Sharpe ratio: {error}; or give the basket as risky=", **error.facts
            ) from error

    def _closed_tail(self, law: TailDistribution, df: float) -> StandardTail | None:
        """Return a tail that does not depend on the basket; none for the empirical, whose returns must be there."""
        if law is TailDistribution.GAUSSIAN:
            return gaussian_tail(self._epsilon)
        if law is TailDistribution.STUDENT_T:
            return student_t_tail(self._epsilon, df)
        self._data.returns_for(_PAST)
        return None

    def _tail(self, weights: FloatArray) -> StandardTail:
        if self._closed is not None:
            return self._closed
        return empirical_tail(self._epsilon, self._data.returns_for(_PAST) @ weights)

    def _share(self, safe: float, risky: float) -> float:
        """Return the share at which a loss that is linear between two ends meets the limit."""
        if risky <= self._most:
            return 1.0
        if safe > self._most:
            raise InfeasibleError(
                f"the loss at {self._epsilon:g} is {safe:.6g} with all in {SAFE}, which earns {self._rate:g} a year, "
                f"and {risky:.6g} with nothing in it: no share keeps it within max_loss_pct={self._most:g}; raise that "
                f"to {min(safe, risky):.6g} or more",
                value=min(safe, risky),
            )
        return (self._most - safe) / (risky - safe)

    def _whole(
        self, basket: OptimalPortfolio, share: float, earned: float, figures: Mapping[str, float]
    ) -> OptimalPortfolio:
        volatility = share * basket.volatility
        expected = (1.0 - share) * self._rate + share * earned
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
        """Return the basket's proof with the share's: at 1, or where the loss is the limit."""
        if share == 1.0:
            return replace(of_basket, at_lower=(SAFE, *of_basket.at_lower))
        name = f"{self._measure.value} at {self._epsilon:g} within {self._most:g}"
        return replace(
            of_basket,
            kkt_residual=max(of_basket.kkt_residual, abs(loss - self._most)),
            binding=(*of_basket.binding, name),
        )


def _reference(stake: _Stake, tail: StandardTail, epsilon: float) -> dict[str, float]:
    """Return the law of maximum entropy with the mean and the tail of the whole, in figures."""
    width = stake.share * stake.deviation
    above = stake.centre + width * epsilon * tail.expected_shortfall / (1.0 - epsilon)
    begins = -stake.loss(tail.value_at_risk)
    mean_of_tail = -stake.loss(tail.expected_shortfall)
    if min(begins - mean_of_tail, above - begins) <= max(NINE_DIGITS * width, _CERTAIN):
        return {"max_entropy": -math.inf, "max_entropy_upside": above}
    law = MaximumEntropyDistribution(TailConstraint(begins, mean_of_tail, epsilon), stake.centre)
    return {"max_entropy": law.entropy, "max_entropy_upside": law.upside_mean}
