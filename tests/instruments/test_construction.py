"""Constructors generated from declarations: signatures, errors, hooks, and classes with their own constructor."""

from __future__ import annotations

import datetime as dt
import inspect
import pickle
import typing

import numpy as np
import pytest

from bank_python.dagger import DependencyGraph, Flag, Node, Source, Term
from bank_python.errors import ContractArgumentError, GraphError, InstrumentError
from bank_python.instruments import (
    AmericanOption,
    Bond,
    Book,
    DatedInstrument,
    Equity,
    Expiry,
    FXRate,
    Instrument,
    InterestRateSwap,
    Label,
    Lookup,
    Option,
    PerpetualFuture,
    Position,
    PowerLawOption,
)
from bank_python.market_data import Clock, MarketData
from bank_python.risk import PnLAttribution, capture, group_contracts, take_derivatives
from bank_python.risk.quadratic import quadratic_plan
from bank_python.risk.valuation import plan_valuation

CALL = {"spot_source": 42.0, "vol_source": 0.2, "rate_source": 0.1, "strike": 40.0, "expiry": 0.5}


def test_the_signature_is_the_true_one():
    signature = inspect.signature(Option)
    assert str(signature).replace("bank_python.dagger.node.", "").replace("datetime.", "") == (
        "(name: str, *, spot_source: Node | float, vol_source: Node | float, rate_source: Node | float, "
        "strike: float, expiry: float | date | str, dividend_source: Node | float = 0.0, is_call: bool = True, "
        "currency: str = 'USD', clock_source: Node | float = 0.0) -> None"
    )
    assert list(inspect.signature(AmericanOption).parameters)[-3:] == ["steps", "currency", "clock_source"]
    assert inspect.signature(Bond).parameters["compounding"].annotation == float | None
    assert list(inspect.signature(FXRate).parameters) == ["name", "quote", "rate_source", "base"]
    assert "pay_fixed" in inspect.signature(InterestRateSwap).parameters
    assert "cost_basis" not in inspect.signature(Position).parameters
    hints = typing.get_type_hints(Option.__init__)
    assert hints["is_call"] is bool
    assert hints["spot_source"] == Node | float
    assert Option.__init__.__qualname__ == "Option.__init__"


def test_an_unknown_argument_is_reported_with_a_similar_one():
    with pytest.raises(
        ContractArgumentError, match=r"Option 'C' has no argument stike; did you mean strike\? It takes"
    ):
        Option("C", **CALL, stike=3.0)
    with pytest.raises(
        TypeError, match=r"Equity 'E' has no argument zzz; leave it out\. It takes spot_source, dividend_source"
    ):
        Equity("E", spot_source=1.0, zzz=0)


def test_a_missing_argument_is_reported():
    with pytest.raises(ContractArgumentError, match=r"Option 'C' needs strike, expiry; it takes .*spot_source"):
        Option("C", spot_source=1.0, vol_source=0.2, rate_source=0.0)
    with pytest.raises(InstrumentError):
        Option("C")


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: Option("C", **CALL | {"strike": -1.0}), "C: strike=-1.0 must be above zero; correct the contract"),
        (lambda: Option("C", **CALL | {"strike": "x"}), "C: strike='x' is not a finite number; correct the contract"),
        (lambda: Option("C", **CALL | {"strike": True}), "C: strike=True is not a finite number; correct the contract"),
        (lambda: Option("C", **CALL | {"expiry": -0.1}), "expiry=-0.1 is not a finite number of at least 0; correct"),
        (lambda: Option("C", **CALL | {"expiry": dt.date(2030, 1, 1)}), "expiry=2030-01-01 is a date, which needs"),
        (lambda: Option("C", **CALL, is_call="put"), "C: is_call='put' is neither true nor false"),
        (lambda: Option("C", **CALL, currency="usd"), "C: currency 'usd' is not an ISO 4217 code"),
        (lambda: Option("C", **CALL, currency=None), "C: currency None is not an ISO 4217 code"),
        (
            lambda: AmericanOption("C", **CALL, steps=2),
            "steps=2 is not a number of steps of the tree; give a whole number from 3 to 100001",
        ),
        (
            lambda: AmericanOption("C", **CALL, steps=3.5),
            "steps=3.5 is not a number of steps of the tree; give a whole number",
        ),
        (
            lambda: Bond("B", rate_source=0.0, face=1.0, coupon_rate=0.1, maturity=1.0, frequency=3),
            "B: frequency=3 is not an allowed number of coupons per year; choose 1, 2, 4 or 12",
        ),
        (
            lambda: PowerLawOption("T", spot_source=1.0, anchor_source=1.0, anchor_strike=2, strike=3, alpha=1.0),
            "T: alpha=1.0: a finite mean needs a tail index above 1",
        ),
        (lambda: FXRate("X", rate_source=1.1, base="EUR", quote="EUR"), "base and quote are both 'EUR'"),
        (lambda: FXRate("X", rate_source=1.1, base="euro", quote="EUR"), "currency 'euro' is not an ISO 4217 code"),
        (lambda: PerpetualFuture("P", mark_source=1.0, entry_price=0.0), "P: entry_price=0.0 must be above zero"),
    ],
)
def test_failed_checks_name_term_and_value(made, message):
    with pytest.raises(InstrumentError, match=message.replace("(", r"\(").replace("?", r"\?")):
        made()


