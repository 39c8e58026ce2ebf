"""Comparison of our prices with QuantLib's: options, bonds and credit default swaps on the same terms.

QuantLib is optional and imported by :class:`QuantLibPricing`, which raises an error with installation instructions
where it is missing.
"""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bank_python.errors import MissingExtraError
from bank_python.integrations.comparison import Comparison, Figure, cpu_seconds
from bank_python.risk_models import black_scholes_greeks
from bank_python.risk_models.barrier import barrier_price
from bank_python.risk_models.bond_analytics import bond_analytics
from bank_python.risk_models.digital import digital_price
from bank_python.risk_models.isda_cds import StandardCds
from bank_python.risk_models.survival import SurvivalCurve
from bank_python.wording import how_to_install

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["QuantLibPricing"]

_BATCH = 1_000
_CASH, _REBATE = 100.0, 1.0
_OPTION = ("price", "delta", "gamma", "vega", "theta", "rho")
_BOND = ("clean", "dirty", "macaulay", "modified", "convexity")
_CDS = ("upfront", "par_spread", "value")
_PERIODS = {1: "Annual", 2: "Semiannual", 4: "Quarterly", 12: "Monthly"}


class QuantLibPricing:
    """Prices of contracts by QuantLib beside ours.

    Parameters
    ----------
    today : datetime.date, default 2025-01-15
        The valuation date of all comparisons; QuantLib's global evaluation date is set to it.

    Raises
    ------
    MissingExtraError
        If QuantLib is not installed.

    Examples
    --------
    >>> pricing = QuantLibPricing()
    >>> pricing.option(100.0, 105.0, 180, 0.03, 0.25).largest_difference < 1e-12
    True
    """

    def __init__(self, today: dt.date = dt.date(2025, 1, 15)) -> None:
        try:
            import QuantLib as ql  # noqa: N813 - the library's own abbreviation
        except ImportError as error:
            raise MissingExtraError(
                f"QuantLib is not installed: {how_to_install('compare')}, or pip install QuantLib; "
                "only this comparison needs it",
                extra="compare",
            ) from error
        self._ql: Any = ql
        self.today = today
        ql.Settings.instance().evaluationDate = self._date(today)

    @property
    def version(self) -> str:
        """Version of QuantLib."""
        return str(self._ql.__version__)

    def option(
        self,
        spot: float,
        strike: float,
        days: int,
        rate: float,
        vol: float,
        dividend: float = 0.0,
        is_call: bool = True,
    ) -> Comparison:
        """Compare the value, delta, gamma, vega, theta and rho of a European option.

        Parameters
        ----------
        spot, strike, rate, vol, dividend, is_call
            Arguments of :func:`~bank_python.risk_models.black_scholes.black_scholes_price`.
        days : int
            Calendar days to expiry; a year has 365.
        """
        ql, now = self._ql, self._date(self.today)
        quote = ql.SimpleQuote(spot)
        payoff = ql.PlainVanillaPayoff(ql.Option.Call if is_call else ql.Option.Put, strike)
        contract = ql.VanillaOption(payoff, ql.EuropeanExercise(now + days))
        contract.setPricingEngine(ql.AnalyticEuropeanEngine(self._process(quote, rate, vol, dividend)))

        def theirs() -> list[float]:
            quote.setValue(quote.value() + 1.0)  # otherwise QuantLib returns the cached result
            quote.setValue(spot)
            figures = (contract.NPV, contract.delta, contract.gamma, contract.vega, contract.theta, contract.rho)
            return [float(figure()) for figure in figures]

        terms = (spot, strike, days / 365.0, rate, vol, dividend, is_call)
        batch = [np.full(_BATCH, float(term)) for term in terms]
        greeks = black_scholes_greeks(*terms)
        kind = "call" if is_call else "put"
        return self._compared(
            f"European {kind}, spot {spot:g}, strike {strike:g}, {days} days",
            _OPTION,
            [getattr(greeks, name) for name in _OPTION],
            theirs(),
            cpu_seconds(lambda: black_scholes_greeks(*terms)),
            cpu_seconds(lambda: black_scholes_greeks(*batch), 3) / _BATCH,
            cpu_seconds(theirs),
        )

    def digital(
        self, spot: float, strike: float, days: int, rate: float, vol: float, dividend: float = 0.0
    ) -> Comparison:
        """Compare the price of a digital call that pays 100 in cash.

        Parameters
        ----------
        spot, strike, days, rate, vol, dividend
            Arguments of :meth:`option`.
        """
        ql = self._ql
        payoff = ql.CashOrNothingPayoff(ql.Option.Call, strike, _CASH)
        contract = ql.VanillaOption(payoff, ql.EuropeanExercise(self._date(self.today) + days))
        quote = ql.SimpleQuote(spot)
        contract.setPricingEngine(ql.AnalyticEuropeanEngine(self._process(quote, rate, vol, dividend)))
        terms = (spot, strike, days / 365.0, rate, vol, dividend, True, _CASH)
        title = f"Digital call, spot {spot:g}, strike {strike:g}, {days} days"
        return self._prices(title, digital_price, terms, contract, quote)

    def barrier(
        self, spot: float, strike: float, barrier: float, days: int, rate: float, vol: float, dividend: float = 0.0
    ) -> Comparison:
        """Compare the price of a down-and-out call with a rebate of 1.

        Parameters
        ----------
        spot, strike, days, rate, vol, dividend
            Arguments of :meth:`option`.
        barrier : float
            Level below the spot at which the option is knocked out.
        """
        ql = self._ql
        payoff = ql.PlainVanillaPayoff(ql.Option.Call, strike)
        exercise = ql.EuropeanExercise(self._date(self.today) + days)
        contract = ql.BarrierOption(ql.Barrier.DownOut, barrier, _REBATE, payoff, exercise)
        quote = ql.SimpleQuote(spot)
        contract.setPricingEngine(ql.AnalyticBarrierEngine(self._process(quote, rate, vol, dividend)))
        terms = (spot, strike, days / 365.0, rate, vol, dividend, True)
        down_and_out = partial(barrier_price, barrier=barrier, rebate=_REBATE)
        title = f"Down-and-out call, spot {spot:g}, strike {strike:g}, barrier {barrier:g}, {days} days"
        return self._prices(title, down_and_out, terms, contract, quote)

    def _prices(
        self, title: str, price: Callable[..., object], terms: Sequence[float], contract: Any, quote: Any
    ) -> Comparison:
        """Compare the price only."""
        batch = [np.full(_BATCH, float(term)) for term in terms]

        def theirs() -> list[float]:
            quote.setValue(quote.value() + 1.0)  # otherwise QuantLib returns the cached result
            quote.setValue(terms[0])
            return [float(contract.NPV())]

        return self._compared(
            title,
            ("price",),
            [cast("float", price(*terms))],
            theirs(),
            cpu_seconds(lambda: price(*terms)),
            cpu_seconds(lambda: price(*batch), 3) / _BATCH,
            cpu_seconds(theirs),
        )

    def bond(self, rate: float, coupon_rate: float, years: int, frequency: int = 2) -> Comparison:
        """Compare the prices, durations and convexity of a bond with face value 100 issued today.

        Parameters
        ----------
        rate : float
            Yield to maturity per year, as a decimal, compounded with the frequency of the coupons.
        coupon_rate : float
            Coupon per year, as a decimal share of the face value.
        years : int
            Time to maturity in whole years.
        frequency : int, default 2
            Number of coupons per year: 1, 2, 4 or 12.
        """
        ql, now = self._ql, self._date(self.today)
        convention = ql.Thirty360(ql.Thirty360.BondBasis)
        rule = (ql.Unadjusted, ql.Unadjusted, ql.DateGeneration.Backward, False)
        period, end = ql.Period(12 // frequency, ql.Months), now + ql.Period(years, ql.Years)
        schedule = ql.Schedule(now, end, period, ql.NullCalendar(), *rule)
        contract = ql.FixedRateBond(0, 100.0, schedule, [coupon_rate], convention)
        quoted = ql.InterestRate(rate, convention, ql.Compounded, getattr(ql, _PERIODS[frequency]))

        def theirs() -> list[float]:
            functions, by = ql.BondFunctions, ql.Duration
            clean = functions.cleanPrice(contract, quoted, now)
            return [
                clean,
                clean + contract.accruedAmount(now),
                functions.duration(contract, quoted, by.Macaulay, now),
                functions.duration(contract, quoted, by.Modified, now),
                functions.convexity(contract, quoted, now),
            ]

        terms = (rate, 100.0, coupon_rate, float(years), 0.0, float(frequency))
        batch = [np.full(_BATCH, term) for term in terms]
        figures = bond_analytics(*terms)
        return self._compared(
            f"Bond, {100 * coupon_rate:g} % for {years} years at {100 * rate:g} %",
            _BOND,
            [getattr(figures, name) for name in _BOND],
            theirs(),
            cpu_seconds(lambda: bond_analytics(*terms)),
            cpu_seconds(lambda: bond_analytics(*batch), 3) / _BATCH,
            cpu_seconds(theirs),
        )

    def cds(
        self, spread: float, rate: float, maturity: dt.date, coupon: float = 0.01, recovery: float = 0.4
    ) -> Comparison:
        """Compare a standard credit default swap of notional 100 traded today, under the ISDA model.

        Parameters
        ----------
        spread : float
            Quoted spread per year, as a decimal.
        rate : float
            Flat discount rate per year, as a decimal, continuously compounded.
        maturity : datetime.date
            Maturity date: 20 March, June, September or December.
        coupon, recovery : float
            Running premium per year, and recovery rate, as decimals.
        """
        ql, now = self._ql, self._date(self.today)
        ours = StandardCds(self.today, maturity, coupon=coupon, recovery=recovery, notional=100.0)
        hazard = ours.hazard(spread, rate)
        default = ql.FlatHazardRate(now, ql.QuoteHandle(ql.SimpleQuote(hazard)), ql.Actual365Fixed())
        engine = ql.IsdaCdsEngine(ql.DefaultProbabilityTermStructureHandle(default), recovery, self._flat(rate))
        contract = ql.MakeCreditDefaultSwap(self._date(maturity), coupon, nominal=100.0, pricingEngine=engine)

        def theirs() -> list[float]:
            contract.recalculate()
            # QuantLib returns the upfront as a share of the notional
            return [100.0 * contract.fairUpfront(), contract.fairSpread(), contract.NPV()]

        survival = SurvivalCurve.flat(hazard)
        price = ours.price(rate, survival)
        return self._compared(
            f"Credit default swap until {maturity}, {1e4 * spread:g} bp against {1e4 * coupon:g}",
            _CDS,
            [getattr(price, name) for name in _CDS],
            theirs(),
            cpu_seconds(lambda: ours.price(rate, survival)),
            None,
            cpu_seconds(theirs),
        )

    def compare(self) -> tuple[Comparison, ...]:
        """Return one comparison of each kind of contract, on typical terms."""
        ends = dt.date(self.today.year + 5, 6, 20)
        return (
            self.option(100.0, 105.0, 180, 0.03, 0.25, 0.01),
            self.digital(100.0, 105.0, 180, 0.03, 0.25, 0.01),
            self.barrier(100.0, 105.0, 90.0, 180, 0.03, 0.25, 0.01),
            self.bond(0.045, 0.0425, 10),
            self.cds(0.012, 0.04, ends),
        )

    def _compared(
        self,
        contract: str,
        names: Sequence[str],
        ours: Sequence[float],
        theirs: Sequence[float],
        single: float,
        batch: float | None,
        library: float,
    ) -> Comparison:
        figures = tuple(Figure(name, float(a), float(b)) for name, a, b in zip(names, ours, theirs, strict=True))
        return Comparison(contract, f"QuantLib {self.version}", figures, single, batch, library)

    def _date(self, day: dt.date) -> Any:
        return self._ql.Date(day.day, day.month, day.year)

    def _process(self, quote: Any, rate: float, vol: float, dividend: float) -> Any:
        ql = self._ql
        level = ql.BlackConstantVol(self._date(self.today), ql.NullCalendar(), vol, ql.Actual365Fixed())
        carry = (self._flat(dividend), self._flat(rate))
        return ql.BlackScholesMertonProcess(ql.QuoteHandle(quote), *carry, ql.BlackVolTermStructureHandle(level))

    def _flat(self, rate: float) -> Any:
        ql = self._ql
        return ql.YieldTermStructureHandle(ql.FlatForward(self._date(self.today), rate, ql.Actual365Fixed()))

    def __repr__(self) -> str:
        return f"QuantLibPricing(today={self.today!r})"
