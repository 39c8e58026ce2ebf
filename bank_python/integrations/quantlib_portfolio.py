r"""Portfolios by QuantLib's general-purpose minimiser.

QuantLib has no portfolio optimiser, but minimisers of arbitrary functions. The best result that we found uses its
L-BFGS-B, with finite-difference gradients, on unconstrained variables z that are mapped to weights,

.. math:: w_i = l_i + \Bigl(1 - \sum_j l_j\Bigr)\,\frac{z_i^2}{\sum_j z_j^2}

which satisfies the lower bounds and the sum. (A softmax of z is slower and less accurate than the shares of squares, as
it reaches a bound only at infinity.) The objective is a Python function, as a user would write it, and takes most of
the time. The figures show what is achieved without a portfolio optimiser.
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
    """Portfolio optimiser that uses QuantLib's L-BFGS-B.

    Upper bounds are supported only where they cannot bind: each has to be at least the lower bound of the asset plus
    what all lower bounds leave of the sum of weights.

    Parameters
    ----------
    kind, cov_data, **params
        Arguments of :class:`~bank_python.integrations.peer_optimizer.PeerOptimizer`.

    Raises
    ------
    ModelError, MissingExtraError
        In the cases listed for :class:`~bank_python.integrations.peer_optimizer.PeerOptimizer`.

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

    def _solve(self) -> FloatArray | None:
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

    def _check_bounds(self) -> None:
        lower, upper = self.goal.lower, self.goal.upper
        if not np.isfinite(lower).all():
            raise ModelError("QuantLib's optimiser measures weights from their lower bounds; give finite lower bounds")
        most = lower + (1.0 - lower.sum())
        tight = np.flatnonzero(upper < most)
        if len(tight):
            i = int(tight[0])
            name = self._data.tickers[i]
            raise ModelError(
                f"the upper bound of {name} is {upper[i]:g}; QuantLib's optimiser supports lower bounds only, so give "
                f"{most[i]:g} or more, or use create_optimizer",
                name=name,
                value=float(upper[i]),
            )