def test_numbers_of_numpy_are_numbers():
    option = Option("C", **CALL | {"strike": np.int64(40), "expiry": np.float32(0.5)}, is_call=np.bool_(True))
    assert (option.strike, option.is_call) == (40.0, 1.0)
    assert type(option.strike) is float


def test_an_amendment_is_checked_like_an_argument():
    option = Option("C", **CALL)
    for graph in (None, DependencyGraph()):
        if graph is not None:
            graph.register(option)
        before = option.value
        with pytest.raises(InstrumentError, match=r"C: strike=-1.0 must be above zero; correct the contract"):
            option.amend(strike=-1.0)
        with pytest.raises(InstrumentError, match=r"C: is_call=2.0 is neither true nor false"):
            option.amend(expiry=1.0, is_call=2.0)
        with pytest.raises(GraphError, match=r"cannot set stike=1.0; terms are finite numbers"):
            option.amend(stike=1.0)
        assert option.value == before
    option.amend(is_call=False)
    assert option.terms["is_call"] == 0.0
    with pytest.raises(GraphError, match=r"C.strike cannot be set; write C.amend\(strike=41.0\)"):
        option.strike = 41.0
    with pytest.raises(GraphError, match=r"C.spot cannot be set"):
        option.spot = 41.0


def test_an_argument_of_the_constructor_only_is_not_stored():
    swap = InterestRateSwap("S", rate_source=0.03, notional=1e6, fixed_rate=0.03, maturity=5, pay_fixed=False)
    assert swap.notional == -1e6
    with pytest.raises(AttributeError, match="does not store its constructor argument pay_fixed"):
        _ = swap.pay_fixed
    assert not hasattr(swap, "pay_fixed")


# --- a user-defined contract ----------------------------------------------------------------------


class Forward(DatedInstrument):
    """A forward: delivery of a share at a price agreed now."""

    record_tag = "tests.Forward"

    spot = Source("price of the share")
    rate = Source("rate to delivery", lookup="zero_rate")
    strike = Term("delivery price", positive=True)
    expiry = Expiry("years to delivery")
    desk = Label("desk that trades it", default="")

    def price(strike, spot, rate, expiry, clock, made_at):  # noqa: N805 - a function of named arguments, without self
        return spot - strike * np.exp(-rate * np.maximum(expiry - (clock - made_at), 0.0))


def test_fifteen_lines_make_a_contract():
    clock = Clock("CLOCK", origin=dt.date(2026, 1, 1))
    contract = Forward(
        "F", spot_source=100.0, rate_source=0.05, strike=90, expiry=dt.date(2027, 1, 1), clock_source=clock
    )
    assert contract.value == pytest.approx(100.0 - 90.0 * np.exp(-0.05))
    clock.roll(dt.date(2027, 1, 1))
    assert contract.value == 10.0
    assert contract.labels == {"currency": "USD", "desk": ""}
    again = Forward.from_record(contract.to_record())
    assert (again.value, again.labels, again.underliers) == (10.0, contract.labels, (clock,))
    assert Forward.lookup_terms == {"expiry", "made_at"}
    assert contract.price(90.0, 100.0, 0.0, 1.0, 0.0, 0.0) == 10.0


