r"""Portfolios by QuantLib's general optimisers.

QuantLib has no portfolio optimiser. What it has is a minimiser of any function, and this is the best that we found to
do with it: its L-BFGS-B, with slopes by finite differences, on numbers z without constraints that stand for weights,

.. math:: w_i = l_i + \Bigl(1 - \sum_j l_j\Bigr)\,\frac{z_i^2}{\sum_j z_j^2}

which keeps the lower bounds and the sum. (The softmax of z in place of the shares of its squares is slower and further
off, as it reaches a bound only at infinity.) The function is written in Python, as a user would write it, so most of
the time is spent there. Read the row as "what one gets without a portfolio optimiser".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bank_python.errors import ModelError
from bank_python.integrations.peer_optimizer import PeerOptimizer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bank_python.numerics import FloatArray

__all__ = ["QuantLibOptimizer"]

_ITERATIONS = 10_000
_STATIONARY = 100
_TOLERANCE = 1e-14


class QuantLibOptimizer(PeerOptimizer):
    """QuantLib's L-BFGS-B on a portfolio.

    Upper bounds have to leave room for all that the lower ones do not take, so that they never hold.

    Parameters
    ----------
    kind, cov_data, **params
        As for :class:`~bank_python.integrations.peer_optimizer.PeerOptimizer`.

    Raises
    ------
    ModelError, MissingExtraError
        As there.

    Examples
    --------
    >>> from bank_python.optimizer.covariance_data import CovarianceData
    >>> data = CovarianceData(tickers=["BND", "SPY"], covariance=[[0.0025, 0.0], [0.0, 0.0075]])
    >>> found = QuantLibOptimizer("min_variance", data).optimize()
    >>> found.weights.round(5).tolist(), found.certificate.duality_gap < 1e-9
    ([0.75, 0.25], True)
    """

    library: ClassVar[str] = "QuantLib"
    package: ClassVar[str] = "QuantLib"
    distribution: ClassVar[str] = "QuantLib"
    takes: ClassVar[Mapping[str, tuple[str, ...]]] = {"min_variance": (), "mean_variance": ("risk_aversion",)}

    def _solved(self) -> FloatArray | None:
        ql, objective = self._module, self.goal.value
        lower, n = self.goal.lower, len(self.goal.lower)
        room = 1.0 - float(lower.sum())
        if objective is None or room <= 0.0:
            return lower

        def weights(z: Iterable[float]) -> FloatArray:
            squares = np.fromiter(z, dtype=np.float64, count=n) ** 2
            return np.asarray(lower + room * squares / squares.sum())

        even = weights([1.0] * n)
        unit = max(abs(objective(even)), np.finfo(float).tiny)
        ends = ql.EndCriteria(_ITERATIONS, _STATIONARY, _TOLERANCE, _TOLERANCE, _TOLERANCE)
        found = ql.Optimizer().solve(
            lambda z: objective(weights(z)) / unit, ql.NoConstraint(), ql.LBFGSB(), ends, ql.Array(n, 1.0)
        )
        return weights(found)

    def _failures(self) -> tuple[type[Exception], ...]:
        return (RuntimeError, ArithmeticError)

    def _refuse(self) -> None:
        lower, upper = self.goal.lower, self.goal.upper
        if not np.isfinite(lower).all():
            raise ModelError("by QuantLib weights are counted from their lower bounds; give finite ones")
        most = lower + (1.0 - lower.sum())
        tight = np.flatnonzero(upper < most)
        if len(tight):
            i = int(tight[0])
            name = self._data.tickers[i]
            raise ModelError(
                f"the upper bound of {name} is {upper[i]:g}; by QuantLib only lower bounds can be kept, so give "
                f"{most[i]:g} or more, or take ours",
                name=name,
                value=float(upper[i]),
            )
