"""Base class of other libraries' portfolio optimisers, with the input and the result of our own.

A peer accepts the arguments of :func:`~bank_python.optimizer.create_optimizer` that the library supports and rejects
the others with an error. While the library runs, its output and its warnings are discarded; the warning filters are
restored afterwards.
"""

from __future__ import annotations

import importlib
import io
import warnings
from abc import ABC, abstractmethod
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bank_python.deprecation import warn_of
from bank_python.errors import MissingExtraError, ModelError
from bank_python.integrations.portfolio_goal import portfolio_goal, settings_of
from bank_python.optimizer.certificate import Certificate
from bank_python.optimizer.covariance_data import CovarianceData
from bank_python.optimizer.factory import OPTIMIZERS, create_optimizer
from bank_python.optimizer.portfolio import portfolio_of
from bank_python.optimizer.views import BlackLittermanOptimizer
from bank_python.wording import how_to_install

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bank_python.numerics import FloatArray
    from bank_python.optimizer.optimizer import Optimizer
    from bank_python.optimizer.portfolio import OptimalPortfolio
    from bank_python.risk_models.black_litterman import BlackLitterman

__all__ = ["PeerOptimizer", "effective_data"]

_COMMON_PARAMETERS = ("bounds", "risk_free_rate")


class PeerOptimizer(ABC):
    """A portfolio optimiser of another library.

    Parameters
    ----------
    kind : str
        Kind of portfolio, a key of :attr:`takes`.
    cov_data : CovarianceData
        Covariance and expected returns of the assets, without cash.
    **params
        Parameters of :func:`~bank_python.optimizer.create_optimizer`: ``bounds``, ``risk_free_rate``, and those that
        :attr:`takes` lists for the kind.

    Raises
    ------
    ModelError
        If the library has no such kind or does not support a parameter; the message lists what it supports. Also for
        any input that our own optimiser of this kind rejects.
    MissingExtraError
        If the library is not installed.
    """

    library: ClassVar[str]
    """Name of the library in tables and messages."""

    package: ClassVar[str]
    """Name of the package to import."""

    distribution: ClassVar[str]
    """Name of the distribution to install with pip."""

    extra: ClassVar[str] = "compare"
    """Extra of bank-python that installs the library."""

    takes: ClassVar[Mapping[str, tuple[str, ...]]]
    """Kinds that the library supports, each with its parameters other than ``bounds`` and ``risk_free_rate``."""

    def __init__(self, kind: str, cov_data: CovarianceData, **params: Any) -> None:
        if kind not in self.takes:
            lacking = "no optimiser" if kind not in OPTIMIZERS else "an optimiser of bank_python only"
            raise ModelError(f"{kind!r} is {lacking}; {self.library} has {', '.join(self.takes)}", name=kind)
        accepted = (*_COMMON_PARAMETERS, *self.takes[kind])
        unknown = next((name for name in params if name not in accepted), None)
        if unknown is not None:
            raise ModelError(
                f"{kind} of {self.library} takes no {unknown!r}; it takes {', '.join(accepted)}", name=unknown
            )
        cov_data.require_risk(f"{kind} of {self.library}")
        self._kind, self._params = kind, params
        self._settings = settings_of(kind, params)
        self._ours = create_optimizer(kind, cov_data, **params)
        self._data, self._prior_data = effective_data(self._ours, cov_data), cov_data
        self.goal = portfolio_goal(kind, self._data, params)
        self._module = self._imported()
        self._check_bounds()

    @classmethod
    def is_installed(cls) -> bool:
        """Whether the library is installed; it is not imported."""
        return find_spec(cls.package) is not None

    @classmethod
    def version(cls) -> str:
        """Return the installed version; an empty string if the library is not installed."""
        try:
            return version(cls.distribution)
        except PackageNotFoundError:
            return ""

    @property
    def long_only(self) -> bool:
        """Whether the bounds do no more than exclude short positions."""
        return bool((self.goal.lower == 0.0).all() and (self.goal.upper >= 1.0).all())

    @property
    def posterior(self) -> BlackLitterman:
        """Black–Litterman posterior of our own optimiser.

        Raises
        ------
        ModelError
            If the kind is not ``black_litterman``.
        """
        if not isinstance(self._ours, BlackLittermanOptimizer):
            raise ModelError(f"{self._kind} has no posterior; black_litterman has one", name=self._kind)
        return self._ours.posterior

    @property
    def believed(self) -> BlackLitterman:
        """Old name of :attr:`posterior`."""
        warn_of("PeerOptimizer.believed", "posterior")
        return self.posterior

    def weights(self) -> FloatArray:
        """Return the library's weights, unchanged, shape (n_assets,).

        Raises
        ------
        ModelError
            If the library finds no portfolio.
        """
        with _silenced():
            try:
                found = self._solve()
            except self._failures() as error:
                raise ModelError(f"{self.library} found no {self._kind} portfolio: {error!r}") from error
        if found is None or not np.isfinite(found).all():
            raise ModelError(f"{self.library} found no {self._kind} portfolio: it returned no finite weights")
        return found

    def optimize(self) -> OptimalPortfolio:
        """Return the library's portfolio, with figures and certificate computed by bank_python.

        The libraries return no multipliers, so the certificate is computed from the weights only. ``kkt_residual`` is
        the natural residual of :mod:`bank_python.integrations.portfolio_goal`; with a target return, and for
        ``min_cvar`` and ``hrp``, it is the largest violation of a constraint and does not measure optimality.
        ``duality_gap`` is the relative excess of the objective over that of our own optimum, plus the duality gap of
        our optimum; it may be negative where the weights violate a constraint, and is 0 for ``hrp``, which has no
        objective.

        Raises
        ------
        ModelError
            If the library finds no portfolio.
        """
        return self.certified(self.weights(), self._ours.optimize())

    def certified(self, weights: FloatArray, best: OptimalPortfolio) -> OptimalPortfolio:
        """Return weights as a portfolio, certified by comparison with our own optimum; see :meth:`optimize`."""
        gap = self.goal.gap(weights, best.weights)
        proof = Certificate(
            kkt_residual=self.goal.residual(weights),
            duality_gap=0.0 if gap is None else gap + best.certificate.duality_gap,
        )
        figures = {"cvar": self.goal.value(weights)} if self._kind == "min_cvar" and self.goal.value else {}
        return portfolio_of(
            self._data,
            f"{self._kind} by {self.library} {self.version()}",
            weights,
            proof,
            risk_free_rate=self._settings["risk_free_rate"],
            figures=figures,
        )

    def _square(self, matrix: FloatArray) -> Any:
        """Return a matrix of the assets as a data frame labelled with their tickers."""
        import pandas as pd

        return pd.DataFrame(matrix, index=list(self._data.tickers), columns=list(self._data.tickers))

    @abstractmethod
    def _solve(self) -> FloatArray | None:
        """Return the weights; ``None`` if the library fails without an error."""

    @abstractmethod
    def _failures(self) -> tuple[type[Exception], ...]:
        """Return the exceptions that the library raises when it finds no portfolio."""

    def _check_bounds(self) -> None:  # noqa: B027 - most libraries support all bounds
        """Reject bounds that the library does not support.

        Raises
        ------
        ModelError
            If there are such bounds.
        """

    def _imported(self) -> Any:
        with _silenced():
            try:
                return importlib.import_module(self.package)
            except ImportError as error:
                raise MissingExtraError(
                    f"{self.library} is not installed: {how_to_install(self.extra)}, or pip install "
                    f"{self.distribution}; only this comparison needs it",
                    extra=self.extra,
                ) from error

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self._kind} of {len(self._data.tickers):,} assets>"


def effective_data(ours: Optimizer, data: CovarianceData) -> CovarianceData:
    """Return the moments that `ours` optimises: its Black–Litterman posterior if it has one, otherwise `data`."""
    if not isinstance(ours, BlackLittermanOptimizer):
        return data
    return CovarianceData(
        tickers=data.tickers,
        covariance=ours.posterior.covariance,
        expected_returns=ours.posterior.expected_returns,
        estimator=data.estimator,
    )


@contextmanager
def _silenced() -> Iterator[None]:
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