def test_a_subclass_may_reorder_add_and_write_its_own_constructor():
    class Reordered(Option):
        @staticmethod
        def price(strike, spot, vol, rate, dividend, expiry, is_call, clock, made_at):
            return Option.price(clock, spot, vol, rate, dividend, made_at, strike, expiry, is_call)

    class Scaled(Reordered):
        size = Term("how many", default=2.0)

        @staticmethod
        def price(size, spot, strike, vol, rate, dividend, expiry, is_call, clock, made_at):
            return size * Option.price(clock, spot, vol, rate, dividend, made_at, strike, expiry, is_call)

    assert Reordered("R", **CALL).value == Option("C", **CALL).value
    assert Scaled("S", **CALL).value == 2.0 * Option("C", **CALL).value


class Swapped(Option):
    """The option with its price's arguments in another order."""

    @staticmethod
    def price(strike, is_call, dividend, rate, vol, spot, made_at, expiry, clock):
        return Option.price(clock, spot, vol, rate, dividend, made_at, strike, expiry, is_call)


def test_every_valuation_binds_arguments_by_name():
    made = {}
    for kind in (Option, Swapped):
        graph = DependencyGraph()
        spot, vol = graph.register(MarketData("S", 100.0)), graph.register(MarketData("V", 0.2))
        option = kind("C", spot_source=spot, vol_source=vol, rate_source=0.03, strike=95.0, expiry=0.5)
        book = graph.register(Book("B", [Position("P", instrument=option, quantity=10)]))
        opening, plan = capture([book]), plan_valuation([book])
        ladder = graph.ladder(book, spot, [-5.0, 5.0]).values.tolist()
        levels = np.array([[90.0, 110.0], [0.2, 0.3]])
        spot.set_price(101.0)
        day = PnLAttribution.between(opening, capture([book]), "waterfall")
        made[kind] = (
            option.value,
            ladder,
            plan.pnl(levels).tolist(),
            day.by_factor(),
            quadratic_plan(plan).base.tolist(),
        )
    assert made[Swapped] == made[Option]
    assert made[Option][0] > 0.0


class Own(Option):
    def __init__(self, name, strike):
        super().__init__(name, **CALL | {"strike": strike})


class BelowOwn(Own):
    pass


class ByParts(Instrument):
    spot = Source("a price")
    strike = Term("a price")

    @staticmethod
    def price(strike, spot):
        return spot - strike


class ByPartsInOwn(DatedInstrument):
    spot = Source("a price")

    def __init__(self, name, spot_source, currency="USD", clock_source=0.0):
        super().__init__(name, {"spot": spot_source}, {}, currency, clock_source)

    @staticmethod
    def price(spot, clock, made_at):
        return spot * (1.0 + clock - made_at)


def test_classes_with_a_constructor_of_their_own_keep_it():
    assert Own("O", 40.0).value == Option("C", **CALL).value
    assert BelowOwn("O", strike=40.0).value == Option("C", **CALL).value
    assert list(inspect.signature(Own).parameters) == ["name", "strike"]
    assert list(inspect.signature(BelowOwn).parameters) == ["name", "strike"]
    assert ByPartsInOwn("Q", 5.0, "EUR").currency == "EUR"
    assert ByPartsInOwn("Q", 5.0).value == 5.0


def test_a_class_without_one_takes_parts_as_well():
    made = [
        ByParts("P", {"spot": 3.0}, {"strike": 1.0}, "EUR"),
        ByParts("P", spot_source=3.0, strike=1, currency="EUR"),
    ]
    assert [(item.value, item.currency) for item in made] == [(2.0, "EUR"), (2.0, "EUR")]


