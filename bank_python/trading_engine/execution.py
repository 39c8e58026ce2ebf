r"""The execution model: at what price an order fills, and what that costs.

Against a reference price P, such as the last price seen, each fill of q units is worse by

.. math:: P\,\Big(\tfrac12\,\text{spread} + \text{slippage} + Y\,\sigma\,(q/V)^{\beta}\Big)

a unit, with the spread and the slippage in basis points of the price, the average daily volume V, the volatility σ of a
day and β = 1/2 (square root) or 3/5. Fees come on top: per unit, per value, per order. Splitting an order changes its
costs, and nothing else.

Examples
--------
>>> model = ExecutionModel(slippage_bps=2.0, fee_per_share=0.005)
>>> fill = model.price_of("buy", 100, 50.0)
>>> fill.price, fill.slippage, fill.fees, fill.total
(50.01, 1.0, 0.5, 1.5)
>>> large = ExecutionModel(spread_bps=4.0, impact="square_root").price_of("sell", 1e4, 50.0, adv=1e6, daily_vol=0.02)
>>> large.price, round(large.impact, 2)
(49.89, 1000.0)

References
----------
R. Almgren, C. Thum, E. Hauptmann and H. Li, "Direct estimation of equity market impact", Risk 18(7) (2005), 58-62.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import TradingError
from bank_python.numerics.ranges import number_in_range
from bank_python.numerics.tolerances import LAST_DIGITS
from bank_python.results import Figures
from bank_python.risk_models.market_impact import TEMPORARY_COEFFICIENT
from bank_python.trading_engine.words import ImpactModel, Side, read_word
from bank_python.wording import did_you_mean

__all__ = ["ExecutionModel", "FillCost"]

_BPS = 1e-4
_WHOLE_PRICE = 10_000.0  # basis points
_HIGHEST_COMMISSION = 0.1
_TYPICAL_VOL = 0.02
_EXPONENT = {ImpactModel.NONE: 0.0, ImpactModel.SQUARE_ROOT: 0.5, ImpactModel.THREE_FIFTHS: 0.6}
_COEFFICIENT = {ImpactModel.NONE: 0.0, ImpactModel.SQUARE_ROOT: 1.0, ImpactModel.THREE_FIFTHS: TEMPORARY_COEFFICIENT}


@dataclass(frozen=True, slots=True)
class FillCost(Figures):
    """The price of a fill and its costs; returned by :meth:`ExecutionModel.price_of`.

    Parameters
    ----------
    side : Side
        Side of the order.
    quantity : float
        Units filled, above 0.
    reference_price : float
        Price before costs, in money per unit.
    price : float
        Price of the fill, in money per unit: the reference price and spread, slippage and impact.
    spread, slippage, impact : float
        Cost of half the spread, of slippage and of market impact, in money for the whole fill, at least 0.
    fees : float
        Fees of the fill, in money; not part of the price.
    multiplier : float, default 1.0
        Units of the underlying per unit of quantity: 100 for listed options.
    """

    side: Side
    quantity: float
    reference_price: float
    price: float
    spread: float
    slippage: float
    impact: float
    fees: float
    multiplier: float = 1.0

    @property
    def total(self) -> float:
        """All costs against the reference price, in money."""
        return self.spread + self.slippage + self.impact + self.fees

    @property
    def total_bps(self) -> float:
        """All costs in basis points of the value at the reference price."""
        return self.total / (self.quantity * self.reference_price * self.multiplier) / _BPS

    @property
    def cash(self) -> float:
        """Cash that the fill pays (negative for a purchase), after fees."""
        return -self.side.sign * self.quantity * self.price * self.multiplier - self.fees

    def __rich__(self) -> object:
        from bank_python.render_execution import fill_cost_view

        return fill_cost_view(self)


@dataclass(frozen=True, kw_only=True)
class _Settings:
    """Checked settings of an execution model, with the member of the enumeration in place of its name."""

    slippage_bps: float
    spread_bps: float
    impact: ImpactModel | None
    impact_coefficient: float | None
    fee_per_share: float
    commission_pct: float
    fee_per_order: float
    latency: int
    participation_cap: float | None


class ExecutionModel(_Settings, Record):
    """What fills cost: slippage, spread, market impact and fees, and how much of the volume they may be.

    Parameters
    ----------
    slippage_bps : float, default 0.0
        Slippage of every fill in basis points of the price, against the order.
    spread_bps : float, default 0.0
        Whole bid-ask spread in basis points of the price; every fill pays half of it.
    impact : ImpactModel or {"none", "square_root", "three_fifths"}, optional
        Model of the market impact. By default there is none in :meth:`price_of`; :meth:`execute` may take one.
    impact_coefficient : float, optional
        Impact of an order of a whole day's volume in daily volatilities; by default 1.0 for the square root and 0.142
        for the power 3/5.
    fee_per_share : float, default 0.0
        Fee in money per unit of quantity.
    commission_pct : float, default 0.0
        Commission as a fraction of the value, in spite of its name: 0.002 is 0.2 per cent; at most 0.1.
    fee_per_order : float, default 0.0
        Fee in money per fill.
    latency : int, default 0
        Number of bars between the decision and the first bar on which the order can fill.
    participation_cap : float, optional
        Largest share of the volume that fills may make up, in (0, 1]; by default there is no cap.

    Raises
    ------
    TradingError
        A figure is not finite or out of range, or the model of impact is unknown.
    """

    @admits(TradingError)
    def __init__(
        self,
        *,
        slippage_bps: float = 0.0,
        spread_bps: float = 0.0,
        impact: ImpactModel | str | None = None,
        impact_coefficient: float | None = None,
        fee_per_share: float = 0.0,
        commission_pct: float = 0.0,
        fee_per_order: float = 0.0,
        latency: int = 0,
        participation_cap: float | None = None,
    ) -> None:
        model = None if impact is None else read_word(ImpactModel, impact)
        super().__init__(
            slippage_bps=_basis_points("slippage_bps", slippage_bps),
            spread_bps=_basis_points("spread_bps", spread_bps),
            impact=model,
            impact_coefficient=None if impact_coefficient is None else _coefficient(impact_coefficient, model),
            fee_per_share=_money("fee_per_share", fee_per_share),
            commission_pct=_commission(commission_pct),
            fee_per_order=_money("fee_per_order", fee_per_order),
            latency=_latency(latency),
            participation_cap=None if participation_cap is None else _cap(participation_cap),
        )

    @admits(TradingError)
    def price_of(
        self,
        side: Side | str,
        quantity: float,
        reference_price: float,
        adv: float | None = None,
        daily_vol: float | None = None,
        *,
        limit_price: float | None = None,
        multiplier: float = 1.0,
    ) -> FillCost:
        """Return the price of a fill with its costs.

        Parameters
        ----------
        side : Side or {"buy", "sell"}
            Side of the order.
        quantity : float
            Units to fill, above 0.
        reference_price : float
            Price before costs, above 0: the last price, the open of a bar, or the mean of bid and ask.
        adv : float, optional
            Average daily volume in units of quantity, above 0; needed for an impact and for a cap.
        daily_vol : float, optional
            Volatility of a day as a decimal, from 0 to 1; needed for an impact.
        limit_price : float, optional
            Price that the fill may not be worse than; costs beyond it are cut in proportion.
        multiplier : float, default 1.0
            Units of the underlying per unit of quantity: 100 for listed options.

        Raises
        ------
        TradingError
            A figure is out of range or missing, the quantity exceeds the cap, or the limit price is not reached.
        """
        impact = self.impact if isinstance(self.impact, ImpactModel) else ImpactModel.NONE
        return self._filled(
            impact, (read_word(Side, side), quantity, reference_price), (adv, daily_vol), limit_price, multiplier
        )

    def changed(self, **settings: Any) -> ExecutionModel:
        """Return the model with other settings.

        Parameters
        ----------
        **settings
            Settings to change, by the names of the constructor's arguments.

        Raises
        ------
        TradingError
            There is no such setting, or its value is out of range.
        """
        known = {item.name: getattr(self, item.name) for item in fields(self)}
        for name in settings:
            if name not in known:
                near = did_you_mean(name, known, f"it has {', '.join(known)}")
                raise TradingError(f"an execution model has no {name!r:.40}; {near}", name=name)
        return ExecutionModel(**{**known, **settings})

    @admits(TradingError)
    def fees(self, quantity: float, price: float, multiplier: float = 1.0) -> float:
        """Return the fees of a fill, in money.

        Parameters
        ----------
        quantity : float
            Units filled, above 0.
        price : float
            Price of the fill in money per unit, above 0.
        multiplier : float, default 1.0
            Units of the underlying per unit of quantity.

        Raises
        ------
        TradingError
            A figure is not finite or not above 0.
        """
        size = _above_zero("quantity", quantity, _SIDE_SAYS)
        return self._fees(size, _above_zero("price", price), _above_zero("multiplier", multiplier))

    def _fees(self, size: float, price: float, multiplier: float) -> float:
        value = size * price * multiplier
        if not math.isfinite(value):
            raise TradingError("the value of the fill is too large; check quantity and price", name="price")
        return self.fee_per_share * size + self.commission_pct * value + self.fee_per_order

    @admits(TradingError)
    def maximum_quantity(self, volume: float) -> float:
        """Return the largest quantity that may fill in a given volume; infinite without a cap.

        Parameters
        ----------
        volume : float
            Volume of the bar or the day in units of quantity, at least 0.

        Raises
        ------
        TradingError
            The volume is negative or not finite.
        """
        known = number_in_range("volume", volume, TradingError, least=0.0)
        return math.inf if self.participation_cap is None else self.participation_cap * known

    @admits(TradingError)
    def execute(
        self, order: Any, current_price: float, avg_daily_volume: float = 1_000_000, daily_vol: float = _TYPICAL_VOL
    ) -> tuple[float, float]:
        """Return fill price and fees of an order; the second spelling of :meth:`price_of`.

        If `impact` is not given, but slippage is, this takes the square root, so that a larger share of the
        volume has a worse price.

        Parameters
        ----------
        order : object
            Order with the attributes ``side`` and ``quantity``; a ``limit_price`` is respected if it has one.
        current_price : float
            Price before costs, above 0.
        avg_daily_volume : float, default 1,000,000
            Average daily volume in units of quantity, above 0.
        daily_vol : float, default 0.02
            Volatility of a day as a decimal, from 0 to 1.

        Raises
        ------
        TradingError
            The order is no order, a figure is out of range, the quantity exceeds the cap, or the limit price is not
            reached.
        """
        try:
            side, quantity = order.side, order.quantity
        except AttributeError as error:
            raise TradingError(f"order={order!r:.60} has no side and quantity; give an order", name="order") from error
        limit = getattr(order, "limit_price", None)
        impact = self.impact
        if impact is None:
            impact = ImpactModel.SQUARE_ROOT if self.slippage_bps > 0.0 else ImpactModel.NONE
        asked = (read_word(Side, side), quantity, current_price)
        fill = self._filled(impact, asked, (avg_daily_volume, daily_vol), limit, 1.0)
        return fill.price, fill.fees

    def _filled(
        self,
        impact: ImpactModel,
        order: tuple[Side, float, float],
        market: tuple[float | None, float | None],
        limit_price: float | None,
        multiplier: float,
    ) -> FillCost:
        side, size = order[0], _above_zero("quantity", order[1], _SIDE_SAYS)
        reference, units = _above_zero("reference_price", order[2]), _above_zero("multiplier", multiplier)
        self._check_cap(size, market[0])
        parts = (0.5 * self.spread_bps * _BPS, self.slippage_bps * _BPS, self._impact(impact, size, *market))
        worse, cut = reference * math.fsum(parts), 1.0
        price = reference + side.sign * worse
        if limit_price is not None:
            room = _room(side, reference, _above_zero("limit_price", limit_price))
            if worse > room:
                cut, price = room / worse, float(limit_price)
        if not (price > 0.0 and math.isfinite(price)):
            raise TradingError(
                f"a {side.value.lower()} order of {size:g} at {reference:g} costs {worse:g} a unit, more than the "
                "price can bear; trade less at once",
                name="quantity",
                value=size,
            )
        value = size * reference * units
        spread, slippage, moved = (part * cut * value for part in parts)
        return FillCost(side, size, reference, price, spread, slippage, moved, self._fees(size, price, units), units)

    def _impact(self, impact: ImpactModel, size: float, adv: float | None, daily_vol: float | None) -> float:
        """Return the market impact as a fraction of the price."""
        if impact is ImpactModel.NONE:
            return 0.0
        if adv is None or daily_vol is None:
            lacking = "adv" if adv is None else "daily_vol"
            raise TradingError(
                f"impact {impact.value.lower()!r} needs adv and daily_vol, and {lacking} is not given; give it, or "
                "impact='none'",
                name=lacking,
            )
        volume = _above_zero("adv", adv, "give the average daily volume, in the unit of the quantity")
        vol = number_in_range(
            "daily_vol", daily_vol, TradingError, least=0.0, most=1.0, hint="for 2 per cent a day give 0.02"
        )
        scale = _COEFFICIENT[impact] if self.impact_coefficient is None else self.impact_coefficient
        return float(scale * vol * (size / volume) ** _EXPONENT[impact])

    def _check_cap(self, size: float, adv: float | None) -> None:
        if self.participation_cap is None:
            return
        if adv is None:
            raise TradingError(
                "participation_cap needs adv, which is not given; give the average daily volume", name="adv"
            )
        most = self.maximum_quantity(adv)
        if size > most * (1.0 + LAST_DIGITS):
            raise TradingError(
                f"quantity={size:g} is {size / adv:.2%} of the volume of {adv:g}, above the participation_cap of "
                f"{self.participation_cap:.2%}; fill at most {most:g} at once"
                if adv
                else f"quantity={size:g} cannot fill in a market without volume",
                name="quantity",
                value=size,
            )


_SIDE_SAYS = "give units above 0; the side says whether they are bought or sold"


def _above_zero(name: str, value: float, hint: str = "") -> float:
    return number_in_range(name, value, TradingError, above=0.0, hint=hint)


def _room(side: Side, reference: float, limit_price: float) -> float:
    """Return by how much a fill may be worse than the reference price."""
    room = side.sign * (limit_price - reference)
    if room < 0.0:
        raise TradingError(
            f"the limit price {limit_price:g} of a {side.value.lower()} order is not reached at {reference:g}; let "
            "it rest",
            name="limit_price",
            value=limit_price,
        )
    return room


def _basis_points(name: str, value: float) -> float:
    hint = "give basis points: 5.0 is 0.05 per cent of the price"
    return number_in_range(name, value, TradingError, least=0.0, most=_WHOLE_PRICE, hint=hint)


def _money(name: str, value: float) -> float:
    return number_in_range(name, value, TradingError, least=0.0, hint="give money, at least 0")


def _commission(value: float) -> float:
    hint = "give a fraction of the value: for 0.2 per cent 0.002"
    return number_in_range("commission_pct", value, TradingError, least=0.0, most=_HIGHEST_COMMISSION, hint=hint)


def _latency(value: int) -> int:
    return int(number_in_range("latency", value, TradingError, least=0.0, hint="give a number of bars, at least 0"))


def _cap(value: float) -> float:
    hint = "give a share of the volume: 0.1 is a tenth; None for no cap"
    return number_in_range("participation_cap", value, TradingError, above=0.0, most=1.0, hint=hint)


def _coefficient(value: float, impact: ImpactModel | None) -> float:
    if impact is None or impact is ImpactModel.NONE:
        raise TradingError(
            "impact_coefficient is given, but no impact; give impact='square_root' or 'three_fifths'",
            name="impact_coefficient",
        )
    hint = "give daily volatilities for a whole day's volume, near 1"
    return number_in_range("impact_coefficient", value, TradingError, least=0.0, hint=hint)
