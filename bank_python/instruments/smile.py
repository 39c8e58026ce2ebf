"""One expiry of a quoted volatility surface: its inputs, and the smile last fitted to them.

A :class:`SmileSource` has an expiry's strikes and the nodes or numbers that quote them (or a given smile). A
:class:`FittedSmile` is the result of one fit together with its inputs, so that a later fit can be skipped if the inputs
are unchanged. Both are immutable and independent of graphs.
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

_SAMPLES = 31  # strikes at which a given smile is sampled as quotes, if it has to be repaired
_DEVIATIONS = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class SmileSource:
    """Inputs of one expiry's smile.

    Parameters
    ----------
    end : float
        Clock time of the expiry, in years.
    rate, dividend : Node or float
        Interest rate and dividend yield to the expiry per year, continuously compounded.
    strikes : tuple of float
        Quoted strikes, increasing.
    quotes : tuple of Quote
        Volatility quotes, one for each strike; either all bid-ask pairs, or none.
    weights : tuple of float
        Weights of the squared errors, one for each strike; not used for bid-ask pairs.
    given : SviSlice or None
        Smile given instead of quotes; its total variance shrinks in proportion to the time left.
    tenor : float
        Years to the expiry when the surface was created.
    forward : float or None
        Forward price around which a given smile is defined; None to compute it from spot, rate and dividend yield.
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
        """Nodes that the smile depends on, except the spot."""
        return [part for part in (*self._flat(), self.rate, self.dividend) if isinstance(part, Node)]

    def values(self, read: Callable[[Node], object]) -> tuple[float, ...]:
        """Return the current quotes in one sequence, with bid and ask of a pair side by side."""
        return tuple(_number(part, read) for part in self._flat())

    def forward_now(self, spot: float, now: float, read: Callable[[Node], object]) -> float:
        """Return the current forward price to the expiry, around which a smile is fitted."""
        if self.forward is not None:
            return self.forward
        carry = _number(self.rate, read) - _number(self.dividend, read)
        return spot * math.exp(carry * (self.end - now))

    def smile_quotes(self, moment: Moment) -> SmileQuotes:
        """Return the quotes in the form that a fit takes."""
        values, expiry, anchor, _ = moment
        if self.given is not None:
            return _sampled(self.given.scaled(expiry / self.tenor), expiry)
        k = np.log(np.array(self.strikes) / anchor)
        if self.quotes and isinstance(self.quotes[0], tuple):
            return SmileQuotes.from_bid_ask(expiry, k, values[0::2], values[1::2])
        return SmileQuotes.from_vols(expiry, k, values, self.weights)

    def to_fields(self) -> dict[str, object]:
        """Return the fields in a storable form."""
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
    """Numerical inputs of a fit.

    Parameters
    ----------
    values : tuple of float
        Quotes in one sequence, as :meth:`SmileSource.values` returns them.
    expiry : float
        Time to expiry in years.
    anchor, spot : float
        Forward price around which the smile is fitted, and the spot price at that time.
    """

    values: tuple[float, ...]
    expiry: float
    anchor: float
    spot: float


class FittedSmile(NamedTuple):
    """A fit and its inputs.

    Parameters
    ----------
    moment : Moment
        Quotes, time to expiry and anchor of the fit.
    previous : SviSlice or None
        Smile of the previous expiry; None for the first.
    unconstrained : SliceFit
        Fit without regard to the previous expiry.
    fit : SliceFit
        Fit in use: `unconstrained`, unless that has a calendar arbitrage with the previous expiry.
    """

    moment: Moment
    previous: SviSlice | None
    unconstrained: SliceFit
    fit: SliceFit


def fitted(
    source: SmileSource,
    known: FittedSmile | None,
    moment: Moment,
    previous: SviSlice | None,
    policy: ArbitragePolicy,
) -> tuple[FittedSmile, int]:
    """Return the fitted smile of an expiry, and the number of fits computed.

    Parameters
    ----------
    source : SmileSource
        Inputs of the expiry.
    known : FittedSmile or None
        Last fitted smile, which is reused as far as its inputs are unchanged.
    moment : Moment
        Current quotes, time to expiry and anchor.
    previous : SviSlice or None
        Smile of the previous expiry; None for the first.
    policy : ArbitragePolicy
        Treatment of quotes with arbitrage: repair, or an error.

    Raises
    ------
    CalibrationError
        The quotes cannot be fitted, or have an arbitrage and the policy does not allow repairs.
    """
    if known is not None and known.moment == moment:
        if known.previous == previous:
            return known, 0
        unconstrained, count = known.unconstrained, 0
    else:
        unconstrained, count = _unconstrained(source, moment, policy)
    if previous is None or calendar_gap(previous, unconstrained.smile).value >= 0.0:
        return FittedSmile(moment, previous, unconstrained, unconstrained), count
    fit = fit_slice(source.smile_quotes(moment), previous, policy)
    return FittedSmile(moment, previous, unconstrained, fit), count + 1


def _unconstrained(source: SmileSource, moment: Moment, policy: ArbitragePolicy) -> tuple[SliceFit, int]:
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
    """Return the source with the node `old` replaced by `new`."""

    def replaced(part: Scalar) -> Scalar:
        return new if part is old else part

    quotes = tuple(
        (replaced(quote[0]), replaced(quote[1])) if isinstance(quote, tuple) else replaced(quote)
        for quote in source.quotes
    )
    return replace(source, rate=replaced(source.rate), dividend=replaced(source.dividend), quotes=quotes)


def _number(part: Scalar, read: Callable[[Node], object]) -> float:
    value = read(part) if isinstance(part, Node) else part
    if not isinstance(value, int | float | np.floating):
        raise CalibrationError(
            f"{cast('Node', part).name} has the value {value!r}, which is not a number; quote a volatility"
        )
    return float(value)
