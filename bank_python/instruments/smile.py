"""One expiry of a quoted surface: what it is made of in the graph, and what was last fitted to it.

A :class:`SmileSource` holds an expiry's strikes and the nodes or numbers that quote them (or a smile given outright).
A :class:`FittedSmile` is the outcome of one fit with everything it depended on, so that whoever asks again can tell
whether anything has changed. Both are immutable; nothing here knows about graphs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

import numpy as np

from bank_python.dagger import Node
from bank_python.errors import CalibrationError
from bank_python.risk_models.arbitrage import calendar_gap, check_slices
from bank_python.risk_models.smile_quotes import SmileQuotes
from bank_python.risk_models.svi import SviSlice
from bank_python.risk_models.svi_fit import SliceFit, fit_slice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Self

    from bank_python.risk_models.svi_fit import ArbitragePolicy

__all__ = ["FittedSmile", "Moment", "Quote", "Scalar", "SmileSource", "fitted", "swapped"]

Scalar: TypeAlias = Node | float
Quote: TypeAlias = Node | float | tuple[Node | float, Node | float]
"""A volatility, or a bid and an ask volatility."""

_SAMPLES = 31  # strikes at which a smile given outright stands for quotes, should it need a repair
_DEVIATIONS = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class SmileSource:
    """What one expiry's smile is made of.

    Parameters
    ----------
    end : float
        What the clock reads at expiry, in years.
    rate, dividend : Node or float
        To the expiry, continuously compounded.
    strikes : tuple of float
        Increasing.
    quotes : tuple of Quote
        One for each strike; all pairs, or none.
    weights : tuple of float
        One for each strike; what a squared error of it counts. Not used for pairs.
    given : SviSlice or None
        In the place of quotes, a smile; its variance shrinks in proportion to the time left.
    tenor : float
        Years to the expiry when the surface was made.
    forward : float or None
        The anchor of a given smile, if it is given too.
    """

    end: float
    rate: Scalar
    dividend: Scalar
    strikes: tuple[float, ...]
    quotes: tuple[Quote, ...]
    weights: tuple[float, ...]
    given: SviSlice | None
    tenor: float
    forward: float | None

    @property
    def nodes(self) -> list[Node]:
        """The nodes it depends on."""
        return [part for part in (*self._flat(), self.rate, self.dividend) if isinstance(part, Node)]

    def values(self, read: Callable[[Node], object]) -> tuple[float, ...]:
        """Return the quotes as they are now; pairs one after the other."""
        return tuple(_number(part, read) for part in self._flat())

    def forward_now(self, spot: float, now: float, read: Callable[[Node], object]) -> float:
        """Return the forward to the expiry, around which a smile would be fitted now."""
        if self.forward is not None:
            return self.forward
        carry = _number(self.rate, read) - _number(self.dividend, read)
        return spot * math.exp(carry * (self.end - now))

    def smile_quotes(self, moment: Moment) -> SmileQuotes:
        """Return the quotes as a fit takes them."""
        values, expiry, anchor, _ = moment
        if self.given is not None:
            return _sampled(self.given.scaled(expiry / self.tenor), expiry)
        k = np.log(np.array(self.strikes) / anchor)
        if self.quotes and isinstance(self.quotes[0], tuple):
            return SmileQuotes.from_bid_ask(expiry, k, values[0::2], values[1::2])
        return SmileQuotes.from_vols(expiry, k, values, self.weights)

    def to_fields(self) -> dict[str, object]:
        """Return the fields in a form that a store can keep."""
        given = None if self.given is None else list(self.given.parameters)
        columns = {"strikes": list(self.strikes), "quotes": list(self.quotes), "weights": list(self.weights)}
        terms = {"end": self.end, "tenor": self.tenor, "forward": self.forward, "given": given}
        return {**terms, **columns, "rate": self.rate, "dividend": self.dividend}

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Self:
        """Build the source from its stored fields."""
        columns = {name: tuple(fields[name]) for name in ("strikes", "quotes", "weights")}
        given = None if fields["given"] is None else SviSlice(*fields["given"])
        return cls(**{**fields, **columns, "given": given})

    def _flat(self) -> list[Scalar]:
        return [part for quote in self.quotes for part in (quote if isinstance(quote, tuple) else (quote,))]


class Moment(NamedTuple):
    """What a fit depends on.

    Parameters
    ----------
    values : tuple of float
        The quotes.
    expiry : float
        Years left.
    anchor, spot : float
        The forward to fit around, and the spot with it.
    """

    values: tuple[float, ...]
    expiry: float
    anchor: float
    spot: float


class FittedSmile(NamedTuple):
    """A fit, and what it depended on.

    Parameters
    ----------
    moment : Moment
        The quotes, the time and the anchor.
    previous : SviSlice or None
        The smile of the expiry before.
    alone : SliceFit
        Fitted regardless of the expiry before.
    fit : SliceFit
        The one that is used: `alone`, unless it crosses the expiry before.
    """

    moment: Moment
    previous: SviSlice | None
    alone: SliceFit
    fit: SliceFit


def fitted(
    source: SmileSource,
    known: FittedSmile | None,
    moment: Moment,
    previous: SviSlice | None,
    policy: ArbitragePolicy,
) -> tuple[FittedSmile, int]:
    """Return the smile of the moment, and how many fits that took.

    Parameters
    ----------
    source : SmileSource
        The expiry.
    known : FittedSmile or None
        The last one, of which as much is used as still holds.
    moment : Moment
        What it is to be fitted to.
    previous : SviSlice or None
        The smile of the expiry before.
    policy : ArbitragePolicy
        What to do about arbitrage.

    Raises
    ------
    CalibrationError
        The quotes cannot be fitted, or have an arbitrage that is to be refused.
    """
    if known is not None and known.moment == moment:
        if known.previous == previous:
            return known, 0
        alone, count = known.alone, 0
    else:
        alone, count = _alone(source, moment, policy)
    if previous is None or calendar_gap(previous, alone.smile).value >= 0.0:
        return FittedSmile(moment, previous, alone, alone), count
    fit = fit_slice(source.smile_quotes(moment), previous, policy)
    return FittedSmile(moment, previous, alone, fit), count + 1


def _alone(source: SmileSource, moment: Moment, policy: ArbitragePolicy) -> tuple[SliceFit, int]:
    if source.given is not None:
        smile = source.given.scaled(moment.expiry / source.tenor)
        if check_slices([moment.expiry], [smile]).free:
            return SliceFit(moment.expiry, smile, 0.0, 0.0, None), 0
    return fit_slice(source.smile_quotes(moment), None, policy), 1


def _sampled(smile: SviSlice, expiry: float) -> SmileQuotes:
    width = _DEVIATIONS * math.sqrt(max(float(smile.total_variance(0.0)), 0.0))
    k = np.linspace(-width, width, _SAMPLES)
    return SmileQuotes(expiry, k, smile.total_variance(k))


def swapped(source: SmileSource, old: Node, new: Node) -> SmileSource:
    """Return the source with `new` where it refers to `old`."""

    def other(part: Scalar) -> Scalar:
        return new if part is old else part

    quotes = tuple(
        (other(quote[0]), other(quote[1])) if isinstance(quote, tuple) else other(quote) for quote in source.quotes
    )
    return replace(source, rate=other(source.rate), dividend=other(source.dividend), quotes=quotes)


def _number(part: Scalar, read: Callable[[Node], object]) -> float:
    value = read(part) if isinstance(part, Node) else part
    if not isinstance(value, int | float | np.floating):
        raise CalibrationError(f"{cast('Node', part).name} gives {value!r}, which is not a number; quote a volatility")
    return float(value)
