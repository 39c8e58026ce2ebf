"""Another library's optimiser behind the door of ours: the same input, the same result.

A peer takes what :func:`~bank_python.optimizer.create_optimizer` takes, as far as the library can express it, and says
no to the rest. What the library prints and warns of while it works goes nowhere, and the warnings' filters are
afterwards what they were.
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

__all__ = ["PeerOptimizer", "chosen_on"]

_ALL_TAKE = ("bounds", "risk_free_rate")


class PeerOptimizer(ABC):
    """A portfolio by another library.

    Parameters
    ----------
    kind : str
        One of :attr:`takes`.
    cov_data : CovarianceData
        The assets; no cash.
    **params
        As for :func:`~bank_python.optimizer.create_optimizer`: ``bounds``, ``risk_free_rate``, and what
        :attr:`takes` lists for the kind.

    Raises
    ------
    ModelError
        The library has no such kind, or cannot take a parameter; the message lists what it has. And whatever our own
        optimiser of this kind refuses.
    MissingExtraError
        The library is not installed.
    """

    library: ClassVar[str]
    """What people call it."""

    package: ClassVar[str]
    """What is imported."""

    distribution: ClassVar[str]
    """What is installed."""

    extra: ClassVar[str] = "compare"
    """The extra that installs it."""

    takes: ClassVar[Mapping[str, tuple[str, ...]]]
    """The kinds it can, each with the parameters that it takes beside bounds and rate."""

    def __init__(self, kind: str, cov_data: CovarianceData, **params: Any) -> None:
        if kind not in self.takes:
            asked = "no optimiser" if kind not in OPTIMIZERS else "one of ours, and none of theirs"
            raise ModelError(f"{kind!r} is {asked}; {self.library} has {', '.join(self.takes)}", name=kind)
        able = (*_ALL_TAKE, *self.takes[kind])
        strange = next((name for name in params if name not in able), None)
        if strange is not None:
            raise ModelError(f"{kind} of {self.library} takes no {strange!r}; it takes {', '.join(able)}", name=strange)
        cov_data.require_risk(f"{kind} of {self.library}")
        self._kind, self._params = kind, params
        self._settings = settings_of(kind, params)
        self._ours = create_optimizer(kind, cov_data, **params)
        self._data, self._given = chosen_on(self._ours, cov_data), cov_data
        self.goal = portfolio_goal(kind, self._data, params)
        self._module = self._imported()
        self._refuse()

    @classmethod
    def is_installed(cls) -> bool:
        """Whether the library is there; it is not loaded."""
        return find_spec(cls.package) is not None

    @classmethod
    def version(cls) -> str:
        """Return the version that is installed; empty if none is."""
        try:
            return version(cls.distribution)
        except PackageNotFoundError:
            return ""

    @property
    def long_only(self) -> bool:
        """Whether the bounds are no more than that nothing is sold short."""
        return bool((self.goal.lower == 0.0).all() and (self.goal.upper >= 1.0).all())

    @property
    def believed(self) -> BlackLitterman:
        """The posterior of our own optimiser.

        Raises
        ------
        ModelError
            There are no views.
        """
        if not isinstance(self._ours, BlackLittermanOptimizer):
            raise ModelError(f"{self._kind} has no posterior; black_litterman has one", name=self._kind)
        return self._ours.posterior

    def weights(self) -> FloatArray:
        """Return the library's weights as they come, shape (n_assets,).

        Raises
        ------
        ModelError
            It finds none.
        """
        with _contained():
            try:
                found = self._solved()
            except self._failures() as error:
                raise ModelError(f"{self.library} found no {self._kind} portfolio: {error!r}") from error
        if found is None or not np.isfinite(found).all():
            raise ModelError(f"{self.library} found no {self._kind} portfolio: it gave back no numbers")
        return found

    def optimize(self) -> OptimalPortfolio:
        """Return the library's portfolio, measured and certified by us.

        The library tells no multipliers, so its certificate is made from the weights alone: ``kkt_residual`` is the
        natural residual of :mod:`bank_python.integrations.portfolio_goal`; with a target return, and for ``min_cvar``
        and ``hrp``, it is the largest violation of a constraint and says nothing about the optimum. ``duality_gap`` is
        how much worse the objective is than that of our own optimum, relative, plus the gap that ours is certified
        with; it may be below 0 where the weights break a constraint, and is 0 for ``hrp``, which optimises nothing.

        Raises
        ------
        ModelError
            The library finds none.
        """
        return self.certified(self.weights(), self._ours.optimize())

    def certified(self, weights: FloatArray, best: OptimalPortfolio) -> OptimalPortfolio:
        """Return weights as a portfolio, certified beside our own optimum; see :meth:`optimize`."""
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
        """Return a matrix of the assets as a frame with their names."""
        import pandas as pd

        return pd.DataFrame(matrix, index=list(self._data.tickers), columns=list(self._data.tickers))

    @abstractmethod
    def _solved(self) -> FloatArray | None:
        """Return the weights; ``None`` if the library gives up quietly."""

    @abstractmethod
    def _failures(self) -> tuple[type[Exception], ...]:
        """Return what the library raises when it finds nothing."""

    def _refuse(self) -> None:  # noqa: B027 - most libraries take all that their table says
        """Refuse bounds that the library cannot take.

        Raises
        ------
        ModelError
            It cannot.
        """

    def _imported(self) -> Any:
        with _contained():
            try:
                return importlib.import_module(self.package)
            except ImportError as error:
                raise MissingExtraError(
                    f"{self.library} is not installed: {how_to_install(self.extra)}, or pip install "
                    f"{self.distribution}; everything but this comparison works without it",
                    extra=self.extra,
                ) from error


def chosen_on(ours: Optimizer, data: CovarianceData) -> CovarianceData:
    """Return what a portfolio is chosen on: the data, or after views the posterior."""
    if not isinstance(ours, BlackLittermanOptimizer):
        return data
    return CovarianceData(
        tickers=data.tickers,
        covariance=ours.posterior.covariance,
        expected_returns=ours.posterior.expected_returns,
        estimator=data.estimator,
    )


@contextmanager
def _contained() -> Iterator[None]:
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
