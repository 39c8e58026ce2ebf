"""Portfolios by the optimisers of Riskfolio-Lib, if it is installed."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bank_python.errors import ModelError
from bank_python.integrations.peer_optimizer import PeerOptimizer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.numerics import FloatArray

__all__ = ["RiskfolioOptimizer"]


class RiskfolioOptimizer(PeerOptimizer):
    """Portfolio optimisers of Riskfolio-Lib with the library's defaults: Clarabel through cvxpy.

    The library's portfolio object requires past returns; where there are none and the kind uses the covariance only, it
    gets two rows of zeros. For long-only weights the library takes absolute values of the solution and scales them to a
    sum of one, which may violate a bound slightly. Risk parity supports no bounds. The leaves of HRP's tree keep their
    order, as in López de Prado's algorithm; by default the library reorders them.

    Parameters
    ----------
    kind, cov_data, **params
        Arguments of :class:`~bank_python.integrations.peer_optimizer.PeerOptimizer`.

    Raises
    ------
    ModelError, MissingExtraError
        In the cases listed for :class:`~bank_python.integrations.peer_optimizer.PeerOptimizer`.
    """

    library: ClassVar[str] = "Riskfolio-Lib"
    package: ClassVar[str] = "riskfolio"
    distribution: ClassVar[str] = "riskfolio-lib"
    extra: ClassVar[str] = "riskfolio"
    takes: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "min_variance": (),
        "max_sharpe": (),
        "risk_parity": ("budgets",),
        "hrp": (),
        "min_cvar": ("confidence",),
    }

    def _solve(self) -> FloatArray | None:
        found = self._risk_parity_tree() if self._kind == "hrp" else self._convex_program()
        return None if found is None else np.array(found["weights"].loc[list(self._data.tickers)], dtype=np.float64)

    def _convex_program(self) -> Any:
        settings, data = self._settings, self._data
        means = np.zeros(len(data.tickers)) if data.expected_returns is None else data.expected_returns
        portfolio = self._module.Portfolio(returns=self._past())
        portfolio.mu = self._row(means)
        portfolio.cov = self._square(data.covariance)
        if self._kind == "risk_parity":
            return portfolio.rp_optimization(model="Classic", rm="MV", rf=settings["risk_free_rate"], b=self._budgets())
        portfolio.lowerlng, portfolio.upperlng = _number_or_column(self.goal.lower), _number_or_column(self.goal.upper)
        if self._kind == "min_cvar":
            portfolio.alpha = 1.0 - settings["confidence"]
        aim = "Sharpe" if self._kind == "max_sharpe" else "MinRisk"
        measure = "CVaR" if self._kind == "min_cvar" else "MV"
        return portfolio.optimization(model="Classic", rm=measure, obj=aim, rf=settings["risk_free_rate"], hist=True)

    def _risk_parity_tree(self) -> Any:
        import pandas as pd

        names = list(self._data.tickers)
        least, most = (pd.Series(side, index=names) for side in (self.goal.lower, self.goal.upper))
        tree = self._module.HCPortfolio(returns=self._past(), w_min=least, w_max=most)
        sigma = self._square(self._data.covariance)
        return tree.optimization(
            model="HRP", codependence="custom_cov", rm="MV", method_cov="custom_cov", custom_cov=sigma, leaf_order=False
        )

    def _failures(self) -> tuple[type[Exception], ...]:
        solver = importlib.import_module("cvxpy.error")
        # The library raises NameError for arguments that do not fit.
        return (solver.SolverError, solver.DCPError, NameError, ValueError, ArithmeticError, np.linalg.LinAlgError)

    def _check_bounds(self) -> None:
        if self._kind == "risk_parity" and not self.long_only:
            raise ModelError("risk_parity of Riskfolio-Lib takes no bounds; leave them out, or use create_optimizer")
        short = np.flatnonzero(self.goal.lower < 0.0)
        if len(short):
            name = self._data.tickers[int(short[0])]
            raise ModelError(
                f"the lower bound of {name} is {self.goal.lower[short[0]]:g}; Riskfolio-Lib does not support negative "
                "bounds; give lower bounds of at least 0, or use create_optimizer",
                name=name,
            )

    def _past(self) -> Any:
        import pandas as pd

        names = list(self._data.tickers)
        past = np.zeros((2, len(names))) if self._data.returns is None else self._data.returns
        return pd.DataFrame(past, columns=names)

    def _row(self, figures: FloatArray) -> Any:
        import pandas as pd

        return pd.DataFrame(figures.reshape(1, -1), columns=list(self._data.tickers))

    def _budgets(self) -> FloatArray | None:
        budgets = self._settings["budgets"]
        if budgets is None:
            return None
        parts = np.array([[budgets[name]] for name in self._data.tickers], dtype=np.float64)
        return np.asarray(parts / parts.sum())


def _number_or_column(side: FloatArray) -> Any:
    """Return bounds in the form that the library expects: one number if all are equal, otherwise a column."""
    return float(side[0]) if np.ptp(side) == 0.0 else side.reshape(-1, 1)
