"""Foreign exchange contracts: outright forwards and European options on a currency pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from bank_python.barbara import register_storable
from bank_python.dagger import Flag, Source, Term
from bank_python.instruments.checks import negative
from bank_python.instruments.declarations import Expiry
from bank_python.instruments.factor import Factor
from bank_python.instruments.implied import lognormal_implied_vol
from bank_python.instruments.instrument import DatedInstrument, Lognormal
from bank_python.instruments.lookup import Lookup, zero_rate
from bank_python.instruments.option import Option
from bank_python.instruments.vanilla import time_left
from bank_python.instruments.vol_surface import surface_vol
from bank_python.risk_models import black_scholes_price
from bank_python.risk_models.forward import forward_value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["FXForward", "FXOption"]


@register_storable
class FXForward(DatedInstrument):
    """An outright forward: one unit of the base currency, bought for delivery at an agreed rate.

    Parameters
    ----------
    name : str
        Node name, unique in its graph.
    spot_source : Node or float
        Spot rate, in units of the quote currency per unit of the base currency, such as an :class:`FXRate`.
    rate_source, foreign_rate_source : Node or float
        Rates of the quote and of the base currency per year, as decimals, continuously compounded; or curves, which
        give the zero rates to expiry.
    strike : float
        Agreed forward rate, above 0, in units of the quote currency.
    expiry : float, str or datetime.date
        Time to expiry in years from now, a tenor, or the expiry date (which needs a clock).
    currency : str, default "USD"
        ISO 4217 code of the quote currency, which is that of the value.
    clock_source : Clock or float, default 0.0
        Valuation clock, or a fixed valuation time in years.

    Raises
    ------
    InstrumentError
        A term is out of range; the message names it.

    Examples
    --------
    >>> terms = {"spot_source": 1.10, "rate_source": 0.05, "foreign_rate_source": 0.03}
    >>> round(FXForward("EURUSD_6M", strike=1.12, expiry=0.5, **terms).value, 6)
    -0.008724
    """

    record_tag = "FXForward"
    simulated_as: ClassVar[Lognormal] = Lognormal(dividend="foreign_rate")

    spot: Source = Source("units of quote currency for one unit of base currency", alias="spot_source", kind=Factor.FX)
    rate: Source = Source(
        "rate of the quote currency to expiry, continuously compounded", alias="rate_source", lookup=zero_rate
    )
    foreign_rate: Source = Source(
        "rate of the base currency to expiry, continuously compounded", alias="foreign_rate_source", lookup=zero_rate
    )
    strike: Term = Term("agreed forward rate", positive=True)
    expiry: Expiry = Expiry("years from the creation of the contract")

    @staticmethod
    def price(  # noqa: D102 - documented by Contract
        clock: Any, spot: Any, rate: Any, foreign_rate: Any, made_at: Any, strike: Any, expiry: Any
    ) -> Any:
        return forward_value(spot, strike, time_left(expiry, clock, made_at), rate, foreign_rate)


@register_storable
class FXOption(DatedInstrument):
    """A European call or put on one unit of the base currency, valued by Garman and Kohlhagen's formula.

    Parameters
    ----------
    name : str
        Node name, unique in its graph.
    spot_source, rate_source, foreign_rate_source
        Spot rate and the rates of both currencies, as for :class:`FXForward`.
    vol_source : Node or float
        Annual volatility of the exchange rate, as a decimal; or a surface, which gives the volatility at the strike.
    strike : float
        Strike rate, above 0, in units of the quote currency.
    expiry : float, str or datetime.date
        Time to expiry in years from now, a tenor, or the expiry date (which needs a clock).
    is_call : bool, default True
        Whether the option is a call (true) or a put (false) on the base currency.
    currency : str, default "USD"
        ISO 4217 code of the quote currency, which is that of the value.
    clock_source : Clock or float, default 0.0
        Valuation clock, or a fixed valuation time in years.

    Raises
    ------
    InstrumentError
        A term is out of range; the message names it.

    Notes
    -----
    For Greeks, the exchange rate is the option's spot (delta, gamma, vanna), not a currency position.

    References
    ----------
    M. B. Garman and S. W. Kohlhagen, "Foreign currency option values", Journal of International Money and Finance 2
    (1983), 231-237.

    Examples
    --------
    >>> terms = {"spot_source": 1.6, "rate_source": 0.08, "foreign_rate_source": 0.11}
    >>> option = FXOption("GBPUSD_4M", vol_source=0.141, strike=1.6, expiry=4 / 12, **terms)
    >>> round(option.value, 3)  # Hull, Options, Futures, and Other Derivatives, example of a currency option
    0.043
    """

    record_tag = "FXOption"
    lowest_value: ClassVar[float] = 0.0
    risk_factors: ClassVar[Mapping[str, Factor]] = {"spot": Factor.FX}
    simulated_as: ClassVar[Lognormal] = Lognormal(dividend="foreign_rate")

    spot: Source = Source("units of quote currency for one unit of base currency", alias="spot_source")
    vol: Source = Source(
        "annual volatility of the exchange rate, a decimal",
        alias="vol_source",
        lookup=Lookup(surface_vol, dividend="foreign_rate"),
    )
    rate: Source = Source(
        "rate of the quote currency to expiry, continuously compounded", alias="rate_source", lookup=zero_rate
    )
    foreign_rate: Source = Source(
        "rate of the base currency to expiry, continuously compounded", alias="foreign_rate_source", lookup=zero_rate
    )
    strike: Term = Term("strike, in units of the quote currency", positive=True)
    expiry: Expiry = Expiry("years from the creation of the contract")
    is_call: Flag = Flag("1 for a call, 0 for a put", default=True)

    payoff = staticmethod(Option.payoff)
    payoff_slope = staticmethod(Option.payoff_slope)

    @staticmethod
    def price(  # noqa: D102 - documented by Contract
        clock: Any,
        spot: Any,
        vol: Any,
        rate: Any,
        foreign_rate: Any,
        made_at: Any,
        strike: Any,
        expiry: Any,
        is_call: Any,
    ) -> Any:
        return black_scholes_price(spot, strike, time_left(expiry, clock, made_at), rate, vol, foreign_rate, is_call)

    @classmethod
    def diagnose(cls, inputs: Mapping[str, float]) -> str:
        """Return which input is out of range, in words."""
        return negative(inputs, "spot", "vol") or super().diagnose(inputs)

    implied_vol = lognormal_implied_vol
