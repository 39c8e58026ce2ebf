"""Every exception the library raises, in one tree.

::

    BankError
    ├── GraphError
    │   ├── CycleError            (ValueError)   .path
    │   ├── DuplicateNodeError    (ValueError)   .name
    │   ├── UnknownNodeError      (KeyError)     .name
    │   ├── DomainError           (ValueError)   .name .value .domain
    │   ├── NotQuotedError                       .name
    │   ├── FeedbackError
    │   ├── UpstreamError                        .name .cause_name
    │   ├── JournalError                         .name .tick .path
    │   ├── NodeArgumentError     (ValueError)   .name .value
    │   └── ValuationError        (ValueError)   .name .reason
    ├── StoreError
    │   ├── MissingKeyError       (KeyError)     .key
    │   ├── ConflictError                        .key
    │   ├── StoreArgumentError    (ValueError)   .value
    │   └── UnstorableError       (TypeError)    .key .value
    ├── TableError
    │   ├── SchemaError           (ValueError)
    │   ├── UnknownColumnError    (KeyError)     .column
    │   └── ColumnTypeError       (TypeError)    .column .value
    ├── JobError
    │   ├── JobConfigError        (ValueError)   .name
    │   ├── JobTimeoutError       (TimeoutError) .name .value
    │   └── UnknownJobError       (KeyError)     .name
    ├── MarketDataError
    │   ├── UnknownTickerError    (KeyError)     .ticker
    │   ├── FeedError                            .feed .symbol
    │   ├── FeedConfigError       (ValueError)   .value
    │   ├── DuplicateTickerError  (ValueError)   .ticker
    │   └── NoFeedError
    ├── ModelError                (ValueError)   .name .value
    │   ├── CurveError
    │   ├── CalibrationError
    │   ├── InfeasibleError
    │   ├── MatrixError
    │   └── RootError
    ├── InstrumentError           (ValueError)   .name
    │   └── ContractArgumentError (TypeError)    .name .argument
    ├── RiskError                 (ValueError)   .name .value
    │   ├── SimulationError
    │   └── SimulationCancelledError             .done .total
    ├── MacroError                (ValueError)   .name .value .problems
    ├── DeskError                 (ValueError)
    ├── PositionsError            (ValueError)   .problems
    ├── TradingError              (ValueError)   .name .value
    ├── BacktestError             (ValueError)   .name .value
    │   └── SweepCancelledError                  .done .total .result
    ├── VerificationError         (ValueError)   .value .keys
    ├── CallError                 (TypeError)    .name .argument
    └── MissingExtraError         (ImportError)  .extra

The error for a bad argument is also a :class:`ValueError`, :class:`TypeError` or :class:`KeyError`, so that
code which knows nothing of this library can catch it. The message says what happened, with which value, and
what to do; the same facts are attributes of the exception.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "BacktestError",
    "BankError",
    "CalibrationError",
    "CallError",
    "ColumnTypeError",
    "ConflictError",
    "ContractArgumentError",
    "CurveError",
    "CycleError",
    "DeskError",
    "DomainError",
    "DuplicateNodeError",
    "DuplicateTickerError",
    "FeedConfigError",
    "FeedError",
    "FeedbackError",
    "GraphError",
    "InfeasibleError",
    "InstrumentError",
    "JobConfigError",
    "JobError",
    "JobTimeoutError",
    "JournalError",
    "MacroError",
    "MarketDataError",
    "MatrixError",
    "MissingExtraError",
    "MissingKeyError",
    "ModelError",
    "NoFeedError",
    "NodeArgumentError",
    "NotQuotedError",
    "PositionsError",
    "RiskError",
    "RootError",
    "SchemaError",
    "SimulationCancelledError",
    "SimulationError",
    "StoreArgumentError",
    "StoreError",
    "SweepCancelledError",
    "TableError",
    "TradingError",
    "UnknownColumnError",
    "UnknownJobError",
    "UnknownNodeError",
    "UnknownTickerError",
    "UnstorableError",
    "UpstreamError",
    "ValuationError",
    "VerificationError",
]


class BankError(Exception):
    """Base class of all errors raised by bank_python.

    Parameters
    ----------
    message : str
        Text of the error: what happened, with which value, and what to do about it.
    **facts
        Facts of the message, available as attributes of the exception (``error.name``, ``error.value`` …).
    """

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["facts"][name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}") from None

    def __str__(self) -> str:
        # KeyError would show repr(args[0]), the message in quotation marks.
        return self.message


class GraphError(BankError):
    """An error of a dependency graph or of one of its nodes."""


class FeedbackError(GraphError):
    """Callbacks on a graph trigger each other without end."""


class CycleError(GraphError, ValueError):
    """An edge would close a cycle; ``path`` lists the names of its nodes."""


class DuplicateNodeError(GraphError, ValueError):
    """Another node of that name is already in the graph."""


class UnknownNodeError(GraphError, KeyError):
    """No node of that name is in the graph."""


class DomainError(GraphError, ValueError):
    """A leaf was set to a value outside its declared domain."""


class NotQuotedError(GraphError):
    """A value depends on a leaf that has not been quoted yet."""


class UpstreamError(GraphError):
    """A node has no value because an input failed; ``cause_name`` is the name of the root cause."""


class JournalError(GraphError):
    """A journal of ticks cannot be written, read or replayed."""


class NodeArgumentError(GraphError, ValueError):
    """A node was constructed or amended with an invalid name, input or term."""


class ValuationError(GraphError, ValueError):
    """A contract cannot be valued from its inputs; ``reason`` explains why."""


class StoreError(BankError):
    """An error of a Barbara store."""


class MissingKeyError(StoreError, KeyError):
    """No ring of the store has the key."""


class ConflictError(StoreError):
    """A compare-and-set found another value, or a transaction conflicted with another writer."""


class StoreArgumentError(StoreError, ValueError):
    """A key, list of rings, path, time or version given to a store is invalid."""


class UnstorableError(StoreError, TypeError):
    """The value has no record form, so the store cannot save it."""


class TableError(BankError):
    """An error of an MnTable table or view."""


class SchemaError(TableError, ValueError):
    """A schema, the keys of a row or the arguments of a view are invalid."""


class UnknownColumnError(TableError, KeyError):
    """The table has no column of that name."""


class ColumnTypeError(TableError, TypeError):
    """The value of a cell does not have the type of its column."""


class JobError(BankError):
    """An error of a Walpole job."""


class JobConfigError(JobError, ValueError):
    """The configuration of a job is invalid."""


class JobTimeoutError(JobError, TimeoutError):
    """A wait for jobs exceeded the caller's timeout."""