def test_a_share_on_a_leaf_and_a_pair_keep_their_labels():
    share = Equity("A", spot_source=MarketData("A_SPOT", 3.0), sector="Energy")
    assert share.to_record()["sector"] == "Energy"
    pair = FXRate("EURUSD", rate_source=1.1, base="EUR", quote="USD")
    assert (pair.base, pair.quote, pair.currency) == ("EUR", "USD", "USD")
    assert pickle.loads(pickle.dumps(Equity)) is Equity  # noqa: S301 - our own


def test_invalid_declarations_raise_an_error_when_the_class_is_defined():
    with pytest.raises(GraphError, match=r"Clash.spot_source: the constructor's argument spot_source belongs to spot;"):

        class Clash(Instrument):
            spot = Source("a price")
            spot_source = Term("a number")

    with pytest.raises(GraphError, match=r"Taken.word: the constructor's argument name belongs to every contract"):

        class Taken(Instrument):
            word = Label("a word", alias="name")

    with pytest.raises(GraphError, match=r"below 0|must be above zero.*; this is the default of Default.strike"):

        class Default(Instrument):
            strike = Term("a price", positive=True, default=-1.0)


def test_the_base_class_can_be_instantiated_but_has_no_value():
    bare = Instrument("I", {}, {}, "EUR")
    assert bare.currency == "EUR"
    assert "has no price function" in str(bare.error)


# --- lookups --------------------------------------------------------------------------------------


def test_a_lookup_is_checked_when_the_class_is_defined():
    with pytest.raises(GraphError, match=r"no lookup function 'zero_rat': import the module that registers it first"):

        class Unknown(DatedInstrument):
            rate = Source("a rate", lookup="zero_rat")

    with pytest.raises(
        GraphError, match=r"Endless.vol: .* surface_vol needs spot.*strike, which the class does not have"
    ):

        class Endless(DatedInstrument):
            vol = Source("a volatility", lookup="surface_vol")

    with pytest.raises(GraphError, match=r"the lookup function zero_rate has no argument until; it takes clock, end"):
        Lookup("zero_rate", until="expiry")
    with pytest.raises(GraphError, match=r"Circle: the lookups of sources depend on each other: (a → b → a|b → a → b)"):

        class Circle(DatedInstrument):
            a = Source("a rate", lookup=Lookup("zero_rate", clock="b", end=1.0))
            b = Source("a rate", lookup=Lookup("zero_rate", clock="a", end=1.0))


def test_lookup_terms_under_their_old_name_still_work():
    with pytest.warns(DeprecationWarning, match=r"the class attribute Old\.asked_terms is now called lookup_terms"):

        class Old(Instrument):
            asked_terms = frozenset({"strike"})
            spot = Source("price")
            strike = Term("strike")

            @staticmethod
            def price(spot, strike):
                return spot - strike

    assert Old.lookup_terms == {"strike"}


def test_a_payoff_needs_the_sources_of_its_underlying():
    with pytest.raises(GraphError, match=r"Paid has a payoff, but no vol, rate, dividend; name the sources and terms"):

        class Paid(DatedInstrument):
            spot = Source("a price")
            expiry = Expiry("years")
            price = staticmethod(lambda spot, clock, made_at, expiry: spot + 0.0 * (clock + made_at + expiry))
            payoff = staticmethod(lambda spot: spot)


def test_formulas_of_a_base_are_not_those_of_another_price():
    class Halved(Option):
        half = Flag("1 for half of it", default=True)

        @staticmethod
        def price(spot, strike, vol, rate, dividend, expiry, is_call, clock, made_at, half):
            whole = Option.price(clock, spot, vol, rate, dividend, made_at, strike, expiry, is_call)
            return np.where(half, 0.5, 1.0) * whole

    assert sorted(Halved.bindings) == ["price"]
    assert sorted(Option.bindings) == ["payoff", "payoff_slope", "price", "price_and_greeks"]
    halved, whole = (take_derivatives(group_contracts([kind("C", **CALL)])[0][0]) for kind in (Halved, Option))
    assert halved.first["spot"][0] == pytest.approx(0.5 * whole.first["spot"][0], rel=1e-6)
