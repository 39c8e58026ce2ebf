"""Cash that contracts pay: on the way, where a class says so, and at their end.

A class whose contracts pay before they end states ``paid`` beside its ``price``: the cash that one unit has paid since
it was made, as an array function of its sources and terms (:class:`~bank_python.instruments.Bond`). A contract of any
other class pays once, when the clock has passed its end: what its ``payoff`` says, or what its ``price`` is at its last
moment. A class whose cash depends on more than its price does (a perpetual's funding) has a method ``cash_flow``.

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
"""Years, a thirtieth of a second, by which times may be off: they are differences of floats."""


def end_of(contract: Instrument) -> float:
    """Return what the contract's clock reads at its end, in years; infinite if it has none."""
    terms = _end_terms(type(contract))
    return sum(map(contract.term_at, terms)) if terms else math.inf


def has_ended(contract: Instrument) -> bool:
    """Whether the contract's clock has passed its end."""
    end = end_of(contract)
    return end < math.inf and present(contract.source_at(_CLOCK)) > end + ROUNDING


def time_to_end(kind: type[Instrument], row: Callable[[str], Any]) -> Any:
    """Return the years that contracts of a class have left, negative once they are over.

    Parameters
    ----------
    kind : type of Instrument
        The contracts' class.
    row : callable
        From the name of a source or term to its number, or to an array of those of several contracts.

    Returns
    -------
    float or array
        Infinite for a class whose contracts have no end.
    """
    terms = _end_terms(kind)
    return sum(row(name) for name in terms) - row(_CLOCK) if terms else math.inf


def is_over(kind: type[Instrument], arguments: Mapping[str, float]) -> bool:
    """Whether the clock has passed the end of a contract that is given as the arguments of its ``price``."""
    return bool(time_to_end(kind, arguments.__getitem__) < -ROUNDING)


def cash_between(
    contract: Instrument, since: float, until: float, read: Callable[[Node], object] | None = None
) -> float:
    """Return the cash that one unit pays after `since` and not after `until`; at its end, once `until` is past it.

    Parameters
    ----------
    contract : Instrument
        What is held.
    since, until : float
        What its clock reads, in years.
    read : callable, optional
        From a node to its value, or raising its error; the present value by default. What is paid at the end depends on
        the market as it is read.

    Returns
    -------
    float
        In the contract's currency; negative if the holder pays. 0 for a contract that stands still or has no end.

    Raises
    ------
    BankError
        Something that the payment depends on has no value, or the payment is no finite number.
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
    """Call one of the class's functions for the contract, with its clock at `clock`."""
    kind = type(contract)
    binding = kind.bindings[name]
    wanted = range(len(kind.argument_names)) if binding.order is None else binding.order
    rows = [math.nan] * len(kind.argument_names)
    for place in (*wanted, *(place for _, place in binding.keywords)):
        rows[place] = clock if kind.argument_names[place] == _CLOCK else _argument(contract, place, read)
    with np.errstate(all="ignore"):
        paid = float(np.asarray(binding(rows)))
    if not math.isfinite(paid):
        inputs = dict(zip(kind.argument_names, rows, strict=True))
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
    """Return the terms whose sum is the end of contracts of a class; none if they have no end, or no clock."""
    ends = kind.declared(Expiry)
    return (*ends, *kind.declared(MadeAt)) if ends and _CLOCK in kind.source_names else ()
