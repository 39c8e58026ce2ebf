"""Signals: pure functions of the data up to now, to what should be traded, how strongly and why.

A :class:`SignalRule` has one method to write, :meth:`SignalRule.from_closes`. From it come a report
(:meth:`SignalRule.examine`), the orders (:meth:`SignalRule.generate`), which carry the last price that the signal saw,
and a node of a graph (:meth:`SignalRule.node`), which follows the data.

One bad series does not cost the others their signals: it is a problem of the report, and :meth:`SignalRule.generate`
logs a warning with its name. A rule that raises, or returns something that is no signal, is an error with its name.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from bank_python.dagger import LargeNode
from bank_python.errors import TradingError
from bank_python.trading_engine.market_closes import closes_of
from bank_python.trading_engine.order import Order
from bank_python.trading_engine.signal_report import Signal, SignalProblem, SignalReport
from bank_python.wording import message_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.dagger import DependencyGraph, DerivedNode, Node, Policy
    from bank_python.numerics import FloatArray

__all__ = ["LEAST_STRENGTH", "SignalRule"]

LEAST_STRENGTH = 0.3
"""Strength from which a signal becomes an order."""

_LOG = logging.getLogger(__name__)


class SignalRule(ABC):
    """Base class of signals."""

    strategy: ClassVar[str] = ""
    """Name of the strategy, which the orders carry."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the series that the rule needs; empty if a rule does not say."""
        return ()

    @property
    def optional_inputs(self) -> tuple[str, ...]:
        """Names of the series that the rule reads if they are there, such as the units held."""
        return ()

    @abstractmethod
    def from_closes(self, closes: Mapping[str, FloatArray]) -> Sequence[Signal | SignalProblem]:
        """Return the signals at the end of closes by name, and a problem for each series that cannot be used.

        Parameters
        ----------
        closes : mapping of str to ndarray
            Closes by name, oldest first, up to now.
        """

    def examine(self, market_data: Any) -> SignalReport:
        """Return the signals at the end of the data, and the series that gave none because of a fault.

        Parameters
        ----------
        market_data : mapping, DataFrame, Table or PriceHistoryTable
            Closes up to now; see :func:`~bank_python.trading_engine.market_closes.closes_of`.

        Raises
        ------
        TradingError
            The data as a whole cannot be read, or the rule raises or returns something that is no signal; its name is
            said.
        """
        closes, faults = closes_of(market_data)
        found = self._found(closes)
        read = {*self.inputs, *self.optional_inputs}
        unreadable = [SignalProblem(name, why) for name, why in faults.items() if name in read or not read]
        others = [each for each in found if isinstance(each, SignalProblem) and each.ticker not in faults]
        problems = tuple(dict.fromkeys([*unreadable, *others]))  # a leg of two pairs is named once
        return SignalReport(tuple(each for each in found if isinstance(each, Signal)), problems)

    def signals(self, market_data: Any) -> tuple[Signal, ...]:
        """Return the signals at the end of the data; :meth:`examine` says which series gave none because of a fault.

        Parameters
        ----------
        market_data : mapping, DataFrame, Table or PriceHistoryTable
            Closes up to now, as in :meth:`examine`.
        """
        return self.examine(market_data).signals

    def generate(self, market_data: Any, *, trader: str = "") -> list[Order]:
        """Return market orders for the signals whose strength is at least 0.3.

        Series with a fault are named in a warning of the log, missing and short ones in an information.

        Parameters
        ----------
        market_data : mapping, DataFrame, Table or PriceHistoryTable
            Closes up to now, as in :meth:`examine`.
        trader : str, default ""
            Name of the trader of the orders.
        """
        report = self.examine(market_data)
        waiting = [each for each in report.problems if each.waits]
        for level, problems in ((logging.WARNING, report.faults), (logging.INFO, waiting)):
            if problems:
                _LOG.log(level, "%s: no signal of %s", self._title, "; ".join(map(str, problems)))
        return [
            Order(
                "", trader, each.instrument, each.side, each.quantity, price=each.price, strategy=self.strategy,
                reason=each.reason, strength=each.strength,
            )
            for each in report.signals
            if each.strength >= LEAST_STRENGTH
        ]  # fmt: skip

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({settings})"

    def node(
        self, graph: DependencyGraph, name: str, closes: Mapping[str, Node], policy: Policy | None = None
    ) -> DerivedNode:
        """Register a node whose value is the signals of other nodes' closes.

        Parameters
        ----------
        graph : DependencyGraph
            Graph of the nodes.
        name : str
            Name of the new node.
        closes : mapping of str to Node
            Node of the closes of each ticker, an array with the present price last.
        policy : Policy, optional
            Policy of evaluation; at every change by default.
        """
        tickers = tuple(closes)

        def signals(*values: Any) -> tuple[Signal, ...]:
            return self.signals(dict(zip(tickers, values, strict=True)))

        return graph.register(LargeNode(name, signals, list(closes.values()), None, policy))

    @property
    def _title(self) -> str:
        return self.strategy or type(self).__name__

    def _found(self, closes: Mapping[str, FloatArray]) -> Sequence[Signal | SignalProblem]:
        """Return what the rule finds, after checking that it is signals and problems."""
        try:
            found: Any = self.from_closes(closes)
        except Exception as error:  # a rule is the code of users, which may raise anything
            hint = "" if self.inputs else f"; it names no series: let {type(self).__name__}.inputs return them"
            raise TradingError(
                f"the rule {self._title} raised {type(error).__name__}: {message_of(error)}{hint}", name=self._title
            ) from error
        if not isinstance(found, list | tuple):
            raise TradingError(
                f"the rule {self._title} returned {found!r:.60}; give a list of signals", name=self._title, value=found
            )
        for each in found:
            if not isinstance(each, Signal | SignalProblem):
                raise TradingError(
                    f"the rule {self._title} returned {each!r:.60}, which is no Signal", name=self._title, value=each
                )
        return found
