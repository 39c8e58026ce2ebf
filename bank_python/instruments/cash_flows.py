"""Cash paid by contracts, during their life and at their end.

A class whose contracts pay before their end defines ``paid`` beside its ``price``: the cash that one unit has paid
since the contract's creation, as an array function of sources and terms (:class:`~bank_python.instruments.Bond`). A
contract of any other class pays once, when the clock has passed its end: its ``payoff``, or its ``price`` at the end. A
class whose cash flows depend on inputs that its price does not need (a perpetual's funding) has a method ``cash_flow``.

Examples
--------
>>> import datetime as dt
>>> from bank_python import Bond, Clock
>>> clock = Clock("CLOCK", origin=dt.date(2026, 1, 2))
>>> bond = Bond("B", rate_source=0.05, face=100, coupon_rate=0.06, maturity=5, frequency=2, clock_source=clock)
>>> cash_between(bond, clock.years, clock.years_at(dt.date(2026, 7, 4)))
3.0
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bank_python.dagger import Node
from bank_python.errors import ValuationError
from bank_python.instruments.checks import present
from bank_python.instruments.declarations import Expiry, MadeAt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bank_python.instruments.instrument import Instrument

__all__ = ["ROUNDING", "cash_between", "end_of", "has_ended", "is_over", "time_to_end"]

_CLOCK = "clock"
ROUNDING = 1e-9
"""Tolerance in years for comparisons of times, about a thirtieth of a second: times are differences of floats."""


def end_of(contract: Instrument) -> float:
    """Return the clock time of the contract's end, in years; infinite if it has none."""
    terms = _end_terms(type(contract))
    return sum(map(contract.term_at, terms)) if terms else math.inf


def has_ended(contract: Instrument) -> bool:
    """Return whether the contract's clock has passed its end."""
    end = end_of(contract)
    return end < math.inf and present(contract.source_at(_CLOCK)) > end + ROUNDING


def time_to_end(kind: type[Instrument], row: Callable[[str], Any]) -> Any:
    """Return the years to the end of contracts of a class, negative after it.

    Parameters
    ----------
    kind : type of Instrument
        Class of the contracts.
    row : callable
        Function from the name of a source or term to its value, or to an array of the values of several contracts.

    Returns
    -------
    float or ndarray
        Years to the end; infinite for a class whose contracts have none.
    """
    terms = _end_terms(kind)
    return sum(row(name) for name in terms) - row(_CLOCK) if terms else math.inf


def is_over(kind: type[Instrument], arguments: Mapping[str, float]) -> bool:
    """Return whether the clock has passed the end of a contract, given the arguments of its ``price``."""
    return bool(time_to_end(kind, arguments.__getitem__) < -ROUNDING)


def cash_between(
    contract: Instrument, since: float, until: float, read: Callable[[Node], object] | None = None
) -> float:
    """Return the cash that one unit pays after `since` and up to `until`; a final payment once `until` is past the end.

    Parameters
    ----------
    contract : Instrument
        Contract that pays the cash.
    since, until : float
        Clock times in years between which payments count.
    read : callable, optional
        Function from a node to its value, which raises the error of a failed node; by default current values. A payment
        at the end depends on the market data read.

    Returns
    -------
    float
        Cash in the contract's currency, negative if the holder pays; 0 for a contract without a clock or an end.

    Raises
    ------
    BankError
        An input of the payment has no value, or the payment is not a finite number.
    """
    kind = type(contract)
    if _CLOCK not in kind.source_names:
        return 0.0
    own = contract.cash_flow(since, until, partial(_number, read))
    if own is not None:
        return own
    if "paid" in kind.bindings:
        return _called(contract, "paid", until, read) - _called(contract, "paid", since, read)
    end = end_of(contract)
    if not since <= end + ROUNDING < until:
        return 0.0
    return _called(contract, "payoff" if "payoff" in kind.bindings else "price", end, read)


def _called(contract: Instrument, name: str, clock: float, read: Callable[[Node], object] | None) -> float:
    """Return the value of one of the class's functions for the contract at the clock time `clock`."""
    kind = type(contract)
    binding = kind.bindings[name]
    needed = range(len(kind.argument_names)) if binding.order is None else binding.order
    values = [math.nan] * len(kind.argument_names)
    for place in (*needed, *(place for _, place in binding.keywords)):
        values[place] = clock if kind.argument_names[place] == _CLOCK else _argument(contract, place, read)
    with np.errstate(all="ignore"):
        paid = float(np.asarray(binding(values)))
    if not math.isfinite(paid):
        inputs = dict(zip(kind.argument_names, values, strict=True))
        raise ValuationError(f"{contract.name} has no cash flow: {kind.diagnose(inputs)}", name=contract.name)
    return paid


def _argument(contract: Instrument, place: int, read: Callable[[Node], object] | None) -> float:
    name = contract.argument_names[place]
    if name in contract.term_names:
        return contract.term_at(name)
    return _number(read, contract.source_at(name))


def _number(read: Callable[[Node], object] | None, source: Node | float) -> float:
    if not isinstance(source, Node):
        return source
    return float(cast("float", source.value if read is None else read(source)))


def _end_terms(kind: type[Instrument]) -> tuple[str, ...]:
    """Return the names of the terms whose sum is the end of a contract; none if there is no end or no clock."""
    ends = kind.declared(Expiry)
    return (*ends, *kind.declared(MadeAt)) if ends and _CLOCK in kind.source_names else ()
