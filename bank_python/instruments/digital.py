"""Digital options: cash-or-nothing and asset-or-nothing."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bank_python.barbara import register_storable
from bank_python.dagger import Flag, Term
from bank_python.instruments.vanilla import VanillaOption, time_left
from bank_python.risk_models import Greeks
from bank_python.risk_models.digital import asset_digital_greeks, asset_digital_price, digital_greeks, digital_price

if TYPE_CHECKING:
    from typing import Any

__all__ = ["DigitalOption"]


@register_storable
class DigitalOption(VanillaOption):
    """A European option that pays an amount of cash, or one unit of the asset, if it expires in the money.

    Parameters
    ----------
    name : str
        Node name, unique in its graph.
    spot_source, vol_source, rate_source, dividend_source : Node or float
        Spot price, volatility, rate and dividend yield, or a surface or curves, as for
        :class:`~bank_python.instruments.option.Option`.
    strike : float
        Strike price, above 0, in `currency`.
    expiry : float, str or datetime.date
        Time to expiry in years from now, a tenor, or the expiry date (which needs a clock).
    is_call : bool, default True
        Whether the option pays above the strike (call, true) or below it (put, false).
    pays_asset : bool, default False
        Whether the payment is one unit of the asset (true) or cash (false).
    cash : float, default 1.0
        Amount of cash paid, in `currency`; ignored if `pays_asset` is true.
    currency : str, default "USD"
        ISO 4217 code of the currency of the value.
    clock_source : Clock or float, default 0.0
        Valuation clock, or a fixed valuation time in years.

    Raises
    ------
    InstrumentError
        A term is out of range; the message names it.

    Notes
    -----
    On a volatility surface the volatility is that at the strike. The price does not include the effect of the smile's
    slope there, vega times slope; a narrow call spread on the surface does.

    Examples
    --------
    >>> terms = {"spot_source": 100.0, "vol_source": 0.35, "rate_source": 0.06, "dividend_source": 0.06}
    >>> put = DigitalOption("D", strike=80, expiry=0.75, is_call=False, cash=10.0, **terms)
    >>> round(put.value, 4)  # Haug, The Complete Guide to Option Pricing Formulas, cash-or-nothing
    2.671
    """

    record_tag = "DigitalOption"
    lowest_value: ClassVar[float] = -math.inf  # `cash` may be negative

    pays_asset: Flag = Flag("1 if the asset is paid, 0 if cash", default=False)
    cash: Term = Term("amount of cash that is paid", default=1.0)

    @staticmethod
    def price(  # noqa: D102 - documented by Contract
        spot: Any,
        strike: Any,
        vol: Any,
        rate: Any,
        dividend: Any,
        is_call: Any,
        pays_asset: Any,
        cash: Any,
        expiry: Any,
        clock: Any,
        made_at: Any,
    ) -> Any:
        terms = (spot, strike, time_left(expiry, clock, made_at), rate, vol, dividend, is_call)
        return np.where(pays_asset, asset_digital_price(*terms), digital_price(*terms, cash))

    @staticmethod
    def price_and_greeks(
        spot: Any,
        strike: Any,
        vol: Any,
        rate: Any,
        dividend: Any,
        is_call: Any,
        pays_asset: Any,
        cash: Any,
        expiry: Any,
        clock: Any,
        made_at: Any,
    ) -> Greeks:
        """Return price and Greeks; see :func:`~bank_python.risk_models.digital.digital_greeks`."""
        terms = (spot, strike, time_left(expiry, clock, made_at), rate, vol, dividend, is_call)
        of_asset, of_cash = asset_digital_greeks(*terms), digital_greeks(*terms, cash)
        names = [field.name for field in fields(Greeks)]
        return Greeks(**{key: np.where(pays_asset, getattr(of_asset, key), getattr(of_cash, key)) for key in names})

    @staticmethod
    def payoff(spot: Any, strike: Any, is_call: Any, pays_asset: Any, cash: Any) -> Any:
        """Return the payoff at expiry."""
        return np.where(is_call, spot > strike, spot < strike) * np.where(pays_asset, spot, cash)