class UnknownJobError(JobError, KeyError):
    """The runner has no job of that name."""


class MarketDataError(BankError):
    """An error of market data or of a feed."""


class UnknownTickerError(MarketDataError, KeyError):
    """The ticker is not registered, or the feed does not quote it."""


class FeedError(MarketDataError):
    """A feed could not deliver quotes; the message says why."""


class FeedConfigError(MarketDataError, ValueError):
    """The configuration of a feed, a market or a period is invalid."""


class DuplicateTickerError(MarketDataError, ValueError):
    """The ticker, or the leaf, is already registered with another."""


class NoFeedError(MarketDataError):
    """No feed was given and none can be chosen."""


class ModelError(BankError, ValueError):
    """A formula, a calibration or a construction has no result for its arguments."""


class CurveError(ModelError):
    """A curve cannot be built from its inputs."""


class CalibrationError(ModelError):
    """A model cannot be calibrated to the quotes."""


class InfeasibleError(ModelError):
    """No point satisfies all constraints of an optimisation problem."""


class MatrixError(ModelError):
    """A matrix lacks a required property: it is not symmetric or not positive semidefinite, for example."""


class RootError(ModelError):
    """An equation has no root in the search interval, or none was found."""


class InstrumentError(BankError, ValueError):
    """The terms of a contract are invalid."""


class ContractArgumentError(InstrumentError, TypeError):
    """A contract was constructed with an unknown argument, or without a required one."""


class RiskError(BankError, ValueError):
    """A risk figure was requested with invalid arguments, or cannot be computed for the holdings."""


class SimulationError(RiskError):
    """A simulation cannot be run, or failed before its end; there is no result."""


class SimulationCancelledError(RiskError):
    """A simulation was cancelled; there is no result."""


class MacroError(BankError, ValueError):
    """Macroeconomic data or a panel of prices cannot be read or measured; ``problems`` holds the rows at fault."""


class DeskError(BankError, ValueError):
    """A desk cannot be built, resumed or changed as requested."""


class PositionsError(BankError, ValueError):
    """Positions or price histories that cannot be read; ``problems`` holds the rows at fault, nothing was loaded."""


class TradingError(BankError, ValueError):
    """An order, a fill, a booking or an audit trail that is not possible; nothing was booked."""


class BacktestError(BankError, ValueError):
    """Bars, a strategy or settings of a back-test that cannot be replayed."""


class SweepCancelledError(BacktestError):
    """A sweep was cancelled; ``result`` has the points that had run."""


class VerificationError(BankError, ValueError):
    """Figures differ from what their sources print, ``keys`` names them; or an entry of the table cannot be used."""


class CallError(BankError, TypeError):
    """A call does not fit the signature: an argument is unknown, missing, or one too many."""


class MissingExtraError(BankError, ImportError):
    """An optional package is not installed; ``extra`` is the name of the extra that installs it."""
