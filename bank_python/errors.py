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
    ├── DeskError                 (ValueError)
    ├── PositionsError            (ValueError)   .problems
    ├── CallError                 (TypeError)    .name .argument
    └── MissingExtraError         (ImportError)  .extra

A bad argument is also a :class:`ValueError`, :class:`TypeError` or :class:`KeyError`, so that code
which knows nothing of this library catches it as it would any other. The message says what happened,
with which value, and what to do; the same facts are attributes.
"""

from __future__ import annotations

from typing import Any

__all__ = [
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
    "TableError",
    "UnknownColumnError",
    "UnknownJobError",
    "UnknownNodeError",
    "UnknownTickerError",
    "UnstorableError",
    "UpstreamError",
    "ValuationError",
]


class BankError(Exception):
    """Root of every error raised by bank_python.

    Parameters
    ----------
    message : str
        What happened, with which value, and what to do about it.
    **facts
        The same facts, kept as attributes of the exception (``error.name``, ``error.value`` …).
    """

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["facts"][name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} carries no fact named {name!r}") from None

    def __str__(self) -> str:
        # KeyError shows repr(args[0]); a sentence should read as a sentence.
        return self.message


class GraphError(BankError):
    """Something is wrong with a dependency graph or one of its nodes."""


class FeedbackError(GraphError):
    """Callbacks on a graph keep setting each other off."""


class CycleError(GraphError, ValueError):
    """An edge would close a circle; ``path`` lists the node names around it."""


class DuplicateNodeError(GraphError, ValueError):
    """Another node of that name is already in the graph."""


class UnknownNodeError(GraphError, KeyError):
    """No node of that name is in the graph."""


class DomainError(GraphError, ValueError):
    """A leaf was set to a value outside its declared domain."""


class NotQuotedError(GraphError):
    """A value depends on a leaf that has had no quote yet."""


class UpstreamError(GraphError):
    """A node has no value because an input failed; ``cause_name`` is the first cause."""


class JournalError(GraphError):
    """A journal of ticks cannot be written, read or replayed."""


class NodeArgumentError(GraphError, ValueError):
    """A node is made, or amended, with a name, an input or a term that it cannot have."""


class ValuationError(GraphError, ValueError):
    """A contract cannot be valued from its inputs; ``reason`` says why."""


class StoreError(BankError):
    """Something is wrong with a Barbara store."""


class MissingKeyError(StoreError, KeyError):
    """The key is in none of the rings."""


class ConflictError(StoreError):
    """A compare-and-set found another value, or a transaction lost a race."""


class StoreArgumentError(StoreError, ValueError):
    """A key, ring list, path, time or version given to a store makes no sense."""


class UnstorableError(StoreError, TypeError):
    """The value has no record form, so the store cannot keep it."""


class TableError(BankError):
    """Something is wrong with an MnTable table or view."""


class SchemaError(TableError, ValueError):
    """A schema, a row's keys or a view's arguments do not fit."""


class UnknownColumnError(TableError, KeyError):
    """The table has no column of that name."""


class ColumnTypeError(TableError, TypeError):
    """A cell's value does not have its column's type."""


class JobError(BankError):
    """Something is wrong with a Walpole job."""


class JobConfigError(JobError, ValueError):
    """A job's configuration does not hold together."""


class JobTimeoutError(JobError, TimeoutError):
    """A wait for jobs took longer than the caller would wait."""


class UnknownJobError(JobError, KeyError):
    """The runner has no job of that name."""


class MarketDataError(BankError):
    """Something is wrong with market data."""


class UnknownTickerError(MarketDataError, KeyError):
    """The ticker is not registered, or the feed does not carry it."""


class FeedError(MarketDataError):
    """A feed could not deliver; the message says why."""


class FeedConfigError(MarketDataError, ValueError):
    """A feed, a market or a period was described in a way that makes no sense."""


class DuplicateTickerError(MarketDataError, ValueError):
    """The ticker, or the leaf, is already registered with another."""


class NoFeedError(MarketDataError):
    """No feed was given and none can be chosen."""


class ModelError(BankError, ValueError):
    """A formula, a fit or a construction was asked for what it cannot give."""


class CurveError(ModelError):
    """A curve cannot be made of what it was given."""


class CalibrationError(ModelError):
    """A model cannot be fitted to the quotes it was given."""


class InfeasibleError(ModelError):
    """Nothing satisfies all constraints of a program."""


class MatrixError(ModelError):
    """A matrix is not of the kind that was asked for."""


class RootError(ModelError):
    """An equation has no root where it was looked for, or none was found."""


class InstrumentError(BankError, ValueError):
    """A contract's terms do not make sense."""


class ContractArgumentError(InstrumentError, TypeError):
    """A contract is made with an argument that its class does not take, or without one that it needs."""


class RiskError(BankError, ValueError):
    """A question about risk makes no sense, or has no answer for what is held."""


class SimulationError(RiskError):
    """A simulation cannot be run, or broke off; nothing is handed back."""


class SimulationCancelledError(RiskError):
    """A simulation was cancelled; nothing is handed back."""


class DeskError(BankError, ValueError):
    """A desk cannot be built, resumed or changed as asked."""


class PositionsError(BankError, ValueError):
    """Positions or price histories that cannot be read; ``problems`` holds the rows at fault, nothing was loaded."""


class CallError(BankError, TypeError):
    """A call does not fit the signature: an argument is unknown, missing, or one too many."""


class MissingExtraError(BankError, ImportError):
    """An optional package is not installed; ``extra`` names the extra that brings it."""
